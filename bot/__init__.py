"""Tocsin: the chat-ops bot between Microsoft Sentinel and Slack."""

__version__ = "0.1.0"

"""Slack: listeners in, cards out."""

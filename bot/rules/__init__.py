"""Sentinel rule files: model, loader, clock pinning."""

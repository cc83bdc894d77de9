"""Where queries run: embedded over local files, or Azure Monitor."""

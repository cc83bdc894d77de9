"""One file for each blocking backend."""

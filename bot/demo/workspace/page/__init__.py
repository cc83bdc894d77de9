"""The page of the local workspace."""

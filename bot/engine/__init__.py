"""The durable engine: the only package that imports dbos."""

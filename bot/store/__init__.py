"""Tables, repositories, the audit chain and migrations."""

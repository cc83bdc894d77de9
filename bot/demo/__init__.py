"""A local Slack workspace, sample logs and an AbuseIPDB sandbox."""

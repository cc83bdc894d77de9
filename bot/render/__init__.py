"""Templates to messages: safe by construction, within each platform's limits."""

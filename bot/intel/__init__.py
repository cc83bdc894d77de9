"""What is known of an address: the AbuseIPDB client, its cache and its quota ledger."""

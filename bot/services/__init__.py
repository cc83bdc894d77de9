"""What happens: each service takes ports and knows no vendor."""

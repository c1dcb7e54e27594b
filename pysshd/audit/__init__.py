"""What happened, for a person and as JSON lines."""

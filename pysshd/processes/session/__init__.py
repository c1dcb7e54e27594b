"""What runs as the user."""

"""What happened: rendered, escaped, and written without waiting."""

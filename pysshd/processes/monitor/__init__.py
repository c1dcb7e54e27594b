"""The request table and the acts behind it."""

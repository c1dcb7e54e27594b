"""The stack as a whole, against the raw client."""

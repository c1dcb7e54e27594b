"""A client that says whatever a test wants, in the right keys."""

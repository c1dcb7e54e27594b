"""The trusted half: what it lets a worker do, and what it does then."""

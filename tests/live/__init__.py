"""The daemon as a whole, and the clients that people use."""

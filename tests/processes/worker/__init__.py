"""The process that the network talks to."""

"""The network-facing process."""

"""RFC 4254: channels, windows and requests."""

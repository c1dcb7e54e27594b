"""RFC 4252 and RFC 4256: the authentication protocol."""

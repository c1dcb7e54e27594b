"""RFC 4253: framing, negotiation, key exchange and the gate of legal messages."""

"""The SSH protocol: pure, from the wire up to the stack that a driver sees."""

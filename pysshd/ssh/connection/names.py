"""Names and addresses that a peer chose: what is let through to those who decide."""

import re

_NAME = re.compile(r"[!-+\--~]{1,64}")
_ADDRESS = re.compile(r"[!-~]{1,255}")

PORT_MAX = 65535


def is_name(name: str) -> bool:
    """One to 64 printable ASCII characters, no comma, no space (RFC 4250 §4.6.1)."""
    return _NAME.fullmatch(name) is not None


def is_address(address: str) -> bool:
    """One to 255 printable ASCII characters without a space: whatever an IP address or a host name can be."""
    return _ADDRESS.fullmatch(address) is not None


def is_port(port: int) -> bool:
    """A port that somebody can be connected to: 1 to 65535 (S89)."""
    return 0 < port <= PORT_MAX

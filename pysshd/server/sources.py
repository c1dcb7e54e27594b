"""Whose turn a question takes that connections wait for."""

from collections.abc import Hashable
from ipaddress import IPv6Address

from pysshd.server.connection import Address


def peer_of(source: Address | None) -> Hashable:
    """Return whose turn it is: an IPv4 address's, an IPv6 /64's, or that of all without an address together."""
    return int(source) >> 64 if isinstance(source, IPv6Address) else source

"""The requests that reach beyond the session: connections, listeners, X11, the agent."""

from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect to a TCP port for the client.

    host: as the client sent it, an address or a name.
    address: None: may the name be looked up at all (an address in `host` is judged at once)? Else what the name was
        resolved to: each such address is a request of its own, and the address that was judged is the one to connect
        to.
    """

    host: str
    port: int
    address: IPv4Address | IPv6Address | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """Listen on a TCP port for the client.

    address: as the client sent it: an address, `localhost`, or empty for every address.
    port: 0: any free one of those that are permitted; the listener that then is there is the request with its port.
    """

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class ConnectUnix:
    """Connect to a Unix socket by its absolute path."""

    path: str


@dataclass(frozen=True, slots=True)
class ListenUnix:
    """Listen on a Unix socket of this absolute path."""

    path: str


@dataclass(frozen=True, slots=True)
class X11:
    """Forward X11 connections of the session: one or any number of them, for a screen of the client."""

    single: bool
    screen: int


@dataclass(frozen=True, slots=True)
class Agent:
    """Forward connections of the session to the client's agent."""


NetRequest: TypeAlias = Connect | Listen | ConnectUnix | ListenUnix | X11 | Agent

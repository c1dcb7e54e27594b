"""The ways in which requests that reach beyond the session are answered."""

from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from pysshd.patterns.ports import Ports
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class LookUpWay:
    """The name may be looked up. Each address that it has is then asked for by itself, with the name.

    named: whether the name itself is permitted; else only some address of it could be.
    """

    host: str
    port: int
    named: bool


@dataclass(frozen=True, slots=True)
class ConnectWay:
    """A connection to this very address may be made."""

    address: IPv4Address | IPv6Address
    port: int


@dataclass(frozen=True, slots=True)
class ListenWay:
    """A listener on all of these addresses, with one port, may be opened.

    addresses: an unspecified one stands for every address of its family alone.
    ports: of which one that is free is taken; where the client named a port, that one.
    """

    addresses: tuple[IPv4Address | IPv6Address, ...]
    ports: tuple[Ports, ...]


@dataclass(frozen=True, slots=True)
class ConnectUnixWay:
    """A connection to the Unix socket of this path may be made."""

    path: str


@dataclass(frozen=True, slots=True)
class ListenUnixWay:
    """A listener on a Unix socket of this path may be opened."""

    path: str


@dataclass(frozen=True, slots=True)
class X11Way:
    """X11 connections may be forwarded: one alone where `single`, to the client's screen of this number."""

    single: bool
    screen: int


@dataclass(frozen=True, slots=True)
class AgentWay:
    """Connections to the client's agent may be forwarded."""


NetWay: TypeAlias = LookUpWay | ConnectWay | ListenWay | ConnectUnixWay | ListenUnixWay | X11Way | AgentWay

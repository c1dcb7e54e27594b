"""Permissions that reach beyond the session beside each other: forwarding, listening, sockets."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from pysshd.patterns.destinations import HostPattern
from pysshd.patterns.globs import Token
from pysshd.patterns.host_inclusion import hosts_denied, hosts_meet, hosts_within, listening_within
from pysshd.patterns.hosts import IPAddress
from pysshd.patterns.parts import parts_tokens
from pysshd.patterns.parts_inclusion import parts_within
from pysshd.patterns.ports import Ports
from pysshd.policy.query import X11, Agent, Connect, ConnectUnix, Global, Listen, ListenUnix, Request
from pysshd.policy.rights_net import ConnectRight, ListenRight, NetRight, SocketPattern, SocketRight

_SEPARATOR: Final = "/"


def net_within(small: NetRight, big: NetRight, *, own: bool = True) -> bool:
    """Whether `big` permits all that `small` permits. own: also of what is this host's own address."""
    if isinstance(small, ConnectRight) and isinstance(big, ConnectRight):
        return _ports_within(small.ports, big.ports) and hosts_within(small.host, big.host, own=own)
    if isinstance(small, ListenRight) and isinstance(big, ListenRight):
        return _ports_within(small.ports, big.ports) and listening_within(small.host, big.host)
    if isinstance(small, SocketRight) and isinstance(big, SocketRight):
        return small.listens is big.listens and _paths_within(small.path, big.path)
    return small == big


def _ports_within(small: Ports, big: Ports) -> bool:
    return big.first <= small.first and small.last <= big.last


def _paths_within(small: SocketPattern, big: SocketPattern) -> bool:
    return small.in_home is big.in_home and parts_within(_tokens(small), _tokens(big), _SEPARATOR)


def _tokens(pattern: SocketPattern) -> list[Token]:
    """The pattern with a token for each slot."""
    found: list[Token] = []
    for index, part in enumerate(pattern.template.parts):
        found += [Token(f"{{{part}}}", wild=True)] if index % 2 else parts_tokens(part, _SEPARATOR)
    return found


# Denies


def net_touched(small: NetRight, deny: NetRight) -> bool:
    """Whether a deny of `deny` touches every request that `small` permits."""
    if isinstance(small, ConnectRight) and isinstance(deny, ConnectRight):
        # To look a name up for its addresses is permitted too, and only a deny of the name touches that.
        named = not small.host.networks or deny.host.anything
        return named and net_denied(small, deny)
    if isinstance(small, SocketRight) and isinstance(deny, SocketRight):
        return net_within(small, deny)
    return net_denied(small, deny)


def net_denied(small: NetRight, deny: NetRight) -> bool:
    """Whether a deny of `deny` touches every request that a deny of `small` touches."""
    for kind in (ConnectRight, ListenRight):
        if isinstance(small, kind) and isinstance(deny, kind):
            return _ports_within(small.ports, deny.ports) and hosts_denied(small.host, deny.host)
    if isinstance(small, SocketRight) and isinstance(deny, SocketRight) and small != deny:
        # A deny with a slot that has no value touches every path.
        return not (small.path.in_home or small.path.template.slots) and net_within(small, deny)
    return small == deny


def net_meets(permitted: NetRight, deny: NetRight) -> bool:
    """Whether a deny may touch a request that is permitted."""
    for kind in (ConnectRight, ListenRight):
        if isinstance(permitted, kind) and isinstance(deny, kind):
            apart = permitted.ports.last < deny.ports.first or deny.ports.last < permitted.ports.first
            return not apart and (kind is ListenRight or hosts_meet(permitted.host, deny.host))
    if isinstance(permitted, SocketRight) and isinstance(deny, SocketRight):
        return permitted.listens is deny.listens
    return type(permitted) is type(deny) and permitted == deny


# Examples

_STARS: Final = ("x", "", "zz9", "x.x")
_SOMEWHERE: Final[IPAddress] = ip_address("198.51.100.7")
"""An address that a name might have (RFC 5737)."""


def requests_of(right: NetRight) -> Iterator[Request]:
    """Requests that a permission permits, to show what it is; not each of them is."""
    if isinstance(right, ConnectRight):
        for port in _some(right.ports):
            for host in _hosts(right.host):
                yield from (Connect(host, port, address) for address in _addresses(host))
    elif isinstance(right, ListenRight):
        yield from (Listen(host, port) for port in _some(right.ports) for host in ("", *_hosts(right.host)))
    elif isinstance(right, SocketRight):
        kind = ListenUnix if right.listens else ConnectUnix
        yield from (kind(path) for path in _paths(right.path))
    else:
        yield Global(right.name) if right.name else Agent() if right.key == "agent" else X11(single=False, screen=0)


def _some(ports: Ports) -> Iterator[int]:
    yield from dict.fromkeys([ports.first, ports.last, (ports.first + ports.last) // 2])


def _hosts(host: HostPattern) -> Iterator[str]:
    for network in host.networks:
        yield from dict.fromkeys([str(network[min(1, network.num_addresses - 1)]), str(network[-1]), str(network[0])])
    if host.names is not None:
        yield from _written(host.names.source)
    if host.anything:
        yield from ("some-host.example", str(_SOMEWHERE))


def _addresses(host: str) -> tuple[IPAddress | None, ...]:
    try:
        ip_address(host)
    except ValueError:
        return (_SOMEWHERE, None)
    return (None,)


def _paths(pattern: SocketPattern) -> Iterator[str]:
    if not (pattern.in_home or pattern.template.slots):
        yield from _written(str(pattern))


def _written(source: str) -> Iterator[str]:
    """Texts of a pattern; `**` is whole parts."""
    for star in _STARS:
        yield source.replace("**", star or "x").replace("*", star.replace(".", "")).replace("?", "x")

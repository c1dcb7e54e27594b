"""What permissions say to requests that reach beyond the session.

A request is read once: a host is an address or a name from then on, and what can be neither, or no port, or no path
of a socket, is refused whatever is granted.
"""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from pysshd.patterns import names
from pysshd.patterns.destinations import HostError, parse_host
from pysshd.patterns.hosts import IPAddress, unmapped
from pysshd.patterns.ports import LAST_PORT, Ports, ports_left
from pysshd.patterns.socket_paths import SocketPathError, check_socket_path
from pysshd.patterns.special import LOCALHOST, LOCALHOST_ADDRESSES, OwnAddresses, is_unspecified, judged
from pysshd.policy.found import REFUSED, Found
from pysshd.policy.query import (
    X11,
    Agent,
    Connect,
    ConnectUnix,
    Global,
    Listen,
    ListenUnix,
    Request,
)
from pysshd.policy.rights_net import (
    ALWAYS_ANSWERED,
    FORWARDING,
    ConnectRight,
    ListenRight,
    NetRight,
    PlainRight,
    SocketRight,
)
from pysshd.policy.ruleset import Grant
from pysshd.policy.ways import GlobalWay, Way
from pysshd.policy.ways_net import AgentWay, ConnectUnixWay, ConnectWay, ListenUnixWay, ListenWay, LookUpWay, X11Way
from pysshd.records import dataclass

Values: TypeAlias = Mapping[str, str]
"""Of the slots of paths."""

EVERY_ADDRESS: Final[tuple[IPAddress, ...]] = (IPv4Address(0), IPv6Address(0))


class Asked(Protocol):
    """A request that was read."""

    @property
    def divisible(self) -> bool:
        """Whether a deny may touch a part of it, and leave the rest."""

    def permits(self, right: NetRight) -> bool:
        """Whether a permission permits it wholly."""

    def touches(self, right: NetRight) -> bool:
        """Whether a deny of a permission touches it."""

    def way(self, permitting: Iterable[NetRight], denied: Iterable[NetRight]) -> Way | None:
        """How it is answered; None where the denied parts leave nothing of it."""


@dataclass(frozen=True, slots=True)
class AskedName:
    """A connection to a name that is not looked up yet."""

    name: str
    port: int
    divisible: ClassVar[bool] = False

    def permits(self, right: NetRight) -> bool:
        """Whether it permits the name, or could permit an address that the name has."""
        return self._named(right) or (
            isinstance(right, ConnectRight) and self.port in right.ports and right.host.has_addresses
        )  # fmt: skip

    def touches(self, right: NetRight) -> bool:
        """Whether the name is denied; what addresses are denied is asked of each."""
        return self._named(right)

    def _named(self, right: NetRight) -> bool:
        return isinstance(right, ConnectRight) and self.port in right.ports and right.host.permits_name(self.name)

    def way(self, permitting: Iterable[NetRight], denied: Iterable[NetRight]) -> Way | None:
        """It may be looked up."""
        return LookUpWay(self.name, self.port, any(self._named(right) for right in permitting))


@dataclass(frozen=True, slots=True)
class AskedAddress:
    """A connection to an address, to which `name` was resolved or which the client named itself."""

    name: str | None
    address: IPAddress
    port: int
    own: OwnAddresses
    divisible: ClassVar[bool] = False

    def permits(self, right: NetRight) -> bool:
        """Whether its name is permitted or an address pattern covers it."""
        return (
            isinstance(right, ConnectRight)
            and self.port in right.ports
            and right.host.permits(self.name, self.address, self.own)
        )

    def touches(self, right: NetRight) -> bool:
        """Whether its name or the address is denied."""
        return (
            isinstance(right, ConnectRight)
            and self.port in right.ports
            and right.host.touches(self.name, self.address)
        )  # fmt: skip

    def way(self, permitting: Iterable[NetRight], denied: Iterable[NetRight]) -> Way | None:
        """To the very address that was judged."""
        return ConnectWay(unmapped(self.address), self.port)


@dataclass(frozen=True, slots=True)
class AskedListener:
    """A listener on some addresses.

    wide: each stands for every address of its family, of which no permission of some is enough.
    """

    addresses: tuple[IPAddress, ...]
    wide: bool
    port: int

    @property
    def divisible(self) -> bool:
        """Of any free port some may be denied."""
        return self.port == 0

    def permits(self, right: NetRight) -> bool:
        """Whether it permits every address and, where one is named, the port."""
        if not isinstance(right, ListenRight) or not (self.divisible or self.port in right.ports):
            return False
        if self.wide:
            return right.host.anything or (len(self.addresses) == 1 and right.host.is_just(self.addresses[0]))
        # Whatever one listens on is an address of this host, so that nothing is special about being one.
        return all(right.host.permits(None, address, frozenset()) for address in self.addresses)

    def touches(self, right: NetRight) -> bool:
        """Whether one of the addresses, and the port, is denied."""
        if not isinstance(right, ListenRight) or not (self.divisible or self.port in right.ports):
            return False
        return any((right.host.meets if self.wide else right.host.holds)(address) for address in self.addresses)

    def way(self, permitting: Iterable[NetRight], denied: Iterable[NetRight]) -> Way | None:
        """On all of the addresses, with the port or any of those that are left."""
        if not self.divisible:
            return ListenWay(self.addresses, (Ports(self.port, self.port),))
        left = ports_left(_ports_of(permitting), _ports_of(denied))
        return ListenWay(self.addresses, left) if left else None


def _ports_of(rights: Iterable[NetRight]) -> list[Ports]:
    return [right.ports for right in rights if isinstance(right, ListenRight)]


@dataclass(frozen=True, slots=True)
class AskedSocket:
    """A Unix socket."""

    path: str
    listens: bool
    values: Values
    divisible: ClassVar[bool] = False

    def permits(self, right: NetRight) -> bool:
        """Whether it permits the path."""
        return (
            isinstance(right, SocketRight) and right.listens is self.listens and right.permits(self.path, self.values)
        )

    def touches(self, right: NetRight) -> bool:
        """Whether the path is denied."""
        return (
            isinstance(right, SocketRight) and right.listens is self.listens and right.touches(self.path, self.values)
        )

    def way(self, permitting: Iterable[NetRight], denied: Iterable[NetRight]) -> Way | None:
        """By its path."""
        return ListenUnixWay(self.path) if self.listens else ConnectUnixWay(self.path)


@dataclass(frozen=True, slots=True)
class AskedPlain:
    """What is permitted or not, by its name alone."""

    key: str
    name: str
    answer: Way
    divisible: ClassVar[bool] = False

    def permits(self, right: NetRight) -> bool:
        """Whether it is of this name."""
        return isinstance(right, PlainRight) and (right.key, right.name) == (self.key, self.name)

    def touches(self, right: NetRight) -> bool:
        """The same."""
        return self.permits(right)

    def way(self, permitting: Iterable[NetRight], denied: Iterable[NetRight]) -> Way | None:
        """As asked."""
        return self.answer


def asked_of(request: Request, own: OwnAddresses, values: Values) -> Asked | str | None:
    """A request, read; a text: why it is refused whatever is granted; None: it is none of these."""
    reader = _READERS.get(type(request))
    return reader(request, own, values) if reader is not None else None


def refusal_of_net(request: Request) -> str:
    """Why a request is refused whatever is granted, or ""."""
    found = asked_of(request, None, {})
    return found if isinstance(found, str) else ""


def _connection(request: Connect, own: OwnAddresses) -> Asked | str:
    if not 1 <= request.port <= LAST_PORT:
        return f"the port is none from 1 to {LAST_PORT}"
    try:
        host = parse_host(request.host)
    except HostError as error:
        return f"the host is not served: {error}"
    if isinstance(host, str) and request.address is None:
        return AskedName(host, request.port)
    name, address = (host, request.address) if isinstance(host, str) else (None, host)
    assert address is not None
    if name is None and request.address is not None and judged(request.address) != judged(address):
        return "the address is not that of the host"
    if is_unspecified(judged(address)):
        return "the address is that of nothing, and would be this host"
    return AskedAddress(name, address, request.port, own)


def _listener(request: Listen) -> Asked | str:
    if not 0 <= request.port <= LAST_PORT:
        return f"the port is none from 0 to {LAST_PORT}"
    if request.address == "":
        return AskedListener(EVERY_ADDRESS, True, request.port)
    try:
        host = parse_host(request.address)
    except HostError as error:
        return f"the address is not served: {error}"
    if host == LOCALHOST:
        return AskedListener(LOCALHOST_ADDRESSES, False, request.port)
    if isinstance(host, str):
        return "no name is looked up to listen on but localhost"
    address = unmapped(host)
    return AskedListener((address,), address in EVERY_ADDRESS, request.port)


def _socket(request: ConnectUnix | ListenUnix, values: Values) -> Asked | str:
    try:
        check_socket_path(request.path)
    except SocketPathError as error:
        return f"the socket's path is not served: {error}"
    return AskedSocket(request.path, isinstance(request, ListenUnix), values)


def _global_request(request: Global) -> Asked | str:
    if not names.is_global_request(request.name):
        return "the request's name is of no form that is served"
    if request.name in FORWARDING or request.name in ALWAYS_ANSWERED:
        return "no bare success answers it"
    return AskedPlain("global_requests", request.name, GlobalWay())


_READERS: Final[dict[type, Callable[[Any, OwnAddresses, Values], Asked | str]]] = {
    Connect: lambda request, own, values: _connection(request, own),
    Listen: lambda request, own, values: _listener(request),
    ConnectUnix: lambda request, own, values: _socket(request, values),
    ListenUnix: lambda request, own, values: _socket(request, values),
    X11: lambda request, own, values: AskedPlain("x11", "", X11Way(request.single, request.screen)),
    Agent: lambda request, own, values: AskedPlain("agent", "", AgentWay()),
    Global: lambda request, own, values: _global_request(request),
}


def reached(
    asked: Asked, permitting: Iterable[Grant], narrowing: Iterable[Grant], permits: Callable[[NetRight], bool]
) -> Found:
    """What the grants come to that permit a request, and those that deny a part of it.

    permits: whether a permission permits it wholly (`asked.permits`, each asked once).
    """
    grants = _in_order(permitting)
    rights = [right for grant in grants for right in grant.rights.net if permits(right)]
    if not rights:
        return REFUSED
    denies = _in_order(narrowing)
    way = asked.way(rights, (right for grant in denies for right in grant.rights.net if asked.touches(right)))
    if way is None:
        return Found(None, (), denies[0].where, f"{denies[0].name} denies it")
    return Found(way, grants, "", f"permits it by {rights[0]} ({rights[0].where})")


def _in_order(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: grant.number))

"""Addresses that nobody reaches by a wide pattern: this host itself, its neighbours, and what hands out secrets.

Sources: RFC 1122 §3.2.1.3, RFC 3927, RFC 4291 §2.5 and §2.7, RFC 5771, RFC 6052, RFC 8215, and the documentation of
the clouds whose services of instance metadata are listed.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias

from pysshd.patterns.hosts import IPAddress, Network, parse_network, unmapped

OwnAddresses: TypeAlias = frozenset[IPAddress] | None
"""The addresses of this host's interfaces; None: not known, so that any address might be one."""

SPECIAL: Final[dict[str, tuple[Network, ...]]] = {
    name: tuple(map(parse_network, texts))
    for name, texts in {
        "loopback": ("127.0.0.0/8", "::1"),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        "multicast": ("224.0.0.0/4", "255.255.255.255", "ff00::/8"),
        "metadata": (
            "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
            "100.100.100.200", "168.63.129.16", "192.0.0.192",
        ),
    }.items()
}  # fmt: skip
"""The special ranges by the words that stand for them in a pattern."""

LOOPBACK: Final = SPECIAL["loopback"]
LOCALHOST: Final = "localhost"
"""The name of the loopback addresses (RFC 6761 §6.3)."""

LOCALHOST_ADDRESSES: Final[tuple[IPAddress, ...]] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))

UNSPECIFIED: Final[tuple[Network, ...]] = (IPv4Network("0.0.0.0/8"), IPv6Network("::/128"))
"""No address of anything; who connects to it reaches this host."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
"""An IPv4 address lies in these too, but where in them only their network knows (RFC 8215)."""

_BARS: Final[tuple[Network, ...]] = (*(network for networks in SPECIAL.values() for network in networks), _NAT64_LOCAL)


def judged(address: IPAddress) -> IPAddress:
    """The address as which it is judged: the IPv4 address that it maps or that NAT64 translates it to, else itself."""
    address = unmapped(address)
    if isinstance(address, IPv6Address) and address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def judged_network(network: Network) -> Network:
    """The same for a prefix."""
    if isinstance(network, IPv6Network) and network.subnet_of(_NAT64):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def lies_in(network: Network, other: Network) -> bool:
    """Whether a prefix lies inside another one."""
    return (
        network.version == other.version
        and network.prefixlen >= other.prefixlen
        and network.network_address in other
    )  # fmt: skip


def is_unspecified(address: IPAddress) -> bool:
    """Whether it is no address of anything."""
    return any(address in network for network in UNSPECIFIED if network.version == address.version)


def bars_of(address: IPAddress) -> tuple[Network, ...]:
    """The special prefixes that an address is in: what permits it must lie inside each of them."""
    return tuple(network for network in _BARS if network.version == address.version and address in network)


def barred_by(network: Network) -> tuple[Network, ...]:
    """The special prefixes inside which a whole prefix lies."""
    return tuple(bar for bar in _BARS if lies_in(network, bar))


def may_be_own(address: IPAddress, own: OwnAddresses) -> bool:
    """Whether it is, or might be, an address of this host that is not loopback."""
    return own is None or address in own or any(judged(one) == address for one in own)


def reaches(network: Network, address: IPAddress, own: OwnAddresses) -> bool:
    """Whether a prefix, as a pattern, permits an address: it holds it, and lies inside whatever is special about it."""
    if network.version != address.version or address not in network:
        return False
    bars = bars_of(address)
    if not all(lies_in(network, bar) for bar in bars):
        return False
    if network.prefixlen == network.max_prefixlen or any(bar in LOOPBACK for bar in bars):
        return True
    # Of a host whose addresses are not known only what names the address itself is sure to lie inside them.
    return not may_be_own(address, own) or (own is not None and _all_own(network, own))


def _all_own(network: Network, own: frozenset[IPAddress]) -> bool:
    return network.num_addresses <= len(own) and {judged(one) for one in own}.issuperset(network)

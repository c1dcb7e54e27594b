"""Addresses and prefixes: strict reading, and sets of them.

An IPv4-mapped IPv6 address is its IPv4 address (RFC 4291 §2.5.5.2). Zone ids and numeric forms other than the
canonical ones are refused.
"""

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from pysshd.records import dataclass

IPAddress: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

Place: TypeAlias = tuple[int, int, int]
"""An address as it is looked up in a set: version, number, and more than any range ends with."""

_BEHIND_ALL: Final = 1 << 128
_MAPPED = IPv6Network("::ffff:0:0/96")


class AddressError(ValueError):
    """A text is not an address or a prefix: the message says what it is."""


def unmapped(address: IPAddress) -> IPAddress:
    """The address itself, or the IPv4 address that it maps."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_network(text: str) -> Network:
    """Read an address or a prefix without host bits, or raise AddressError.

    A prefix inside `::ffff:0:0/96` is the IPv4 prefix that it maps.
    """
    if "%" in text:
        raise AddressError("it has a zone id, which names an interface of this host only")
    address, slash, length = text.partition("/")
    try:
        base = ip_address(address)
    except ValueError:
        raise AddressError("it is no IPv4 or IPv6 address") from None
    if slash and not (length.isascii() and length.isdigit() and (length == "0" or length[0] != "0")):
        raise AddressError("its prefix length is no number")
    if slash and int(length) > base.max_prefixlen:
        raise AddressError(f"its prefix length is over {base.max_prefixlen}")
    network = ip_network((base, int(length) if slash else base.max_prefixlen), strict=False)
    if network.network_address != base:
        raise AddressError(f"it has bits set behind its prefix: write {network} for the network")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        assert mapped is not None
        return IPv4Network((mapped, network.prefixlen - 96))
    return network


def place_of(address: IPAddress) -> Place:
    """Where an address is among ranges."""
    address = unmapped(address)
    return address.version, int(address), _BEHIND_ALL


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses, as (version, first, last) of its ranges: sorted, and none touches another."""

    ranges: tuple[tuple[int, int, int], ...]

    def __contains__(self, address: IPAddress) -> bool:
        return self.holds(place_of(address))

    def holds(self, place: Place) -> bool:
        """Whether the address of a place is in it; for those who ask many sets about one address."""
        # The last range that does not begin behind the address; no range ends behind this one.
        at = bisect_right(self.ranges, place) - 1
        return at >= 0 and self.ranges[at][0] == place[0] and place[1] <= self.ranges[at][2]

    def edges(self) -> Iterable[IPAddress]:
        """The addresses at which being in the set changes: the first of each range, and the one behind its last."""
        for version, first, last in self.ranges:
            make, bits = (IPv4Address, 32) if version == 4 else (IPv6Address, 128)
            yield make(first)
            if last + 1 < 1 << bits:
                yield make(last + 1)


def address_set(networks: Iterable[Network]) -> AddressSet:
    """The set of all addresses of the networks."""
    ranges: list[tuple[int, int, int]] = []
    for version, first, last in sorted((n.version, int(n.network_address), int(n.broadcast_address)) for n in networks):
        if ranges and ranges[-1][0] == version and first <= ranges[-1][2] + 1:
            ranges[-1] = (version, ranges[-1][1], max(last, ranges[-1][2]))
        else:
            ranges.append((version, first, last))
    return AddressSet(tuple(ranges))

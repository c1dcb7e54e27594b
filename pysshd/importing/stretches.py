"""Addresses cut at every edge that a configuration draws: within a stretch all are alike."""

from collections.abc import Iterable
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from pysshd.patterns.hosts import IPAddress, Network, unmapped
from pysshd.records import dataclass


@dataclass(frozen=True)
class Stretch:
    """The addresses from one edge to the next, `last` included."""

    first: IPAddress
    last: IPAddress

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """The prefixes that it is made of."""
        if isinstance(self.first, IPv4Address) and isinstance(self.last, IPv4Address):
            return tuple(summarize_address_range(self.first, self.last))
        assert isinstance(self.first, IPv6Address)
        assert isinstance(self.last, IPv6Address)
        return tuple(summarize_address_range(self.first, self.last))

    @property
    def some(self) -> IPAddress:
        """An address in it, for a test: not the first of all, which nobody has."""
        inner = self.first + 1 if self.first != self.last else self.first
        return inner if unmapped(inner) == inner else self.first


def stretches(networks: Iterable[Network]) -> tuple[Stretch, ...]:
    """Every address of both families, cut at the ends of the networks."""
    edges: dict[int, set[int]] = {4: {0}, 6: {0}}
    for network in networks:
        edges[network.version] |= {int(network.network_address), int(network.broadcast_address) + 1}
    found: list[Stretch] = []
    for version, bits in ((4, 32), (6, 128)):
        make = IPv4Address if version == 4 else IPv6Address
        starts = sorted(edge for edge in edges[version] if edge < 1 << bits)
        ends = [*starts[1:], 1 << bits]
        found += [Stretch(make(start), make(end - 1)) for start, end in zip(starts, ends, strict=True)]
    return tuple(found)


def joined(some: Iterable[Stretch]) -> tuple[Network, ...]:
    """The prefixes of several stretches, neighbours taken together."""
    runs: list[Stretch] = []
    for one in sorted(some, key=lambda one: (one.first.version, int(one.first))):
        last = runs[-1] if runs else None
        if last is not None and last.first.version == one.first.version and int(last.last) + 1 == int(one.first):
            runs[-1] = Stretch(last.first, one.last)
        else:
            runs.append(one)
    found: list[Network] = []
    for run in runs:
        found += run.networks
    return tuple(found)

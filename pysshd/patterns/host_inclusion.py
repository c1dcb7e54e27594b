"""Whether every host of one pattern is of another one, and whether two patterns have a host in common.

A yes to the first is certain, and so is a no to the second: whoever asks takes the other answer for the worse.
"""

from typing import Final

from pysshd.patterns.destinations import HostPattern
from pysshd.patterns.hosts import Network
from pysshd.patterns.parts import PartsGlob, parts_tokens
from pysshd.patterns.parts_inclusion import parts_within
from pysshd.patterns.special import LOOPBACK, barred_by, is_unspecified, lies_in

MANY: Final = 256
"""Addresses of a prefix of which no host is taken to have every one itself."""


def hosts_within(small: HostPattern, big: HostPattern, *, own: bool = True) -> bool:
    """Whether `big` permits to connect wherever `small` does.

    own: also where an address is this host's own, which a pattern permits that lies inside those addresses, and no
    wider one.
    """
    return _parts(small, big) and all(_network_within(network, big, own) for network in small.networks)


def listening_within(small: HostPattern, big: HostPattern) -> bool:
    """Whether `big` permits to listen wherever `small` does. The addresses of nothing stand for every address."""
    return _parts(small, big) and all(
        big.anything or network in big.networks
        if network.prefixlen == network.max_prefixlen and is_unspecified(network.network_address)
        else _network_within(network, big, own=False)
        for network in small.networks
    )


def _parts(small: HostPattern, big: HostPattern) -> bool:
    """Whether what is no address is within."""
    if big.anything:
        return True
    return not small.anything and (small.names is None or _names_within(small.names, big.names))


def _names_within(small: PartsGlob, big: PartsGlob | None) -> bool:
    return big is not None and parts_within(parts_tokens(small.source, "."), parts_tokens(big.source, "."), ".")


def _network_within(network: Network, big: HostPattern, own: bool) -> bool:
    wide = not own or network.num_addresses >= MANY
    bars = barred_by(network)
    if big.anything and wide and not bars:
        return True
    return any(
        other == network
        or (
            lies_in(network, other)
            and set(bars) <= set(barred_by(other))
            and (wide or any(bar in LOOPBACK for bar in bars))
        )
        for other in big.networks
    )


# Denies, for which nothing is special


def hosts_denied(small: HostPattern, deny: HostPattern) -> bool:
    """Whether a deny of `deny` touches all that a deny of `small` touches."""
    return _parts(small, deny) and all(
        deny.anything or any(lies_in(network, other) for other in deny.networks) for network in small.networks
    )


def hosts_meet(permitted: HostPattern, deny: HostPattern) -> bool:
    """Whether a deny may touch what is permitted: a name may have any address, and an address any name."""
    if permitted.names is not None and deny.names is not None:
        return _names_meet(permitted.names, deny.names)
    if permitted.networks and deny.networks:
        return any(lies_in(a, b) or lies_in(b, a) for a in permitted.networks for b in deny.networks)
    return True


def _names_meet(a: PartsGlob, b: PartsGlob) -> bool:
    if a.literal is not None:
        return b.matches(a.literal)
    return b.literal is None or a.matches(b.literal)

"""Hosts as clients name them, and patterns of them.

What is written in the canonical way of an address is an address; every other text that some resolver might read as a
number (`127.1`, `0x7f000001`, `2130706433`) is refused; the rest is a name.
"""

import re
import string
from ipaddress import IPv4Address, ip_address
from typing import Final

from pysshd.patterns.globs import ANY, STAR
from pysshd.patterns.hosts import AddressError, IPAddress, Network, parse_network
from pysshd.patterns.parts import PartsError, PartsGlob, parse_parts
from pysshd.patterns.special import (
    LOCALHOST,
    LOOPBACK,
    SPECIAL,
    UNSPECIFIED,
    OwnAddresses,
    bars_of,
    judged,
    judged_network,
    lies_in,
    may_be_own,
    reaches,
)
from pysshd.records import dataclass

MAX_HOST: Final = 253
_MAX_LABEL: Final = 63
_LABEL: Final = frozenset(string.ascii_lowercase + string.digits + "-_")
_LABEL_PATTERN: Final = _LABEL | {STAR, ANY}
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label by which a text is the number of an address to one resolver or another (inet_aton(3))."""

_DIGITS_AND_STARS = re.compile(r"[0-9*?.]*[0-9][0-9*?.]*")


class HostError(ValueError):
    """A text is no host or no pattern of hosts: the message says why."""


def parse_host(text: str) -> IPAddress | str:
    """An address, or a name in small letters without a final dot. Raises HostError for anything else."""
    if ":" in text:
        return _address(text)
    try:
        return IPv4Address(text)
    except ValueError:
        pass
    name = text.lower().removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise HostError("it is a number, and not written as an address of four parts is")
    _check_ascii(text)
    if len(name) > MAX_HOST or not all(_is_label(label) for label in name.split(".")):
        raise HostError("it is no address and no name of a host")
    return name


def _address(text: str) -> IPAddress:
    if "%" in text:
        raise HostError("it has a zone id, which names an interface of this host only")
    try:
        return ip_address(text)
    except ValueError:
        raise HostError("it is no IPv6 address") from None


def _check_ascii(text: str) -> None:
    # Some letters that are not ASCII have small letters that are.
    if not text.isascii():
        raise HostError("it is not ASCII, expected a name as DNS has it, such as xn--bcher-kva.example")


def _is_label(label: str) -> bool:
    return 0 < len(label) <= _MAX_LABEL and _LABEL.issuperset(label) and label[0] != "-" and label[-1] != "-"


@dataclass(frozen=True, slots=True)
class HostPattern:
    """A compiled pattern of hosts.

    anything: any name, and any address but the special ones (`*`).
    names: of names; networks: the prefixes, as their addresses are judged.
    """

    source: str
    anything: bool = False
    names: PartsGlob | None = None
    networks: tuple[Network, ...] = ()

    @property
    def has_addresses(self) -> bool:
        """Whether it could permit an address whatever its name is."""
        return self.anything or bool(self.networks)

    def permits_name(self, name: str) -> bool:
        """Whether it permits a name."""
        return self.anything or (self.names is not None and self.names.matches(name))

    def permits(self, name: str | None, address: IPAddress, own: OwnAddresses) -> bool:
        """Whether it permits an address, to which `name` was resolved or which has no name.

        A special address and one of this host's own pass by a prefix that lies inside them alone.
        """
        address = judged(address)
        if any(reaches(network, address, own) for network in self.networks):
            return True
        by_name = self.anything if name is None else self.permits_name(name)
        return by_name and not bars_of(address) and not may_be_own(address, own)

    def touches(self, name: str | None, address: IPAddress) -> bool:
        """As `permits`, for a deny: what is special is there to permit less, not to deny less."""
        return (name is not None and self.permits_name(name)) or self.holds(address)

    def holds(self, address: IPAddress) -> bool:
        """Whether an address is among its prefixes, or it is for anything."""
        address = judged(address)
        return self.anything or any(address in network for network in self.networks
                                    if network.version == address.version)  # fmt: skip

    def is_just(self, address: IPAddress) -> bool:
        """Whether it is this address, written as one."""
        return any(network.prefixlen == network.max_prefixlen and network.network_address == address
                   for network in self.networks)  # fmt: skip

    def meets(self, address: IPAddress) -> bool:
        """Whether it holds any address of the family of this one."""
        return self.anything or any(network.version == address.version for network in self.networks)

    @property
    def only_ipv4(self) -> bool:
        """Whether it has addresses, and none of them is IPv6."""
        return bool(self.networks) and all(network.version == 4 for network in self.networks)

    def __str__(self) -> str:
        return f"[{self.source}]" if ":" in self.source else self.source


ANYTHING: Final = HostPattern(STAR, anything=True)


def parse_host_pattern(text: str) -> HostPattern:
    """A name, a pattern of names, an address, a prefix, `*`, or the word of a special range. Raises HostError.

    IPv6 addresses stand between brackets, as before a port.
    """
    if text == STAR:
        return ANYTHING
    if text in SPECIAL:
        return HostPattern(text, networks=SPECIAL[text])
    if text.lower().removesuffix(".") == LOCALHOST:
        return HostPattern(LOCALHOST, networks=LOOPBACK)
    if text.startswith("[") or ":" in text or "/" in text:
        return _prefix(text)
    if STAR in text or ANY in text:
        return _names(text)
    host = parse_host(text)
    return HostPattern(host, names=parse_parts(host, ".")) if isinstance(host, str) else _prefix(text)


def networks_pattern(source: str, networks: tuple[Network, ...]) -> HostPattern:
    """The pattern that some prefixes are."""
    return HostPattern(source, networks=tuple(judged_network(network) for network in networks))


def _prefix(text: str) -> HostPattern:
    bracketed = text.startswith("[") and text.endswith("]")
    bare = text[1:-1] if bracketed else text
    if bracketed != (":" in bare):
        raise HostError("an IPv6 address stands between brackets, and nothing else does")
    try:
        network = parse_network(bare)
    except AddressError as error:
        raise HostError(str(error)) from None
    return networks_pattern(bare, (network,))


def _names(text: str) -> HostPattern:
    _check_ascii(text)
    lowered = text.lower().removesuffix(".")
    if _DIGITS_AND_STARS.fullmatch(lowered):
        raise HostError("patterns are of names, expected a prefix such as 10.2.0.0/16 for addresses")
    labels = lowered.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise HostError("no name ends in a number")
    if not all(label and _LABEL_PATTERN.issuperset(label) and label[0] != "-" and label[-1] != "-" for label in labels):
        raise HostError("it is no pattern of the names of hosts")
    try:
        return HostPattern(lowered, names=parse_parts(lowered, "."))
    except PartsError as error:
        raise HostError(str(error)) from None


def is_nowhere(pattern: HostPattern) -> bool:
    """Whether it holds nothing but the address of nothing, to which nobody connects."""
    return bool(pattern.networks) and all(
        any(lies_in(network, nothing) for nothing in UNSPECIFIED) for network in pattern.networks
    )


def split_destination(text: str) -> tuple[str, str]:
    """`host:ports`, cut at its last colon; the host keeps its brackets. Raises HostError."""
    host, colon, ports = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        host, colon, ports = text, "", ""
    if not colon:
        raise HostError("it has no port, expected host:port such as db1.corp:5432, or host:* for every port")
    if not host:
        raise HostError("it has no host, expected host:port such as db1.corp:5432, or '*:port' for every host")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise HostError(f'an IPv6 address stands between brackets: write "[{host}]:{ports}"')
    return host, ports

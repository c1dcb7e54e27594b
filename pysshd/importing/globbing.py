"""Lists of patterns as sshd matches them (PATTERNS in ssh_config(5)), and which of them stand for whole prefixes."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from pysshd.patterns.globs import Glob, parse_glob
from pysshd.patterns.hosts import AddressError, AddressSet, IPAddress, Network, address_set, parse_network
from pysshd.records import dataclass

_IPV4_HEAD = re.compile(r"(?:(?:0|[1-9]\d{0,2})\.){1,3}")
_OF_ADDRESSES = frozenset("0123456789abcdefABCDEF:.*?")
_EVERYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@lru_cache(maxsize=4096)
def glob(pattern: str) -> Glob:
    """A compiled pattern."""
    return parse_glob(pattern)


def matches(text: str, pattern: str) -> bool:
    """Whether one pattern, without negation, matches a whole text."""
    return glob(pattern).matches(text)


def has_wildcard(pattern: str) -> bool:
    """Whether a pattern matches more than one text, and not simply all."""
    bare = pattern.removeprefix("!")
    return ("*" in bare or "?" in bare) and bare.strip("*") != ""


def in_list(text: str, patterns: Iterable[str]) -> int:
    """1: a pattern matches; -1: a negated one does, which outweighs; 0: none."""
    found = 0
    for pattern in patterns:
        negated = pattern.startswith("!")
        if matches(text, pattern.removeprefix("!")):
            if negated:
                return -1
            found = 1
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """One pattern of addresses. networks: what it stands for, or, where its matches are no prefixes, in what they lie.

    whole: whether it matches everything in them.
    """

    text: str
    networks: tuple[Network, ...]
    whole: bool = True

    @property
    def addresses(self) -> AddressSet:
        """The addresses in which its matches lie."""
        return address_set(self.networks)

    def holds(self, address: IPAddress, exact: bool) -> bool | None:
        """Whether it matches. exact: the very address is meant; else one that stands for others between edges, and a
        pattern of another form is not known of them."""
        if self.whole or address not in self.addresses:
            return address in self.addresses
        return matches(str(address), self.text) if exact else None


@lru_cache(maxsize=4096)
def place(pattern: str) -> Place:
    """Read a pattern of addresses: a prefix, an address, a text with wildcards, or the name of a host, which no address
    matches. Raises AddressError for a prefix with a length that does not fit it."""
    try:
        return Place(pattern, (parse_network(pattern),))
    except AddressError:
        if "/" in pattern and _is_address(pattern.partition("/")[0]):
            raise
    if pattern.strip("*") == "" and pattern:
        return Place(pattern, _EVERYWHERE)
    if not _OF_ADDRESSES.issuperset(pattern):
        return Place(pattern, ())
    if "*" not in pattern and "?" not in pattern:
        return Place(pattern, ())
    head = _IPV4_HEAD.match(pattern)
    if head is None:
        return Place(pattern, _EVERYWHERE, whole=False)
    numbers = head[0].removesuffix(".").split(".")
    if any(int(number) > 255 for number in numbers):
        return Place(pattern, ())
    base = ".".join([*numbers, *["0"] * (4 - len(numbers))])
    return Place(pattern, (ip_network(f"{base}/{8 * len(numbers)}"),), whole=pattern == f"{head[0]}*")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def address_in(address: IPAddress, patterns: Iterable[str], exact: bool) -> int | None:
    """As `in_list`, for addresses; None where it hangs on a pattern that is not known."""
    held: dict[bool, set[bool | None]] = {True: set(), False: set()}
    for pattern in patterns:
        negated = pattern.startswith("!")
        held[negated].add(place(pattern.removeprefix("!")).holds(address, exact))
    if True in held[True]:
        return -1
    if True not in held[False] and None not in held[False]:
        return 0
    return None if None in held[True] or True not in held[False] else 1

"""Lists of patterns of where a peer comes from, as OpenSSH writes them (PATTERNS in ssh_config(5)).

No name is looked up here, so the name of a host is the name of nobody, and one that is to be left out can not be.
"""

from collections.abc import Iterable
from typing import Final

from pysshd.patterns.globs import ANY, STAR, Glob, parse_glob
from pysshd.patterns.hosts import AddressError, AddressSet, IPAddress, Network, address_set, parse_network, unmapped
from pysshd.records import dataclass

_WILD: Final = frozenset(STAR + ANY)
_OF_ADDRESSES: Final = frozenset("0123456789abcdef:.") | _WILD
_SURE: Final = frozenset("0123456789:.")
"""Of these at least one is in what can be no name, or hardly one."""


class SourceListError(ValueError):
    """A text is no such list: the message says why."""


@dataclass(frozen=True, slots=True)
class SourceList:
    """One address of `inside` or one whose text is of a form in `forms` passes; what is among the others never does.

    text: as it was written.
    """

    text: str
    inside: AddressSet
    outside: AddressSet
    forms: tuple[Glob, ...] = ()
    other_forms: tuple[Glob, ...] = ()

    def holds(self, address: IPAddress) -> bool:
        """Whether a peer of this address passes."""
        address = unmapped(address)
        text = str(address)
        if address in self.outside or any(form.matches(text) for form in self.other_forms):
            return False
        return address in self.inside or any(form.matches(text) for form in self.forms)

    def __str__(self) -> str:
        return self.text


def source_list(text: str, networks: Iterable[Network]) -> SourceList:
    """The list of some prefixes."""
    return SourceList(text, address_set(networks), address_set(()))


def parse_prefixes(text: str) -> SourceList:
    """Addresses and prefixes with commas between them, and nothing else."""
    return source_list(text, [_prefix(item) for item in text.split(",")])


def parse_source_list(text: str) -> SourceList:
    """Addresses, prefixes, and patterns of the text of an address, each perhaps after `!`, with commas between them."""
    networks: tuple[list[Network], list[Network]] = ([], [])
    forms: tuple[list[Glob], list[Glob]] = ([], [])
    for item in text.split(","):
        negated = item.startswith("!")
        pattern = item[negated:].lower()
        if not pattern or pattern != pattern.strip() or "!" in pattern:
            raise SourceListError(f"{item!r} is no pattern of addresses")
        network = _network(pattern) if _WILD.isdisjoint(pattern) else None
        if network is not None:
            networks[negated].append(network)
        elif _is_form(pattern):
            forms[negated].append(parse_glob(pattern))
        elif negated:
            raise SourceListError(f"{item!r} leaves out a name, and no name of a host is looked up")
    if not (networks[False] or forms[False]):
        raise SourceListError(f"{text!r} holds for no address: no name of a host is looked up")
    return SourceList(
        text, address_set(networks[False]), address_set(networks[True]), tuple(forms[False]), tuple(forms[True])
    )


def _is_form(pattern: str) -> bool:
    """Whether a pattern is one of the texts of addresses; else it is one of names, or a name."""
    if _WILD.isdisjoint(pattern):
        return False
    of_addresses = _OF_ADDRESSES.issuperset(pattern) and not _SURE.isdisjoint(pattern)
    return of_addresses or "/" in pattern or pattern.strip(STAR) == ""


def _network(pattern: str) -> Network | None:
    """The prefix that a pattern without wildcards is; None where it is the name of a host."""
    try:
        return parse_network(pattern)
    except AddressError:
        return _prefix(pattern) if "/" in pattern else None


def _prefix(text: str) -> Network:
    try:
        return parse_network(text)
    except AddressError as error:
        raise SourceListError(f"{text!r} is no address or prefix: {error}") from None

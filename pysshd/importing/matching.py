"""`Match`: which connections a block speaks of. A criterion holds, does not, or hangs on what can not be known."""

from collections.abc import Callable
from typing import Final

from pysshd.importing.globbing import address_in, in_list, place
from pysshd.importing.notes import SshdConfigError
from pysshd.importing.words import keyword_of
from pysshd.patterns.hosts import AddressError, IPAddress
from pysshd.policy.problems import Mark
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Connection:
    """Of what sshd knows of a connection, what a configuration can speak of.

    known: whether the account exists. host: the name of the peer, None where it is not known (with `UseDNS no` it is
    the text of its address). local, port: where it was accepted; None where it is not known.
    exact: whether the address is itself, and not one that stands for others.
    """

    user: str
    groups: frozenset[str]
    address: IPAddress
    host: str | None = None
    local: IPAddress | None = None
    port: int | None = None
    known: bool = True
    exact: bool = True
    uid0: bool = False


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a Match line: its kind in small letters, and its patterns."""

    kind: str
    patterns: tuple[str, ...]
    mark: Mark

    def holds(self, connection: Connection) -> bool | None:
        """Whether it holds, None where that can not be known."""
        return _TESTS[self.kind](self.patterns, connection)


@dataclass(frozen=True, slots=True)
class Match:
    """A Match line: all of its criteria must hold. never: what is included where nothing can reach it."""

    criteria: tuple[Criterion, ...]
    mark: Mark


def _positive(found: int | None) -> bool | None:
    return None if found is None else found == 1


def _user(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    return in_list(connection.user, patterns) == 1


def _group(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    results = [in_list(group, patterns) for group in connection.groups]
    return connection.known and 1 in results and -1 not in results


def _host(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    lowered = tuple(pattern.lower() for pattern in patterns)
    return host_matches(lowered, connection)


def host_matches(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    """Whether the name of the peer is in a list; where names are not looked up, it is the text of the address."""
    if connection.host is None:
        return None
    if connection.exact:
        return in_list(connection.host.lower(), patterns) == 1
    as_text = [pattern for pattern in patterns if not _is_other_form(pattern.removeprefix("!"))]
    return _positive(address_in(connection.address, as_text, connection.exact))


def _is_other_form(pattern: str) -> bool:
    """Whether it stands for addresses, and no address is written like it."""
    if "/" in pattern:
        return True
    networks = place(pattern).networks
    return "*" not in pattern and "?" not in pattern and [str(one.network_address) for one in networks] != [pattern]


def _address(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    return _positive(address_in(connection.address, patterns, connection.exact))


def _local_address(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    if connection.local is None:
        return True if patterns == ("*",) else None
    return _positive(address_in(connection.local, patterns, True))


def _local_port(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    return None if connection.port is None else patterns == (str(connection.port),)


def _unknown(patterns: tuple[str, ...], connection: Connection) -> bool | None:
    return None


_TESTS: Final[dict[str, Callable[[tuple[str, ...], Connection], bool | None]]] = {
    "all": lambda patterns, connection: True,
    "user": _user,
    "group": _group,
    "host": _host,
    "address": _address,
    "localaddress": _local_address,
    "localport": _local_port,
    "rdomain": _unknown,
    "version": _unknown,
    "invalid-user": lambda patterns, connection: not connection.known,
}
_ALONE: Final = frozenset({"all", "invalid-user"})


def read_match(rest: str, mark: Mark) -> Match:
    """The criteria of a Match line. Raises SshdConfigError."""
    found: list[Criterion] = []
    while rest and not rest.startswith("#"):
        word, rest = keyword_of(rest)
        kind = word.lower()
        if kind not in _TESTS:
            expected = "User, Group, Host, Address, LocalAddress, LocalPort, RDomain, Version, Invalid-User or All"
            raise SshdConfigError(mark, f"Match has the criterion {word!r}, expected {expected}")
        if kind in _ALONE:
            found.append(Criterion(kind, (), mark))
            continue
        value, rest = _value(rest)
        if not value or value.startswith("#"):
            raise SshdConfigError(mark, f"Match {word} has no pattern behind it")
        patterns = tuple(value.split(","))
        _check(word, kind, patterns, mark)
        found.append(Criterion(kind, patterns, mark))
    if not found:
        raise SshdConfigError(mark, "Match has no criterion, expected one such as 'User alice' or 'All'")
    if any(one.kind == "all" for one in found) and len(found) > 1:
        raise SshdConfigError(mark, "Match All stands beside other criteria, expected it alone")
    return Match(tuple(found), mark)


def _value(rest: str) -> tuple[str, str]:
    if rest.startswith('"'):
        value, _, rest = rest[1:].partition('"')
        return value, rest.lstrip()
    parts = rest.split(None, 1)
    return (parts[0], parts[1] if len(parts) > 1 else "") if parts else ("", "")


def _check(word: str, kind: str, patterns: tuple[str, ...], mark: Mark) -> None:
    if kind == "localport" and not (patterns[0].isdigit() and 0 < int(patterns[0]) < 65536 and len(patterns) == 1):
        raise SshdConfigError(mark, f"Match {word} {','.join(patterns)}: expected one port")
    if kind in ("address", "localaddress"):
        for pattern in patterns:
            if pattern in ("", "!"):
                raise SshdConfigError(mark, f"Match {word} has an empty pattern")
            try:
                place(pattern.removeprefix("!"))
            except AddressError as error:
                raise SshdConfigError(mark, f"Match {word} {pattern}: {error}") from None

"""What sshd would do for one connection: the value of each keyword, and whether the account may log in at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Final, TypeAlias

from pysshd.importing.globbing import address_in, in_list, matches
from pysshd.importing.keywords import KEYWORDS
from pysshd.importing.matching import Connection, Match, host_matches
from pysshd.importing.sshd_config import Line, SshdConfig
from pysshd.importing.values import Words
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

_MOST_UNKNOWN: Final = 6

Question: TypeAlias = tuple[Mark, str]
"""What can not be known: of which line, and what of it."""

Assume: TypeAlias = Callable[[Question], bool]


@dataclass(frozen=True, slots=True)
class Value:
    """What a keyword comes to, and the lines that say so; none: the default."""

    words: Words
    lines: tuple[Line, ...] = ()

    @property
    def first(self) -> str:
        """The value of what has one; `none` where there is none."""
        return self.words[0] if self.words else "none"

    @property
    def is_on(self) -> bool:
        """Whether it is `yes`."""
        return self.first == "yes"


Effective: TypeAlias = Mapping[str, Value]


def effective(config: SshdConfig, connection: Connection, assume: Assume) -> Effective:
    """The value of every keyword: of the Match blocks that hold the first that says it, else the first outside.

    assume: what is taken of a criterion that can not be known.
    """
    held: dict[Match, bool] = {}

    def holds(match: Match) -> bool:
        if match not in held:
            answers = [_answer(one.holds(connection), (one.mark, one.kind), assume) for one in match.criteria]
            held[match] = all(answers)
        return held[match]

    outside: dict[str, list[Line]] = {}
    inside: dict[str, list[Line]] = {}
    for line in config.lines:
        # Every block is asked, so that all that is not known is heard of.
        answers = [holds(match) for match in line.scope]
        if all(answers):
            (inside if line.scope else outside).setdefault(line.keyword.key, []).append(line)
    found: dict[str, Value] = {}
    for key, keyword in KEYWORDS.items():
        lines = inside.get(key) or outside.get(key) or []
        if key == "subsystem":
            lines = _subsystems([*inside.get(key, []), *outside.get(key, [])])
        elif not keyword.adds:
            lines = lines[:1]
        words = tuple(word for line in lines for word in line.value) if lines else keyword.default
        found[key] = Value(words, tuple(lines))
    return found


def _subsystems(lines: Iterable[Line]) -> list[Line]:
    """One line for each name, the first."""
    found: dict[str, Line] = {}
    for line in lines:
        found.setdefault(line.value[0], line)
    return list(found.values())


def _answer(held: bool | None, question: Question, assume: Assume) -> bool:
    return assume(question) if held is None else held


def blocks_of(config: SshdConfig, connection: Connection) -> tuple[Mark, ...]:
    """Where the Match blocks stand that hold for a connection, whatever is not known of it."""
    held = (match for match in config.blocks if all(one.holds(connection) is True for one in match.criteria))
    return tuple(match.mark for match in held)


def all_effective(config: SshdConfig, connection: Connection) -> Iterator[tuple[Effective, bool]] | None:
    """What sshd would do, and whether it would let the account try to log in; once for each way in which what can not
    be known may be. None: there are too many of these."""
    asked: dict[Question, None] = {}

    def listen(question: Question) -> bool:
        asked[question] = None
        return False

    permits(config, connection, effective(config, connection, listen), listen)
    if len(asked) > _MOST_UNKNOWN:
        return None
    questions = tuple(asked)

    def each() -> Iterator[tuple[Effective, bool]]:
        for answers in product((False, True), repeat=len(questions)):
            given = dict(zip(questions, answers, strict=True))

            def assume(question: Question, given: Mapping[Question, bool] = given) -> bool:
                return given.get(question, False)

            one = effective(config, connection, assume)
            for rest in (False, True):

                def assume_rest(question: Question, given: Mapping[Question, bool] = given, rest: bool = rest) -> bool:
                    return given.get(question, rest)

                yield one, permits(config, connection, one, assume_rest)

    return each()


def permits(config: SshdConfig, connection: Connection, found: Effective, assume: Assume) -> bool:
    """What AllowUsers, DenyUsers, AllowGroups and DenyGroups say, RefuseConnection, and PermitRootLogin of root."""
    if found["refuseconnection"].is_on or (connection.uid0 and found["permitrootlogin"].first == "no"):
        return False
    users = {key: [_listed(connection, pattern, assume, found[key].lines[0].mark) for pattern in found[key].words]
             for key in ("denyusers", "allowusers")}  # fmt: skip
    if any(users["denyusers"]) or (users["allowusers"] and not any(users["allowusers"])):
        return False
    groups = {key: any(matches(group, pattern) for pattern in found[key].words for group in connection.groups)
              for key in ("denygroups", "allowgroups")}  # fmt: skip
    return not groups["denygroups"] and (groups["allowgroups"] or not found["allowgroups"].words)


def _listed(connection: Connection, pattern: str, assume: Assume, mark: Mark) -> bool:
    """Whether `USER` or `USER@HOST` means the connection."""
    user, at, host = pattern.rpartition("@")
    if not at:
        return matches(connection.user, pattern)
    return matches(connection.user, user) and _answer(_at(connection, host), (mark, pattern), assume)


def _at(connection: Connection, host: str) -> bool | None:
    patterns = tuple(host.split(","))
    by_address = address_in(connection.address, patterns, connection.exact)
    if by_address == -1:
        return False
    if connection.host is None:
        return None
    if connection.exact and in_list(connection.host.lower(), [one.lower() for one in patterns]) == -1:
        return False
    by_name = host_matches(patterns, connection)
    if by_address == 1:
        return True
    return None if by_address is None or by_name is None else by_name

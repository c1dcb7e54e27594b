"""What was looked up of whoever names an account: the host's word, asked once for each connection."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pysshd.patterns.narrowing import Narrowing
from pysshd.policy.people import Person
from pysshd.policy.query import UNKNOWN, UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class HostAccount:
    """A Unix account of the host.

    facts: what the policy may be told of it.
    home, shell: as passwd(5) has them. own_home: whether the home is a folder that belongs to the account.
    environment: what the host sets for every session.
    """

    facts: UnixFacts
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str
    own_home: bool = False
    environment: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one account name.

    people: those of a source who might log in as it, with what the policy file says of them; by name.
    accounts: of the host, by name: as which sessions might run.
    keys: which people of the source hold a key, each with the label of the entry of theirs and with what the line of
        the file says in front of the key; by fingerprint.
    fault: why nothing is known, where a look-up failed, or why the person of the account's own name is of no use.
    unanswered: the host said nothing: to ask once more may help.
    not_of_host: those of `people` whom the host does not have: a program knows them.
    by_host, by_program: names of which the host, and the program of a source, have said whether they have them. Of
        everybody else that is not known, whoever they are (`person_of`).
    unobtained: why keys are not known that a program would have to say; empty where it said them.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    accounts: Mapping[str, HostAccount] = field(default_factory=dict)
    keys: Mapping[str, tuple[tuple[str, str, Narrowing], ...]] = field(default_factory=dict)
    fault: str = ""
    unanswered: bool = False
    not_of_host: frozenset[str] = frozenset()
    unobtained: str = ""
    by_host: frozenset[str] = frozenset()
    by_program: frozenset[str] = frozenset()

    def unix(self, name: str) -> UnixFacts:
        """What the policy is told of an account; of one that the host does not have, or was not asked about, why."""
        found = self.accounts.get(name)
        if found is not None:
            return found.facts
        return UnixFacts(name, UNKNOWN, UNKNOWN, fault=self.fault or f"the host has no account {name}")


NOTHING_KNOWN: Final = Known()
"""Where the host plays no part."""


def person_of(ruleset: Ruleset, known: Known, name: str) -> Person | None:
    """The person of this name: of a source, with what the file says of them, of the file alone, or whom a certificate
    makes one. Of a source that has not said whether it has them, they may be.
    """
    certified = Person(name, certified=True) if ruleset.authorities else None
    found = known.people.get(name) or ruleset.people.get(name) or certified
    if found is None:
        return None
    if ruleset.source is not None and name not in known.by_host:
        found = ruleset.source.perhaps(found)
    if ruleset.asked is not None and name not in known.by_program:
        found = ruleset.asked.perhaps(found)
    return found

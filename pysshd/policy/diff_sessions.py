"""Logins of two policies beside each other: which cases there are, and who gets in with what in each of them.

A *factor* is what somebody holds whatever the file calls it: a key by its fingerprint, a password by its hash. A login
of the new policy is measured by the logins that the old one gave to whoever holds the same factors, or fewer of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from itertools import combinations, permutations, product
from typing import Final

from pysshd.policy.authorities import Authority
from pysshd.policy.conditions import FALSE, TRUE, Account, Case, Condition, Conditions, From, Listener, Who, Within
from pysshd.policy.keyfiles import KeyFiles, read_of
from pysshd.policy.people import ALWAYS, Person, PersonKey, Window
from pysshd.policy.query import UNKNOWN, IPAddress, Step, UnixFacts, Unknown
from pysshd.policy.ruleset import LoginEntry, Ruleset
from pysshd.policy.settings import DEFAULT_LISTEN, Listen, Settings
from pysshd.policy.steps import BY_KEY, Certificate, Chain, begins, fits
from pysshd.policy.worlds import Worlds
from pysshd.records import dataclass

_PROVED_BY_FACTS: Final = frozenset(["publickey", "certificate", "password", "totp"])
"""Methods of which the policy says who can use them; others are taken to be in everybody's power, then and now."""

GROUPS_MAX: Final = 8
"""Groups of the host of which every combination is tried."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two policies, with what its key files held when they were read."""

    ruleset: Ruleset
    key_files: KeyFiles | None = None

    @property
    def settings(self) -> Settings:
        """What its daemon is told."""
        return self.ruleset.settings

    def person(self, name: str, *, asked: bool = True) -> Person | None:
        """The person of a name: of the file, of the sources where there are some, or both.

        asked: whether a program that is asked knows them.
        """
        return self.ruleset.person_of(name, asked=asked)

    def certified(self, name: str) -> Person | None:
        """Whom a certificate would make a person of a name of which no entry speaks; None where none counts."""
        return Person(name, certified=True) if self.ruleset.authorities else None


@dataclass(frozen=True, slots=True)
class Factor:
    """Something by which a person proves who they are.

    identity: what it is, under whatever name and in whichever file.
    fingerprint: of a key, as far as known, also of one that is certified. key: the entry that lists it.
    certificate: what it says, with the authority's name in this policy; signer: the key of the authority, and
        authority: what this policy says of that.
    """

    method: str
    identity: tuple[str, ...]
    fingerprint: str | None = None
    key: PersonKey | None = None
    certificate: Certificate | None = None
    signer: PersonKey | None = None
    authority: Authority | None = field(default=None, compare=False)

    @property
    def name(self) -> str | None:
        """The name of a key."""
        return self.key.name if self.key is not None else None

    @property
    def window(self) -> Window:
        """When it counts."""
        entry = self.place
        return entry.window if entry is not None else ALWAYS

    @property
    def place(self) -> PersonKey | None:
        """The key of the file because of which it counts: its own, or that of the authority."""
        return self.key or self.signer

    @property
    def step(self) -> Step:
        """The step that a login with it is."""
        if self.certificate is not None:
            return Step("publickey", self.fingerprint or "SHA256:of-a-key-that-is-certified", None, self.certificate)
        if self.key is None:
            return Step(self.method)
        return Person.step(self.key, self.fingerprint or "SHA256:of-a-key-that-was-not-read")

    def __str__(self) -> str:
        if self.key is None:
            return f"another {self.method}"
        named = f" ({self.key.name})" if self.key.name is not None else ""
        return f"the key {self.fingerprint or 'of ' + (self.key.file or self.key.label)}{named}"


def factors(side: Side, person: Person | None, named: Iterable[str]) -> tuple[Factor, ...]:
    """Everything by which a person may prove who they are. named: fingerprints that conditions name."""
    found: list[Factor] = []
    for key in person.keys if person is not None else ():
        for fingerprint in held(side, key, named):
            place = ("file", key.file) if key.file is not None else ("program", key.label)
            identity = ("key", fingerprint) if fingerprint is not None else place
            unread = key.is_open and read_of(side.key_files, key.file) is None
            found.append(Factor("publickey", (*identity, *place) if unread else identity, fingerprint, key))
    if person is not None and person.password is not None:
        found.append(Factor("password", ("password", person.password.phc.reveal())))
    elif person is not None and person.system_password:
        found.append(Factor("password", ("password of the host",)))
    if person is not None and person.totp is not None:
        found.append(Factor("totp", ("totp", person.totp)))
    if person is not None:
        found += [Factor(method, (method,)) for method in sorted(_methods(side) - _PROVED_BY_FACTS)]
    return tuple(found)


def _methods(side: Side) -> set[str]:
    """The methods of the policy's chains."""
    return {method for entry in side.ruleset.login for chain in entry.chains for method in chain}


def held(side: Side, key: PersonKey, named: Iterable[str]) -> tuple[str | None, ...]:
    """The keys of an entry; of a file that was not read, any one, and any that the policies name."""
    if key.fingerprint is not None:
        return (key.fingerprint,)
    read = read_of(side.key_files, key.file)
    return read.fingerprints if read is not None else (None, *sorted(named))


# Logins


def standing(side: Side, person: Person | None, case: Case, steps: Sequence[Factor]) -> bool:
    """Whether these factors could make this person stand on the account of the case."""
    if person is None or not person.may_use(case.account) or not steps:
        return False
    if not all(window.holds(case.now) for window in (person.window, *(step.window for step in steps))):
        return False
    if not all(_certifies(side, person, case.account, step) for step in steps if step.method == "certificate"):
        return False
    if person.certified and steps[0].method != "certificate":
        return False
    guest = person.guests is not None and steps[0].method == "none"
    if steps[0].method not in BY_KEY and not guest and person.name != case.account:
        return False
    server, unix = side.settings.server, case.unix
    if server.accounts != "system" or unix is None:
        return True
    certificates = (step.certificate for step in steps if step.certificate is not None)
    enough = not isinstance(unix.uid, int) or unix.uid >= server.min_uid
    return enough or side.ruleset.writes(unix.name, person, certificates)


def _certifies(side: Side, person: Person, account: str, step: Factor) -> bool:
    """Whether a certificate makes this person stand on the account."""
    said = step.certificate
    authority = side.ruleset.authorities.get(said.authority) if said is not None else None
    return (
        said is not None
        and authority is not None
        and person.guests is None
        and authority.names(said) == person.name
        and authority.admits(account, said.principals)
    )


def with_steps(case: Case, person: Person | None, steps: Sequence[Factor]) -> Case:
    """The case after these steps of this person."""
    return replace(
        case,
        person=person,
        methods=tuple(step.method for step in steps),
        key_names=frozenset(step.name for step in steps if step.name is not None),
        fingerprints=frozenset(step.fingerprint for step in steps if step.fingerprint is not None),
        certificates=tuple(step.certificate for step in steps if step.certificate is not None),
    )


def deciding(side: Side, case: Case) -> LoginEntry | None:
    """The login entry that decides, or None."""
    return next((entry for entry in side.ruleset.login if entry.conditions.truth(case) is not FALSE), None)


def admits(side: Side, person: Person | None, case: Case, steps: Sequence[Factor]) -> LoginEntry | None:
    """The entry by which these factors, in this order, are a complete login, or None where they are none."""
    if not standing(side, person, case, steps):
        return None
    for count in range(1, len(steps) + 1):
        known = with_steps(case, person, steps[:count])
        entry = deciding(side, known)
        if entry is None or entry.conditions.truth(known) is not TRUE:
            return None
        going = [chain for chain in entry.chains if begins(known.methods, chain)]
        if any(len(chain) == count for chain in going):
            return entry if count == len(steps) else None
        if not going:
            return None
    return None


def orders(side: Side, held: Sequence[Factor]) -> Iterator[tuple[Factor, ...]]:
    """Every way to go through a chain of the policy with some of these factors, none of them twice, and with one
    certificate at most."""
    certificates = [factor for factor in held if factor.certificate is not None]
    others = [factor for factor in held if factor.certificate is None]
    for chain in dict.fromkeys(chain for entry in side.ruleset.login for chain in entry.chains):
        yield from _going(chain, others)
        for place in (place for place, step in enumerate(chain) if fits("certificate", step)):
            for steps in _going(chain[:place] + chain[place + 1 :], others):
                yield from ((*steps[:place], one, *steps[place:]) for one in certificates)


def _going(chain: Chain, factors: Sequence[Factor]) -> Iterator[tuple[Factor, ...]]:
    for steps in permutations(factors, len(chain)):
        if tuple(step.method for step in steps) == chain:
            yield steps


# Cases


def environments(
    new: Side,
    old: Side,
    person: Person,
    before: Person | None,
    entries: Sequence[Conditions],
    keys: Iterable[Factor],
    opened: Iterable[str] = (),
) -> Iterator[tuple[Case, str]]:
    """Every case in which the entries of either policy could differ, with what the old one calls its listener.

    opened: the accounts that certificates may open. The logins are not in it. Facts that are not known are cases too.
    """
    windows = {window for window in (person.window, *(key.window for key in keys)) if window is not ALWAYS}
    windows |= {key.window for side in (new, old) for one in side.ruleset.authorities.values() for key in one.keys
                if key.window is not ALWAYS}  # fmt: skip
    if before is not None and before.window is not ALWAYS:
        windows.add(before.window)
    accounts = set(person.accounts) ^ set(before.accounts if before is not None else ())
    apart = Conditions((
        Account("", frozenset(accounts | {person.name} | set(opened))),
        *(Within("", window) for window in sorted(windows, key=str)),
    ))  # fmt: skip
    every = [*entries, apart]
    conditions = [condition for entry in every for condition in entry.all]
    # Of whom an entry does not say it, certificates say which accounts they open.
    bare = replace(person, keys=(), certified=False, accounts=tuple(opened) if person.certified else person.accounts)
    pairs = _listeners(new, old)
    if not any(isinstance(condition, Listener) for condition in conditions):
        pairs = pairs[:1]
    known = dict.fromkeys(
        replace(case, person=person, listener="", methods=()) for case in Worlds((), {}).cases(bare, every)
    )
    system = new.settings.server.accounts == "system"
    cases = dict.fromkeys(more for one in known for more in _unknown(one, conditions, system))
    for case in cases:
        for here, there in pairs:
            yield replace(case, listener=here), there


def groups_named(entries: Iterable[Conditions]) -> list[str]:
    """The groups of the host that entries name."""
    whos = (condition for entry in entries for condition in entry.all if isinstance(condition, Who))
    return sorted({group for who in whos for group in who.system_groups})


def _unknown(case: Case, conditions: Sequence[Condition], system: bool) -> Iterator[Case]:
    """A case, and the same with other accounts of the host, and with facts that could not be obtained."""
    sources: list[IPAddress | Unknown | None] = [case.source]
    if case.source is None and any(isinstance(condition, From) for condition in conditions):
        sources.append(UNKNOWN)
    units: list[UnixFacts | None] = [case.unix]
    if system and case.unix is not None:
        named = groups_named([Conditions(tuple(conditions))])
        held: list[frozenset[str] | Unknown] = [
            frozenset(some) for count in range(len(named) + 1) for some in combinations(named[:GROUPS_MAX], count)
        ]
        held += [UNKNOWN] if named else []
        roots = any(isinstance(condition, Who) and condition.but_root for condition in conditions)
        uids = {case.unix.uid, 0} if roots else {case.unix.uid}
        units = [replace(case.unix, uid=uid, groups=groups) for uid in uids for groups in held]
    for source, unix in product(sources, units):
        yield replace(case, source=source, unix=unix)


def listeners(settings: Settings) -> tuple[Listen, ...]:
    """Where a daemon listens."""
    return settings.server.listen or DEFAULT_LISTEN


def covers(big: Listen, small: Listen) -> bool:
    """Whether whoever reaches one listener reaches the other too."""
    if big.port != small.port:
        return False
    wide = {"*": True, "0.0.0.0": ":" not in small.host and small.host != "*", "::": ":" in small.host}
    return big.host == small.host or wide.get(big.host, False)


def _listeners(new: Side, old: Side) -> list[tuple[str, str]]:
    """What each listener of the new policy is called, by it and by the old one."""
    found: dict[tuple[str, str], None] = {}
    before = listeners(old.settings)
    for here in listeners(new.settings):
        there = [one.name for one in before if covers(one, here) or covers(here, one)]
        found.update(dict.fromkeys((here.name, name) for name in there or (here.name,)))
    return list(found)

"""A scene: a login that could have been, as tests and `explain` describe one, and what the policy says to it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import permutations
from typing import Final

from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.conditions import Who
from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.keyfiles import KeyFiles, read_of
from pysshd.policy.narrow import PERMITTED_BY, expiries, fault_of, narrowers_of
from pysshd.policy.people import ALWAYS, Person, place_of
from pysshd.policy.profiles import home_of
from pysshd.policy.query import UNKNOWN, Facts, IPAddress, Login, Query, Request, Step, UnixFacts, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.settings import DEFAULT_LISTEN
from pysshd.policy.steps import METHODS, Certificate, Chain
from pysshd.policy.ways import LoginWay
from pysshd.records import dataclass

_ROOT: Final = "root"
_CERTIFIED: Final = "SHA256:some-certified-key"
_SOME_UID: Final = 1 << 20
"""Of an account that is nothing special."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who comes, from where, when, and by which login.

    chain: the methods of the login, in their order; keys: the steps of its keys, in theirs.
    certificate: what the certificate of the login says, where the chain has one.
    system_groups: the groups of the host that the session's account is in, where that plays a part.
    """

    person: Person
    account: str
    source: IPAddress | Unknown | None
    listener: str
    now: datetime
    chain: Chain
    keys: tuple[Step, ...]
    client: str | Unknown = UNKNOWN
    system_groups: frozenset[str] | Unknown = UNKNOWN
    certificate: Certificate | None = None

    def steps(self) -> tuple[Step, ...] | None:
        """The steps of the login; None where there are too few keys for it, or no certificate."""
        keys = iter(self.keys)
        found = [self._step(method, keys) for method in self.chain]
        return tuple(step for step in found if step is not None) if None not in found else None

    def _step(self, method: str, keys: Iterator[Step]) -> Step | None:
        if method == "publickey":
            return next(keys, None)
        if method != "certificate":
            return Step(method)
        # The key that is certified is one that no condition names.
        return Step("publickey", _CERTIFIED, certificate=self.certificate) if self.certificate is not None else None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What came of a login: whether it is complete, and the decision on its last step that was tried."""

    admitted: bool
    decision: Decision


def facts_of(ruleset: Ruleset, scene: Scene) -> Facts:
    """The facts of a query after the whole login.

    Under `accounts: system` the host is taken to know the account: `root` as uid 0, any other as nothing special, and
    each with its home where it is by custom. No address but those that are so everywhere is taken to be this host's
    own.
    """
    unix = None
    if ruleset.settings.server.accounts == "system":
        name = scene.person.unix_name(scene.account)
        groups = scene.system_groups
        held = groups if isinstance(groups, Unknown) else groups & ruleset.system_groups
        uid = 0 if name == _ROOT else max(_SOME_UID, ruleset.settings.server.min_uid)
        unix = UnixFacts(name, uid, held, home=home_of(name))
    return Facts(scene.account, scene.person.name, scene.source, scene.listener, scene.client, scene.now,
                 scene.steps() or (), scene.person, unix, own_addresses=frozenset())  # fmt: skip


def log_in(ruleset: Ruleset, scene: Scene, *, trace: bool = False) -> LoggedIn:
    """Go through a login step by step, until one is refused."""
    steps = scene.steps()
    if steps is None:
        return LoggedIn(False, _too_few_keys(scene))
    facts, found = facts_of(ruleset, scene), None
    for number, step in enumerate(steps):
        if found is not None and isinstance(found.way, LoginWay) and found.way.complete:
            done = "+".join(scene.chain[:number])
            return LoggedIn(False, _refusal(found, f"{done} is enough alone, so that {step.method} is not asked for"))
        found = decide(ruleset, Query(facts, Login(steps[:number], step)), trace=trace)
        if not found.allowed:
            return LoggedIn(False, found)
    if found is None:
        return LoggedIn(
            False, Decision(False, None, decided_by=place_of(scene.person), reason="no step of a login is done")
        )
    complete = isinstance(found.way, LoginWay) and found.way.complete
    return LoggedIn(True, found) if complete else LoggedIn(False, _refusal(found, found.reason))


def ask(ruleset: Ruleset, scene: Scene, request: Request, *, trace: bool = False) -> Decision:
    """Decide a request after the whole login, whether that is admitted or not."""
    return decide(ruleset, Query(facts_of(ruleset, scene), request), trace=trace)


def _refusal(found: Decision, reason: str) -> Decision:
    return Decision(False, None, valid_until=found.valid_until, trace=found.trace, decided_by=found.decided_by,
                    reason=reason)  # fmt: skip


def _too_few_keys(scene: Scene) -> Decision:
    if "certificate" in scene.chain and scene.certificate is None:
        reason = f"no authority of the file certifies {scene.person.name} for this account"
        return Decision(False, None, decided_by=place_of(scene.person), reason=reason)
    held, wanted = len(scene.keys), scene.chain.count("publickey")
    has = f"{held or 'no'} key{'' if held == 1 else 's'}"
    reason = f"{scene.person.name} has {has}, and {'+'.join(scene.chain)} takes {wanted}"
    return Decision(False, None, decided_by=place_of(scene.person), reason=reason)


def holder_of(ruleset: Ruleset, name: str) -> Person | None:
    """The person of this name: an entry of `users`, one of a source, both, or whom a certificate would make one; None
    where there is none.

    Whoever may log in under their own name and runs as no other account is taken to be known to the host, and everybody
    to a program that is asked.
    """
    entry = ruleset.people.get(name)
    of_host = entry is None or (entry.run_as is None and name in entry.accounts)
    found = ruleset.person_of(name, host=of_host)
    return found or (Person(name, certified=True) if ruleset.authorities else None)


def certificates_of(ruleset: Ruleset, person: Person, account: str) -> tuple[Certificate, ...]:
    """For each authority the certificate of this person that opens most: for this account, with every extension."""
    found = []
    for authority in ruleset.authorities.values():
        by_principal = authority.person == "principal"
        principal = person.name if by_principal else authority.principal_for(account)
        if principal is not None:
            principals = frozenset([principal])
            found.append(Certificate(authority.name, person.name, principals, frozenset(PERMITTED_BY.values())))
    return tuple(found)


def listeners_of(ruleset: Ruleset) -> tuple[str, ...]:
    """The names of the listeners, in the order of the file."""
    return tuple(dict.fromkeys(one.name for one in ruleset.settings.server.listen or DEFAULT_LISTEN))


def chains_of(ruleset: Ruleset) -> tuple[Chain, ...]:
    """Every chain of the login section, and every one of a single step."""
    chains = [chain for entry in ruleset.login for chain in entry.chains]
    return tuple(dict.fromkeys([*chains, *((method,) for method in METHODS)]))


def held_steps(person: Person, key_files: KeyFiles) -> tuple[Step, ...]:
    """A step for each key of a person; for a file that was not read, one by a key that no condition names."""
    found: dict[Step, None] = {}
    for key in person.keys:
        file = read_of(key_files, key.file)
        known = file.fingerprints if file is not None else ()
        for fingerprint in (key.fingerprint,) if key.fingerprint else known or (f"SHA256:some-key-of-{key.label}",):
            found[Person.step(key, fingerprint, file.narrowing(fingerprint) if file else NO_NARROWING)] = None
    return tuple(found)


def named_step(person: Person, name: str, held: tuple[Step, ...], key_files: KeyFiles) -> Step | None:
    """The step of the key of this name or fingerprint; None where the person has no such key.

    A file that was not read, as those of the host, may hold any key, and so may a program say of any.
    """
    step = next((step for step in held if name in (step.key, step.label)), None)
    unread = next((key for key in person.keys if key.is_open and key.file not in key_files), None)
    if step is None and unread is not None and name.startswith("SHA256:"):
        return Person.step(unread, name)
    return step


def counts(ruleset: Ruleset, scene: Scene, step: Step) -> bool:
    """Whether a key is of use at that time and from there."""
    key = scene.person.key_of(step)
    narrowers = narrowers_of(ruleset, scene.person, [step])
    return (
        key is not None
        and key.window.holds(scene.now)
        and all(end > scene.now for end in expiries(narrowers))
        and not fault_of(narrowers, scene.source, "")[0]
    )


def key_choices(ruleset: Ruleset, scene: Scene, keys: Iterable[Step]) -> Iterator[tuple[Step, ...]]:
    """The keys by which the chain could be gone through, as far as the rules can tell them apart.

    Keys that are not valid at that time, or not from there, are taken only where there are no others.
    """
    needed = scene.chain.count("publickey")
    windows = {step: key.window for step in keys if (key := scene.person.key_of(step)) is not None}
    narrow = {step for step in keys if narrowers_of(ruleset, scene.person, [step])}
    valid = [step for step in keys if counts(ruleset, scene, step)]
    candidates = valid if len(valid) >= needed else list(keys)
    named = {word for one in _whos(ruleset) for word in (*one.key_names, *one.fingerprints)}
    special = [
        step
        for step in candidates
        if step.key in named or step.label in named or windows[step] is not ALWAYS or step in narrow
    ]
    plain = [step for step in candidates if step not in special]
    # One more than is needed shows whether it matters which of the plain ones it is.
    chosen = [*plain[: needed + 1], *special]
    if len(chosen) < needed:
        yield tuple(chosen)
    else:
        yield from permutations(chosen, needed)


def _whos(ruleset: Ruleset) -> Iterator[Who]:
    every = [*(entry.conditions for entry in ruleset.login), *(grant.conditions for grant in ruleset.grants)]
    yield from (condition for one in every for condition in one.all if isinstance(condition, Who))

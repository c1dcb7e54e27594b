"""The casebook: the `tests` of a policy, each judged by the same engine as a live connection."""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from itertools import islice, product
from typing import Final

from pysshd.patterns.globs import common_text
from pysshd.policy.conditions import Client
from pysshd.policy.decision import Decision
from pysshd.policy.narrow import expiries, narrowers_of
from pysshd.policy.nearly import near_misses
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.query import UNKNOWN, Connect, IPAddress, Request, Run, Step, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.scene import Scene, ask, certificates_of, facts_of, key_choices, listeners_of, log_in
from pysshd.policy.standing import earliest
from pysshd.policy.steps import Certificate, Chain
from pysshd.policy.verbs import say_request
from pysshd.policy.ways_net import LookUpWay
from pysshd.records import dataclass

_SOME_CLIENT: Final = "\0"
"""What a client calls itself whom no condition names."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
EDGES_MAX: Final = 32
"""Edges of windows that are looked at one after the other; what changes more often than that depends on the time."""

CHOICES_MAX: Final = 64
"""Choices of keys that are tried; where there are more, the case must say which."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One request of a case, and whether it is to be allowed."""

    request: Request
    allowed: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Case:
    """One case. None: the case does not say it, which it need not where the answer does not depend on it.

    resolve: the addresses that names have.
    held: a step for each key of the person; keys: those that the case names.
    admitted: whether the login is to succeed; chains: by which login, or all those by which it is not to.
    runs: the words of the program of every request that runs something and is to be allowed.
    """

    name: str
    mark: Mark
    person: Person
    account: str
    source: IPAddress
    held: tuple[Step, ...]
    admitted: bool
    chains: tuple[Chain, ...]
    login_mark: Mark
    runs_mark: Mark
    listener: str | None = None
    client: str | None = None
    at: datetime | None = None
    system_groups: frozenset[str] | None = None
    keys: tuple[Step, ...] | None = None
    certificate: Certificate | None = None
    resolve: Mapping[str, tuple[IPAddress, ...]] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    runs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What was decided otherwise than the case says, and why."""

    mark: Mark
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case.

    failures: what was decided otherwise. missing: a fact that the case does not say although the answer depends on it,
    in the words of the file; then nothing else is told.
    """

    case: Case
    failures: tuple[Failure, ...] = ()
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Whether all is decided as the case says."""
        return not self.failures and not self.missing


def judge(ruleset: Ruleset, case: Case) -> Verdict:
    """Judge a case, in every way in which what it leaves open could be."""
    first: _Outcome | None = None
    for missing, scene in _scenes(ruleset, case):
        for number, outcome in enumerate(_over_time(ruleset, case, scene)):
            if isinstance(outcome, str):
                return Verdict(case, missing=outcome)
            first = first or outcome
            if outcome.answers != first.answers:
                return Verdict(case, missing="at" if number else missing)
    assert first is not None
    return Verdict(case, _failures(ruleset, case, first))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One decision of an outcome: on a login (`expected` is None) or on a request.

    argv: the words of the program, where the case asks for them and no shell runs it.
    """

    scene: Scene
    decision: Decision
    allowed: bool
    expected: Expected | None = None
    argv: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What was decided in one scene at one moment; edge: when it could be decided otherwise."""

    asked: tuple[_Asked, ...]
    edge: datetime | None

    @property
    def answers(self) -> tuple[object, ...]:
        """What counts of it: whether, and what would be run."""
        return tuple((one.allowed, one.argv) for one in self.asked)


def _scenes(ruleset: Ruleset, case: Case) -> Iterator[tuple[str, Scene]]:
    """The scenes that a case could mean, and the fact that it would have to say to mean this one alone."""
    listeners = (case.listener,) if case.listener is not None else listeners_of(ruleset)
    clients = (case.client,) if case.client is not None else _clients(ruleset)
    groups = (case.system_groups,) if case.system_groups is not None else _groups(ruleset)
    for held in groups:
        for listener, client in product(listeners, clients):
            missing = "system_groups"
            if client != clients[0]:
                missing = "client"
            if listener != listeners[0]:
                missing = "listener"
            yield (
                missing,
                Scene(
                    case.person,
                    case.account,
                    case.source,
                    listener,
                    case.at or _BEGINNING,
                    (),
                    (),
                    client,
                    held,
                ),
            )


def _clients(ruleset: Ruleset) -> tuple[str | Unknown, ...]:
    """What clients could call themselves: one of each form that conditions name, something else, nothing known."""
    every = [*(entry.conditions for entry in ruleset.login), *(grant.conditions for grant in ruleset.grants)]
    named = [pattern for one in every for condition in one.all if isinstance(condition, Client)
             for pattern in condition.patterns]  # fmt: skip
    samples = [sample for pattern in named if (sample := common_text(pattern, pattern)) is not None]
    return tuple(dict.fromkeys([UNKNOWN, *([_SOME_CLIENT] if named else []), *samples]))


def _groups(ruleset: Ruleset) -> tuple[frozenset[str], ...]:
    """What groups of the host somebody could be in: none, each, each two, all of those that conditions name."""
    if ruleset.settings.server.accounts != "system":
        return (frozenset(),)
    named = sorted(ruleset.system_groups)
    pairs = [frozenset([one, other]) for one in named for other in named]
    return tuple(dict.fromkeys([frozenset[str](), *pairs, frozenset(named)]))


def _over_time(ruleset: Ruleset, case: Case, scene: Scene) -> Iterator["_Outcome | str"]:
    """The outcomes at every moment that the case could mean; a text is a fact that it must say."""
    for _ in range(EDGES_MAX):
        outcome = _with_any_key(ruleset, case, scene)
        yield outcome
        if isinstance(outcome, str) or case.at is not None or outcome.edge is None:
            return
        scene = replace(scene, now=outcome.edge)
    yield "at"


def _with_any_key(ruleset: Ruleset, case: Case, scene: Scene) -> "_Outcome | str":
    """The outcome, which is the same whichever of the person's keys are used, or the fact that must be said."""
    asked: list[_Asked] = []
    edges = [key.window.next_edge(scene.now) for key in case.person.keys]
    edges += [end for end in expiries(narrowers_of(ruleset, case.person, case.held)) if end > scene.now]
    for chain in case.chains:
        outcomes: list[_Outcome] = []
        certificates = _certificates(ruleset, case, chain)
        for certificate, keys in product(certificates, _some_choices(ruleset, case, replace(scene, chain=chain))):
            login = replace(scene, chain=chain, keys=keys, certificate=certificate)
            outcome = _outcome(ruleset, case, login)
            if isinstance(outcome, str):
                return outcome
            outcomes.append(outcome)
            if outcome.answers != outcomes[0].answers or len(outcomes) > CHOICES_MAX * len(certificates):
                return "key" if certificate == certificates[0] else "certificate"
        asked += outcomes[0].asked
        edges += [outcome.edge for outcome in outcomes]
    return _Outcome(tuple(asked), earliest(edges))


def _certificates(ruleset: Ruleset, case: Case, chain: Chain) -> tuple[Certificate | None, ...]:
    """The certificates that the login could be by."""
    if "certificate" not in chain:
        return (None,)
    if case.certificate is not None:
        return (case.certificate,)
    return certificates_of(ruleset, case.person, case.account) or (None,)


def _some_choices(ruleset: Ruleset, case: Case, scene: Scene) -> list[tuple[Step, ...]]:
    return list(islice(_choices(ruleset, case, scene), CHOICES_MAX + 1))


def _choices(ruleset: Ruleset, case: Case, scene: Scene) -> Iterator[tuple[Step, ...]]:
    if case.keys is not None:
        yield case.keys[: scene.chain.count("publickey")]
    else:
        yield from key_choices(ruleset, scene, case.held)


def _outcome(ruleset: Ruleset, case: Case, scene: Scene) -> "_Outcome | str":
    login = log_in(ruleset, scene)
    asked = [_Asked(scene, login.decision, login.admitted)]
    for expected in case.expected if login.admitted else ():
        decision = ask(ruleset, scene, expected.request)
        if isinstance(decision.way, LookUpWay):
            if decision.way.host not in case.resolve:
                return "resolve"
            asked += _at_each_address(ruleset, case, scene, expected, decision.way)
            continue
        argv = _argv(decision) if case.runs is not None else None
        asked.append(_Asked(scene, decision, decision.allowed, expected, argv))
    return _Outcome(tuple(asked), earliest(one.decision.valid_until for one in asked))


def _at_each_address(
    ruleset: Ruleset, case: Case, scene: Scene, expected: Expected, way: LookUpWay
) -> Iterator[_Asked]:
    """A name may be looked up: what counts is what each of its addresses is answered."""
    for address in case.resolve[way.host]:
        request = Connect(way.host, way.port, address)
        decision = ask(ruleset, scene, request)
        yield _Asked(scene, decision, decision.allowed, replace(expected, request=request))


def _argv(decision: Decision) -> tuple[str, ...] | None:
    """The words of the program that would be run, or None where a shell runs it, or nothing does."""
    argv = getattr(decision.way, "argv", None)
    return tuple(word.decode("utf-8", "surrogateescape") for word in argv) if argv is not None else None


def _failures(ruleset: Ruleset, case: Case, outcome: _Outcome) -> tuple[Failure, ...]:
    found = []
    for one in outcome.asked:
        if one.expected is None:
            found += [_login_failure(case, one)] if one.allowed != case.admitted else []
        elif one.allowed != one.expected.allowed:
            found.append(_request_failure(ruleset, case, one, one.expected))
        elif case.runs is not None and one.allowed and isinstance(one.expected.request, Run):
            found += [_runs_failure(case, one, one.expected)] if one.argv != case.runs else []
    return tuple(found)


def _by(decision: Decision) -> str:
    """What decided, and why."""
    return f"{decision.reason}, {decision.decided_by}" if ":" in decision.decided_by else decision.reason


def _login_failure(case: Case, one: _Asked) -> Failure:
    said = "is admitted" if one.allowed else "is refused"
    return Failure(case.login_mark, f"{case.name}: {case.person.name} {said} with {'+'.join(one.scene.chain)}: "
                                    f"{_by(one.decision)}")  # fmt: skip


def _request_failure(ruleset: Ruleset, case: Case, one: _Asked, expected: Expected) -> Failure:
    said = "may" if one.allowed else "may not"
    text = f"{case.name}: {case.person.name} {said} {_shown(expected.request)}: {_by(one.decision)}"
    if not one.allowed:
        misses = near_misses(ruleset, facts_of(ruleset, one.scene), expected.request)
        if misses and ":" not in one.decision.decided_by:
            miss = misses[0]
            clauses = " and ".join(failed.clause for failed in miss.failed)
            text += f"; {miss.grant.name} ({miss.grant.where}) would, but for {clauses}"
    return Failure(expected.mark, text)


def _runs_failure(case: Case, one: _Asked, expected: Expected) -> Failure:
    found = f"[{', '.join(one.argv)}]" if one.argv is not None else "in the account's own shell"
    return Failure(case.runs_mark, f"{case.name}: {_shown(expected.request)} runs {found}: {_by(one.decision)}")


def _shown(request: Request) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in say_request(request))

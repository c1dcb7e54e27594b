"""The engine: one pure, total function from a compiled ruleset and a query to a decision."""

from dataclasses import dataclass, replace
from datetime import datetime

from pysshd.patterns.names import BREAK, SIGNALS, is_subsystem, is_term, variable_fault
from pysshd.patterns.paths import virtual_path
from pysshd.patterns.words import WordsError, split_words
from pysshd.policy.bounds import NO_BOUNDS
from pysshd.policy.conditions import FALSE, TRUE, Case
from pysshd.policy.decide_net import Asked, asked_of, reached, refusal_of_net
from pysshd.policy.decide_sftp import asks_for_sftp, operation, refusal_of_sftp, served
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.found import CLASH as _CLASH
from pysshd.policy.found import REFUSED as _REFUSED
from pysshd.policy.found import Found as _Found
from pysshd.policy.login import case_of, decide_login, first_methods
from pysshd.policy.narrow import narrowed
from pysshd.policy.people import Person, place_of
from pysshd.policy.query import (
    Break,
    Env,
    Exec,
    Facts,
    Global,
    Login,
    Pty,
    Query,
    Request,
    Run,
    Session,
    Sftp,
    Signal,
    Subsystem,
    Unknown,
)
from pysshd.policy.rights import ExecRight, Rights, RunRight, ShellRight, Values, order
from pysshd.policy.rights_net import HOME
from pysshd.policy.ruleset import Effect, Grant, Ruleset
from pysshd.policy.standing import earliest, standing
from pysshd.policy.ways import EnvSettings, EnvWay, GlobalWay, PtyWay, RunWay, SessionWay, SignalWay, Way

__all__ = ["decide", "first_methods"]

GLOBAL_ALWAYS = frozenset(["keepalive@openssh.com", "no-more-sessions@openssh.com"])
"""Answered with a bare success. `hostkeys-prove-00@openssh.com` is always answered too, but with signatures, by whoever
holds the keys: it never comes here, and a bare success would be wrong."""


def decide(ruleset: Ruleset, query: Query, *, trace: bool = False) -> Decision:
    """Decide one query. Never raises for any facts or request; the trace is made only when asked for."""
    facts, request = query.facts, query.request
    if isinstance(request, Login):
        return decide_login(ruleset, facts, request, trace=trace)
    person = ruleset.holder(facts, facts.methods)
    stands, edge = standing(ruleset, person, facts, facts.methods)
    if person is None or stands:
        return Decision(False, None, valid_until=edge, decided_by=place_of(person), reason=stands)
    always = _settled(request)
    if always is not None:
        return always
    values = values_of(facts, person)
    asked = asked_of(request, None if isinstance(facts.own_addresses, Unknown) else facts.own_addresses, values)
    if isinstance(asked, str):
        return Decision(False, None, valid_until=edge, decided_by="the language", reason=asked)
    reason = narrowed(request, facts.methods)
    if reason:
        return Decision(False, None, valid_until=edge, decided_by="the certificate", reason=reason)
    server = ruleset.settings.server
    free = server.accounts == "system" or server.owner == person.name
    case = case_of(person, facts.account, facts, facts.methods)
    found = _Judgement(request, case, values, free, trace, asked)
    for grant in ruleset.grants_of(person):
        found.take(grant)
    return found.decision(edge)


def settled(request: Request) -> Decision | None:
    """The decision on a request that every policy decides alike, or None where a policy has a say."""
    found, reason = _settled(request), refusal_of_net(request)
    return Decision(False, None, decided_by="the language", reason=reason) if found is None and reason else found


def _settled(request: Request) -> Decision | None:
    """The same, but for what is read of a request that reaches beyond the session."""
    if isinstance(request, Global) and request.name in GLOBAL_ALWAYS:
        return Decision(True, GlobalWay(), decided_by="the language", reason="it is always answered")
    reason = _refusal(request)
    return Decision(False, None, decided_by="the language", reason=reason) if reason else None


def values_of(facts: Facts, person: Person) -> Values:
    """What fills the slots: `{key}` is the name of the first key of the login, else its fingerprint.

    The fingerprint's `/` and `+` are written as `_` and `-`, so that it is one part of a path. The home is that of the
    session's account, else what `users` says.
    """
    values = {"user": person.name, "account": facts.account}
    step = next((step for step in facts.methods if step.method == "publickey"), None)
    if step is not None:
        key = person.key_of(step)
        name = key.name if key is not None else None
        values["key"] = name or (step.key or "").replace("/", "_").replace("+", "-")
    home = facts.unix.home if facts.unix is not None else person.home
    if home is not None:
        values[HOME] = home
    return values


def _env_refusal(request: Env) -> str:
    fault = variable_fault(request.name, request.value)
    return f"the variable {fault}" if fault else ""


def _refusal(request: Request) -> str:
    """Why a request is refused whatever is granted, or ""."""
    if isinstance(request, Session) and request.kind != "session":
        return "no channel of this kind may be opened by a client"
    running = request.running if isinstance(request, Signal | Break) else request
    if isinstance(running, Exec) and b"\0" in running.command:
        return "the command has a NUL"
    if isinstance(running, Subsystem) and not is_subsystem(running.name):
        return "the subsystem's name is of no form that is served"
    if isinstance(request, Pty) and not is_term(request.term):
        return "TERM is not of the form that is served"
    if isinstance(request, Signal) and request.name not in SIGNALS:
        return "the signal is none of RFC 4254"
    if isinstance(request, Sftp):
        return refusal_of_sftp(request)
    return _env_refusal(request) if isinstance(request, Env) else ""


class _Judgement:
    """Collects what the grants say to one request.

    How a request is told to the grants depends on its kind: what runs is offered rights, a signal needs a right that
    runs what it is sent to, the rest is permitted or not.
    """

    def __init__(
        self, request: Request, case: Case, values: Values, free: bool, trace: bool, asked: Asked | None
    ) -> None:
        """`free`: what is not confined may be run too, for it is not the daemon's own user; `asked`: a request that
        reaches beyond the session, read.
        """
        self.case = case
        self._values = values
        self._free = free
        self._request = request
        self._asked = asked
        self._trace: list[tuple[int, Tried]] | None = [] if trace else None
        self._running: object = request.running if isinstance(request, Signal | Break) else request
        self._signal = request.name if isinstance(request, Signal) else BREAK
        self._words = _words(self._running)
        self._runs_something = isinstance(request, Run)
        self._signals = isinstance(request, Signal | Break)
        self._opens = isinstance(request, Session)
        self._path = virtual_path(request.path) if isinstance(request, Sftp) else ""
        self._asks_for_sftp = self._runs_something and asks_for_sftp(request, self._words)
        self._permitting: list[Grant] = []
        self._denying: Grant | None = None
        self._narrowing: list[Grant] = []
        self._bounding: list[Grant] = []
        self._setting: list[Grant] = []
        self.edge: datetime | None = None

    def take(self, grant: Grant) -> None:
        """Hear one grant."""
        relevant = self._relevant(grant)
        if not relevant and self._trace is None:
            return
        truth = grant.conditions.truth(self.case)
        if self._trace is not None:
            self._note(grant, relevant and not self._only_shows(grant))
        if not relevant:
            return
        if grant.conditions.timed:
            self.edge = earliest((self.edge, grant.conditions.next_edge(self.case.now)))
        if grant.effect is Effect.ALLOW:
            if truth is TRUE:
                self._permitting.append(grant)
        elif truth is not FALSE:
            if grant.effect is Effect.BOUND:
                self._bounding.append(grant)
            elif self._asked is not None and self._asked.divisible and not grant.everything:
                self._narrowing.append(grant)
            elif self._denying is None or grant.number < self._denying.number:
                self._denying = grant

    def _relevant(self, grant: Grant) -> bool:
        """Whether the grant has something to say to this request, its conditions aside."""
        if grant.effect is Effect.BOUND:
            return True
        if grant.effect is Effect.DENY:
            return grant.everything or self._touches(grant.rights)
        rights = grant.rights
        if self._runs_something:
            return bool(rights.sets) or self._runs(rights) or (self._asks_for_sftp and bool(rights.sftp))
        if self._opens:
            return bool(rights.runs or rights.sftp)
        if self._signals:
            return self._signal in rights.signals or self._runs(rights)
        # What a grant shows of the host counts for every path, also where its own rights do not reach.
        return bool(rights.sftp) if isinstance(self._request, Sftp) else self._permits(rights)

    def _runs(self, rights: Rights) -> bool:
        running, words, values = self._running, self._words, self._values
        for right in rights.runs:  # noqa: SIM110 (a generator costs twice as much here)
            if right.permits(running, words, values):
                return True
        return False

    def _only_shows(self, grant: Grant) -> bool:
        """Whether an allow has nothing for an operation but folders of the tree, which are needed to answer it."""
        sftp = isinstance(self._request, Sftp) and grant.effect is Effect.ALLOW
        return sftp and not self._permits(grant.rights)

    def _permits(self, rights: Rights) -> bool:
        request = self._request
        if self._asked is not None:
            return any(map(self._asked.permits, rights.net))
        if isinstance(request, Env):
            return any(pattern.matches(request.name) for pattern in rights.accept)
        if isinstance(request, Sftp):
            return any(right.permits(request.right, self._path) for right in rights.sftp)
        return isinstance(request, Pty) and rights.pty

    def _touches(self, rights: Rights) -> bool:
        """Whether a deny of these permissions touches the request; a channel is touched by `deny: all` alone."""
        if self._asked is not None:
            return any(map(self._asked.touches, rights.net))
        if self._signals:
            return self._signal in rights.signals
        if not self._runs_something:
            return self._permits(rights)
        asked = self._running, self._words, self._values
        return any((r.touches if isinstance(r, ExecRight) else r.permits)(*asked) for r in rights.runs)

    def _note(self, grant: Grant, relevant: bool) -> None:
        assert self._trace is not None
        failed = grant.conditions.failed(self.case)
        matched = not failed or (grant.effect is not Effect.ALLOW and grant.conditions.truth(self.case) is not FALSE)
        if matched and not relevant:
            matched, failed = False, "it does not speak of this request"
        self._trace.append((grant.number, Tried(grant.name, grant.where, matched, failed)))

    def decision(self, edge: datetime | None) -> Decision:
        """What comes of it."""
        trace = tuple(tried for _, tried in sorted(self._trace, key=lambda pair: pair[0])) if self._trace else ()
        found = _REFUSED
        if self._denying is not None:
            deny = self._denying
            found = _Found(None, (), deny.where, f"{deny.name} denies it")
        elif isinstance(self._request, Run):
            found = self._run(self._request)
        elif isinstance(self._request, Signal | Break):
            found = self._signalled()
        elif isinstance(self._request, Sftp):
            found = operation(self._request, self._path, self._permitting, self._values)
        elif self._asked is not None:
            found = reached(self._asked, self._permitting, self._narrowing)
        elif self._permitting:
            way = _WAYS[type(self._request)]
            found = _Found(way, tuple(self._permitting), "", "permits it")
        until = earliest((edge, self.edge))
        if found.way is None:
            return Decision(False, None, NO_BOUNDS, until, trace, found.decided_by, found.reason)
        bounds = NO_BOUNDS
        for grant in (*found.grants, *self._bounding):
            bounds = bounds | grant.bounds
        first = min(found.grants, key=lambda grant: grant.number)
        return Decision(
            True, found.way, bounds, until, trace, found.decided_by or first.where, f"{first.name} {found.reason}"
        )

    def _run(self, request: Run) -> "_Found":
        """The most cautious way among those that the permissions offer; where two remain, none is taken."""
        values = self._values
        settings = _settings(self._permitting, values)
        env = settings.env if settings is not None else ()
        ways: dict[RunWay, RunRight] = {}
        grants: list[Grant] = []
        first = (0, False)
        for grant in self._permitting:
            for right in grant.rights.runs:
                if not right.permits(request, self._words, values):
                    continue
                way = right.way(request, self._words, values, env)
                if way is None:
                    continue
                if grant not in grants:
                    grants.append(grant)
                rank = order(right, way)
                if not ways or rank < first:
                    ways, first = {way: right}, rank
                elif rank == first:
                    ways.setdefault(way, right)
        if self._asks_for_sftp:
            own = served(request, self._words, self._permitting, values, grants)
            if own is not None:
                # More cautious than every command; beside any other program nothing ranks it.
                return own if all(isinstance(right, ExecRight) for right in ways.values()) else _CLASH
        if not ways:
            return _REFUSED
        if len(ways) > 1 or settings is None:
            return _CLASH
        [(way, right)] = ways.items()
        if not (way.confined or self._free):
            # A document is accepted only where this can not be; but key files may have changed since.
            return _Found(None, (), "the language", "only the owner runs what is not confined")
        if settings.umask is not None or settings.folder is not None:
            way = replace(way, umask=settings.umask, folder=settings.folder)
        return _Found(way, tuple(grants), "", f"permits it by {right} ({right.where})")

    def _signalled(self) -> "_Found":
        """A signal goes to what a shell or an exec permission runs: all signals, or those that roles name."""
        running = self._running
        programs = [
            (grant, right)
            for grant in self._permitting
            for right in grant.rights.runs
            if isinstance(right, ShellRight | ExecRight) and right.permits(running, self._words, self._values)
        ]  # fmt: skip
        naming = [grant for grant in self._permitting if self._signal in grant.rights.signals]
        grants = [grant for grant, right in programs if right.all_signals] + (naming if programs else [])
        return _Found(SignalWay(), tuple(grants), "", "permits it") if grants else _REFUSED


_WAYS: dict[type, Way] = {Session: SessionWay(), Pty: PtyWay(), Env: EnvWay()}


def _words(request: object) -> tuple[str, ...] | None:
    if not isinstance(request, Exec):
        return None
    try:
        return split_words(request.command)
    except WordsError:
        return None


@dataclass(frozen=True, slots=True)
class _Settings:
    """What the policy sets for whatever is run."""

    env: EnvSettings = ()
    umask: int | None = None
    folder: str | None = None


def _settings(grants: list[Grant], values: Values) -> _Settings | None:
    """The variables and settings of all grants, or None where two set one to two values.

    One whose slot has no value is left out.
    """
    found: dict[tuple[str, str], str] = {}
    for grant in grants:
        for setting in grant.rights.sets:
            value = setting.value.fill(values)
            if value is not None and found.setdefault((setting.kind, setting.name), value) != value:
                return None
    env = tuple(sorted((name, value) for (kind, name), value in found.items() if kind == "env"))
    umask = found.get(("umask", "umask"))
    return _Settings(env, int(umask, 8) if umask else None, found.get(("working_folder", "working_folder")))

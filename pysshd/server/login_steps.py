"""How far one login has come, as the policy counts it: whose steps they are, and what may follow."""

from collections.abc import Mapping
from typing import TypeAlias

from pysshd.audit.escape import masked
from pysshd.patterns.names import is_name
from pysshd.policy.decide import decide, first_methods
from pysshd.policy.decision import Decision
from pysshd.policy.people import PasswordHash, Person
from pysshd.policy.query import Facts, Login, Query, Request, Step, UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.ways import LoginWay
from pysshd.records import dataclass
from pysshd.server.connection import Connection
from pysshd.server.known import NOTHING_KNOWN, Known, person_of
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey

WIRE_METHODS = {"publickey": "publickey", "certificate": "publickey", "password": "password"}
"""The method on the wire of each step that is served (RFC 4252 §7, §8)."""

STEPS_MAX = 256
"""Steps that one login may have tried with success: above every cap on attempts."""


Proof: TypeAlias = PublicKey | Certificate | PasswordHash | None
"""By what a step was proven: the key, the certificate, or the hash of the policy that the password fitted; None: by
the host's own."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about one step: whose it is, how the policy counts it, and by what it was proven."""

    person: str
    step: Step
    proof: Proof = None


class LoginSteps:
    """The steps of one connection's login.

    The daemon's `progress` says which steps are done; it alone counts. What a hook found out about a step before (whose
    key it is, by which entry) is kept here and means nothing until then, so a probe can never lend its rights.
    """

    def __init__(self, ruleset: Ruleset, connection: Connection) -> None:
        self.ruleset = ruleset
        self._connection = connection
        self._account: str | None = None
        self._was_somebody = False
        self._found: dict[tuple[str, str | None], Found] = {}
        self.known: Known | None = None
        """What was looked up of the account; None before that."""

    def renewed(
        self, ruleset: Ruleset, known: Known | None, found: Mapping[tuple[str, str | None], Found]
    ) -> "LoginSteps":
        """The same login by another ruleset, with what was looked up and found out by that."""
        login = LoginSteps(ruleset, self._connection)
        login._account = self._account
        login._was_somebody = self._is_somebody
        login._found.update(found)
        login.known = known
        return login

    @property
    def account(self) -> str:
        """The name that the client typed; empty while none is known."""
        return self._account or ""

    @property
    def shown_account(self) -> str:
        """The account as a log may have it: a name that nobody may use could be a password in the wrong place."""
        return self.account if self._is_somebody else masked(self.account)

    @property
    def _is_somebody(self) -> bool:
        """Whether anybody has the account's name, or had it by rules from before."""
        known = self.known or NOTHING_KNOWN
        named = self.ruleset.people_of(self.account) or known.people or self.account in known.accounts or self._found
        return self._was_somebody or bool(named)

    def names(self, username: str) -> bool:
        """Whether `username` can be this connection's account: the first name that is asked about stays for good."""
        if self._account is None:
            self._account = username
        return username == self._account and is_name(username)

    @property
    def probing(self) -> bool:
        """Whether a key is only asked about."""
        return self._connection.progress.stage == "probe"

    def found(self, person: str, step: Step, proof: Proof = None) -> None:
        """This step, once it is done, is `person`'s."""
        if len(self._found) < STEPS_MAX:
            self._found[step.method, step.key] = Found(person, step, proof)

    @property
    def all_found(self) -> dict[tuple[str, str | None], Found]:
        """What was found out about steps; one that its hook has just said yes to may not be counted as done yet."""
        return dict(self._found)

    def counted(self, step: Step) -> Step:
        """A step as the daemon noted it, with what was found out about it."""
        known = self._found.get((step.method, step.key))
        return step if known is None else known.step

    @property
    def begun(self) -> bool:
        """Whether any factor has succeeded."""
        return bool(self._connection.progress.steps)

    def done(self) -> tuple[str | None, tuple[Step, ...]] | None:
        """Who is settled, and by which steps; `(None, ())` before the first, None where they do not fit together."""
        person: str | None = None
        steps: list[Step] = []
        for step in self._connection.progress.steps:
            known = self._found.get((step.method, step.key))
            if known is None or (person is not None and known.person != person):
                return None
            person = known.person
            steps.append(known.step)
        return person, tuple(steps)

    def facts(self, person: str | None, methods: tuple[Step, ...] = ()) -> Facts:
        """What is known of the connection now, for `person`."""
        here = self._connection
        now = here.clock.wall()
        holder, unix = self._looked_up(person)
        return Facts(self.account, person, here.source, here.listener, here.client, now, methods, holder, unix)

    def _looked_up(self, person: str | None) -> tuple[Person | None, UnixFacts | None]:
        """What the host says of a person and of the account as which their session would run."""
        known = self.known or NOTHING_KNOWN
        who = self.person(person) if person is not None else None
        holder = who if who is not None and (who.name in known.people or who.unknown_groups) else None
        if who is None or self.ruleset.settings.server.accounts != "system":
            return holder, None
        return holder, known.unix(who.unix_name(self.account))

    def person_of_password(self) -> str | None:
        """Whom a password identifies that comes first of all: the person of the account's own name, or None."""
        known = self.known or NOTHING_KNOWN
        person = known.people.get(self.account) or self.ruleset.person_of_password(self.account)
        return person.name if person is not None and self.account in person.accounts else None

    def person(self, name: str) -> Person | None:
        """The person of this name, with what is known of them."""
        return person_of(self.ruleset, self.known or NOTHING_KNOWN, name)

    def judge(self, person: str | None, done: tuple[Step, ...], step: Step, *, trace: bool = False) -> Decision:
        """Would `step` count for `person` after the steps done? No key and no secret counts twice."""
        if any((step.method, step.key) == (before.method, before.key) for before in done):
            return Decision(False, None, decided_by="login", reason=f"{step.method} has counted already")
        return decide(self.ruleset, Query(self.facts(person), Login(done, step)), trace=trace)

    def offers(self) -> tuple[str, ...]:
        """The methods on the wire that may be tried now; before the first factor they do not follow from the name."""
        if not self.begun:
            return _on_wire(first_methods(self.ruleset, self.facts(None)))
        way = self._last_way()
        return () if way is None or way.complete else _on_wire(way.next_methods)

    def session_facts(self) -> Facts | None:
        """The facts of whoever is logged in, or None where the login is not (or no longer) complete."""
        way = self._last_way()
        settled = self.done()
        if way is None or not way.complete or settled is None:
            return None
        return self.facts(*settled)

    def ask(self, facts: Facts, request: Request, *, trace: bool = False) -> Decision:
        """Decide one request of whoever is logged in."""
        return decide(self.ruleset, Query(facts, request), trace=trace)

    def last_decision(self) -> Decision | None:
        """What the last step that was done comes to now; None where none was, or they do not fit one person."""
        settled = self.done()
        if settled is None or not settled[1]:
            return None
        person, steps = settled
        return self.judge(person, steps[:-1], steps[-1])

    def _last_way(self) -> LoginWay | None:
        """What the last step came to, judged now."""
        decision = self.last_decision()
        return decision.way if decision is not None and isinstance(decision.way, LoginWay) else None


def _on_wire(methods: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(WIRE_METHODS[method] for method in methods if method in WIRE_METHODS))

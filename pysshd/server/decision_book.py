"""Every decision is written down once, and every yes gets the plan that says how."""

from pysshd.policy.decision import Decision
from pysshd.policy.query import Request
from pysshd.server.again import Again
from pysshd.server.commands import RUN_WAYS, run_of
from pysshd.server.known import NOTHING_KNOWN
from pysshd.server.login_steps import LoginSteps
from pysshd.server.plan import Plan
from pysshd.server.ports import DecisionRecord, Identity, Journal, NewId
from pysshd.server.traces import told


class DecisionBook:
    """Writes the decisions of one connection to the journal, and makes plans of them."""

    def __init__(self, identity: Identity, journal: Journal, new_id: NewId, login: LoginSteps) -> None:
        self._identity = identity
        self._journal = journal
        self._new_id = new_id
        self._login = login

    def refuse(self, request: Request, reason: str, person: str | None) -> None:
        """Write down a refusal that no entry of the file made."""
        self.note(request, Decision(False, None, decided_by="server", reason=reason), False, reason, person)

    def note(self, request: Request, decision: Decision, allowed: bool, reason: str, person: str | None) -> Plan | None:
        """Write down what a request came to; its plan, or None for a refusal.

        What cannot be carried out for want of an account or of a program that can be named is refused here.
        """
        again = self.considered(request, decision, allowed, reason, person)
        self._journal.decided(again.record)
        return again.plan

    def considered(self, request: Request, decision: Decision, allowed: bool, reason: str, person: str | None) -> Again:
        """What a request comes to, as `note` has it, and not written down."""
        decision_id = self._new_id()
        plan: Plan | None = None
        if allowed and decision.allowed and person is not None:
            try:
                plan = self._planned(decision, decision_id, person)
                reason = reason if plan is not None else "nothing that can be run answers it"
            except (LookupError, OSError) as error:
                reason = f"account cannot be used: {error}"
        record = DecisionRecord(
            request,
            plan is not None,
            reason,
            decision.decided_by,
            decision_id,
            person,
            self._login.shown_account,
            self._login.probing,
            "" if plan is not None else told(decision.trace),
            self._login.ruleset.version,
        )
        return Again(plan, record)

    def _planned(self, decision: Decision, decision_id: str, person: str) -> Plan | None:
        way = decision.way
        if way is None:
            return None
        confined = isinstance(way, RUN_WAYS) and way.confined
        known = self._login.known or NOTHING_KNOWN
        account = self._identity.account(person, self._login.account, confined, known)
        plan = Plan(account, way, decision.bounds, decision.valid_until, decision_id)
        return plan if not isinstance(way, RUN_WAYS) or run_of(plan) is not None else None

"""How the grants come to one decision: a set, whose order decides nothing (policy.md, Grants).

Who is asked first is a matter of cost alone. A grant that has nothing to say to the kind of the request is passed over;
conditions are asked before permissions, but where they hang on time, which counts only where the permissions speak.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from pysshd.policy.bounds import NO_BOUNDS
from pysshd.policy.candidates import Bundle
from pysshd.policy.conditions import FALSE, TRUE, Case, Conditions, Truth
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.found import Found
from pysshd.policy.grants import Effect, Grant
from pysshd.policy.questions import Question
from pysshd.policy.standing import earliest

_ALLOW: Final = Effect.ALLOW


class Judgement:
    """Collects what the grants of a person say to one request; each is used for one decision."""

    __slots__ = (
        "_bounding",
        "_case",
        "_certain",
        "_denying",
        "_edge",
        "_edges",
        "_heard",
        "_kind",
        "_narrowing",
        "_permitting",
        "_question",
        "_truths",
    )

    def __init__(self, question: Question, kind: int, case: Case, edge: datetime | None) -> None:
        """`kind`: of the request (`kinds`); `edge`: when what was decided before the grants may be otherwise."""
        self._question = question
        self._kind = kind
        self._case = case
        # Where groups of the person are not known, a grant may speak of somebody else after all.
        self._certain = case.person is not None and not case.person.unknown_groups
        self._edge = edge
        self._permitting: list[Grant] = []
        self._narrowing: list[Grant] = []
        self._bounding: list[Grant] = []
        self._denying: Grant | None = None
        # Of permissions and conditions by their identity: those that are written alike are one (`compile`).
        self._heard: dict[int, bool] = {}
        self._truths: dict[int, Truth] = {}
        self._edges: set[int] = set()

    def of(self, bundles: Iterable[Bundle]) -> Decision:
        """What comes of the grants that may speak of the person (`Ruleset.bundles_of`)."""
        self._hear(bundles)
        return self._decision(())

    def traced(self, grants: Iterable[Grant], lacking: Callable[[Grant], str]) -> Decision:
        """The same of the grants one by one (`Ruleset.grants_of`), with every one that was tried.

        lacking: why a grant has nothing to say for want of what would fill a slot, or "".
        """
        tried = [(grant.number, self._tried(grant, lacking)) for grant in grants]
        self._hear([(grant,) for grant in grants])
        return self._decision(tuple(one for _, one in sorted(tried, key=lambda pair: pair[0])))

    def _hear(self, bundles: Iterable[Bundle]) -> None:
        kind, heard, permitting = self._kind, self._heard, self._permitting
        for bundle in bundles:
            grant = bundle[0]  # stands for all of them
            if not grant.kinds & kind:
                continue
            if grant.effect is not _ALLOW:
                self._hear_against(grant)
                continue
            speaks, conditions = heard.get(id(grant.rights)), grant.conditions
            if speaks is False:
                continue
            if conditions.timed:
                if not (speaks or self._speaks(grant)):
                    continue
                self._note_edges(conditions)
            if ((self._certain and conditions.settled) or self._truth(conditions) is TRUE) and (
                speaks or self._speaks(grant)
            ):
                permitting += bundle

    def _hear_against(self, grant: Grant) -> None:
        """Hear a deny or a bound: it counts also where its conditions are not known to fail."""
        if not self._speaks(grant):
            return
        self._note_edges(grant.conditions)
        if self._truth(grant.conditions) is FALSE:
            return
        if grant.effect is Effect.BOUND:
            self._bounding.append(grant)
        elif self._question.divisible and not grant.everything:
            self._narrowing.append(grant)
        elif self._denying is None or grant.number < self._denying.number:
            self._denying = grant

    def _truth(self, conditions: Conditions) -> Truth:
        """Whether they hold for the person, each asked once; `who` only where it may mean somebody else."""
        truths = self._truths
        least = TRUE
        for condition in conditions.left if self._certain else conditions.own:
            found = truths.get(id(condition))
            if found is None:
                found = truths[id(condition)] = condition.test(self._case)
            if found is FALSE:
                return FALSE
            if found < least:
                least = found
        return min(least, conditions.not_excepted(self._case)) if conditions.unless else least

    def _note_edges(self, conditions: Conditions) -> None:
        """The decision holds until the first of those may change that hang on time."""
        for condition in conditions.timed:
            if id(condition) not in self._edges:
                self._edges.add(id(condition))
                self._edge = earliest((self._edge, condition.window.next_edge(self._case.now)))

    def _speaks(self, grant: Grant) -> bool:
        """Whether the grant has something to say to this request, its conditions aside."""
        if grant.effect is _ALLOW:
            known = self._heard.get(id(grant.rights))
            if known is None:
                known = self._heard[id(grant.rights)] = self._question.heard(grant.rights)
            return known
        return grant.effect is Effect.BOUND or grant.everything or self._question.touched(grant.rights)

    def _speaks_itself(self, grant: Grant) -> bool:
        """The same, but for an allow that has nothing for the request but how it is answered where others permit it."""
        return self._speaks(grant) and (grant.effect is not _ALLOW or self._question.permitted(grant.rights))

    def _tried(self, grant: Grant, lacking: Callable[[Grant], str]) -> Tried:
        failed = grant.conditions.failed(self._case)
        matched = not failed or (grant.effect is not _ALLOW and grant.conditions.truth(self._case) is not FALSE)
        if matched and (without := lacking(grant)):
            matched, failed = False, without
        elif matched and not (grant.kinds & self._kind and self._speaks_itself(grant)):
            matched, failed = False, "it does not speak of this request"
        return Tried(grant.name, grant.where, matched, failed)

    def _decision(self, trace: tuple[Tried, ...]) -> Decision:
        """What comes of it."""
        if self._denying is not None:
            found = Found(None, (), self._denying.where, f"{self._denying.name} denies it")
        else:
            found = self._question.found(self._permitting, self._narrowing)
        if found.way is None:
            return Decision(False, None, NO_BOUNDS, self._edge, trace, found.decided_by, found.reason)
        bounds = NO_BOUNDS
        first = found.grants[0]
        for grant in found.grants:
            if grant.bounds is not NO_BOUNDS:
                bounds = bounds | grant.bounds
            if grant.number < first.number:
                first = grant
        for grant in self._bounding:
            bounds = bounds | grant.bounds
        by = found.decided_by or first.where
        reason = found.reason.removesuffix(f" ({by})")  # one place is told once
        return Decision(True, found.way, bounds, self._edge, trace, by, f"{first.name} {reason}")

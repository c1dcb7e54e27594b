"""Entries of `grants:`, compiled."""

from dataclasses import field
from enum import Enum

from pysshd.policy.bounds import NO_BOUNDS, Bounds
from pysshd.policy.conditions import Conditions
from pysshd.policy.kinds import EVERY, permitted, touched
from pysshd.policy.rights import Rights
from pysshd.records import dataclass


class Effect(Enum):
    """What a grant does where its conditions hold."""

    ALLOW = "allow"
    DENY = "deny"
    BOUND = "bound"


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of `grants:`.

    where: `file:line`; number: its place in the file, for traces.
    everything: whether a deny touches every request.
    kinds: the kinds of requests to which it may have something to say, as bits (`kinds`).
    """

    name: str
    where: str
    number: int
    conditions: Conditions
    effect: Effect
    rights: Rights = field(default_factory=Rights)
    everything: bool = False
    bounds: Bounds = NO_BOUNDS
    kinds: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        whole = self.everything or self.effect is Effect.BOUND
        some = permitted if self.effect is Effect.ALLOW else touched
        object.__setattr__(self, "kinds", EVERY if whole else some(self.rights))

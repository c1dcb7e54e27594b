"""By what connections are judged: a compiled policy, and who people are by it. A reload swaps one for the next."""

from collections.abc import Callable
from typing import TypeAlias

from pysshd.policy.ruleset import Ruleset
from pysshd.records import dataclass
from pysshd.server.ports import Identity


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """One version of the policy: two that say the same are two all the same."""

    ruleset: Ruleset
    identity: Identity

    @property
    def version(self) -> str:
        """The name of the version, as the log has it."""
        return self.ruleset.version


CurrentRules: TypeAlias = Callable[[], Rules]
"""The rules that are in force now."""

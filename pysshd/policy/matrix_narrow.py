"""What the options of a key take away from the columns of the matrix, in words."""

from typing import Final

from pysshd.patterns.narrowing import Narrowing, shown
from pysshd.policy.narrow import narrowers_of
from pysshd.policy.people import Person
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Step

_FLAGS: Final = {
    "pty": ("pty", "pty"),
    "agent": ("agent", "agent-forwarding"),
    "x11": ("x11", "x11-forwarding"),
    "forward": ("ports", "port-forwarding"),
}
"""Columns of what a key allows or not, and the attribute and the option that say so."""

WHOLLY: Final = frozenset(["pty", "agent", "x11"])
"""Columns of which a key leaves nothing where it takes anything away."""


def taken_away(ruleset: Ruleset, person: Person, step: Step, column: str) -> list[tuple[str, str, str]]:
    """What by one key of a person is not there, or something else: the key, `file:line`, and what it is."""
    found = []
    for one in narrowers_of(ruleset, person, [step]):
        if what := _taken(one.limits, column):
            found.append((one.name, one.where, what))
    return found


def _taken(limits: Narrowing, column: str) -> str:
    if column == "login":
        ends = [f"after {limits.expires.isoformat(timespec='minutes')}"] if limits.expires is not None else []
        said = ", ".join([*(f"elsewhere than from {one}" for one in limits.sources), *ends])
        return said or ("itself, for it is an authority" if limits.authority else "")
    if column in _FLAGS:
        attribute, option = _FLAGS[column]
        if not getattr(limits, attribute):
            return option
        places = [("to open", limits.opens), ("to listen at", limits.listens)] if column == "forward" else []
        return ", ".join(f"{verb} all but {', '.join(map(str, some))}" for verb, some in places if some is not None)
    forced = limits.command is not None and column != "global-requests"
    return f"all but {shown(limits.command)}" if forced and limits.command is not None else ""

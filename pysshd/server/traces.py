"""The trace of a refusal as one text for the log: what failed where, the entries that have most to say first."""

from typing import Final

from pysshd.policy.decision import Trace, Tried

SEPARATOR: Final = "; "
LENGTH_MAX: Final = 1500
"""Characters of a trace: a line of the log that is longer than a pipe takes whole would lose other fields."""

_ELSEWHERE: Final = "it does not speak of this request"


def told(trace: Trace) -> str:
    """Each entry that was tried, with its place and what failed there; those without a word on the request counted."""
    speaking = [tried for tried in trace if tried.failed != _ELSEWHERE]
    parts: list[str] = []
    size = 0
    for number, tried in enumerate(sorted(speaking, key=lambda tried: not tried.matched)):
        part = _one(tried)
        size += len(part) + len(SEPARATOR)
        if size > LENGTH_MAX:
            parts.append(f"and {len(speaking) - number} more")
            break
        parts.append(part)
    if silent := len(trace) - len(speaking):
        parts.append(f"{silent} that do not speak of this request")
    return SEPARATOR.join(parts)


def _one(tried: Tried) -> str:
    said = "matches" if tried.matched and not tried.failed else tried.failed or "does not match"
    return f"{tried.entry} ({tried.where}): {said}"

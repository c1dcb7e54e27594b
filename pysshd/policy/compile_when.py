"""From the model of `when` to hours of the week."""

from collections.abc import Iterable
from datetime import tzinfo

from pysshd.policy import values
from pysshd.policy.conditions import When
from pysshd.policy.model_when import WhenModel
from pysshd.policy.weekly import DAY, DAYS, weekly


def when_of(model: WhenModel, zone: tzinfo) -> When:
    """The condition; `zone` is the server's, where the model names none. A window belongs to the day of its opening."""
    days = sorted({number for item in model.days or () for number in item.numbers}) or range(len(DAYS))
    hours = [(item.start, item.end) for item in model.hours or ()] or [(0, DAY)]
    own = values.timezone(model.timezone) if model.timezone is not None else zone
    spans = [(day * DAY + start, day * DAY + end) for day in days for start, end in hours]
    return When(_clause(model), weekly(own, spans))


def _clause(model: WhenModel) -> str:
    parts = [("days", model.days), ("hours", model.hours), ("timezone", [model.timezone] if model.timezone else None)]
    return f"when: {{{', '.join(f'{key}: {_shown(items)}' for key, items in parts if items is not None)}}}"


def _shown(items: Iterable[object]) -> str:
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"

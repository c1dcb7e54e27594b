"""The model of `when`: hours of the week."""

from typing import Annotated, ClassVar

from pydantic import WrapValidator

from pysshd.policy.fields_time import DaysItem, HoursItem, Timezone
from pysshd.policy.reading import Many, Record, bad


class WhenModel(Record):
    """`when`: on these days, within these hours, on the wall clock of a time zone.

    days: absent: every day. hours: absent: the whole day. timezone: absent: the server's.
    """

    example: ClassVar[str] = "{days: mon-fri, hours: 08:00-18:00}"
    days: Many[DaysItem] | None = None
    hours: Many[HoursItem] | None = None
    timezone: Timezone | None = None


def _when(node: object, handler: object) -> object:
    assert callable(handler)
    found = handler(node)
    if isinstance(found, WhenModel) and found.days is None and found.hours is None:
        raise bad("when needs days, hours or both", "as in when: {days: mon-fri, hours: 08:00-18:00}")
    return found


When = Annotated[WhenModel, WrapValidator(_when)]

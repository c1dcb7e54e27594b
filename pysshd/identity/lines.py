"""Lines with a key as files and programs have them: what the options in front of it leave."""

from collections.abc import Callable
from datetime import tzinfo

from pysshd.patterns.key_options import KeyOptionsError, parse_options
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing


def narrowing_of(options: str, zone: tzinfo, where: str, complain: Callable[[str], None]) -> Narrowing | None:
    """What is left by the options of a line; None where they can not be kept, which `complain` is told.

    zone: of times that name none; where: the line, for people.
    """
    if not options:
        return NO_NARROWING
    try:
        return parse_options(options, zone, where)
    except KeyOptionsError as error:
        complain(f"{where} is passed over: {error}")
        return None

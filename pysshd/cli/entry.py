"""The way in. A start with plain options is read here; all other words are read by click, which takes as long to import
as half of what a start does before it reads the policy.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from pysshd.cli.statuses import REFUSED, STOPPED
from pysshd.errors import StartupError
from pysshd.records import dataclass


@dataclass(slots=True)
class Start:
    """`--config FILE` and the options that may stand beside it, as click would read them."""

    config: str = ""
    strict: bool = False
    log_format: str = "text"
    log_level: str = "info"


def plain_start(words: Sequence[str]) -> Start | None:
    """Read a command line that is nothing but a start; None where it is something else, or in any way unusual."""
    found, given = Start(), set[str]()
    left = iter(words)
    for word in left:
        if word in given or word not in ("--config", "--strict", "--log-format", "--log-level"):
            return None
        given.add(word)
        if word == "--strict":
            found.strict = True
            continue
        value = next(left, "")
        if not value or value.startswith("-"):
            return None
        setattr(found, word.removeprefix("--").replace("-", "_"), value)
    return found if found.config and _is_log(found, given) else None


def _is_log(start: Start, given: set[str]) -> bool:
    """Whether what is said of the log is as it may be."""
    if given.isdisjoint(["--log-format", "--log-level"]):
        return True
    from pysshd.audit.events import Level
    from pysshd.audit.sinks import RENDERERS

    return start.log_format in RENDERERS and start.log_level in {level.name.lower() for level in Level}


def main() -> None:
    """Run the command line; what can not start says why and exits with 2."""
    start = plain_start(sys.argv[1:])
    if start is None:
        from pysshd.cli.main import main as with_click

        return with_click()
    from pysshd.cli.serving import serve_policy

    try:
        serve_policy(Path(start.config), start.log_format, start.log_level, strict=start.strict)
    except KeyboardInterrupt:
        sys.stderr.write("\npysshd: stopped\n")
        sys.exit(STOPPED)
    except StartupError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)
    sys.exit(0)

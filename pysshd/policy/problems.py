"""Problems of a policy file, each with the place where it stands, and the error that carries them."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pysshd.errors import StartupError
from pysshd.records import dataclass

Severity = Literal["error", "unserved", "failed", "warning"]
"""`error`: the document is refused; `unserved`: it is good, and asks for what this version of the daemon can not do, so
that it is not served; `failed`: a case of its `tests` is decided otherwise; `warning`: it is odd."""


class Mark(NamedTuple):
    """A place in a file; line and column count from 1, columns in characters."""

    file: str
    line: int
    column: int

    @property
    def where(self) -> str:
        """`file:line`, as decisions and traces name it."""
        return f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong or odd in a policy file.

    message: what was found and what was expected, without secrets.
    hint: what to do, or empty.
    source_line: the line of the file with the values of secrets masked, or empty where there is none to show.
    line: 0 where the problem is of the file as a whole.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = "error"
    source_line: str = ""

    def __str__(self) -> str:
        """`file:line:column: message`, one line; what is no error says what it is."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        kind = {"warning": "warning: ", "failed": "test failed: "}.get(self.severity, "")
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {kind}{self.message}{hint}"

    def plain(self) -> dict[str, Any]:
        """The form for machines; line and column are 0 where it is the file's as a whole."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "source_line": self.source_line,
        }

    def render(self) -> str:
        """The form for a terminal: the line of `str()`, the source line and a caret under the column."""
        if not self.source_line:
            return str(self)
        start = max(0, self.column - 61) if len(self.source_line) > 120 else 0
        shown = self.source_line[start : start + 120]
        gutter = f"{self.line:>5} | "
        caret = " " * (len(gutter) + self.column - 1 - start) + "^"
        return f"{self}\n{gutter}{shown}\n{caret}"


class PolicyError(StartupError):
    """The document is refused: every error that was found in one run, and the warnings beside them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

"""The sources of a policy and the problems found in them: the problems of one run, in the order of the file."""

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import field, replace
from typing import Final

from pysshd.policy.problems import Mark, Problem, Severity
from pysshd.records import dataclass

SECRET_KEYS = frozenset(["password", "passwords", "passwd", "passphrase", "secret", "totp", "token", "private_key"])
"""Keys whose values are never shown; also keys that look like a slip of the pen for one of them."""

_HASH = re.compile(r"\$[A-Za-z0-9+/=,.-]{1,128}\$.*|\$[A-Za-z0-9+/]{16,}.*")
_AFTER_SECRET_KEY = re.compile(rf"\b(?:{'|'.join(sorted(SECRET_KEYS))})[\"']?\s*:\s*(.*)", re.IGNORECASE)
_LONG_TOKEN = re.compile(r"[A-Za-z0-9+/=$,]{24,}")
_SHOWN = 64

PROBLEMS_MAX: Final = 100
"""Errors of one run, and as many warnings; more would only hide the first, and cost time that grows with both."""

NOT_YET: Final = "is not served yet by this version"

_LINE_MAX = 4096
"""Characters of a source line that is shown at all."""

_NEAR_MAX = 64
_KNOWN_MAX = 1000
"""Characters of a word, and how many known words, for which a near one is looked for."""

_SECRET_LENGTHS = range(3, 19)
"""Characters of a key that can be near enough to one of `SECRET_KEYS`: two thirds of the shortest, and so on."""


class TooManyProblemsError(Exception):
    """There is no sense in looking for more: `Report.problems` has what was found."""


def is_secret_key(key: str) -> bool:
    """Whether what stands under this key is never shown."""
    if len(key) not in _SECRET_LENGTHS:
        return False
    lowered = key.lower()
    return lowered in SECRET_KEYS or bool(difflib.get_close_matches(lowered, SECRET_KEYS, 1, 0.75))


def show(text: str) -> str:
    """A text of the document for a message: quoted, escaped, cut, and masked where it looks like a secret."""
    if _HASH.search(text) or text.count("$") > 1:
        return "'***'"
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def meant(text: str, known: Iterable[str]) -> str:
    """`did you mean …?`, or nothing where no known word is near."""
    if len(text) > _NEAR_MAX:
        return ""
    words = list(known)
    if len(words) > _KNOWN_MAX:
        words = [word for word in words if word[:1] == text[:1] and abs(len(word) - len(text)) <= 2][:_KNOWN_MAX]
    near = difflib.get_close_matches(text, words, 1, 0.6)
    return f"did you mean {near[0]!r}?" if near else ""


@dataclass(slots=True)
class Source:
    """One file's text, and where secrets stand in it."""

    file: str
    text: str
    lines: list[str] = field(init=False)
    secrets: list[tuple[int, int, int, int]] = field(default_factory=list)
    whole: bool = False
    """Whether the text was read to its end as YAML; until then a secret might stand where none was seen."""
    damaged: bool = False
    """Whether some of it could not be read, so that nothing is known of what it says there."""

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")

    def hide(self, start: tuple[int, int], end: tuple[int, int], *, to_line_end: bool) -> None:
        """Never show what stands between two places (line, column; counted from 1).

        to_line_end: nor what follows on the last line, for a text without quotes may have been cut by YAML.
        """
        end = (end[0], len(self.lines[end[0] - 1]) + 1) if to_line_end and end[0] <= len(self.lines) else end
        self.secrets.append((*start, *end))

    def shown(self, line: int) -> str:
        """The line with its secrets masked, one `*` for each character; printable. Nothing of one that is too long."""
        if not 1 <= line <= len(self.lines) or len(self.lines[line - 1]) > _LINE_MAX:
            return ""
        text = self.lines[line - 1].removesuffix("\r")
        for first, start, last, end in self.secrets:
            if first <= line <= last:
                left = start - 1 if line == first else len(text) - len(text.lstrip(" "))
                text = _masked(text, left, end - 1 if line == last else len(text))
        for pattern in (_HASH, *(() if self.whole else (_AFTER_SECRET_KEY, _LONG_TOKEN))):
            for match in pattern.finditer(text):
                text = _masked(text, *match.span(match.re.groups))
        return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _masked(text: str, left: int, right: int) -> str:
    return text[:left] + "*" * max(0, right - left) + text[right:]


class Report:
    """Collects the problems of one run."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self.sources = {source.file: source for source in sources}
        self._problems: dict[tuple[Mark, str], Problem] = {}
        self._counts: dict[Severity, int] = {"error": 0, "unserved": 0, "failed": 0, "warning": 0}

    def error(self, mark: Mark, message: str, hint: str = "") -> None:
        """Note what refuses the document; `TooManyProblemsError` once there are as many as anybody will read."""
        self._add(mark, message, hint, "error")
        if self.errors >= PROBLEMS_MAX:
            raise TooManyProblemsError

    @property
    def errors(self) -> int:
        """How many errors there are so far."""
        return self._counts["error"]

    def unserved(self, mark: Mark, what: str) -> None:
        """Note what the language has and this version of the daemon has not: the file is judged, and not served."""
        self._add(mark, f"{what} {NOT_YET}", "", "unserved")

    def failed(self, mark: Mark, message: str) -> None:
        """Note what a case of `tests` says, and the policy does not."""
        self._add(mark, message, "", "failed")

    def warning(self, mark: Mark, message: str, hint: str = "") -> None:
        """Note what is odd."""
        self._add(mark, message, hint, "warning")

    def _add(self, mark: Mark, message: str, hint: str, severity: Severity) -> None:
        if (mark, message) in self._problems:
            return
        self._counts[severity] += 1
        if self._counts[severity] <= PROBLEMS_MAX:
            self._problems[mark, message] = Problem(*mark, message, hint, severity)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, in the order of the files, with the lines of the source as far as they may be shown."""
        order = {file: number for number, file in enumerate(self.sources)}
        found = sorted(
            self._problems.values(),
            key=lambda p: (order.get(p.file, len(order)), p.file, p.line, p.column, p.severity),
        )
        shown = tuple(replace(problem, source_line=self._shown(problem)) for problem in found)
        return (*shown, *self._more(found))

    def _more(self, found: list[Problem]) -> list[Problem]:
        """What is said of problems that are not told one by one."""
        more = []
        if self.errors >= PROBLEMS_MAX:
            more.append(
                Problem(found[-1].file, 0, 0, f"these are {PROBLEMS_MAX} problems; what follows was not looked at")
            )
        kinds: tuple[tuple[Severity, str], ...] = (("failed", "failures of tests"), ("warning", "warnings"))
        for severity, what in kinds:
            if (beyond := self._counts[severity] - PROBLEMS_MAX) > 0:
                more.append(Problem(found[-1].file, 0, 0, f"there are {beyond} more {what}", severity=severity))
        return more

    def _shown(self, problem: Problem) -> str:
        # Where secrets stand is known only when the whole text was read, so this is asked last.
        source = self.sources.get(problem.file)
        return source.shown(problem.line) if source is not None else ""

    @property
    def refused(self) -> bool:
        """Whether an error is among them."""
        return self.errors > 0


def one_of(words: Collection[str]) -> str:
    """`a, b or c`, for messages."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last

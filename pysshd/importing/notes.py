"""What is to be said of an import, each with the file and line that it is about."""

from dataclasses import field
from typing import Final, Literal

from pysshd.errors import StartupError
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

Kind = Literal["refused", "warning", "note"]
"""`refused`: nothing in the language says this, and leaving it out would let somebody in, so that they are kept out;
`warning`: it is left out, and somebody may do less than before; `note`: nothing is lost."""

REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say; `hint` is what to do, or empty."""

    mark: Mark
    kind: Kind
    text: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.mark.where}: {self.kind}: {self.text}{hint}"


@dataclass(slots=True)
class Remarks:
    """Collects remarks; each is made once."""

    found: dict[Remark, None] = field(default_factory=dict)

    def refuse(self, mark: Mark, text: str, hint: str = "") -> None:
        """Something has no equivalent, and whom it concerns is kept out."""
        self.found[Remark(mark, "refused", text, hint)] = None

    def warn(self, mark: Mark, text: str, hint: str = "") -> None:
        """Something is left out that gave somebody more."""
        self.found[Remark(mark, "warning", text, hint)] = None

    def note(self, mark: Mark, text: str, hint: str = "") -> None:
        """Something is left out that plays no part here."""
        self.found[Remark(mark, "note", text, hint)] = None

    @property
    def all(self) -> tuple[Remark, ...]:
        """What was said, in the order of files and lines."""
        return tuple(sorted(self.found, key=lambda one: (one.mark.file, one.mark.line)))

    @property
    def complete(self) -> bool:
        """Whether everything has an equivalent."""
        return all(one.kind == "note" for one in self.found)


class SshdConfigError(StartupError):
    """A file that sshd itself would not start with, or that can not be read as one: `file:line: what`."""

    def __init__(self, mark: Mark, text: str) -> None:
        super().__init__(f"{mark.where}: {text}")
        self.mark = mark

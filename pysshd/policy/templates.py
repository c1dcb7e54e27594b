"""Words with slots: `{user}`, `{source}` and their like are filled once and never read again."""

from collections.abc import Mapping
from typing import Final

from pysshd.patterns.slots import HOME, NAMED
from pysshd.policy.report import one_of
from pysshd.records import dataclass

SLOTS: Final = (*NAMED, HOME)
"""All of them; the home may only begin a path."""

_SHOWN: Final = one_of([f"{{{slot}}}" for slot in SLOTS])


class TemplateError(ValueError):
    """A text is no template: the message says which brace is wrong."""


@dataclass(frozen=True, slots=True)
class Template:
    """One word: texts at even places, names of slots at odd ones."""

    parts: tuple[str, ...]

    @property
    def slots(self) -> frozenset[str]:
        """The slots that it has."""
        return frozenset(self.parts[1::2])

    @property
    def in_home(self) -> bool:
        """Whether it begins with the home."""
        return self.parts[1:2] == (HOME,)

    def fill(self, values: Mapping[str, str]) -> str | None:
        """The word, or None where a slot has no value."""
        if len(self.parts) == 1:
            return self.parts[0]
        if any(slot not in values for slot in self.parts[1::2]):
            return None
        words = [values[part] if index % 2 else part for index, part in enumerate(self.parts)]
        if self.in_home:
            words[1] = words[1].rstrip("/")
        return "".join(words) or "/"

    def __str__(self) -> str:
        return "".join(
            f"{{{part}}}" if index % 2 else part.replace("{", "{{").replace("}", "}}")
            for index, part in enumerate(self.parts)
        )


def parse_template(text: str) -> Template:
    """Read a word; `{{` and `}}` are the braces themselves. Raises TemplateError."""
    parts = [""]
    position = 0
    while position < len(text):
        char = text[position]
        if char not in "{}":
            parts[-1] += char
            position += 1
        elif text[position : position + 2] == char * 2:
            parts[-1] += char
            position += 2
        elif char == "}":
            raise TemplateError("it has a '}' that closes nothing; write '}}' for the brace itself")
        else:
            end = text.find("}", position)
            parts += [_slot(text, position, end), ""]
            position = end + 1
    return Template(tuple(parts))


def _slot(text: str, start: int, end: int) -> str:
    name = text[start + 1 : end]
    if name not in SLOTS or end == -1:
        raise TemplateError(f"it has a '{{' that begins none of {_SHOWN}; write '{{{{' for the brace itself")
    if name == HOME and (start or text[end + 1 : end + 2] not in ("", "/")):
        raise TemplateError("{home} may only begin a path, as in {home}/files")
    return name

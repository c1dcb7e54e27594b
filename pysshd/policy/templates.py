"""Words with slots: `{user}`, `{account}` and `{key}` are filled once and never read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SLOTS: Final = ("user", "account", "key")
LATER: Final = ("principal", "source", "home")


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

    def fill(self, values: Mapping[str, str]) -> str | None:
        """The word, or None where a slot has no value."""
        if len(self.parts) == 1:
            return self.parts[0]
        if any(slot not in values for slot in self.parts[1::2]):
            return None
        return "".join(values[part] if index % 2 else part for index, part in enumerate(self.parts))

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
            parts += [_slot(text[position + 1 : end] if end >= 0 else text[position + 1 :], closed=end >= 0), ""]
            position = end + 1
    return Template(tuple(parts))


def _slot(name: str, *, closed: bool) -> str:
    if name in LATER and closed:
        raise TemplateError(
            f"{{{name}}} is not served yet by this version; served are {{user}}, {{account}} and {{key}}"
        )
    if name not in SLOTS or not closed:
        raise TemplateError("it has a '{' that begins none of {user}, {account} and {key}; "
                            "write '{{' for the brace itself")  # fmt: skip
    return name

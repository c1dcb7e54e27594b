"""What editors are told beyond the form of a value: what to offer, and why a text is none that is taken.

`patternErrorMessage` is a word of the language servers of VS Code (YAML and JSON), `examples` one of JSON Schema
(draft 7, §10.4), whose values they offer. One example alone is written behind its key at once: so there are none, or
two and more.
"""

from collections.abc import Mapping
from typing import Any, Final

from pysshd.policy.model import BUILT_IN
from pysshd.policy.steps import METHODS

OFFERED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("GrantModel", "roles"): tuple(sorted(BUILT_IN)),
    ("GrantModel", "who"): ("*", "group:NAME", "NAME"),
    ("GrantModel", "with"): METHODS,
    ("GrantModel", "deny"): ("all", "{shell: true}"),
    ("LoginModel", "who"): ("*", "group:NAME", "NAME"),
    ("LoginModel", "methods"): METHODS,
    ("RoleModel", "exec"): ("any", "cat /var/log/web/*"),
    ("CaseModel", "login"): METHODS,
    ("CaseModel", "refused"): ("any", *METHODS),
}
"""Values of a key of a model that are offered, of those that no schema can list."""

_LONGEST: Final = 80
_KEYWORD: Final = "patternErrorMessage"


def offered(model: str, key: str) -> dict[str, Any]:
    """What is offered for a key."""
    values = OFFERED.get((model, key), ())
    return {"examples": list(values)} if values else {}


def example(text: str) -> str:
    """An example for the help of a key; empty where it is too long to help."""
    return f" For example: {text}" if text and len(text) <= _LONGEST else ""


def explained(schema: Any, words: str) -> Any:
    """A schema whose patterns say in words what is expected."""
    if isinstance(schema, list):
        return [explained(one, words) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: explained(value, words) for key, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        found[_KEYWORD] = f"expected {words}"
    return found

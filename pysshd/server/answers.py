"""What a hook's answer means. Anything but a documented answer, by type and value, is a refusal and a line for the log.

So `False` from an authentication hook is not 0, an OPEN_FAILED code from an exec hook is not true, and `True` from a
forwarding hook is not port 1.
"""

from typing import Any, Generic, TypeVar

from pysshd.records import dataclass
from pysshd.server.query import InteractiveQuery
from pysshd.ssh.events.channels import OpenCode
from pysshd.ssh.events.userauth import Outcome
from pysshd.ssh.wire import codec

T = TypeVar("T")

PROMPTS_MAX = 16
"""Prompts in one round of keyboard-interactive."""

TEXT_MAX = 4096
"""Characters in one text that a hook has shown to the client."""

TEXTS_MAX = 32 * 1024
"""Bytes of all texts of one round together, in UTF-8: a message that every client takes."""

BANNER_MAX = 8192
"""Characters of a banner."""

REPLY_MAX = 4096
"""Bytes that a global request's success may carry."""

FREE_PORT_MIN = 1024
"""The first port that a hook may choose where the client left the choice open."""

PORT_MAX = 65535


@dataclass(frozen=True, slots=True)
class Judged(Generic[T]):
    """What an answer comes to; `complaint` is None, or the line for the log that says why it became a refusal."""

    value: T
    complaint: str | None = None


def _shown(returned: object) -> str:
    """A returned value for the log: its type, and its value only where it is a plain number or bool."""
    kind = type(returned)
    return f"{kind.__name__} {returned}" if kind in (int, bool) else kind.__name__


def _complaint(hook: str, returned: object, expected: str) -> str:
    return f"hook {hook} returned {_shown(returned)}, expected {expected}; refused"


def auth_outcome(hook: str, returned: Any) -> Judged[Outcome]:
    """One of AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL, AUTH_FAILED, as an int."""
    if type(returned) is Outcome:
        return Judged(returned)
    if type(returned) is int and 0 <= returned <= 2:
        return Judged(Outcome(returned))
    return Judged(
        Outcome.FAILURE, _complaint(hook, returned, "AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL or AUTH_FAILED")
    )


def interactive(hook: str, returned: Any) -> Judged[Outcome | InteractiveQuery]:
    """As `auth_outcome`, or an `InteractiveQuery` within the caps whose parts have the documented types."""
    if not isinstance(returned, InteractiveQuery):
        judged = auth_outcome(hook, returned)
        return Judged(judged.value, judged.complaint)
    fault = _query_fault(returned)
    if fault is None:
        return Judged(returned)
    return Judged(Outcome.FAILURE, f"hook {hook} returned an InteractiveQuery with {fault}; refused")


def _query_fault(query: InteractiveQuery) -> str | None:
    if not (_is_text(query.name) and _is_text(query.instructions)):
        return f"a name or instructions that are no str of up to {TEXT_MAX} characters"
    prompts: object = query.prompts
    if type(prompts) not in (list, tuple) or len(query.prompts) > PROMPTS_MAX:
        return f"prompts that are no list of up to {PROMPTS_MAX}"
    for prompt in query.prompts:
        if type(prompt) is not tuple or len(prompt) != 2 or not _is_text(prompt[0]) or type(prompt[1]) is not bool:
            return "a prompt that is no tuple of a str and a bool"
    texts = (query.name, query.instructions, *(text for text, _ in query.prompts))
    size = sum(len(text.encode("utf-8")) for text in texts)
    return f"texts of {size} bytes together, expected at most {TEXTS_MAX}" if size > TEXTS_MAX else None


def _is_text(value: object, most: int = TEXT_MAX) -> bool:
    return type(value) is str and len(value) <= most and _encodes(value)


def open_code(hook: str, returned: Any) -> Judged[OpenCode]:
    """OPEN_SUCCEEDED or one of the OPEN_FAILED codes, as an int."""
    if type(returned) is OpenCode:
        return Judged(returned)
    if type(returned) is int and 0 <= returned <= 4:
        return Judged(OpenCode(returned))
    return Judged(
        OpenCode.ADMINISTRATIVELY_PROHIBITED, _complaint(hook, returned, "OPEN_SUCCEEDED or an OPEN_FAILED code")
    )


def request_ok(hook: str, returned: Any) -> Judged[bool]:
    """True or False, and nothing that is merely true."""
    if type(returned) is bool:
        return Judged(returned)
    return Judged(False, _complaint(hook, returned, "True or False"))


def forward_port(hook: str, asked: int, returned: Any) -> Judged[int | None]:
    """The port to listen on (0: one that the daemon chooses), or None for a refusal.

    A yes is an int equal to the port asked for, or, where 0 was asked for, 0 or one from 1024 on.
    """
    if returned is False:
        return Judged(None)
    fits = type(returned) is int and (returned == asked or (asked == 0 and returned >= FREE_PORT_MIN))
    if fits and 0 <= returned <= PORT_MAX:
        return Judged(returned)
    return Judged(None, _complaint(hook, returned, f"False or a port that fits the {asked} that was asked for"))


def global_answer(hook: str, returned: Any) -> Judged[tuple[bool, bytes]]:
    """Whether the request is granted, and the encoded data that follow the success."""
    if type(returned) is bool:
        return Judged((returned, b""))
    if type(returned) is tuple:
        data = _encoded(returned)
        if data is not None:
            return Judged((True, data))
    return Judged((False, b""), _complaint(hook, returned, "True, False or a short tuple of str, int and bool"))


def _encoded(values: tuple[object, ...]) -> bytes | None:
    """The values as RFC 4251 §5 has them: string, uint32 (a wider int as mpint), boolean; None for any other."""
    parts: list[bytes] = []
    for value in values:
        if type(value) is bool:
            parts.append(codec.boolean(value))
        elif type(value) is int and value >= 0 and value.bit_length() <= 32:
            parts.append(codec.uint32(value))
        elif type(value) is str and len(value) <= REPLY_MAX and _encodes(value):
            parts.append(codec.text(value))
        else:
            return None
    data = b"".join(parts)
    return data if len(data) <= REPLY_MAX else None


def allowed_auths(hook: str, returned: Any) -> Judged[tuple[str, ...]]:
    """The names of a comma-joined str; anything else offers nothing."""
    if type(returned) is str and len(returned) <= TEXT_MAX:
        names = tuple(name for name in returned.split(",") if name)
        if all(len(name) <= codec.NAME_LENGTH_MAX and name.isascii() and name.isprintable() for name in names):
            return Judged(tuple(dict.fromkeys(names)))
    return Judged((), _complaint(hook, returned, "method names joined by commas, as a str"))


def ignored(hook: str, returned: Any) -> Judged[None]:
    """Nothing that is returned means anything."""
    return Judged(None)


def banner(hook: str, returned: Any) -> Judged[tuple[str, str]]:
    """The banner's text and its language tag; two empty ones for none."""
    if type(returned) is tuple and len(returned) == 2:
        text, language = ("" if part is None else part for part in returned)
        if (
            _is_text(text, BANNER_MAX)
            and type(language) is str
            and len(language) <= codec.NAME_LENGTH_MAX
            and language.isascii()
        ):
            return Judged((text, language))
    return Judged(("", ""), _complaint(hook, returned, "a tuple of two str or None"))


def _encodes(value: str) -> bool:
    """Whether the text has a UTF-8 form: lone surrogates have none."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

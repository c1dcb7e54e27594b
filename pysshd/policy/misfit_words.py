"""Why a command is not one that a permission of `exec` permits."""

from collections.abc import Callable
from itertools import takewhile
from typing import Any, Final, TypeAlias

from pysshd.patterns.slots import MAX_WORD, EnumSlot, PathSlot, RegexSlot, Values, filled, is_plain
from pysshd.patterns.words import SlotWord, WordForm, WordPattern, WordsError, WordsPattern, slots_of, split_words
from pysshd.policy import profiles
from pysshd.policy.query import Exec
from pysshd.policy.report import meant, show
from pysshd.policy.rights import ExecRight

Fault: TypeAlias = tuple[int, str, str]
"""How near it comes, why it is not permitted, and what may be done."""


def program_of(right: ExecRight) -> str:
    """The program that a permission is of, as it is written; empty where none is named."""
    if right.profile is not None:
        return right.profile.name
    if right.words is not None:
        return str(right.words.words[0])
    return (right.literal or b"").decode("utf-8", "replace").partition(" ")[0]


def is_of_program(right: ExecRight, request: Exec) -> bool:
    """Whether a permission is of the program that a command begins with, whatever follows."""
    words = words_of(request)
    if right.profile is not None:
        return words is not None and profiles.concerns(right.profile, words)
    first = words[0] if words is not None else _first(request.command)
    if right.words is not None:
        form = right.words.words[0]
        return isinstance(form, WordPattern) and form.glob.matches(first)
    return right.literal is not None and _first(right.literal) == first


def exec_fault(right: ExecRight, request: Exec, values: Values) -> Fault:
    """Why a permission of the same program does not permit the command, whatever fills slots that have no value."""
    try:
        words = split_words(request.command)
    except WordsError as error:
        return (0, f"the command is not plain words: {error}", "only {literal: …} and any permit such a command")
    if right.profile is not None:
        return (1, profiles.why_not(right.profile, words, values), "")
    if right.words is None:
        return (1, "a literal permits these very bytes alone", "")
    return _words_fault(right.words, words, values)


def _words_fault(pattern: WordsPattern, words: tuple[str, ...], values: Values) -> Fault:
    pairs = list(zip(pattern.words, words, strict=False))
    fitting = len(list(takewhile(lambda pair: _fits(*pair, values), pairs)))
    if fitting < len(pairs):
        form, word = pairs[fitting]
        why, hint = _WORD_FAULTS[type(form)](form, word, values)
        return (fitting, f"word {fitting + 1}, {show(word)}, {why}", hint)
    wanted, came = len(pattern.words), len(words)
    count = f"it is of {wanted} word{'s' if wanted > 1 else ''}, and {came} came"
    if came > wanted:
        return (fitting, f"{count}: {show(words[wanted])} is one too many", "a '*' is one word, and never several")
    return (fitting, f"{count}: there is nothing for {pattern.words[came]}", "a '*' is one word, and never none")


def _fits(form: WordForm, word: str, values: Values) -> bool:
    return not slots_of(form) <= values.keys() or form.matches(word, values)


def _of_pattern(form: WordPattern, word: str, values: Values) -> tuple[str, str]:
    if not form.glob.matches(word):
        return f"is not of the form {form}", ""
    if not word:
        return f"is empty, and {form} takes no empty word", ""
    if word[0] == "-" and form.glob.begins_wild:
        return f"begins with '-', and {form} takes no word that does", f"-{form} takes words that do"
    return f"has a part '..', and {form} takes no path that leads out", ""


def _of_enum(form: EnumSlot, word: str, values: Values) -> tuple[str, str]:
    return f"is none of {', '.join(form.words)}", meant(word, form.words)


def _of_regex(form: RegexSlot, word: str, values: Values) -> tuple[str, str]:
    if not word:
        return "is empty, and a slot takes no empty word", ""
    if word[0] == "-":
        return "begins with '-', and a slot takes no word that does", ""
    if len(word) > MAX_WORD:
        return f"has more than {MAX_WORD} characters", ""
    return f"is not matched by {form}", "an expression is held to the whole word"


def _of_slots(form: SlotWord, word: str, values: Values) -> tuple[str, str]:
    pattern = form.filled(values)
    return _of_pattern(pattern, word, values) if pattern is not None else (f"is not of the form {form}", "")


def _of_path(form: PathSlot, word: str, values: Values) -> tuple[str, str]:
    folder = filled(form.parts, values)
    if not word.startswith("/"):
        return f"is no absolute path, as {form} asks for", ""
    if not is_plain(word):
        return "has a part that is empty, '.' or '..'", "write the path without them"
    return f"is not below {folder or '/'}", ""


_WORD_FAULTS: Final[dict[type, Callable[[Any, str, Values], tuple[str, str]]]] = {
    WordPattern: _of_pattern,
    SlotWord: _of_slots,
    EnumSlot: _of_enum,
    RegexSlot: _of_regex,
    PathSlot: _of_path,
}
"""Why a word is not of a form that it does not match."""


def words_of(request: object) -> tuple[str, ...] | None:
    """The words of a command; None where it is none, or is not words."""
    try:
        return split_words(request.command) if isinstance(request, Exec) else None
    except WordsError:
        return None


def _first(command: bytes) -> str:
    return command.decode("utf-8", "surrogateescape").lstrip(" \t").partition(" ")[0]

"""Commands as words: what a client asks to run is judged word by word, never as a text that a shell would read.

A request is words where it has only quotes and backslashes and no other character that a shell reads (quoted or not:
the cautious reading). Everything else is for `literal` or `any` alone.
"""

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final, TypeAlias

from pysshd.patterns import regular
from pysshd.patterns.globs import ANY, STAR, Glob, Token, common_text, glob_of
from pysshd.patterns.slots import (
    HOME,
    NAMED,
    PathSlot,
    Slot,
    Values,
    slot_part,
    value_of,
)
from pysshd.records import dataclass

SHELL_CHARACTERS = frozenset("|&;<>()$`*?[]#~!{}^")
"""What a shell reads besides blanks, quotes and backslashes (POSIX shell language §2.2, and `!{}^` of other shells)."""

NO_VALUES: Final[Values] = MappingProxyType({})

_BLANKS = " \t"
_IN_REQUESTS = regular.without(regular.ANY, regular.characters(SHELL_CHARACTERS))
_PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+= \t-]*")
"""Commands in which nothing is quoted and nothing is refused."""

_REFUSED = re.compile(r"[|&;<>()$`*?\[\]#~!{}^\x00-\x08\x0a-\x1f\x7f]")
"""What no request has that is words: what a shell reads, and control characters but the tab."""

_PATTERN_CHARACTERS = SHELL_CHARACTERS - {STAR, ANY}
_BRACES = frozenset("{}")
_SLOT = re.compile(r"\{([^{}]*)\}|[{}]")
_SLOTS: Final = ", ".join(f"{{{name}}}" for name in (*NAMED, HOME))


class WordsError(ValueError):
    """A text is not words: the message says which character or quote stands in the way."""


class _Splitter:
    """Cuts a text into words by the quoting rules of POSIX §2.2; every character knows whether it was bare."""

    def __init__(self, text: str, refused: frozenset[str]) -> None:
        self._text = text
        self._refused = refused
        self._position = 0
        self.words: list[list[Token]] = []

    def split(self) -> list[list[Token]]:
        """The words, or WordsError."""
        word: list[Token] | None = None
        while (char := self._next()) is not None:
            if char in _BLANKS:
                if word is not None:
                    self.words.append(word)
                word = None
                continue
            word = [] if word is None else word
            if char == "'":
                self._single(word)
            elif char == '"':
                self._double(word)
            elif char == "\\":
                word.append(Token(self._must("a backslash at its end")))
            else:
                word.append(Token(char, char in (STAR, ANY)))
        if word is not None:
            self.words.append(word)
        return self.words

    def _next(self) -> str | None:
        if self._position == len(self._text):
            return None
        char = self._text[self._position]
        self._position += 1
        if char in self._refused or (char < " " and char != "\t") or char == "\x7f":
            raise _refusal(char)
        return char

    def _must(self, otherwise: str) -> str:
        char = self._next()
        if char is None:
            raise WordsError(f"it has {otherwise}")
        return char

    def _single(self, word: list[Token]) -> None:
        while (char := self._must("a quote that is not closed")) != "'":
            word.append(Token(char))

    def _double(self, word: list[Token]) -> None:
        while (char := self._must("a quote that is not closed")) != '"':
            if char == "\\" and self._text[self._position : self._position + 1] in ("\\", '"'):
                char = self._must("a quote that is not closed")
            word.append(Token(char))


def _refusal(char: str) -> WordsError:
    control = char < " " or char == "\x7f"
    return WordsError(
        f"it has the control character {char!r}" if control else f"it has {char!r}, which a shell would read"
    )


def split_words(command: bytes) -> tuple[str, ...]:
    """The words of a request, or WordsError where it is not words.

    Bytes that are not UTF-8 are kept as surrogate escapes, so that `join_words` gives them back unchanged.
    """
    text = command.decode("utf-8", "surrogateescape")
    if _PLAIN.fullmatch(text):  # most commands are: the same words, in a tenth of the time
        words = tuple(text.split())
    else:
        refused = _REFUSED.search(text)
        if refused is not None:  # found at once, and not only when all that stands before it was cut
            raise _refusal(refused.group())
        words = tuple("".join(token.char for token in word) for word in _Splitter(text, SHELL_CHARACTERS).split())
    if not words:
        raise WordsError("it has no word")
    if not words[0]:
        raise WordsError("its first word is empty")
    if "=" in words[0]:
        raise WordsError("its first word has '=', which a shell would take for an assignment")
    return words


def to_bytes(words: tuple[str, ...]) -> tuple[bytes, ...]:
    """Words as the argv of a program."""
    return tuple(word.encode("utf-8", "surrogateescape") for word in words)


@dataclass(frozen=True, slots=True)
class WordPattern:
    """One word of a pattern. Where a wildcard begins it, it takes no empty word and none that begins with `-`.

    Where it has both wildcards and a `/`, it takes no word with a `..` between slashes: a star under a folder is not
    meant to lead out of it.
    """

    glob: Glob
    is_path: bool

    def matches(self, word: str, values: Values) -> bool:
        """Whether a request's word is of this form, and may be permitted by it."""
        if self.glob.literal is not None:  # most are
            return word == self.glob.literal
        if self.glob.begins_wild and word[:1] in ("", "-"):
            return False
        if self.is_path and ".." in word.split("/"):
            return False
        return self.glob.matches(word)

    def touches(self, word: str, values: Values) -> bool:
        """As `matches`, for a deny: what a wildcard does not take is there to permit less, not to deny less."""
        return self.glob.matches(word)

    def automaton(self) -> regular.Automaton:
        """What its glob matches."""
        builder = regular.Builder()
        return builder.automaton(_with_tokens(builder, regular.Part(), self.glob.tokens))

    def __str__(self) -> str:
        return self.glob.source


@dataclass(frozen=True, slots=True)
class SlotWord:
    """One word with slots of templates, which are filled once and never read as wildcards.

    texts: what stands before, between and behind the slots, wildcards among it; names: of the slots.
    """

    texts: tuple[tuple[Token, ...], ...]
    names: tuple[str, ...]

    @property
    def has_wildcards(self) -> bool:
        """Whether more than one word is of this form once the slots are filled."""
        return any(token.wild for text in self.texts for token in text)

    @property
    def is_guarded(self) -> bool:
        """Whether it takes no empty word and none that begins with `-`."""
        return not self.texts[0] or self.texts[0][0].wild

    def filled(self, values: Values) -> WordPattern | None:
        """The word for one request, or None where a slot has no value that could stand there."""
        tokens = list(self.texts[0])
        for name, text in zip(self.names, self.texts[1:], strict=True):
            value = value_of(name, values)
            if value is None:
                return None
            tokens += [*map(Token, value or ("" if text else "/")), *text]
        return _word_pattern(tokens)

    def matches(self, word: str, values: Values) -> bool:
        """Whether a request's word is of this form; never where a slot has no value."""
        pattern = self.filled(values)
        return pattern is not None and pattern.matches(word, values)

    def touches(self, word: str, values: Values) -> bool:
        """As `matches`, for a deny: one that can not be told touches every word."""
        pattern = self.filled(values)
        return pattern is None or pattern.touches(word, values)

    def automaton(self) -> regular.Automaton:
        """Every word that it could be, whatever fills its slots."""
        builder = regular.Builder()
        whole = _with_tokens(builder, regular.Part(), self.texts[0])
        for name, text in zip(self.names, self.texts[1:], strict=True):
            whole = _with_tokens(builder, builder.then(whole, slot_part(builder, name)), text)
        return builder.automaton(whole)

    def __str__(self) -> str:
        shown = ["".join(token.char for token in text) for text in self.texts]
        return shown[0] + "".join(f"{{{name}}}{text}" for name, text in zip(self.names, shown[1:], strict=True))


def _with_tokens(builder: regular.Builder, whole: regular.Part, tokens: Iterable[Token]) -> regular.Part:
    for token in tokens:
        part = builder.one(regular.ANY if token.wild else regular.characters(token.char))
        whole = builder.then(whole, builder.maybe(builder.often(part)) if token.is_star else part)
    return whole


WordForm: TypeAlias = WordPattern | SlotWord | Slot


@dataclass(frozen=True, slots=True)
class WordsPattern:
    """A pattern of a whole command: as many words as the request has, each of its form."""

    source: str
    words: tuple[WordForm, ...]

    def matches(self, words: tuple[str, ...], values: Values = NO_VALUES) -> bool:
        """Whether a request's words are of this form; linear in their length. values: of the slots of templates."""
        if len(words) != len(self.words):
            return False
        for pattern, word in zip(self.words, words, strict=True):  # noqa: SIM110 (a generator costs more than the words)
            if not pattern.matches(word, values):
                return False
        return True

    def touches(self, words: tuple[str, ...], values: Values = NO_VALUES) -> bool:
        """As `matches`, for a deny: what a wildcard does not take is there to permit less, not to deny less."""
        return len(words) == len(self.words) and all(
            pattern.touches(word, values) for pattern, word in zip(self.words, words, strict=True)
        )

    def lacking(self, words: tuple[str, ...], values: Values) -> frozenset[str]:
        """The slots for want of whose values words are not permitted; none where they are not for another reason."""
        found: frozenset[str] = frozenset()
        for pattern, word in zip(self.words, words, strict=False):
            lacks = slots_of(pattern) - values.keys()
            if not (lacks or pattern.matches(word, values)):
                return frozenset()
            found |= lacks
        return found if len(words) == len(self.words) else frozenset()


def slots_of(form: WordForm) -> frozenset[str]:
    """The slots of templates in a word."""
    if isinstance(form, SlotWord):
        return frozenset(form.names)
    return frozenset(form.parts[1::2]) if isinstance(form, PathSlot) else frozenset()


def parse_words(text: str) -> WordsPattern:
    """Compile a pattern: words with the quoting of a shell, `*` and `?` outside quotes inside a word.

    Raises WordsError where no request could ever match, because requests with such characters are not words.
    """
    words = _Splitter(text, _PATTERN_CHARACTERS - _BRACES).split()
    for word in words:
        for token in word:
            if token.char in (STAR, ANY) and not token.wild:
                raise WordsError(f"it has a quoted {token.char!r}, which no request that is words can have")
    if not words:
        raise WordsError("it has no word")
    _check_first(words[0])
    found = tuple(_form(word) for word in words)
    _check_fixed(found[0])
    return WordsPattern(text, found)


def _form(word: list[Token]) -> WordPattern | SlotWord:
    """A word with its slots; a brace that is none could be in no request."""
    texts: list[tuple[Token, ...]] = []
    names: list[str] = []
    position = 0
    for found in _SLOT.finditer("".join(token.char for token in word)):
        name = found[1] or ""
        if name not in NAMED and not (name == HOME and found.start() == 0):
            raise WordsError(_odd_brace(found[0][0], name))
        names.append(name)
        texts.append(tuple(word[position : found.start()]))
        position = found.end()
    if not names:
        return _word_pattern(word)
    if names[0] == HOME and word[len(HOME) + 2 : len(HOME) + 3] not in ([], [Token("/")]):
        raise WordsError(_odd_brace("{", HOME))
    return SlotWord((*texts, tuple(word[position:])), tuple(names))


def _odd_brace(char: str, name: str) -> str:
    if name == HOME:
        return "{home} may only begin a path, as in {home}/repo.git"
    return f"it has {char!r}, which begins no slot; there are {_SLOTS}, and no request that is words has a brace"


def _check_fixed(form: WordForm) -> WordPattern:
    if not isinstance(form, WordPattern):
        raise WordsError("it begins with a slot, expected the name or path of a program")
    return form


def _check_first(word: list[Token]) -> None:
    if not word:
        raise WordsError("its first word is empty")
    if any(token.char == "=" for token in word):
        raise WordsError("its first word has '=', which a shell would take for an assignment")


def parse_word(text: str) -> WordPattern | SlotWord:
    """Compile one word of a command that is written as a list: `*` and `?` are wildcards, and `{user}` and its like
    slots of templates; nothing else is special.

    Raises WordsError as `parse_words` does.
    """
    for char in text:
        if char in _PATTERN_CHARACTERS - _BRACES:
            raise WordsError(f"it has {char!r}, which no request that is words can have")
        if not regular.has(regular.ANY, char):
            raise WordsError(f"it has the control character {char!r}")
    return _form([Token(char, char in (STAR, ANY)) for char in text])


def words_of(words: Iterable[WordForm], source: str) -> WordsPattern:
    """A pattern of words that were read one by one. Raises WordsError where the first could be no program."""
    found = tuple(words)
    tokens = list(_check_fixed(found[0]).glob.tokens)
    _check_first(tokens)
    if tokens[0].char == "-":
        raise WordsError("its first word begins with '-', and no program is named so")
    return WordsPattern(source, found)


def is_askable(slot: Slot) -> bool:
    """Whether a slot takes some word that a request can have."""
    return _common_word(slot, WordPattern(glob_of([Token(STAR, True)], STAR), False)) is not None


def _word_pattern(word: list[Token]) -> WordPattern:
    glob = glob_of(word, "".join(token.char for token in word))
    is_path = any(token.wild for token in word) and any(token.char == "/" for token in word)
    return WordPattern(glob, is_path)


def common_command(left: WordsPattern, right: WordsPattern) -> bytes | None:
    """A request that both patterns match, or None where there is none (what `..` excludes is taken to match)."""
    if len(left.words) != len(right.words):
        return None
    found = []
    for a, b in zip(left.words, right.words, strict=True):
        word = _common_word(a, b)
        if word is None:
            return None
        found.append(quote(word))
    return " ".join(found).encode("utf-8", "surrogateescape")


def _common_word(a: WordForm, b: WordForm) -> str | None:
    """A word that is of both forms; where that can not be found out, a text that stands for one."""
    guarded = _is_guarded(a) or _is_guarded(b)
    first_not = "-" if guarded else ""
    if isinstance(a, WordPattern) and isinstance(b, WordPattern):
        return common_text(a.glob, b.glob, first_not=first_not, nonempty=guarded)
    try:
        left, right = a.automaton(), b.automaton()
        return regular.common_text(left, right, _IN_REQUESTS, first_not=first_not, nonempty=guarded)
    except regular.UndecidedError:
        return str(a)


def _is_guarded(form: WordForm) -> bool:
    """Whether a form takes no empty word and none that begins with `-`, whatever its text says."""
    if isinstance(form, SlotWord):
        return form.is_guarded
    return form.glob.begins_wild if isinstance(form, WordPattern) else True


def quote(word: str) -> str:
    """The word as it may be written in a request: plain where possible, else between quotes."""
    if word and not any(char in _BLANKS or char in "'\"\\" for char in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"

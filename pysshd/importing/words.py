"""How sshd cuts a line of its configuration into a keyword and words (sshd_config(5), servconf.c of OpenSSH 9.2)."""

from pysshd.importing.notes import SshdConfigError
from pysshd.policy.problems import Mark

_BLANK = " \t\r\n\f"
_QUOTES = "\"'"


def keyword_of(line: str) -> tuple[str, str]:
    """The keyword of a line and what follows it; one `=` may stand between them. Both empty: the line says nothing."""
    line = line.strip(_BLANK)
    if not line or line.startswith("#"):
        return "", ""
    if line.startswith('"'):
        word, _, rest = line[1:].partition('"')
    else:
        end = next((at for at, char in enumerate(line) if char in _BLANK or char in '"='), len(line))
        word, rest = line[:end], line[end:]
    rest = rest.lstrip(_BLANK)
    return word, rest[1:].lstrip(_BLANK) if rest.startswith("=") else rest


def words_of(text: str, mark: Mark) -> tuple[str, ...]:
    """The words of the rest of a line: quotes hold blanks, a backslash a quote or itself, `#` begins a comment."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in _BLANK:
            at += 1
        elif text[at] == "#":
            break
        else:
            word, at = _word(text, at, mark)
            found.append(word)
    return tuple(found)


def _word(text: str, at: int, mark: Mark) -> tuple[str, int]:
    word, quote = "", ""
    while at < len(text):
        char = text[at]
        following = text[at + 1 : at + 2]
        if char == "\\" and following and (following in "\"'\\" or (not quote and following == " ")):
            word += following
            at += 1
        elif not quote and char in _BLANK:
            break
        elif not quote and char in _QUOTES:
            quote = char
        elif quote == char:
            quote = ""
        else:
            word += char
        at += 1
    if quote:
        raise SshdConfigError(mark, f"the quote {quote} is not closed")
    return word, at

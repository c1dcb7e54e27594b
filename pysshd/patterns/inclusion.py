"""Whether every text of one pattern is of another one, and whether two patterns have a text in common.

A yes is certain. A no may only mean that it could not be shown: whoever asks takes it for the worse.
"""

from typing import TypeGuard

from pysshd.patterns.globs import Glob, common_text
from pysshd.patterns.words import WordForm, WordPattern, WordsPattern


def glob_within(small: Glob, big: Glob) -> bool:
    """Whether every text of `small` is one of `big`: its tokens are taken by `big` as if they were characters."""
    a, b = small.tokens, big.tokens
    row = [True, *(False for _ in a)]  # what the tokens of `big` so far take of the beginning of `small`
    for token in b:
        following = [row[0] and token.is_star]
        for index, taken in enumerate(a, 1):
            if token.is_star:
                following.append(row[index] or following[index - 1])
            else:
                fits = not taken.is_star and (token.wild or (not taken.wild and token.char == taken.char))
                following.append(row[index - 1] and fits)
        row = following
    return row[-1]


def words_within(small: WordsPattern, big: WordsPattern) -> bool:
    """Whether `big` permits every command that `small` permits."""
    return len(small.words) == len(big.words) and all(
        _word_within(a, b) for a, b in zip(small.words, big.words, strict=True)
    )


def _word_within(small: WordForm, big: WordForm) -> bool:
    if small == big:
        return True
    if not (_is_glob(small) and _is_glob(big)):
        return False
    literal = small.glob.literal
    if literal is not None:
        bare = big.glob.begins_wild and literal[:1] in ("", "-")
        return big.glob.matches(literal) and not bare and not (big.is_path and ".." in literal.split("/"))
    if big.glob.begins_wild and not (small.glob.begins_wild or small.glob.tokens[0].char != "-"):
        return False
    return (small.is_path or not big.is_path) and glob_within(small.glob, big.glob)


def _is_glob(word: WordForm) -> TypeGuard[WordPattern]:
    """Whether a word is a text with wildcards; what a slot takes is compared by equality alone."""
    return isinstance(word, WordPattern)


def words_touched(small: WordsPattern, big: WordsPattern) -> bool:
    """Whether a deny of `big` touches every command that a deny of `small` touches."""
    return len(small.words) == len(big.words) and all(
        a == b or (_is_glob(a) and _is_glob(b) and glob_within(a.glob, b.glob))
        for a, b in zip(small.words, big.words, strict=True)
    )


def words_meet(permitted: WordsPattern, denied: WordsPattern) -> bool:
    """Whether a deny may touch a command that is permitted (what `..` excludes is taken to be permitted)."""
    return len(permitted.words) == len(denied.words) and all(
        not (_is_glob(a) and _is_glob(b)) or _common(a, b.glob)
        for a, b in zip(permitted.words, denied.words, strict=True)
    )


def _common(permitted: WordPattern, denied: Glob) -> bool:
    guarded = permitted.glob.begins_wild
    return common_text(permitted.glob, denied, first_not="-" if guarded else "", nonempty=guarded) is not None

"""Patterns of commands that permit more than they seem to: an interpreter that is given what it runs is `any`."""

from collections.abc import Iterable, Mapping
from typing import Final

from pysshd.patterns.slots import EnumSlot
from pysshd.patterns.words import NO_VALUES, WordForm, WordPattern
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight
from pysshd.policy.ruleset import Effect, Grant

_INTERPRETERS: Final = frozenset(
    ["sh", "ash", "bash", "rbash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "zsh", "awk", "gawk",
     "mawk", "nawk", "expect", "gdb", "lua", "node", "nodejs", "perl", "php", "pwsh", "python", "python2", "python3",
     "ruby", "tclsh"]
)  # fmt: skip
"""Programs that run what a file, a word or their standard input says."""

_STARTERS: Final = frozenset(
    ["chroot", "chrt", "doas", "env", "flock", "ionice", "nice", "nohup", "nsenter", "runuser", "setsid", "stdbuf",
     "strace", "sudo", "taskset", "time", "timeout", "unshare", "watch", "xargs"]
)  # fmt: skip
"""Programs that start the one that is named behind them."""

_CODE: Final = frozenset(
    ["-c", "-ce", "-ec", "-lc", "-ic", "-e", "-E", "-m", "-r", "--command", "--eval", "-ne", "-pe"]
)
"""Options behind which a program stands, or the name of one."""

_ANYTHING: Final = ("x", "/tmp/x")
"""Words that a pattern takes which leaves it open what is run."""


def warn_interpreters(grants: Iterable[Grant], report: Report, marks: Mapping[str, Mark]) -> None:
    """Patterns that are as good as `any`."""
    told: set[str] = set()
    for grant in grants:
        for right in grant.rights.runs if grant.effect is Effect.ALLOW else ():
            if not isinstance(right, ExecRight) or right.words is None or right.where in told:
                continue
            program = _open(right.words.words)
            if program:
                told.add(right.where)
                report.warning(
                    marks[right.where],
                    f"{right} is as good as exec: any: {program}",
                    "write out what is run, or write any where that is meant",
                )


def _open(words: tuple[WordForm, ...]) -> str:
    """Why a command can be anything, or ""."""
    first, rest = words[0], words[1:]
    names = _names(first)
    if not names and any(first.matches(path, NO_VALUES) for path in ("sh", "/bin/sh", "/usr/bin/sh")):
        return "its first word takes sh"
    if not names.isdisjoint(_INTERPRETERS):
        return _interpreted(sorted(names & _INTERPRETERS)[0], rest)
    return _started(sorted(names & _STARTERS)[0], rest) if not names.isdisjoint(_STARTERS) else ""


def _texts(word: WordForm) -> tuple[str, ...]:
    """What a word can be, or nothing where it is open."""
    if isinstance(word, EnumSlot):
        return word.words
    text = word.glob.literal if isinstance(word, WordPattern) else None
    return (text,) if text is not None else ()


def _names(word: WordForm) -> frozenset[str]:
    """The programs that a word names."""
    return frozenset(text.rpartition("/")[2] for text in _texts(word))


def _interpreted(name: str, words: tuple[WordForm, ...]) -> str:
    is_code = False
    for word in words:
        texts = _texts(word)
        if texts and texts[0].startswith("-"):
            is_code = texts[0] in _CODE
            continue
        if texts:
            return ""
        wide = is_code or any(word.matches(text, NO_VALUES) for text in _ANYTHING)
        return f"{name} runs what {word} stands for" if wide else ""
    return f"{name} runs what comes in by its standard input"


def _started(name: str, words: tuple[WordForm, ...]) -> str:
    """A starter's own words are options, numbers and variables; what follows is the program."""
    for index, word in enumerate(words):
        texts = _texts(word)
        if texts and all(text.startswith("-") or text[:1].isdigit() or "=" in text for text in texts):
            continue
        if not texts:
            wide = any(word.matches(some, NO_VALUES) for some in _ANYTHING)
            return f"{name} starts what {word} stands for" if wide else ""
        return _open(words[index:])
    return ""

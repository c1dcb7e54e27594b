"""Patterns of commands that permit more than they seem to: an interpreter that is given what it runs is `any`."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pysshd.patterns.slots import EnumSlot
from pysshd.patterns.words import NO_VALUES, SlotWord, WordForm, WordPattern
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight
from pysshd.policy.ruleset import Effect, Grant

_INTERPRETERS: Final = frozenset(
    ["sh", "ash", "bash", "rbash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "zsh", "awk", "gawk",
     "mawk", "nawk", "expect", "gdb", "lua", "luajit", "node", "nodejs", "perl", "php", "pwsh", "pypy", "python",
     "ruby", "su", "tclsh"]
)  # fmt: skip
"""Programs that run what a file, a word or their standard input says; a version may stand behind the name."""

_STARTERS: Final[Mapping[str, tuple[str, int]]] = {
    "chroot": ("", 1), "chrt": ("TPD", 0), "doas": ("uC", 0), "env": ("uC", 0), "flock": ("wE", 1), "ionice": ("cn", 0),
    "nice": ("n", 0), "nohup": ("", 0), "nsenter": ("tSG", 0), "runuser": ("ugG", 0), "setsid": ("", 0),
    "stdbuf": ("ioe", 0), "strace": ("eEopPsSu", 0), "sudo": ("CDRTUghprtu", 0), "systemd-run": ("EHMpu", 0),
    "taskset": ("", 0), "time": ("fo", 0), "timeout": ("ks", 0), "unshare": ("RSGw", 0), "watch": ("n", 0),
    "xargs": ("EILPadns", 0),
}  # fmt: skip
"""Programs that start the one that is named behind them: which of their options have a value behind them, and how many
words of their own come before the program."""

_ASIDE: Final = frozenset(
    ["ed", "emacs", "ex", "less", "man", "more", "most", "mutt", "nano", "nvim", "screen", "su", "tmux", "vi", "view",
     "vim"]
)  # fmt: skip
"""Programs from within which whoever uses them starts others, with whatever words they were started themselves."""

_BY_THE_WAY: Final = frozenset(
    ["crontab", "docker", "find", "git", "make", "nerdctl", "podman", "rsync", "ssh", "tar", "zip"]
)
"""Programs that start others where their words, or a file that these name, say so."""

_VERSION: Final = re.compile(r"-?[0-9]+(\.[0-9]+)*$")
"""Behind the name of a program."""

_CODE: Final = frozenset(
    ["-c", "-ce", "-ec", "-lc", "-ic", "-e", "-E", "-m", "-r", "--command", "--eval", "-ne", "-pe"]
)
"""Options behind which a program stands, or the name of one."""

_ANYTHING: Final = ("x", "/tmp/x")
"""Words that a pattern takes which leaves it open what is run."""


def warn_interpreters(grants: Iterable[Grant], report: Report, marks: Mapping[str, Mark]) -> None:
    """Patterns that are as good as `any`."""
    told: set[tuple[str, str]] = set()
    for grant in grants:
        for right in grant.rights.runs if grant.effect is Effect.ALLOW else ():
            if not isinstance(right, ExecRight) or right.words is None or (right.where, right.source) in told:
                continue
            program = _open(right.words.words)
            if program:
                told.add((right.where, right.source))
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
    for name in sorted(names):
        why = _why(name, rest)
        if why:
            return why
    return ""


def _why(name: str, words: tuple[WordForm, ...]) -> str:
    """Why a program with these words can be anything, or ""."""
    program = _VERSION.sub("", name)
    if program in _ASIDE and not any(text in _CODE for word in words for text in _texts(word)):
        return f"whoever uses {name} starts other programs from within it"
    if program in _INTERPRETERS:
        return _interpreted(name, words)
    if program in _STARTERS:
        return _started(name, words, *_STARTERS[program])
    return _by_the_way(name, words) if program in _BY_THE_WAY else ""


def _texts(word: WordForm) -> tuple[str, ...]:
    """What a word can be, or nothing where it is open; whatever fills a slot is not the client's choice."""
    if isinstance(word, EnumSlot):
        return word.words
    if isinstance(word, SlotWord):
        return () if word.has_wildcards else (str(word),)
    text = word.glob.literal if isinstance(word, WordPattern) else None
    return (text,) if text is not None else ()


def _names(word: WordForm) -> frozenset[str]:
    """The programs that a word names."""
    return frozenset(text.rpartition("/")[2] for text in _texts(word))


def _is_wide(word: WordForm) -> bool:
    return any(word.matches(text, NO_VALUES) for text in _ANYTHING)


def _interpreted(name: str, words: tuple[WordForm, ...]) -> str:
    is_code = False
    for word in words:
        texts = _texts(word)
        if texts and texts[0].startswith("-"):
            is_code = texts[0] in _CODE
            continue
        if texts:
            return ""
        wide = is_code or _is_wide(word)
        return f"{name} runs what {word} stands for" if wide else ""
    return f"{name} runs what comes in by its standard input"


def _started(name: str, words: tuple[WordForm, ...], valued: str, own: int) -> str:
    """A starter's own words are options, their values, numbers and variables; what follows is the program."""
    is_value = False
    for index, word in enumerate(words):
        texts = _texts(word)
        if is_value and texts:
            is_value = False
            continue
        if texts and all(text.startswith("-") or text[:1].isdigit() or "=" in text for text in texts):
            # An option is a word by itself: no slot takes one.
            is_value = texts[0] in [f"-{letter}" for letter in valued]
            continue
        if texts and own:
            own -= 1
            continue
        if not texts:
            return f"{name} starts what {word} stands for" if _is_wide(word) else ""
        return _open(words[index:])
    return ""


def _by_the_way(name: str, words: tuple[WordForm, ...]) -> str:
    """The first word that is no option says what is done; an expression of find has many."""
    said = f"{name} starts other programs where its words say so"
    for word in words:
        texts = _texts(word)
        if not texts:
            return said if _is_wide(word) else ""
        if not (name == "find" or texts[0].startswith("-")):
            return ""
    return ""

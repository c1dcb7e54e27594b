"""What clients of rsync ask for: server mode, with those options alone of which it is known what they can reach.

Left out are the options that read or write a file by a name of the client's (`--files-from`, `--log-file`,
`--write-batch`), that follow links out of the tree (`-L`, `-k`, `-K`, `--copy-unsafe-links`), that open devices, that
become somebody else (`--copy-as`), and `-s`, which hides the paths from the command line.

No option closes what comes later: the client's list of filters may name files, which the server reads as filters. Left
out is what would have it show them too: `--debug`, `--info`, and more than one `-v`.
"""

import re
from typing import Final

from pysshd.policy.profile import Aside, Asked, Profile, Target
from pysshd.policy.profile_programs import program

ENV: Final = (("HOME", "/dev/null"),)
"""A `.popt` in the home gives options other names, and programs to run."""

_FLAGS: Final = re.compile(r"-[ACDEHIJNOSUWXRbcdghilmnopqrtuvxyz]*(?:e[0-9]*\.[0-9]*[A-Za-z]*)?")
"""Letters, and behind `e` what the client is capable of. `-R` is for senders, see below."""

_SWITCHES: Final = frozenset(
    f"--{name}"
    for name in (
        "append", "append-verify", "atimes", "checksum", "compress", "crtimes", "delay-updates", "delete",
        "delete-after", "delete-before", "delete-delay", "delete-during", "delete-excluded", "delete-missing-args",
        "dirs", "existing", "fake-super", "force", "force-change", "fsync", "fuzzy", "hard-links", "ignore-errors",
        "ignore-existing", "ignore-missing-args", "ignore-non-existing", "inplace", "itemize-changes", "list-only",
        "mkpath", "munge-links", "new-compress", "no-D", "no-R", "no-W", "no-compress", "no-i-r", "no-implied-dirs",
        "no-inc-recursive", "no-msgs2stderr", "no-r", "no-relative", "no-whole-file", "numeric-ids", "old-compress",
        "omit-dir-times", "omit-link-times", "one-file-system", "open-noatime", "partial", "preallocate",
        "prune-empty-dirs", "safe-links", "size-only", "sparse", "specials", "stats", "times", "use-qsort",
        "whole-file",
    )
)  # fmt: skip
_REMOVES: Final = frozenset(["--remove-source-files", "--remove-sent-files"])

_VALUE: Final = re.compile(r"[A-Za-z0-9.,:=_%+/@-]{1,256}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_VALUES: Final = {
    **dict.fromkeys(
        ("block-size", "bwlimit", "checksum-seed", "compress-level", "max-delete", "max-size", "min-size",
         "modify-window", "timeout", "stop-after"), _NUMBER),
    **dict.fromkeys(
        ("checksum-choice", "chmod", "compress-choice", "groupmap", "iconv", "log-format", "out-format", "outbuf",
         "skip-compress", "usermap"), _VALUE),
    "suffix": re.compile(r"[A-Za-z0-9.,:_%+@-]{1,64}"),
}  # fmt: skip
"""Options with a value that is no path, and its form."""

_ASIDE: Final = frozenset(["backup-dir", "compare-dest", "copy-dest", "link-dest", "temp-dir", "partial-dir"])
"""Options with a folder, which count for a receiver alone."""


def rsync(words: tuple[str, ...]) -> Asked | None:
    """`rsync --server [--sender] OPTION… . PATH…`: with `--sender` the client downloads."""
    sends = words[2:3] == ("--sender",)
    head, left = words[: 3 if sends else 2], words[3 if sends else 2 :]
    if head[:2] != ("rsync", "--server") or "." not in left:
        return None
    end = left.index(".")
    paths = left[end + 1 :]
    if not paths or "" in paths or (not sends and len(paths) != 1):
        return None
    options = _options(left[:end], sends)
    if options is None:
        return None
    removes = not _REMOVES.isdisjoint(options)
    rest = (*options, ".", *(Target(path, exact=True) for path in paths))
    return Asked(head, rest, reads=sends, writes=not sends or removes)


def is_rsync(words: tuple[str, ...]) -> bool:
    """Whether it is rsync, whatever it is to do."""
    return program(words[0]) == "rsync"


def rsync_forced(profile: Profile) -> tuple[str, ...]:
    """Links that a client sends point nowhere while they lie there, else the next request could follow them out."""
    return () if profile.is_everywhere else ("--munge-links",)


def _options(words: tuple[str, ...], sends: bool) -> list[str | Target | Aside] | None:
    """The options as they are handed on, or None where one is not served."""
    found: list[str | Target | Aside] = []
    left = list(words)
    loud = 0
    while left:
        word = left.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            # A receiver that is told whole paths by the client would take them from wherever it says.
            if not _FLAGS.fullmatch(word) or word == "-" or ("R" in word.partition("e")[0] and not sends):
                return None
            loud += word.partition("e")[0].count("v")
            found.append(word)
        elif name in _ASIDE and not sends:
            if not equals:
                value = left.pop(0) if left else ""
            if value[:1] in ("", "-"):
                return None
            found += [f"--{name}", _folder(name, value)]
        elif _is_served(word, sends):
            found.append(word)
        else:
            return None
    return found if loud <= 1 else None


def _is_served(word: str, sends: bool) -> bool:
    name, equals, value = word.removeprefix("--").partition("=")
    if equals:
        return name in _VALUES and _VALUES[name].fullmatch(value) is not None
    return word in _SWITCHES or (word in _REMOVES and sends)


def _folder(name: str, value: str) -> str | Aside:
    """A partial-dir of one part lies in each folder of the transfer; every other one in a place of its own."""
    plain = name == "partial-dir" and "/" not in value and value not in (".", "..")
    return value if plain else Aside(value)

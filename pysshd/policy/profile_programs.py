"""What clients of git, scp and borg ask for: the words of their requests, and the words that are run instead.

Variables keep a program from files of the home, which another profile may let a client write: a `.gitconfig` names
commands that git runs, and Python runs a `usercustomize` of the user's own packages.
"""

import re
from typing import Final

from pysshd.policy.profile import Asked, Profile, Target

_GIT: Final = {"upload-pack": False, "receive-pack": True, "upload-archive": False}
"""The services of git by name, and whether they write."""

GIT_ENV: Final = (("GIT_CONFIG_GLOBAL", "/dev/null"), ("XDG_CONFIG_HOME", "/dev/null"))
"""Git's own files in the home, and in the folder of XDG, which has its attributes too."""

BORG_ENV: Final = (("BORG_LOGGING_CONF", ""), ("PYTHONNOUSERSITE", "1"))
"""What Python adds for a user, and the file by which borg's log would be set up: it holds code. What else borg looks up
below the home (its cache, its keys) is data of its clients, and its server reads none."""

_SCP_FLAGS: Final = frozenset("vrpdqtf")
_BORG_FLAGS: Final = frozenset(
    ["--critical", "--error", "--warning", "--info", "--verbose", "-v", "--debug", "--log-json"]
)
_BORG_TOPIC: Final = re.compile(r"--debug-topic=[A-Za-z0-9._]{1,64}")
_BORG_IGNORED: Final = re.compile(r"--umask=0?[0-7]{3}")
"""What old clients ask for, and the daemon's own umask is there for."""
_BORG_QUOTA: Final = re.compile(r"--storage-quota=[0-9]{1,20}")


def program(word: str) -> str:
    """The name of a program without its folder."""
    return word.rpartition("/")[2]


def git(words: tuple[str, ...]) -> Asked | None:
    """`git-upload-pack PATH`, and the same as two words; options are not served. Git also looks for `PATH.git`."""
    if words[0].startswith("git-"):
        words = ("git", words[0].removeprefix("git-"), *words[1:])
    if len(words) != 3 or words[0] != "git" or words[1] not in _GIT or words[2][:1] in ("", "-"):
        return None
    writes = _GIT[words[1]]
    return Asked(words[:2], (Target(words[2].rstrip("/") or "/", suffix=".git"),), reads=not writes, writes=writes)


def is_git(words: tuple[str, ...]) -> bool:
    """Whether it is git, whatever it is to do."""
    name = program(words[0])
    return name == "git" or name.startswith("git-")


def is_apart(argv: tuple[bytes, ...]) -> bool:
    """Whether git would be held to the very folder, and not find the path with the suffix."""
    return argv[-1].endswith(b"/.")


def scp(words: tuple[str, ...]) -> Asked | None:
    """`scp -t PATH` and `scp -f PATH…` with flags before, alone or together; `--` may stand before the paths."""
    flags, paths = "", list(words[1:])
    while paths and paths[0][:1] == "-" and paths[0] not in ("-", "--"):
        flags += paths.pop(0)[1:]
    if paths[:1] == ["--"]:
        paths.pop(0)
    writes = "t" in flags
    if words[0] != "scp" or not _SCP_FLAGS.issuperset(flags) or writes == ("f" in flags):
        return None
    if not paths or "" in paths or (writes and len(paths) != 1):
        return None
    given = tuple(f"-{flag}" for flag in dict.fromkeys(flags) if flag not in "tf")
    rest = (*given, "-t" if writes else "-f", *(Target(path) for path in paths))
    return Asked(("scp",), rest, reads=not writes, writes=writes)


def is_scp(words: tuple[str, ...]) -> bool:
    """Whether it is scp."""
    return program(words[0]) == "scp"


def borg(words: tuple[str, ...]) -> Asked | None:
    """`borg serve`, with what its clients say about logs; the paths are spoken of later, and borg checks them."""
    if words[:2] != ("borg", "serve"):
        return None
    kept = []
    for word in words[2:]:
        if word in _BORG_FLAGS or _BORG_TOPIC.fullmatch(word):
            kept.append(word)
        elif not (_BORG_IGNORED.fullmatch(word) or _BORG_QUOTA.fullmatch(word)):
            return None
    return Asked(("borg", "serve", *kept), reads=True, writes=True)


def is_borg(words: tuple[str, ...]) -> bool:
    """Whether it is borg, whatever it is to do."""
    return program(words[0]) == "borg"


def borg_forced(profile: Profile, roots: tuple[str, ...]) -> tuple[str, ...]:
    """What borg is held to: of two that say one thing the client's is not handed on."""
    forced = ["--append-only"] if profile.append_only else []
    forced += [f"--storage-quota={profile.quota}"] if profile.quota is not None else []
    return (*forced, *(word for root in roots for word in ("--restrict-to-path", root)))

"""Which parts of the host a confined program sees, and in which order they are put together. A pure module."""

import posixpath
from collections.abc import Collection, Iterable, Iterator
from enum import Enum

from pysshd.errors import SandboxError
from pysshd.records import dataclass

SYSTEM_FOLDERS = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
)
"""What programs are made of; each is there where the host has it. /var, /root, /srv, /home and the like are not."""

SCRATCH_FOLDERS = ("/tmp", "/run")


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a confined program sees of the host: plain data. Paths are absolute, without `..`.

    `home` is bound read-write at its own path; empty: none. `hidden` are files and folders that stay invisible even
    where they lie in the home or in a system folder: the daemon's state folder, policy and host keys. Of what they hold
    only the home is there. `read_only` are files and folders beside the system's that may be read. `scratch_bytes` caps
    /tmp, /run and /dev/shm, each; `processes` the number of processes and threads.
    """

    home: str
    hidden: tuple[str, ...]
    read_only: tuple[str, ...] = ()
    scratch_bytes: int = 64 * 1024 * 1024
    processes: int = 512


class Kind(Enum):
    """What stands at a path of the tree."""

    READ_ONLY = "what the host has there, read-only"
    HOME = "what the host has there, read-write"
    HIDDEN = "nothing, or an empty file or folder over what would be there"
    SCRATCH = "an empty folder that lasts as long as the program"
    DEVICES = "the few devices that programs need"
    PROCESSES = "the program's own processes"


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of the tree; it covers what an entry nearer to the root has put there."""

    path: str
    kind: Kind


def plan(confinement: Confinement, system: Collection[str]) -> tuple[Entry, ...]:
    """The parts of the tree in the order in which to build it: from the root outwards.

    `system` are the system's files and folders that the host has; the paths of `confinement` are real ones, without
    symbolic links. Raises SandboxError for a home that is, or holds, a part that must not be written, and for a hidden
    folder that holds them all.
    """
    hidden = frozenset(confinement.hidden)
    home = confinement.home
    _check_paths((*hidden, *confinement.read_only, *((home,) if home else ())))
    fixed = dict.fromkeys(SCRATCH_FOLDERS, Kind.SCRATCH) | {"/dev": Kind.DEVICES, "/proc": Kind.PROCESSES}
    entries = dict.fromkeys((*system, *confinement.read_only), Kind.READ_ONLY) | fixed
    if home:
        _check_home(home, hidden, entries)
    kept = {path: kind for path, kind in entries.items() if kind is not Kind.READ_ONLY or not _within(path, hidden)}
    if not any(kind is Kind.READ_ONLY for kind in kept.values()):
        raise SandboxError(f"confined: {sorted(hidden)} hide the whole system, expected folders of the daemon's own")
    every = kept | dict.fromkeys(hidden, Kind.HIDDEN) | ({home: Kind.HOME} if home else {})
    return tuple(Entry(path, every[path]) for path in sorted(every, key=lambda path: (path.count("/"), path)))


def _check_paths(paths: Iterable[str]) -> None:
    for path in paths:
        # Two slashes at the start are a path of their own to normpath (POSIX), and no root to stop at.
        plain = posixpath.normpath(path) == path and path.startswith("/") and not path.startswith("//")
        if not plain or path == "/" or "\0" in path:
            raise SandboxError(f"confined: path is {path!r}, expected an absolute one below / without . and ..")


def _check_home(home: str, hidden: Collection[str], entries: dict[str, Kind]) -> None:
    if home in hidden:
        raise SandboxError(f"confined: home {home} is itself to be hidden, expected a folder of its own")
    inside = [path for path in entries if _within(path, (home,))]
    below = [path for path in ("/dev", "/proc") if _within(home, (path,))]
    if inside or below:
        raise SandboxError(f"confined: home {home} meets {', '.join(inside + below)}, expected a folder of its own")


def _within(path: str, folders: Collection[str]) -> bool:
    return any(ancestor in folders for ancestor in _upwards(path))


def _upwards(path: str) -> Iterator[str]:
    while path != "/":
        yield path
        path = posixpath.dirname(path)

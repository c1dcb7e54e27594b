"""Resource limits of a process that runs under the sandbox."""

import os
import resource
import stat
from collections.abc import Mapping

from pysshd.errors import SandboxError
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What a worker may use: open descriptors, bytes of a file that it writes, bytes of address space (None: no limit).

    `file_size` is 0 because a worker writes no files; one that was granted a file to write a recording to needs more.
    """

    descriptors: int = 256
    file_size: int | None = 0
    address_space: int | None = None


_NAMES = ("core", "processes", "descriptors", "file size", "address space")


def make_room() -> None:
    """Let the processes of another user not count, as far as that may be changed: what forks then counts its own.

    The kernel compares with all that a user runs, which is not ours to know; `close` ends forking altogether.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    for most in (resource.RLIM_INFINITY, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
        except (OSError, ValueError):
            continue
        return


def inherit(limits: WorkerLimits) -> dict[str, int]:
    """Set for good, for this process and all that it forks, those limits that do not keep it from forking."""
    table = (
        ("core", resource.RLIMIT_CORE, 0),
        ("descriptors", resource.RLIMIT_NOFILE, limits.descriptors),
        ("address space", resource.RLIMIT_AS, limits.address_space),
    )
    return {name: set_limit(name, kind, value) for name, kind, value in table if value is not None}


def closing(limits: WorkerLimits, *, words_in_file: bool | None = None) -> dict[str, tuple[int, int]]:
    """The rest, for `close`: the kind and the value of each. No new process or thread, no file that grows.

    The limit of processes counts against this process alone, whatever else its user runs. The limit of file size is
    left as it is where standard error is a regular file (`words_in_file`, None: look), for else the worker's last words
    would be lost.
    """
    file_size = None if words_in_file or (words_in_file is None and _is_regular_file(2)) else limits.file_size
    table = (("processes", resource.RLIMIT_NPROC, 0), ("file size", resource.RLIMIT_FSIZE, file_size))
    return {name: (kind, _bounded(kind, value)) for name, kind, value in table if value is not None}


def close(limits: Mapping[str, tuple[int, int]]) -> None:
    """Set these for good."""
    for name, (kind, value) in limits.items():
        _set(name, kind, value)


def in_words(limits: Mapping[str, int]) -> tuple[str, ...]:
    """Those that are set, for the start-up log."""
    return tuple(f"{name} {limits[name]}" for name in _NAMES if name in limits)


def set_limit(name: str, kind: int, value: int) -> int:
    """Set the soft and the hard limit of `kind` to `value`, or to the hard limit where that is lower; return it.

    Raises SandboxError where the kernel refuses; `name` is for that message.
    """
    bounded = _bounded(kind, value)
    _set(name, kind, bounded)
    return bounded


def _bounded(kind: int, value: int) -> int:
    _, hard = resource.getrlimit(kind)
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _set(name: str, kind: int, value: int) -> None:
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError) as error:
        raise SandboxError(f"limit of {name}: the kernel refused {value}: {error}") from error


def _is_regular_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False

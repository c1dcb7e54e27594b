"""What a policy relies on outside of its text and its single key files: folders of keys, and programs that are asked.

Whoever could put a file into such a folder, or another program in the place of one, would say who comes in. So each
belongs to a trusted owner who alone may write it, with every folder above it and every link on the way.
"""

import errno
import os
import stat
from collections.abc import Collection
from datetime import UTC, tzinfo
from typing import Final

from pysshd.policy.keyfiles import KeyFile, KeyFolder, name_in, parse_key_file, split_pattern
from pysshd.policy.report import one_of, show

FILES_MAX: Final = 20_000
"""Files of one folder."""

_FILE_SIZE_MAX: Final = 256 * 1024
_LINKS_MAX: Final = 16


class _DistrustedError(Exception):
    """Why something is of no use, in the words of a problem."""


def read_folder(pattern: str, owner_uids: Collection[int], zone: tzinfo = UTC) -> KeyFolder:
    """The files of a folder whose names fit, as they are now. A folder without any is good.

    zone: of times in options that say none.
    """
    folder, before, after = split_pattern(pattern)
    try:
        place, found = _walk(folder, owner_uids)
        if not stat.S_ISDIR(found.st_mode):
            raise _DistrustedError(f"{place} is not a folder")
        _trust(found, f"folder {place}", owner_uids)
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except _DistrustedError as error:
        return KeyFolder(problem=str(error))
    except (OSError, ValueError) as error:
        return KeyFolder(problem=_said(f"folder {folder} can not be opened", error))
    try:
        fitting = sorted((name, file) for file in os.listdir(descriptor)
                         if (name := name_in(file, before, after)) is not None)  # fmt: skip
        if len(fitting) > FILES_MAX:
            return KeyFolder(problem=f"folder {folder} has {len(fitting)} files, expected at most {FILES_MAX}")
        read = ((name, _read(file, descriptor, owner_uids, f"{place}/{file}", zone)) for name, file in fitting)
        return KeyFolder(tuple(read))
    except OSError as error:
        return KeyFolder(problem=_said(f"folder {folder} can not be read", error))
    finally:
        os.close(descriptor)


def program_problem(path: str, owner_uids: Collection[int]) -> str:
    """Why a program is of no use, or "": it is there, may be run, and nobody but a trusted owner could change it."""
    try:
        place, found = _walk(path, owner_uids)
        if not stat.S_ISREG(found.st_mode):
            raise _DistrustedError(f"{place} is not a file")
        _trust(found, f"program {place}", owner_uids)
        if not found.st_mode & 0o111:
            raise _DistrustedError(f"program {place} may not be executed: chmod +x it")
    except _DistrustedError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return _said(f"program {path} can not be looked at", error)
    return ""


def _said(what: str, error: OSError | ValueError) -> str:
    return f"{what}: {getattr(error, 'strerror', None) or 'no such name is possible'}"


def _read(file: str, folder: int, owner_uids: Collection[int], place: str, zone: tzinfo) -> KeyFile:
    """One file of a folder. A link is none: what it leads to may be another's."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW,
                             dir_fd=folder)  # fmt: skip
    except OSError as error:
        if error.errno == errno.ELOOP:
            return KeyFile(problem="it is a link, expected a file")
        return KeyFile(problem=_said("the file can not be opened", error))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return KeyFile(problem="it is not a regular file")
        _trust(found, "the file", owner_uids)
        content = b""
        while len(content) <= _FILE_SIZE_MAX and (piece := os.read(descriptor, _FILE_SIZE_MAX + 1 - len(content))):
            content += piece
    except _DistrustedError as error:
        return KeyFile(problem=str(error))
    finally:
        os.close(descriptor)
    if len(content) > _FILE_SIZE_MAX:
        return KeyFile(problem=f"it has more than {_FILE_SIZE_MAX} bytes")
    return parse_key_file(content, place, zone)


def _walk(path: str, owner_uids: Collection[int]) -> tuple[str, os.stat_result]:
    """The path without links, and what is there; every folder above it and every link on the way is trusted."""
    here, links = "/", 0
    found = os.lstat(here)
    rest = [part for part in path.split("/")[::-1] if part not in ("", ".")]
    while rest:
        # In a folder with the sticky bit, such as /tmp, nobody can replace what is another's.
        if not stat.S_ISDIR(found.st_mode):
            raise _DistrustedError(f"{here} is not a folder")
        if not (found.st_mode & stat.S_ISVTX and found.st_uid == 0):
            _trust(found, f"folder {here}", owner_uids)
        name = rest.pop()
        there = os.path.dirname(here) if name == ".." else os.path.join(here, name)
        found = os.lstat(there)
        if not stat.S_ISLNK(found.st_mode):
            here = there
            continue
        links += 1
        if links > _LINKS_MAX:
            raise _DistrustedError(f"there are more than {_LINKS_MAX} links on the way to {show(path)}")
        if found.st_uid not in owner_uids:
            raise _DistrustedError(f"link {there} is owned by uid {found.st_uid}, expected {_owners(owner_uids)}")
        target = os.readlink(there)
        rest += [part for part in target.split("/")[::-1] if part not in ("", ".")]
        here = "/" if target.startswith("/") else here
        found = os.lstat(here)
    return here, found


def _trust(found: os.stat_result, what: str, owner_uids: Collection[int]) -> None:
    if found.st_uid not in owner_uids:
        raise _DistrustedError(f"{what} is owned by uid {found.st_uid}, expected {_owners(owner_uids)}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(found.st_mode)
        raise _DistrustedError(f"{what} has mode {mode:04o} and others may write to it: chmod go-w it")


def _owners(owner_uids: Collection[int]) -> str:
    return one_of([str(uid) for uid in sorted(set(owner_uids))])

"""Reading a file that somebody else could have had a hand in: a regular file, small, that nobody untrusted can change,
and never one that could make us wait.
"""

import os
import stat
from typing import Final

LINKS_MAX: Final = 16
"""Links on the way to one file."""


def open_trusted(path: str, owners: frozenset[int], size: int) -> int:
    """A descriptor of the file, by a chain of folders and links that only `owners` can change; `OSError` else.

    `size`: bytes that it may have.
    """
    # O_NONBLOCK: a FIFO must not hold us; O_NOFOLLOW: no link may come in between after the walk.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(_walk(path, owners), flags)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise PermissionError(f"file {path} is not a regular file")
        if found.st_size > size:
            raise PermissionError(f"file {path} has {found.st_size} bytes, expected {size} at most")
        _trust(found, path, "file", owners)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_all(descriptor: int, path: str, size: int) -> bytes:
    """All of an open file, which may have grown since it was looked at, but not beyond `size`."""
    content = b""
    while piece := os.read(descriptor, size + 1 - len(content)):
        content += piece
        if len(content) > size:
            raise PermissionError(f"file {path} grew over {size} bytes while it was read")
    return content


def read_trusted(path: str, owners: frozenset[int], size: int) -> bytes:
    """The content of such a file; `OSError` where it must not be read."""
    descriptor = open_trusted(path, owners, size)
    try:
        return read_all(descriptor, path, size)
    finally:
        os.close(descriptor)


def check_program(path: str, owners: frozenset[int]) -> None:
    """`OSError` unless the file may be executed, and no one but `owners` can change it, or put another in its place."""
    found = os.stat(_walk(path, owners), follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o111:
        raise PermissionError(f"file {path} is no program that may be executed")
    _trust(found, path, "file", owners)


def _walk(path: str, owners: frozenset[int]) -> str:
    """The path without links, each folder and each link on the way being trusted."""
    here, links = "/", 0
    rest = path.split("/")[::-1]
    while rest:
        name = rest.pop()
        if name == "..":
            here = os.path.dirname(here)
        there = os.path.join(here, name)
        found = os.lstat(there)
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > LINKS_MAX or found.st_uid not in owners:
                raise PermissionError(f"link {there} is owned by uid {found.st_uid}, or one of too many")
            target = os.readlink(there)
            here = "/" if target.startswith("/") else here
            rest.extend(target.split("/")[::-1])
        elif stat.S_ISDIR(found.st_mode):
            # In a folder with the sticky bit, such as /tmp, nobody can replace what is another's.
            if not (found.st_mode & stat.S_ISVTX and found.st_uid == 0):
                _trust(found, there, "folder", owners)
            here = there if name not in ("", ".", "..") else here
        elif rest:
            raise NotADirectoryError(f"{there} is not a folder")
        else:
            return there
    raise IsADirectoryError(f"file {path} is a folder")


def _trust(found: os.stat_result, path: str, what: str, owners: frozenset[int]) -> None:
    if found.st_uid not in owners:
        raise PermissionError(f"{what} {path} is owned by uid {found.st_uid}, which is not trusted")
    if found.st_mode & 0o022:
        raise PermissionError(f"{what} {path} has mode {found.st_mode & 0o777:04o}; group or world may write it")

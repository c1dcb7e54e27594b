"""Reading the files of a policy: each is opened once and judged by what was opened.

Files of `include` are found from `/` downwards: every folder and link on the way is judged as it is entered, and what
lies below is opened from there, so that nothing can come in between.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from pysshd.policy.include import Content, Found, matcher
from pysshd.policy.model_include import is_pattern
from pysshd.policy.report import one_of
from pysshd.policy.text import MAX_BYTES
from pysshd.records import dataclass

LINKS_MAX: Final = 16
"""Links on the way to one file."""

NAMES_MAX: Final = 65_536
"""Names in a folder in which files are looked for."""

_FILE: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ANYTHING: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTED: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class _FaultError(Exception):
    """Something on the way to a file is not as it has to be: a path, and what is wrong with it."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text

    def of(self, path: str) -> Found:
        """The fault as that of the file or folder that was asked for."""
        return Found(path, self._text if path == self._path else f"{self._path} on the way to it: {self._text}")


class _MissingError(_FaultError):
    """There is nothing of this name."""


def absolute(path: str) -> str:
    """A path from `/`, as seen from the working folder."""
    return os.path.abspath(path)


def read_file(path: str, owners: Collection[int], most: int) -> Content | str:
    """At most `most` bytes of a file that nobody else could have written, or what is wrong with it."""
    try:
        descriptor = os.open(path, _FILE)
    except (OSError, ValueError) as error:
        return f"the file can not be opened: {getattr(error, 'strerror', None) or 'no such name is possible'}"
    return _content(descriptor, owners, most)


def _content(descriptor: int, owners: Collection[int], most: int) -> Content | str:
    """What an open file holds; closes it."""
    try:
        status = os.fstat(descriptor)
        fault = "" if stat.S_ISREG(status.st_mode) else "it is not a regular file"
        fault = fault or _mistrust(status, "file", owners)
        return fault or Content(_read_all(descriptor, most), (status.st_dev, status.st_ino))
    except OSError as error:
        return f"the file can not be read: {error.strerror}"
    finally:
        os.close(descriptor)


def _mistrust(status: os.stat_result, what: str, owners: Collection[int]) -> str:
    """Why somebody else could have changed a file or a folder, or ""."""
    if status.st_uid not in owners:
        wanted = one_of([str(uid) for uid in sorted(set(owners))])
        return f"the {what} is owned by uid {status.st_uid}, expected {wanted}"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(status.st_mode):
        return f"the {what} has mode {stat.S_IMODE(status.st_mode):04o} and others may write to it: chmod go-w it"
    return ""


def _read_all(descriptor: int, most: int) -> bytes:
    found = b""
    while len(found) < most and (part := os.read(descriptor, most - len(found))):
        found += part
    return found


@dataclass(frozen=True, slots=True)
class _End:
    """Where a path leads to: an open folder, its path without links, and a name in it, "" for the folder itself."""

    folder: int
    name: str
    path: str


class IncludedFiles:
    """Finds the files of paths and patterns, and reads them.

    owners: uids whose files and folders count, beside root's.
    """

    def __init__(self, owners: Collection[int]) -> None:
        self._owners = frozenset({0, *owners})

    def find(self, path: str) -> Iterator[Found]:
        """The files of an absolute path or pattern, in the order of their names.

        What is named has to be there; a pattern may lead to nothing, and so may a name behind one.
        """
        parts = [part for part in path.split("/") if part]
        if not parts:
            yield Found(path, "it is not a regular file")
            return
        wild = next((number for number, part in enumerate(parts) if is_pattern(part)), len(parts) - 1)
        above = f"/{'/'.join(parts[:wild])}"
        try:
            with self._folder(None, above, "/") as folder:
                yield from self._below(folder, above, parts[wild:], optional=False)
        except NotADirectoryError:
            yield Found(above, "it is not a folder")
        except _FaultError as fault:
            yield fault.of(above)

    def _below(self, folder: int, above: str, parts: list[str], *, optional: bool) -> Iterator[Found]:
        """The files that the rest of a path means, from an open folder on. optional: a name need not be there."""
        name, *rest = parts
        wild = is_pattern(name)
        for one in self._names(folder, above, name) if wild else (name,):
            place = os.path.join(above, one)
            try:
                if not rest:
                    yield Found(place, self._file(folder, one, place))
                    continue
                with self._folder(folder, one, above) as below:
                    yield from self._below(below, place, rest, optional=True)
            except NotADirectoryError:
                # Beside the folders that a pattern means there may be files.
                if not wild:
                    yield Found(place, "it is not a folder")
            except _FaultError as fault:
                # What was listed a moment ago has to be there: else it is not known what else has changed.
                if wild or not optional or not isinstance(fault, _MissingError):
                    yield fault.of(place)

    def _names(self, folder: int, path: str, pattern: str) -> list[str]:
        """The names in a folder that are of a pattern, sorted."""
        self._judge(os.fstat(folder), path, "folder")
        try:
            listed = os.open(".", _LISTED, dir_fd=folder)
        except OSError as error:
            raise _FaultError(path, f"the folder can not be read: {error.strerror}") from None
        try:
            with os.scandir(listed) as entries:
                names = [entry.name for entry in islice(entries, NAMES_MAX + 1)]
        finally:
            os.close(listed)
        if len(names) > NAMES_MAX:
            raise _FaultError(path, f"the folder has more than {NAMES_MAX} names in it")
        found = sorted(filter(matcher(pattern), names))
        odd = next((name for name in found if not name.isprintable()), None)
        if odd is not None:
            raise _FaultError(path, f"the folder holds {odd!a}, a name that can not be shown: rename it")
        return found

    def _file(self, folder: int, name: str, place: str) -> Content | str:
        """What a file holds."""
        end = self._walk(folder, name, os.path.dirname(place))
        try:
            if not end.name:
                return "it is not a regular file"
            self._judge(os.fstat(end.folder), end.path, "folder")
            descriptor = os.open(end.name, _FILE | os.O_NOFOLLOW, dir_fd=end.folder)
        except OSError as error:
            return f"it can not be opened: {error.strerror}"
        finally:
            os.close(end.folder)
        return _content(descriptor, self._owners, MAX_BYTES + 1)

    @contextmanager
    def _folder(self, start: int | None, path: str, above: str) -> Iterator[int]:
        """A folder, open for what lies below it. NotADirectoryError: it is none."""
        end = self._walk(start, path, above)
        try:
            if end.name:
                raise NotADirectoryError
            yield end.folder
        finally:
            os.close(end.folder)

    def _walk(self, start: int | None, path: str, above: str) -> "_End":
        """Go along a path, and judge all that is on it. start: a folder that is open, `above`; None: `/`."""
        here = self._root() if start is None else os.dup(start)
        rest, links, place = path.split("/")[::-1], 0, above
        try:
            while rest:
                name = rest.pop()
                if name in ("", "."):
                    continue
                place = os.path.join(above, name)
                there = os.open(name, _ANYTHING, dir_fd=here)
                try:
                    status = os.fstat(there)
                    if stat.S_ISLNK(status.st_mode):
                        links += 1
                        rest.extend(self._target(there, status, place, links).split("/")[::-1])
                        if not rest[-1]:  # it begins with a slash
                            root = self._root()
                            os.close(here)
                            here, above = root, "/"
                    elif stat.S_ISDIR(status.st_mode):
                        self._judge_on_the_way(status, place)
                        here, there, above = there, here, os.path.normpath(place)
                    elif any(rest):
                        raise _FaultError(place, "it is not a folder")
                    elif not stat.S_ISREG(status.st_mode):
                        raise _FaultError(place, "it is not a regular file")
                    else:
                        return _End(here, name, above)
                finally:
                    os.close(there)
        except OSError as error:
            os.close(here)
            kind = _FaultError if links or not isinstance(error, FileNotFoundError) else _MissingError
            raise kind(place, f"it can not be opened: {error.strerror}") from None
        except BaseException:
            os.close(here)
            raise
        return _End(here, "", above)

    def _target(self, link: int, status: os.stat_result, place: str, links: int) -> str:
        """What a link says."""
        self._judge(status, place, "link")
        if links > LINKS_MAX:
            raise _FaultError(place, f"more than {LINKS_MAX} links lead to it, or they go round")
        return os.readlink("", dir_fd=link)

    def _root(self) -> int:
        root = os.open("/", _ANYTHING)
        self._judge_on_the_way(os.fstat(root), "/")
        return root

    def _judge_on_the_way(self, status: os.stat_result, place: str) -> None:
        # In a folder with the sticky bit, such as /tmp, nobody can replace what is another's.
        if not (status.st_mode & stat.S_ISVTX and status.st_uid == 0):
            self._judge(status, place, "folder")

    def _judge(self, status: os.stat_result, place: str, what: str) -> None:
        fault = _mistrust(status, what, self._owners)
        if fault:
            raise _FaultError(place, fault)

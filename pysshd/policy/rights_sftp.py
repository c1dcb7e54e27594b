"""Permissions of SFTP, compiled: the folders that they show, and what may be done at which path."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from pysshd.patterns.paths import PathPattern
from pysshd.policy.templates import Template
from pysshd.policy.ways import Folder, Mount
from pysshd.records import dataclass

SUBSYSTEM: Final = "sftp"
"""The name under which clients ask for SFTP."""

RIGHTS: Final = (
    "list", "stat", "download", "upload", "overwrite", "append", "delete", "rename", "mkdir", "rmdir", "chmod", "chown",
    "touch", "symlink", "hardlink",
)  # fmt: skip
"""Every right that an operation may need."""

ALL: Final = frozenset(RIGHTS)
_IMPLY_STAT: Final = frozenset(["list", "download"])


def with_implied(rights: Iterable[str]) -> frozenset[str]:
    """The rights, and those that they imply."""
    found = frozenset(rights)
    return found if found.isdisjoint(_IMPLY_STAT) else found | {"stat"}


@dataclass(frozen=True, slots=True)
class FolderTemplate:
    """A folder with slots in its parts, or one below the home of the account."""

    path: Template
    in_home: bool = False

    def fill(self, values: Mapping[str, str]) -> Folder | None:
        """The folder, or None where a slot has no value that is one part of a path."""
        for slot in self.path.parts[1::2]:
            if not _is_part(values.get(slot, "")):
                return None
        path = self.path.fill(values)
        return Folder(path, self.in_home) if path is not None else None

    def __str__(self) -> str:
        return f"{{home}}{self.path}" if self.in_home else str(self.path)


def _is_part(value: str) -> bool:
    return value not in ("", ".", "..") and "/" not in value and "\0" not in value


@dataclass(frozen=True, slots=True)
class MountRight:
    """One folder of `mounts`: where the tree shows it."""

    at: str
    folder: FolderTemplate
    where: str = field(compare=False)

    def __str__(self) -> str:
        return f"sftp: {{mounts: {{{self.at}: {self.folder}}}}}"


@dataclass(frozen=True, slots=True)
class StartRight:
    """`start`: where relative paths begin."""

    folder: FolderTemplate
    where: str = field(compare=False)

    def __str__(self) -> str:
        return f"sftp: {{start: {self.folder}}}"


@dataclass(frozen=True, slots=True)
class Filled:
    """The mounts and the start of one permission, with their slots filled."""

    mounts: tuple[Mount, ...]
    start: Folder | None


@dataclass(frozen=True, slots=True)
class SftpRight:
    """`sftp` of one role.

    paths: patterns and the rights at what they match, the longest literal start first (`by_literal_start`).
    """

    mounts: tuple[MountRight, ...]
    paths: tuple[tuple[PathPattern, frozenset[str]], ...]
    start: StartRight | None
    where: str = field(compare=False)

    @property
    def parts(self) -> "tuple[MountRight | StartRight, ...]":
        """Its mounts and its start, each of which may be meant otherwise elsewhere."""
        return self.mounts if self.start is None else (*self.mounts, self.start)

    def deciding(self, path: str) -> list[tuple[PathPattern, frozenset[str]]]:
        """The patterns that decide at a path: of those that match, the ones with the longest literal start."""
        found: list[tuple[PathPattern, frozenset[str]]] = []
        for pair in self.paths:
            if found and len(pair[0].literal) < len(found[0][0].literal):
                break
            if pair[0].matches(path):
                found.append(pair)
        return found

    def permits(self, right: str, path: str) -> bool:
        """Whether it permits an operation; in a deny, whether it touches it. Where patterns tie, all must have it."""
        found = self.deciding(path)
        return bool(found) and all(right in rights for _, rights in found)

    def fill(self, values: Mapping[str, str]) -> Filled | None:
        """Its folders, or None where a slot has no value: then the whole permission is not in force."""
        mounts = []
        for mount in self.mounts:
            folder = mount.folder.fill(values)
            if folder is None:
                return None
            mounts.append(Mount(mount.at, folder))
        start = self.start.folder.fill(values) if self.start is not None else None
        if self.start is not None and start is None:
            return None
        return Filled(tuple(mounts), start)

    @property
    def limits_nothing(self) -> bool:
        """Whether it shows the whole host and permits everything there: what the account may anyway."""
        shown = {mount.at: str(mount.folder) for mount in self.mounts}
        everywhere = {pattern.source for pattern, _ in self.paths} >= {"/", "/**"}
        return shown == {"/": "/"} and everywhere and all(rights == ALL for _, rights in self.paths)

    def __str__(self) -> str:
        mounts = ", ".join(f"{mount.at}: {mount.folder}" for mount in self.mounts)
        paths = ", ".join(f"{pattern.source}: …" for pattern, _ in self.paths)
        shown = [f"{key}: {{{value}}}" for key, value in (("mounts", mounts), ("paths", paths)) if value]
        return f"sftp: {{{', '.join(shown)}}}"


def by_literal_start(
    paths: Iterable[tuple[PathPattern, frozenset[str]]],
) -> tuple[tuple[PathPattern, frozenset[str]], ...]:
    """The patterns in the order in which `SftpRight` reads them."""
    return tuple(sorted(paths, key=lambda pair: (-len(pair[0].literal), pair[0].source)))

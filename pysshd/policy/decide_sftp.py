"""SFTP and scp in the engine: the tree that the permissions of a person make together, and operations on it."""

from collections.abc import Iterable, Sequence
from typing import Final

from pysshd.patterns.paths import PathError, is_below, virtual_path
from pysshd.patterns.words import to_bytes
from pysshd.policy.found import CLASH, REFUSED, Found
from pysshd.policy.query import Exec, Run, Sftp, Subsystem
from pysshd.policy.rights import Values
from pysshd.policy.rights_sftp import RIGHTS, SUBSYSTEM, Filled, SftpRight
from pysshd.policy.ruleset import Grant
from pysshd.policy.ways import FileWay, Folder, Mount, SftpWay
from pysshd.records import dataclass

_ON_THE_WAY: Final = frozenset(["list", "stat"])
"""What may be done with a folder that exists only because something is mounted below it."""

_SCP_FLAGS: Final = frozenset("rpdvq")


def is_scp(words: tuple[str, ...] | None) -> bool:
    """Whether a command is what an scp client asks for: `scp -t PATH` or `scp -f PATH`, and flags beside.

    `-t` receives, `-f` sends; with `-r` folders too, with `-p` times and modes, with `-d` into a folder. Nothing else
    is taken for it, and so no program of that name.
    """
    if words is None or len(words) < 3 or words[0] != "scp":
        return False
    *options, path = words[1:]
    named = options[-1] == "--"
    flags = options[:-1] if named else options
    letters = "".join(flag[1:] for flag in flags)
    if not all(len(flag) > 1 and flag[0] == "-" for flag in flags) or (path.startswith("-") and not named):
        return False
    modes = [letter for letter in letters if letter in "tf"]
    return bool(path) and len(modes) == 1 and _SCP_FLAGS.issuperset(set(letters) - {"t", "f"})


def asks_for_sftp(request: object, words: tuple[str, ...] | None) -> bool:
    """Whether permissions of SFTP answer a request to run something; `words` are a command's."""
    if isinstance(request, Subsystem):
        return request.name == SUBSYSTEM
    return isinstance(request, Exec) and is_scp(words)


@dataclass(frozen=True, slots=True)
class InForce:
    """A permission that counts now, of the grant that gives it."""

    grant: Grant
    right: SftpRight
    filled: Filled


@dataclass(frozen=True, slots=True)
class Tree:
    """All folders that are shown, and where relative paths begin."""

    mounts: tuple[Mount, ...]
    start: Folder | None

    def file(self, path: str) -> FileWay | None:
        """What a path is in the tree, or None where nothing is mounted."""
        covering = [mount for mount in self.mounts if is_below(path, mount.at)]
        if covering:
            mount = max(covering, key=lambda one: len(one.at))
            below = path if mount.at == "/" else path[len(mount.at) :]
            return FileWay(mount, "" if below == "/" else below)
        return FileWay(None) if any(is_below(mount.at, path) for mount in self.mounts) else None


def in_force(grants: Iterable[Grant], values: Values) -> list[InForce]:
    """The permissions of these grants; one with a slot that has no value is left out whole."""
    found = []
    known: dict[int, Filled | None] = {}
    for grant in grants:
        for right in grant.rights.sftp:
            if id(right) not in known:
                known[id(right)] = right.fill(values)
            filled = known[id(right)]
            if filled is not None:
                found.append(InForce(grant, right, filled))
    return found


def tree_of(permissions: Sequence[InForce]) -> Tree | None:
    """The mounts of all of them joined, or None where two folders are meant for one place, or two starts."""
    mounts: dict[str, Mount] = {}
    start: Folder | None = None
    for filled in {id(one.filled): one.filled for one in permissions}.values():
        if any(mounts.setdefault(mount.at, mount) != mount for mount in filled.mounts):
            return None
        if filled.start is not None:
            if start is not None and start != filled.start:
                return None
            start = filled.start
    return Tree(tuple(mounts[at] for at in sorted(mounts)), start)


def refusal_of_sftp(request: Sftp) -> str:
    """Why an operation is refused whatever is granted, or ""."""
    if request.right not in RIGHTS:
        return "no right of SFTP has this name"
    try:
        virtual_path(request.path)
    except PathError as error:
        return f"the path is of no form that is served: {error}"
    return ""


def served(
    request: Run, words: tuple[str, ...] | None, grants: Iterable[Grant], values: Values, others: Iterable[Grant]
) -> Found | None:
    """What permissions of SFTP say to the subsystem or an scp command; None where they show no folder.

    grants: those that match; others: those that permit the same in another way, and bind it too.
    """
    permissions = in_force(grants, values)
    tree = tree_of(permissions)
    if tree is None:
        return CLASH
    if not tree.mounts:
        return None
    way = SftpWay(tree.mounts, tree.start, to_bytes(words or ()))
    by = _first(permissions).right
    return Found(way, _grants(permissions, others), "", f"permits it by {by} ({by.where})")


def operation(request: Sftp, path: str, grants: Iterable[Grant], values: Values) -> Found:
    """Decide one operation at a canonical path, by the grants that match."""
    permissions = in_force(grants, values)
    permitting = [one for one in permissions if one.right.permits(request.right, path)]
    if not permitting:
        return REFUSED
    tree = tree_of(permissions)
    if tree is None:
        return CLASH
    way = tree.file(path)
    if way is None:
        return Found(None, (), "the tree", "no folder is mounted there")
    if way.mount is None and request.right not in _ON_THE_WAY:
        return Found(None, (), "the tree", "there is only what leads to mounts")
    by = _first(permitting).right
    patterns = " and ".join(pattern.source for pattern, _ in by.deciding(path))
    return Found(way, _grants(permitting, ()), "", f"permits it by sftp: {{paths: {patterns}}} ({by.where})")


def _first(permissions: Iterable[InForce]) -> InForce:
    """The first one in the file, so that order tells nothing else."""
    return min(permissions, key=lambda one: one.grant.number)


def _grants(permissions: Iterable[InForce], others: Iterable[Grant]) -> tuple[Grant, ...]:
    # Told apart by their numbers: the hash of a grant is that of all its conditions.
    return tuple({grant.number: grant for grant in (*(one.grant for one in permissions), *others)}.values())

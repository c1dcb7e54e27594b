"""Permissions of SFTP beside each other: what they permit at which paths, and the tree that they make together."""

from collections.abc import Iterable, Iterator

from pysshd.policy.query import Sftp
from pysshd.policy.rights_sftp import MountRight, SftpRight, StartRight


def sftp_within(small: SftpRight, big: SftpRight) -> bool:
    """Whether `big` permits all that `small` permits: less at the same paths. Other patterns may decide elsewhere."""
    rights, wider = dict(small.paths), dict(big.paths)
    return (
        frozenset(small.parts) == frozenset(big.parts)
        and rights.keys() == wider.keys()
        and all(rights[pattern] <= wider[pattern] for pattern in rights)
    )


def tree_of(rights: Iterable[SftpRight]) -> frozenset[MountRight | StartRight]:
    """The folders of several permissions: a path may be another file where one of them is missing."""
    return frozenset(part for right in rights for part in right.parts)


def sftp_title(right: SftpRight) -> str:
    """A permission in short."""
    paths = ", ".join(f"{pattern.source}: [{', '.join(sorted(rights))}]" for pattern, rights in right.paths)
    mounts = ", ".join(f"{mount.at}: {mount.folder}" for mount in right.mounts)
    said = [f"mounts: {{{mounts}}}" if mounts else "", f"paths: {{{paths}}}" if paths else ""]
    return f"sftp: {{{', '.join(one for one in said if one)}}}"


def operations(right: SftpRight) -> Iterator[Sftp]:
    """Operations that a permission permits, to show what it is."""
    for pattern, rights in right.paths:
        path = pattern.source.replace("**", "x").replace("*", "x").replace("?", "x")
        for one in sorted(rights):
            yield Sftp(one, path.encode())

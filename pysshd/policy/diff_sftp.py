"""Permissions of SFTP beside each other: what they permit at which paths, and the tree that they make together."""

from collections.abc import Iterable, Iterator

from pysshd.patterns.globs import ANY, STAR, Token
from pysshd.patterns.parts import CROSSING
from pysshd.patterns.parts_inclusion import parts_within
from pysshd.patterns.paths import ROOT, SEPARATOR, PathPattern
from pysshd.policy.query import Sftp
from pysshd.policy.rights_sftp import ALL, MountRight, SftpRight, StartRight


def sftp_within(small: SftpRight, big: SftpRight) -> bool:
    """Whether `big` permits all that `small` permits, in the same folders."""
    return frozenset(small.parts) == frozenset(big.parts) and all(
        _pattern_within(pattern, rights, small, big) for pattern, rights in small.paths
    )


def _pattern_within(pattern: PathPattern, rights: frozenset[str], small: SftpRight, big: SftpRight) -> bool:
    """Whether what one pattern of `small` permits where it decides is permitted by whatever may decide there."""
    covering = [other for other, _ in big.paths if path_within(pattern, other)]
    if not covering:
        return not rights
    longest = max(len(other.literal) for other in covering)
    return all(
        rights & _where(other, pattern, small) <= wider
        for other, wider in big.paths
        if len(other.literal) >= longest and _may_meet(pattern, other)
    )


def _where(other: PathPattern, pattern: PathPattern, small: SftpRight) -> frozenset[str]:
    """What the other patterns of `small` leave of the rights of one, at the paths of `other`."""
    left = ALL
    for one, rights in small.paths:
        if path_within(other, one) and len(one.literal) >= len(pattern.literal):
            left &= frozenset() if len(one.literal) > len(pattern.literal) else rights
    return left


def path_within(small: PathPattern, big: PathPattern) -> bool:
    """Whether every path of one pattern is of another one; a no may only mean that it could not be shown."""
    return small == big or parts_within(_tokens(small), _tokens(big), SEPARATOR, least=0)


def _tokens(pattern: PathPattern) -> list[Token]:
    found: list[Token] = []
    for char in _written(pattern):
        if char == STAR and found and found[-1] == Token(STAR, wild=True):
            found[-1] = CROSSING
        else:
            found.append(Token(char, char in (STAR, ANY)))
    return found


def _may_meet(a: PathPattern, b: PathPattern) -> bool:
    """Whether some path could be of both."""
    for one, other in ((a, b), (b, a)):
        if len(one.literal) == len(_written(one)):
            return other.matches(one.source)
    return a.literal.startswith(b.literal) or b.literal.startswith(a.literal)


def _written(pattern: PathPattern) -> str:
    return "" if pattern.source == ROOT else pattern.source


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
        for deep in ("x", "x/x"):
            path = pattern.source.replace("**", deep).replace("*", "x").replace("?", "x")
            yield from (Sftp(one, path.encode()) for one in sorted(rights))

"""Reading a file of public keys: a regular file of a trusted owner, small, and never one that could make us wait."""

import os
from collections.abc import Mapping
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import Final

from pysshd.errors import InvalidKeyError
from pysshd.identity.host.trusted_file import open_trusted, read_all
from pysshd.patterns.narrowing import Narrowing
from pysshd.policy.keyfiles import parse_key_file
from pysshd.records import dataclass

FILE_SIZE_MAX: Final = 256 * 1024
"""Bytes of one file of keys: as much as the policy's own check reads."""

CACHED_MAX: Final = 16_384
"""Files whose keys are remembered: above what a policy names, for one look-up may read all of an account's files."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was when it was read: by these its next reading can be spared."""

    stamp: tuple[int, int, int, int, int]
    keys: Mapping[str, Narrowing]


class KeyFiles:
    """The keys of files, read again whenever a file has changed.

    owners: uids whose files are trusted (root and the daemon's own user).
    zone: of times in options that say none.
    """

    def __init__(self, owners: frozenset[int], zone: tzinfo = UTC) -> None:
        self._owners = owners
        self._zone = zone
        self._seen: dict[str, _Seen] = {}

    def fingerprints(self, path: str) -> frozenset[str]:
        """The fingerprints of the keys in the file; raises as `keys`."""
        return frozenset(self.keys(path))

    def keys(self, path: str) -> Mapping[str, Narrowing]:
        """The keys in the file by their fingerprints, each with what its line says in front of it.

        `OSError` where it must not be read, `InvalidKeyError` where any line is no key.
        """
        descriptor = open_trusted(path, self._owners, FILE_SIZE_MAX)
        try:
            found = os.fstat(descriptor)
            stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            seen = self._seen.get(path)
            if seen is not None and seen.stamp == stamp:
                return seen.keys
            content = read_all(descriptor, path, FILE_SIZE_MAX)
        finally:
            os.close(descriptor)
        read = parse_key_file(content, path, self._zone)
        if read.problem:
            raise InvalidKeyError(f"key file {path}: {read.problem}")
        keys = MappingProxyType({fingerprint: read.narrowing(fingerprint) for fingerprint in read.fingerprints})
        if len(self._seen) >= CACHED_MAX:
            self._seen.clear()
        self._seen[path] = _Seen(stamp, keys)
        return keys

"""The name of one version of a policy: what was compiled, whatever the files are called and whenever they were read."""

import hashlib
from collections.abc import Iterable
from typing import Final

from pysshd.policy.keyfiles import KeyFiles, KeyFolders

LENGTH: Final = 12
"""Hexadecimal digits: enough that no two versions of one file share them by chance, few enough to be read aloud."""


def version_of(texts: Iterable[str], key_files: KeyFiles | None, folders: KeyFolders | None = None) -> str:
    """Return the name of the version that these texts and the keys in these files make.

    The same content has the same name on every host, so that a person can compare what runs with what is written.
    """
    parts = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
    files = (key_files or {}).values()
    keys = sorted(f"{key} {file.narrowing(key)}".rstrip() for file in files for key in file.fingerprints)
    parts.append(hashlib.sha256("\n".join(keys).encode()).digest())
    # Whose key it is, and in which groups they are, is said by the name of its file and by its folder alone.
    held = sorted(
        f"{number} {name} {key} {file.narrowing(key)}".rstrip()
        for number, folder in enumerate((folders or {}).values())
        for name, file in folder.files
        for key in file.fingerprints
    )
    if held:
        parts.append(hashlib.sha256("\n".join(held).encode()).digest())
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()[:LENGTH]

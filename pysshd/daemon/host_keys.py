"""Host keys on disk: made on the first start, refused where anyone else could read them, never written twice."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from pysshd.daemon.state import make_folder
from pysshd.errors import InvalidKeyError, StartupError
from pysshd.records import dataclass
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.private_keys import PrivateKey, load_private_key, private_key_to_openssh

KINDS = ("ed25519", "rsa")
"""What is generated where there is none, in the order of preference."""

PLAIN = (*KINDS, "ecdsa")
"""The kinds that there are, in the order in which their keys are looked for."""

_PREFIX, _SUFFIX = "ssh_host_", "_key"
MAX_KEYS = 16
"""Host keys of one daemon, which are all told to every client."""

RSA_BITS = 4096
MAX_SIZE = 64 * 1024
MODE = 0o600


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host key and the file that it came from."""

    file: Path
    key: PrivateKey


def file_name(kind: str, name: str = "") -> str:
    """Return the name of a host key's file, the one that administrators know; `name` tells two of a kind apart."""
    return f"{_PREFIX}{kind}{f'_{name}' if name else ''}{_SUFFIX}"


def public_file(path: Path) -> Path:
    """Return where the public half of a key lies: beside it."""
    return path.with_name(f"{path.name}.pub")


def read_trusted(path: Path, what: str, owners: frozenset[int], forbidden: int, advice: str) -> bytes:
    """Read a file that nobody else could have written, nor, where `forbidden` says so, read; StartupError otherwise.

    `what` begins each message, `forbidden` are the bits of its mode that it must not have, `advice` is for whoever has
    no such file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise StartupError(f"{what} {path}: {error.strerror}; {advice}") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise StartupError(f"{what} {path}: is no regular file")
    with open(descriptor, "rb") as file:
        if found.st_uid not in owners:
            raise StartupError(f"{what} {path}: belongs to uid {found.st_uid}, expected the daemon's user or root")
        if found.st_mode & forbidden:
            mode, good = f"{found.st_mode & 0o7777:04o}", f"{0o666 & ~forbidden:04o}"
            raise StartupError(f"{what} {path}: mode is {mode}, which lets others in; run chmod {good} {path}")
        data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise StartupError(f"{what} {path}: is larger than {MAX_SIZE} bytes")
    return data


def load_host_key(path: Path, owners: frozenset[int]) -> HostKey:
    """Read one key; StartupError where it is missing, loose, weak, or of no known kind."""
    data = read_trusted(path, "host key", owners, 0o077, "run pysshd keygen, or name another file")
    try:
        return HostKey(path, load_private_key(data))
    except InvalidKeyError as error:
        raise StartupError(f"host key {path}: {error}") from None


def load_files(files: Sequence[str], owners: frozenset[int]) -> list[HostKey]:
    """Read the keys that the policy names one by one, in their order."""
    return _distinct([load_host_key(Path(file), owners) for file in files])


def load_folder(directory: Path, owners: frozenset[int]) -> list[HostKey]:
    """Read every key of a folder: those with the plain names first, so that others of their kinds come behind them."""
    return _distinct([load_host_key(path, owners) for path in _files_of(directory)])


def load_or_generate(
    directory: Path, owners: frozenset[int], owner: int, progress: Callable[[str], None]
) -> list[HostKey]:
    """Read the keys of a folder, and make those of `KINDS` where it has none at all; `progress` is told of each."""
    if not _files_of(directory):
        for kind in KINDS:
            write_host_key(directory, kind, owner, progress)
    return load_folder(directory, owners)


def joined(first: Sequence[HostKey], second: Sequence[HostKey]) -> list[HostKey]:
    """Return both, the keys of `first` going before those of `second`; StartupError where a key is in both."""
    return _distinct([*first, *second])


def _files_of(directory: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if _is_name(entry.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StartupError(f"host keys {directory}: can not be read: {error.strerror}") from None
    plain = [file_name(kind) for kind in PLAIN]
    return [directory / name for name in (*(n for n in plain if n in names), *(n for n in names if n not in plain))]


def _is_name(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def _distinct(keys: list[HostKey]) -> list[HostKey]:
    if len(keys) > MAX_KEYS:
        raise StartupError(f"host keys: there are {len(keys)}, expected at most {MAX_KEYS}")
    seen: dict[bytes, HostKey] = {}
    for host_key in keys:
        first = seen.setdefault(host_key.key.public.blob, host_key)
        if first is not host_key:
            raise StartupError(f"host key {host_key.file}: is the same key as {first.file}; leave one of them out")
    return keys


def write_host_key(
    directory: Path, kind: str, owner: int, progress: Callable[[str], None], bits: int = RSA_BITS, name: str = ""
) -> HostKey:
    """Generate a key of `kind` and write it, with its public half beside it; a file that is there is never touched."""
    path = directory / file_name(kind, name)
    try:
        make_folder(directory, owner)
        for file in (path, public_file(path)):
            if file.is_symlink() or file.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
        progress(f"generating a host key ({kind}{f', {bits} bits' if kind == 'rsa' else ''})")
        key = generate_private_key(kind, bits if kind == "rsa" else None)
        _write_once(path, private_key_to_openssh(key), MODE, owner)
        public = f"{key.public.line} pysshd\n"
        _write_once(public_file(path), public.encode(), 0o644, owner)
    except FileExistsError as error:
        raise StartupError(
            f"host key {error.filename2 or error.filename}: is there already; move it away first, for clients know it"
        ) from None
    except OSError as error:
        raise StartupError(f"host key {path}: can not be written: {error.strerror}") from None
    return HostKey(path, key)


def _write_once(path: Path, data: bytes, mode: int, owner: int) -> None:
    """Write a whole file under a name that nobody has yet: a crash leaves none or all of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            if os.geteuid() != owner:
                os.fchown(descriptor, owner, -1)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)
    finally:
        draft.unlink()

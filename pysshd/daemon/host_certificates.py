"""Host certificates: the one beside each key, and those that the policy lists; each is for one of the host's keys.

A certificate that is malformed, of a user, or of another key stops the start. One out of its time is left out with a
warning: the keys serve without it, and a client that knows them comes in.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pysshd.daemon.host_keys import HostKey, read_trusted
from pysshd.errors import InvalidKeyError, StartupError
from pysshd.records import dataclass
from pysshd.ssh.crypto.certs import (
    FOREVER,
    Certificate,
    CertificateKind,
    check_certificate,
    parse_certificate_line,
)

SOON = 14 * 86400
"""Seconds before its end from which on a certificate is warned of."""


@dataclass(frozen=True, slots=True)
class HostCertificate:
    """A certificate, the file that it came from, and the key that it is for."""

    file: Path
    certificate: Certificate
    host_key: HostKey

    @property
    def names(self) -> str:
        """For which names of this host it is, for people."""
        return ", ".join(self.certificate.principals) or "every name"

    @property
    def until(self) -> str:
        """When it ends, for people."""
        return _moment(self.certificate.valid_before)


def certificate_file(key_file: Path) -> Path:
    """Return where the certificate of a key lies: beside it."""
    return key_file.with_name(f"{key_file.name}-cert.pub")


def load_certificates(
    keys: Sequence[HostKey], listed: Sequence[str], owners: frozenset[int], now: float, warn: Callable[[str], None]
) -> list[HostCertificate]:
    """Read the certificates that are valid `now` (seconds since 1970); StartupError for one that can never be used."""
    beside = [path for host_key in keys if (path := certificate_file(host_key.file)).is_symlink() or path.exists()]
    found: dict[bytes, HostCertificate] = {}
    for path in dict.fromkeys([*map(Path, listed), *beside]):
        loaded = _load(path, keys, owners)
        first = found.setdefault(loaded.host_key.key.public.blob, loaded)
        if first is not loaded:
            raise StartupError(f"host certificate {path}: is for the same key as {first.file}; leave one of them out")
    return [loaded for loaded in found.values() if _is_timely(loaded, now, warn)]


def _load(path: Path, keys: Sequence[HostKey], owners: frozenset[int]) -> HostCertificate:
    data = read_trusted(path, "host certificate", owners, 0o022, "name another file")
    try:
        certificate = parse_certificate_line(data.decode("utf-8", "replace"))
        # Its time is looked at later, and must hold a moment at least.
        check_certificate(certificate, CertificateKind.HOST, certificate.valid_after)
    except InvalidKeyError as error:
        raise StartupError(f"host certificate {path}: {error}") from None
    for host_key in keys:
        if host_key.key.public == certificate.key:
            return HostCertificate(path, certificate, host_key)
    raise StartupError(
        f"host certificate {path}: is for key {certificate.key.fingerprint}, which is none of the host keys"
    )


def _is_timely(loaded: HostCertificate, now: float, warn: Callable[[str], None]) -> bool:
    certificate, what = loaded.certificate, f"host certificate {loaded.file}"
    if now < certificate.valid_after:
        warn(f"{what}: is not valid before {_moment(certificate.valid_after)}, and is not offered until a restart then")
        return False
    if now >= certificate.valid_before:
        warn(f"{what}: expired at {loaded.until}, and is not offered; renew it")
        return False
    if certificate.valid_before - now < SOON:
        warn(f"{what}: expires at {loaded.until}; renew it, and restart the daemon")
    return True


def _moment(seconds: int) -> str:
    if seconds == FOREVER:
        return "for ever"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds} of the epoch"

"""What every connection is told and held to, made of the policy's settings."""

from collections.abc import Callable, Sequence

from pysshd.daemon.blame import blamed_on
from pysshd.daemon.host_certificates import HostCertificate
from pysshd.daemon.host_keys import HostKey
from pysshd.errors import StartupError
from pysshd.policy.settings import Crypto, Settings
from pysshd.processes.boundary.calls.connection import Assign
from pysshd.processes.monitor.signer import Signer
from pysshd.processes.monitor.terms import Terms
from pysshd.ssh.crypto.certs import CERTIFICATE_ALGORITHMS
from pysshd.version import __version__

IDENTIFICATION = f"SSH-2.0-pysshd_{__version__}".encode()
KEEPALIVE_SECONDS = 60
KEEPALIVE_COUNT = 3


def make_signer(
    crypto: Crypto, keys: Sequence[HostKey], certificates: Sequence[HostCertificate], warn: Callable[[str], None]
) -> Signer:
    """Return what signs with these keys by the algorithms of the policy; keys that this leaves idle are warned of."""
    signer = Signer(
        [host_key.key for host_key in keys],
        [(loaded.host_key.key, loaded.certificate) for loaded in certificates],
        crypto.algorithms.host_key_algorithms,
    )
    announced, shown = signer.announced, {blob for _, blob in signer.public}
    where = crypto.where.get("host_key_algorithms", f"profile {crypto.profile}")
    for host_key in keys:
        if host_key.key.public.blob not in announced:
            warn(f"host key {host_key.file} is of no use: {where} offers none of {', '.join(host_key.key.algorithms)}")
    for loaded in certificates:
        if loaded.certificate.blob not in shown:
            names = loaded.certificate.algorithms
            taken = set(names) & {name for name, _ in signer.public}
            why = "another one goes before it" if taken else f"{where} offers none of {', '.join(names)}"
            warn(f"host certificate {loaded.file} is of no use: {why}")
    return signer


def make_terms(
    settings: Settings, signer: Signer, hidden: tuple[str, ...], timezone: str | None, *, certified: bool = False
) -> Terms:
    """Return the terms; StartupError where the host keys serve no algorithm that the policy offers.

    certified: whether users may come with certificates, of keys that sign as the policy says.
    """
    limits, crypto, algorithms = settings.limits, settings.crypto, settings.crypto.algorithms
    if not signer.public:
        with blamed_on(crypto.where.get("host_key_algorithms")):
            raise StartupError(
                f"host keys: none of them can do any of {', '.join(algorithms.host_key_algorithms)}; run pysshd keygen"
            )
    assign = Assign(
        identification=identification(settings.server.version_addendum),
        kex=algorithms.kex,
        host_keys=signer.public,
        ciphers=algorithms.ciphers,
        macs=algorithms.macs,
        user_key_algorithms=_of_users(algorithms.user_key_algorithms, certified),
        rekey_bytes=min(crypto.rekey_bytes, 0xFFFFFFFF),
        rekey_seconds=int(crypto.rekey_seconds),
        auth_attempts=limits.auth_attempts,
        sessions=limits.sessions_per_connection,
        keepalive_seconds=KEEPALIVE_SECONDS,
        keepalive_count=KEEPALIVE_COUNT,
        compression=algorithms.compression,
        require_strict_kex=algorithms.require_strict_kex,
        announced=signer.announced,
    )
    return Terms(
        assign=assign,
        login_grace=limits.login_grace,
        auth_attempts=limits.auth_attempts,
        sessions=limits.sessions_per_connection,
        hidden=hidden,
        timezone=timezone,
        min_rsa_bits=crypto.min_rsa_bits,
        own_user=settings.server.accounts != "system",
    )


def _of_users(algorithms: tuple[str, ...], certified: bool) -> tuple[str, ...]:
    """How users may sign: with a certificate as with the key that it certifies."""
    certificates = [name for name, plain in CERTIFICATE_ALGORITHMS.items() if plain in algorithms]
    return (*algorithms, *(certificates if certified else ()))


def identification(addendum: str | None) -> bytes:
    """Return what the daemon says first, with the policy's comment behind it (RFC 4253 §4.2)."""
    return IDENTIFICATION if addendum is None else IDENTIFICATION + b" " + addendum.encode("ascii")

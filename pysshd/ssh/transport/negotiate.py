"""What two KEXINITs come to (RFC 4253 §7.1).

Markers among the key exchange methods (`ext-info-c`, `kex-strict-c-v00@openssh.com`) are no methods: they are never
chosen, and count in the first KEXINIT alone (S24).
"""

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.records import dataclass
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.transport.settings import TransportSettings
from pysshd.ssh.wire.messages.transport import KexInit

EXT_INFO_CLIENT = "ext-info-c"
STRICT_CLIENT = "kex-strict-c-v00@openssh.com"
STRICT_SERVER = "kex-strict-s-v00@openssh.com"
MARKERS = frozenset({EXT_INFO_CLIENT, "ext-info-s", STRICT_CLIENT, STRICT_SERVER})

_SHOWN = 512
"""Characters of a peer's list that the log is shown."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The names agreed on; pairs are client to server, server to client. A MAC is "" where the cipher needs none."""

    kex: str
    host_key: str
    ciphers: tuple[str, str]
    macs: tuple[str, str]
    compression: tuple[str, str]


def offer(settings: TransportSettings, cookie: bytes, first: bool) -> KexInit:
    """Our KEXINIT; the marker for strict kex stands in the first one only, which is where it means something."""
    return KexInit(
        cookie,
        kex_algorithms=(*settings.kex, STRICT_SERVER) if first else settings.kex,
        server_host_key_algorithms=tuple(settings.host_keys),
        encryption_client_to_server=settings.ciphers,
        encryption_server_to_client=settings.ciphers,
        mac_client_to_server=settings.macs,
        mac_server_to_client=settings.macs,
        compression_client_to_server=settings.compression,
        compression_server_to_client=settings.compression,
    )


def negotiate(client: KexInit, server: KexInit) -> Choice:
    """The first name of the client's that the server has too, each time; `ProtocolError` (3) where there is none."""
    ciphers = (
        _first("cipher to the server", client.encryption_client_to_server, server.encryption_client_to_server),
        _first("cipher to the client", client.encryption_server_to_client, server.encryption_server_to_client),
    )
    macs = (
        _mac("mac to the server", ciphers[0], client.mac_client_to_server, server.mac_client_to_server),
        _mac("mac to the client", ciphers[1], client.mac_server_to_client, server.mac_server_to_client),
    )
    compression = (
        _first("compression to the server", client.compression_client_to_server, server.compression_client_to_server),
        _first("compression to the client", client.compression_server_to_client, server.compression_server_to_client),
    )
    return Choice(
        _first("key exchange method", client.kex_algorithms, server.kex_algorithms),
        _first("host key algorithm", client.server_host_key_algorithms, server.server_host_key_algorithms),
        ciphers,
        macs,
        compression,
    )


def guessed_right(client: KexInit, server: KexInit) -> bool:
    """A packet sent on a guess counts only where both sides like the same method and host key best."""
    return (
        client.kex_algorithms[:1] == server.kex_algorithms[:1]
        and client.server_host_key_algorithms[:1] == server.server_host_key_algorithms[:1]
    )


def _mac(what: str, cipher: str, client: tuple[str, ...], server: tuple[str, ...]) -> str:
    return _first(what, client, server) if CIPHERS[cipher].needs_mac else ""


def _first(what: str, client: tuple[str, ...], server: tuple[str, ...]) -> str:
    for name in client:
        if name in server and name not in MARKERS:
            return name
    raise ProtocolError(
        DisconnectReason.KEY_EXCHANGE_FAILED,
        f"{what}: none in common; the client offers {','.join(client)[:_SHOWN]}; this server {','.join(server)}",
    )

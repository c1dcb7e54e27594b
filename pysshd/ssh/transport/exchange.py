"""One key exchange, from the two KEXINITs to new keys for both directions (RFC 4253 §7, §8, RFC 4419, RFC 5656 §4)."""

from collections.abc import Callable
from dataclasses import field

from pysshd.errors import InvalidSignatureError
from pysshd.records import dataclass
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.kex import (
    CLIENT_TO_SERVER,
    KEX_METHODS,
    SERVER_TO_CLIENT,
    Direction,
    DirectionKeys,
    derive_keys,
    exchange_hash,
)
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.shares import Entropy, KexShare
from pysshd.ssh.transport.negotiate import Choice
from pysshd.ssh.wire.messages.transport import (
    KexDhGexGroup,
    KexDhGexInit,
    KexDhGexReply,
    KexDhGexRequest,
    KexEcdhInit,
    KexEcdhReply,
)

_Reply = type[KexEcdhReply] | type[KexDhGexReply]


@dataclass(slots=True)
class Exchange:
    """What is agreed on and hashed; versions without line ends, KEXINITs as whole payloads.

    `awaits` is the number of the client's next message, None once our reply is all that is missing.
    """

    choice: Choice
    client_version: bytes
    server_version: bytes
    client_kexinit: bytes
    server_kexinit: bytes
    host_key: bytes
    exchange_hash: bytes = b""
    awaits: int | None = field(init=False)
    _respond: Callable[[Entropy, bytes], KexShare] = field(init=False, repr=False)
    _reply: _Reply = field(init=False, repr=False, default=KexEcdhReply)
    _group: bytes = field(init=False, repr=False, default=b"")
    _share: KexShare | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        method = KEX_METHODS[self.choice.kex]
        self._respond = method.respond
        self.awaits = KexEcdhInit.NUMBER if method.choose is None else KexDhGexRequest.NUMBER

    def take(self, entropy: Entropy, payload: memoryview) -> bytes | None:
        """Take the message that is awaited; our answer, or None where `exchange_hash` is there and is to be signed."""
        assert self.awaits is not None
        return _TAKERS[self.awaits](self, entropy, payload)

    def _request(self, entropy: Entropy, payload: memoryview) -> bytes:
        asked = KexDhGexRequest.decode(payload)
        method = KEX_METHODS[self.choice.kex]
        assert method.choose is not None
        group = method.choose(asked.least, asked.wanted, asked.most)
        chosen = KexDhGexGroup(group.prime, group.generator).encode()
        # RFC 4419 §3: min, n, max, p and g stand in the hash as they stood in their messages.
        self._group = bytes(payload[1:]) + chosen[1:]
        self._respond, self._reply = group.respond, KexDhGexReply
        self.awaits = KexDhGexInit.NUMBER
        return chosen

    def _init(self, entropy: Entropy, payload: memoryview) -> None:
        self._half(entropy, KexEcdhInit.decode(payload).client_public)

    def _init_in_group(self, entropy: Entropy, payload: memoryview) -> None:
        self._half(entropy, KexDhGexInit.decode(payload).client_public)

    def _half(self, entropy: Entropy, client_init: bytes) -> None:
        self._share = self._respond(entropy, client_init)
        self.awaits = None
        self.exchange_hash = exchange_hash(
            KEX_METHODS[self.choice.kex].hash_name,
            client_version=self.client_version,
            server_version=self.server_version,
            client_kexinit=self.client_kexinit,
            server_kexinit=self.server_kexinit,
            host_key=self.host_key,
            client_init=client_init,
            server_reply=self._share.reply,
            secret=self._share.secret,
            group=self._group,
        )

    def reply(self, signature: bytes) -> bytes:
        """The message that proves our host key.

        Whoever holds the key has verified the signature before it left them (S34).
        """
        if self._share is None:
            raise InvalidSignatureError("signature came before there was anything to sign")
        return self._reply(self.host_key, self._share.reply, signature).encode()

    def client_keys(self, session_id: bytes) -> DirectionKeys:
        """The keys from the client to the server; `respond` came first."""
        return self._keys(session_id, CLIENT_TO_SERVER, 0)

    def server_keys(self, session_id: bytes) -> DirectionKeys:
        """The keys from the server to the client; `respond` came first."""
        return self._keys(session_id, SERVER_TO_CLIENT, 1)

    def _keys(self, session_id: bytes, direction: Direction, which: int) -> DirectionKeys:
        assert self._share is not None
        return derive_keys(
            KEX_METHODS[self.choice.kex].hash_name,
            self._share.secret,
            self.exchange_hash,
            session_id,
            direction,
            CIPHERS[self.choice.ciphers[which]],
            MACS.get(self.choice.macs[which]),
        )


_TAKERS: dict[int, Callable[[Exchange, Entropy, memoryview], bytes | None]] = {
    KexEcdhInit.NUMBER: Exchange._init,
    KexDhGexRequest.NUMBER: Exchange._request,
    KexDhGexInit.NUMBER: Exchange._init_in_group,
}
"""What becomes of a message of the client's, by its number."""

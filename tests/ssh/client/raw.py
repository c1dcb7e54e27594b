"""A client without manners: it knows keys and framing, and sends what it is told, legal or not.

    client = RawClient()
    client.begin()                        # identification and KEXINIT
    socket.sendall(client.output())
    client.receive(socket.recv(65536))    # payloads, decrypted; the key exchange is answered meanwhile
    client.send(ServiceRequest("ssh-userauth").encode())

Pure: bytes in, bytes out. With `auto=False` nothing is answered: the test itself calls `send_kex_init` and the like.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pysshd.ssh.crypto.catalogue import DEFAULT_CIPHERS, DEFAULT_HOST_KEY_ALGORITHMS, DEFAULT_KEX, DEFAULT_MACS
from pysshd.ssh.crypto.certs import CERTIFICATE_ALGORITHMS, parse_certificate, plain_algorithm
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.kex import CLIENT_TO_SERVER, KEX_METHODS, SERVER_TO_CLIENT, derive_keys, exchange_hash
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.transport.negotiate import EXT_INFO_CLIENT, STRICT_CLIENT, STRICT_SERVER, Choice, negotiate
from pysshd.ssh.transport.packet import PacketReader, PacketWriter
from pysshd.ssh.wire.messages.transport import (
    KexDhGexGroup,
    KexDhGexInit,
    KexDhGexReply,
    KexDhGexRequest,
    KexEcdhInit,
    KexEcdhReply,
    KexInit,
    NewKeys,
)
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.client.kex import GROUP_EXCHANGE, METHODS, ClientShare, in_group

NONE = ("none",)
PLAIN_HOST_KEYS = tuple(name for name in DEFAULT_HOST_KEY_ALGORITHMS if "-cert-" not in name)
PACKETS = 1 << 40


def host_key_of(algorithm: str, blob: bytes) -> PublicKey:
    """The key that signs by a host key algorithm: the one in the blob, or the one that its certificate is for."""
    return parse_certificate(blob).key if algorithm in CERTIFICATE_ALGORITHMS else parse_public_key(blob)


class RawClient:
    """One connection, as its client."""

    def __init__(
        self,
        entropy: Entropy | None = None,
        *,
        kex: Sequence[str] = DEFAULT_KEX,
        host_keys: Sequence[str] = PLAIN_HOST_KEYS,
        ciphers: Sequence[str] = DEFAULT_CIPHERS,
        macs: Sequence[str] = DEFAULT_MACS,
        compression: Sequence[str] = NONE,
        markers: Sequence[str] = (EXT_INFO_CLIENT, STRICT_CLIENT),
        identification: bytes = b"SSH-2.0-raw",
        auto: bool = True,
    ) -> None:
        self.entropy = entropy or SeededEntropy("client")
        self.identification = identification
        self.auto = auto
        self.offer = KexInit(
            bytes(16),
            (*kex, *markers),
            tuple(host_keys),
            tuple(ciphers),
            tuple(ciphers),
            tuple(macs),
            tuple(macs),
            tuple(compression),
            tuple(compression),
        )
        self.bits = (2048, 2048, 8192)
        """What a group exchange asks for: least, wanted and most."""

        self.reader = PacketReader(PACKETS)
        self.writer = PacketWriter(self.entropy, PACKETS)
        self.received: list[bytes] = []
        """Every payload that came, in order."""

        self.server_identification = b""
        self.session_id: bytes | None = None
        self.host_key = b""
        self.choice: Choice | None = None
        self.strict = False
        self.exchanges = 0
        """Key exchanges that are done in both directions."""

        self._our_kexinit: bytes | None = None
        self._their_kexinit: bytes | None = None
        self._share: ClientShare | None = None
        self._group = b""
        self._authenticated = False
        self._deflater: Any = None
        self._inflater: Any = None
        self._secret = self._hash = b""
        self._waiting: list[bytes] = []
        self._took_key = False

    # --- bytes ------------------------------------------------------------------------------------------------------

    def output(self) -> bytes:
        """Take everything that is to be sent."""
        data = bytes(self.writer.outgoing.view())
        self.writer.outgoing.sent(len(data))
        return data

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes of the server; the payloads that they complete."""
        self.reader.feed(memoryview(data))
        came: list[bytes] = []
        if not self.server_identification:
            line = self.reader.line(4096)
            self.server_identification = (line or b"").rstrip(b"\r\n")
        while self.server_identification:
            payload = self.reader.next()
            if payload is None:
                break
            whole = self._inflated(bytes(payload))
            came.append(whole)
            handler = self._HANDLERS.get(whole[0])
            if handler is not None:
                handler(self, whole)
        self.reader.keep()
        self.received += came
        return came

    # --- saying -----------------------------------------------------------------------------------------------------

    def raw(self, data: bytes) -> None:
        """Send bytes outside of any packet."""
        self.writer.raw(data)

    def send(self, *payloads: bytes) -> None:
        """Send messages now, whatever is going on."""
        for payload in payloads:
            if self._deflater is not None:
                payload = self._deflater.compress(payload) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
            self.writer.write(payload)

    def say(self, *payloads: bytes) -> None:
        """Send messages as soon as it is legal: after the key exchange that is open."""
        if self.in_exchange:
            self._waiting += payloads
        else:
            self.send(*payloads)

    @property
    def in_exchange(self) -> bool:
        """Our KEXINIT is sent, our NEWKEYS is not."""
        return self._our_kexinit is not None and not self._took_key

    def begin(self) -> None:
        """Our identification and KEXINIT."""
        self.send_identification()
        self.send_kexinit()

    def send_identification(self) -> None:
        self.raw(self.identification + b"\r\n")

    def send_kexinit(self, **changes: Any) -> None:
        """Send our KEXINIT, with some fields changed; later ones are without markers unless `changes` say otherwise."""
        offer = self.offer
        if self.session_id is not None:
            offer = replace(offer, kex_algorithms=tuple(name for name in offer.kex_algorithms if name in KEX_METHODS))
        offer = replace(offer, cookie=self.entropy.octets(16), **changes)
        self._our_kexinit = offer.encode()
        self._took_key = False
        self.send(self._our_kexinit)

    def send_kex_init(self) -> None:
        """Send our half of the exchange that both KEXINITs agree on."""
        self.choice = self._agree()
        self._group = b""
        if self.choice.kex == GROUP_EXCHANGE:
            self.send(KexDhGexRequest(*self.bits).encode())
            return
        self._share = METHODS[self.choice.kex](self.entropy)
        self.send(KexEcdhInit(self._share.public).encode())

    def send_gex_init(self) -> None:
        """Send our half of a group exchange whose group is known."""
        assert self._share is not None
        self.send(KexDhGexInit(self._share.public).encode())

    def _agree(self) -> Choice:
        assert self._our_kexinit is not None
        assert self._their_kexinit is not None
        ours, theirs = KexInit.decode(self._our_kexinit), KexInit.decode(self._their_kexinit)
        if self.session_id is None:
            self.strict = STRICT_CLIENT in ours.kex_algorithms and STRICT_SERVER in theirs.kex_algorithms
        return negotiate(ours, theirs)

    def send_newkeys(self) -> None:
        """Send NEWKEYS, and use the new key from then on."""
        self.send(NewKeys().encode())
        self.writer.take_key(self._keys(0).sealer(), restart=self.strict)
        self._took_key = True
        self._choose_deflater()
        waiting, self._waiting = self._waiting, []
        self.send(*waiting)

    # --- the key exchange -------------------------------------------------------------------------------------------

    def _kexinit(self, payload: bytes) -> None:
        self._their_kexinit = payload
        if not self.auto:
            return
        if self._our_kexinit is None:
            self.send_kexinit()
        self.send_kex_init()

    def _inflated(self, payload: bytes) -> bytes:
        return payload if self._inflater is None else bytes(self._inflater.decompress(payload))

    def _choose_deflater(self) -> None:
        assert self.choice is not None
        packs = self._authenticated and self.choice.compression[0] != "none"
        self._deflater = zlib.compressobj() if packs else None

    def _choose_inflater(self) -> None:
        assert self.choice is not None
        packs = self._authenticated and self.choice.compression[1] != "none"
        self._inflater = zlib.decompressobj() if packs else None

    def _success(self, _: bytes) -> None:
        self._authenticated = True
        self._choose_deflater()
        self._choose_inflater()

    def _group_or_reply(self, payload: bytes) -> None:
        self.choice = self._agree()
        if self.choice.kex != GROUP_EXCHANGE:
            self._reply(KexEcdhReply.decode(payload))
            return
        group = KexDhGexGroup.decode(payload)
        self._group = KexDhGexRequest(*self.bits).encode()[1:] + payload[1:]
        self._share = in_group(group.prime, group.generator)(self.entropy)
        if self.auto:
            self.send_gex_init()

    def _reply(self, reply: KexEcdhReply | KexDhGexReply) -> None:
        assert self.choice is not None
        assert self._share is not None
        assert self._our_kexinit is not None
        assert self._their_kexinit is not None
        method = KEX_METHODS[self.choice.kex]
        self._secret = self._share.finish(reply.server_public)
        self._hash = exchange_hash(
            method.hash_name,
            client_version=self.identification,
            server_version=self.server_identification,
            client_kexinit=self._our_kexinit,
            server_kexinit=self._their_kexinit,
            host_key=reply.host_key,
            client_init=self._share.public,
            server_reply=reply.server_public,
            secret=self._secret,
            group=self._group,
        )
        name = self.choice.host_key
        host_key_of(name, reply.host_key).verify(plain_algorithm(name), reply.signature, self._hash)
        self.host_key = reply.host_key
        if self.session_id is None:
            self.session_id = self._hash
        if self.auto:
            self.send_newkeys()

    def _newkeys(self, _: bytes) -> None:
        self.reader.take_key(self._keys(1).opener(), restart=self.strict)
        self._choose_inflater()
        self._our_kexinit = self._their_kexinit = None
        self.exchanges += 1

    def _keys(self, which: int) -> Any:
        assert self.choice is not None
        assert self.session_id is not None
        return derive_keys(
            KEX_METHODS[self.choice.kex].hash_name,
            self._secret,
            self._hash,
            self.session_id,
            (CLIENT_TO_SERVER, SERVER_TO_CLIENT)[which],
            CIPHERS[self.choice.ciphers[which]],
            MACS.get(self.choice.macs[which]),
        )

    _HANDLERS: dict[int, Callable[["RawClient", bytes], None]] = {  # noqa: RUF012
        MessageNumber.KEXINIT: _kexinit,
        MessageNumber.KEX_ECDH_REPLY: _group_or_reply,
        MessageNumber.KEX_DH_GEX_REPLY: lambda client, payload: client._reply(KexDhGexReply.decode(payload)),
        MessageNumber.USERAUTH_SUCCESS: _success,
        MessageNumber.NEWKEYS: _newkeys,
    }

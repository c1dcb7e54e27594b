"""The transport layer, server side (RFC 4253, RFC 8308): packets in order, their gate, and new keys in time.

    machine.feed(data)
    while (got := machine.next(now)) is not None: ...    # an event, or the payload of another layer's message
    machine.keep()

One packet is opened at each call of `next`, because what one says can change what the next one may be.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.transport import KeysTaken, PeerDisconnected, PeerIdentified, SignatureWanted, Signed
from pysshd.ssh.transport import identification
from pysshd.ssh.transport.exchange import Exchange
from pysshd.ssh.transport.framing import framing
from pysshd.ssh.transport.gate import REKEYING, RULINGS, Phase, Ruling, awaiting
from pysshd.ssh.transport.negotiate import EXT_INFO_CLIENT, STRICT_CLIENT, guessed_right, negotiate, offer
from pysshd.ssh.transport.outbox import QUEUED_COST, Outbox
from pysshd.ssh.transport.pace import Pace
from pysshd.ssh.transport.scratch import Scratch
from pysshd.ssh.transport.settings import TransportSettings
from pysshd.ssh.wire.messages.transport import (
    Disconnect,
    ExtInfo,
    KexInit,
    NewKeys,
    Ping,
    Pong,
    ServiceAccept,
    ServiceRequest,
    Unimplemented,
)
from pysshd.ssh.wire.numbers import MessageNumber

USERAUTH_SERVICE = "ssh-userauth"
COOKIE_SIZE = 16
_KEX_NUMBERS = range(30, 50)
_OPEN = Phase.OPEN
_CONNECTION = int(Ruling.CONNECTION)


class TransportMachine:
    """One connection's transport.

    `feed`, `next`, `send`, `tick` and `answer` raise `ProtocolError`, `DecodeError`, `IntegrityError` or
    `KeyExchangeError` where the peer is at fault; the connection is over then, and `disconnect` says so.
    """

    def __init__(
        self,
        settings: TransportSettings,
        entropy: Entropy,
        tickets: Iterator[Ticket],
        now: float,
        scratch: Scratch | None = None,
    ) -> None:
        self._settings = settings
        self._entropy = entropy
        self._tickets = tickets
        scratch = scratch or Scratch()
        self._reader, self._writer, self._compression = framing(settings, entropy, scratch, self._rest)
        self.outgoing = self._writer.outgoing
        self._client_version: bytes | None = None
        self._strict = self._ext_info = False
        self._phase = self._base = Phase.KEXINIT
        self._rulings = RULINGS[Phase.KEXINIT, False]
        self.session_id: bytes | None = None
        self.closed = False
        # One key exchange, from the first KEXINIT to the peer's NEWKEYS.
        self._our_kexinit: bytes | None = None
        self._our_offer: KexInit | None = None
        self._exchange: Exchange | None = None
        self._skip_guess = False
        self._ticket: Ticket | None = None
        self.outbox = Outbox(self._writer, settings.max_queued)
        self._pace = Pace(settings, now)
        self._rekey_bytes = self._pace.bytes_max
        self._preauth_bytes = self._preauth_packets = 0
        self._now = now
        self._writer.raw(settings.identification + b"\r\n")
        self._send_kexinit()

    # --- the peer ---------------------------------------------------------------------------------------------------

    def steady(self, now: float) -> bool:
        """No key exchange goes on, nothing waits for a time, nothing is over: messages come and go."""
        return (
            self._phase is _OPEN
            and not (self.outbox.holding or self.closed or self._reader.held)
            and now >= self._pace.not_before
        )

    def feed(self, data: memoryview) -> None:
        """Bytes that came; they have to stay as they are until `keep`."""
        self._reader.feed(data)

    def take(self, data: memoryview, now: float) -> memoryview | None:
        """The payload, where `data` are one message of the connection protocol in one packet: none is left to `keep`.

        None: `next` says what there is, as after `feed`.
        """
        reader, payload = self._reader, None
        if self._phase is _OPEN and not self.closed and now >= self._pace.not_before:
            payload = reader.sole(data)
        if payload is None:
            reader.feed(data)
            return None
        self._now = now
        if reader.bytes >= self._rekey_bytes:
            self._rekey()
        if self._rulings[payload[0]] == _CONNECTION:
            return payload
        reader.put_back(payload)
        return None

    def keep(self) -> int:
        """No `next` follows: what it left is copied. Returns how much that is."""
        return self._reader.keep()

    @property
    def held(self) -> int:
        """Bytes that came and were not opened yet."""
        return self._reader.held

    def waits(self, now: float) -> bool:
        """`next` gives nothing whatever came: a signature is owed, the peer is slowed down, or all is over."""
        return self._ticket is not None or self.closed or now < self._pace.not_before

    def next(self, now: float) -> memoryview | Event | None:
        """The payload of a message for another layer (valid until `feed`), an event, or None."""
        self._now = now
        reader = self._reader
        while not (self._ticket is not None or self.closed or now < self._pace.not_before):
            if self._client_version is None:
                return self._identify()
            payload = reader.next()
            if payload is None:
                return None
            if self._base is not Phase.OPEN:
                self._count_preauth(payload)
            elif reader.bytes >= self._rekey_bytes:
                self._rekey()
            number = payload[0]
            if self._skip_guess:
                self._drop_guess(number)
                continue
            ruling = self._rulings[number]
            if ruling >= Ruling.USERAUTH:
                return payload
            event = self._take(number, Ruling(ruling), payload)
            if event is not None:
                return event
        return None

    def gather(self, payload: memoryview) -> tuple[memoryview, int]:
        """What `PacketReader.gather` says: data alone change nothing of what may come next."""
        return self._reader.gather(payload)

    def _identify(self) -> PeerIdentified | None:
        line = self._reader.line(identification.LINE_SIZE_MAX)
        if line is None:
            return None
        self._client_version = identification.parse(line)
        return PeerIdentified(self._client_version)

    def _count_preauth(self, payload: memoryview) -> None:
        self._preauth_packets += 1
        self._preauth_bytes += len(payload) + QUEUED_COST
        if self._preauth_packets > self._settings.preauth_packets or self._preauth_bytes > self._settings.preauth_bytes:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR,
                f"peer sent {self._preauth_packets} packets and {self._preauth_bytes} bytes before it is authenticated",
            )

    def _drop_guess(self, number: int) -> None:
        """The one packet that was sent on a wrong guess (RFC 4253 §7.1)."""
        if number not in _KEX_NUMBERS:
            raise self._forbidden(number)
        self._skip_guess = False

    def _take(self, number: int, ruling: Ruling, payload: memoryview) -> Event | None:
        if self._phase is Phase.FRESH:
            self._enter(Phase.SERVICE)
        if ruling is Ruling.FORBIDDEN:
            raise self._forbidden(number)
        if ruling is Ruling.UNKNOWN:
            # Legal also while a key exchange is open, so it never waits.
            self._writer.write(Unimplemented(self._reader.last_sequence).encode())
        elif ruling is Ruling.TRANSPORT:
            return self._HANDLERS[number](self, payload)
        return None

    def _forbidden(self, number: int) -> ProtocolError:
        strict = ", strict" if self._strict else ""
        return ProtocolError(
            DisconnectReason.PROTOCOL_ERROR, f"message {number} came in phase {self._phase.name.lower()}{strict}"
        )

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        if phase not in REKEYING:
            self._base = phase
        self._rulings = RULINGS[phase, self._strict]

    def _disconnected(self, payload: memoryview) -> Event:
        message = Disconnect.decode(payload)
        self.closed = True
        return PeerDisconnected(message.reason, message.description)

    def _service(self, payload: memoryview) -> None:
        service = ServiceRequest.decode(payload).service
        if service != USERAUTH_SERVICE:
            raise ProtocolError(
                DisconnectReason.SERVICE_NOT_AVAILABLE,
                f"service {service[:64]!a} was asked for, expected {USERAUTH_SERVICE}",
            )
        self.send(ServiceAccept(USERAUTH_SERVICE).encode())
        self._enter(Phase.AUTH)

    def _extensions(self, payload: memoryview) -> None:
        ExtInfo.decode(payload)  # nothing that a client may say there changes what we do

    def _rest(self) -> None:
        self._pace.rest(self._now)

    def _ping(self, payload: memoryview) -> None:
        self.send(Pong(Ping.decode(payload).data).encode())

    # --- sending ----------------------------------------------------------------------------------------------------

    def send(self, payload: bytes) -> None:
        """Send a message of any layer, now or after the key exchange that is open."""
        self.outbox.send(payload)

    def send_parts(self, head: bytes, body: bytes | bytearray | memoryview) -> None:
        """Send bulk data, which never waits here: `ValueError` while the outbox holds. `rekey_if_due` is to follow."""
        if self.outbox.holding:
            raise ValueError("data were sent while a key exchange is open, expected none until its end")
        self._writer.write(head, body)

    def send_slots(self, head: bytes, size: int) -> None:
        """As `send_parts`, for `size` bytes in the slots of the scratch: `head | string` in each packet."""
        if self.outbox.holding:
            raise ValueError("data were sent while a key exchange is open, expected none until its end")
        self._writer.write_slots(head, size)
        self.rekey_if_due()

    def rekey_if_due(self) -> None:
        """Begin a key exchange once enough was sent under this key."""
        if self._writer.bytes >= self._rekey_bytes:
            self._rekey()

    def authenticated(self) -> None:
        """SSH_MSG_USERAUTH_SUCCESS is sent: the connection protocol begins."""
        self._enter(Phase.OPEN)
        if self._compression is not None:
            self._compression.start()

    def disconnect(self, reason: DisconnectReason, text: str) -> None:
        """Say so, and never anything again."""
        if not self.closed:
            self.stop()
            with suppress(ProtocolError):  # a key that has sealed all that it may says nothing more
                self._writer.write(Disconnect(reason, text.encode()).encode())

    def stop(self) -> None:
        """Take and send nothing any more."""
        self.closed = True
        self.outbox.clear()
        self._reader.clear()

    # --- key exchange -----------------------------------------------------------------------------------------------

    def _send_kexinit(self) -> None:
        first = self.session_id is None
        self._our_offer = offer(self._settings, self._entropy.octets(COOKIE_SIZE), first)
        self._our_kexinit = self._our_offer.encode()
        self._writer.write(self._our_kexinit)
        self.outbox.hold()
        self._pace.begun(self._now)

    def _rekey(self) -> None:
        """Begin a key exchange, unless one is open already."""
        if self._our_kexinit is None:
            self._send_kexinit()

    def _kexinit(self, payload: memoryview) -> None:
        init = KexInit.decode(payload)
        first = self.session_id is None
        if first:
            self._first_kexinit(init)
        if self._our_kexinit is None:
            self._pace.asked(self._now, self._reader.bytes + self._writer.bytes, self._base is Phase.OPEN)
            self._send_kexinit()
        assert self._our_kexinit is not None
        assert self._our_offer is not None
        assert self._client_version is not None
        choice = negotiate(init, self._our_offer)
        self._skip_guess = init.first_kex_packet_follows and not guessed_right(init, self._our_offer)
        self._exchange = Exchange(
            choice,
            self._client_version,
            self._settings.identification,
            bytes(payload),
            self._our_kexinit,
            self._settings.host_keys[choice.host_key],
        )
        self._enter_exchange()

    def _first_kexinit(self, init: KexInit) -> None:
        self._strict = STRICT_CLIENT in init.kex_algorithms
        self._ext_info = EXT_INFO_CLIENT in init.kex_algorithms
        if self._strict and self._reader.last_sequence != 0:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR,
                f"first kexinit of a strict peer is packet {self._reader.last_sequence}, expected 0",
            )
        if self._settings.require_strict_kex and not self._strict:
            raise ProtocolError(
                DisconnectReason.KEY_EXCHANGE_FAILED, f"peer does not offer {STRICT_CLIENT}, which the policy requires"
            )

    def _enter_exchange(self) -> None:
        assert self._exchange is not None
        assert self._exchange.awaits is not None
        self._enter(awaiting(self._exchange.awaits, first=self.session_id is None))

    def _exchange_message(self, payload: memoryview) -> SignatureWanted | None:
        exchange = self._exchange
        assert exchange is not None
        said = exchange.take(self._entropy, payload)
        if said is not None:
            self._writer.write(said)
            self._enter_exchange()
            return None
        self._ticket = next(self._tickets)
        return SignatureWanted(self._ticket, exchange.choice.host_key, exchange.exchange_hash)

    def answer(self, ticket: Ticket, verdict: Signed) -> None:
        """The signature that was wanted; a ticket that is not owed (any more) is dropped."""
        if self.closed or self._ticket is None or ticket != self._ticket:
            return
        exchange = self._exchange
        assert exchange is not None
        reply = exchange.reply(verdict.signature)
        self._ticket = None
        first = self.session_id is None
        if self.session_id is None:
            self.session_id = exchange.exchange_hash
        self._writer.write(reply)
        self._writer.write(NewKeys().encode())
        self._writer.take_key(exchange.server_keys(self.session_id).sealer(), restart=self._strict)
        if self._compression is not None:
            self._compression.sends(exchange.choice.compression[1])
        if first and self._ext_info:
            self._send_ext_info()
        self._enter(Phase.NEWKEYS if first else Phase.REKEY_NEWKEYS)
        self.outbox.release()

    def _send_ext_info(self) -> None:
        algorithms = ",".join(self._settings.server_sig_algs).encode()
        told = (("server-sig-algs", algorithms), *self._settings.extensions.items())
        self._writer.write(ExtInfo(told).encode())

    def _newkeys(self, payload: memoryview) -> KeysTaken:
        NewKeys.decode(payload)
        exchange = self._exchange
        assert exchange is not None
        assert self.session_id is not None
        self._reader.take_key(exchange.client_keys(self.session_id).opener(), restart=self._strict)
        if self._compression is not None:
            self._compression.receives(exchange.choice.compression[0])
        first = self._phase is Phase.NEWKEYS
        self._exchange = self._our_kexinit = self._our_offer = None
        self._pace.ended(self._now)
        self._enter(Phase.FRESH if first else self._base)
        choice = exchange.choice
        return KeysTaken(first, choice.kex, choice.host_key, choice.ciphers, choice.macs, self._strict)

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def next_deadline(self) -> float | None:
        """When `tick` has something to do, or `next` goes on."""
        return None if self.closed else self._pace.next_deadline(self._now, self._base is Phase.OPEN)

    def tick(self, now: float) -> None:
        """Let time pass: begin a key exchange that is due, give up one that lasts too long."""
        self._now = now
        if self.closed:
            return
        self._pace.check(now)
        if self._base is Phase.OPEN and self._pace.due(now):
            self._rekey()

    _HANDLERS: ClassVar[Mapping[int, Callable[[Any, memoryview], Event | None]]] = {
        MessageNumber.DISCONNECT: _disconnected,
        MessageNumber.SERVICE_REQUEST: _service,
        MessageNumber.EXT_INFO: _extensions,
        MessageNumber.KEXINIT: _kexinit,
        MessageNumber.NEWKEYS: _newkeys,
        MessageNumber.KEX_ECDH_INIT: _exchange_message,
        MessageNumber.KEX_DH_GEX_REQUEST: _exchange_message,
        MessageNumber.KEX_DH_GEX_INIT: _exchange_message,
        MessageNumber.PING: _ping,
    }

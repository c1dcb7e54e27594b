"""The connection protocol, server side (RFC 4254): channels, their data and windows, and answers in order."""

import struct
from collections.abc import Callable, Iterator

from pysshd.errors import DecodeError, DisconnectReason, ProtocolError
from pysshd.ssh.connection.channel import SPEAKING, STEPS, Channel, Life, Step
from pysshd.ssh.connection.global_requests import KEEPALIVE, GlobalRequests, announcement
from pysshd.ssh.connection.liveness import Due, Liveness
from pysshd.ssh.connection.opening import Opening
from pysshd.ssh.connection.owed import OwedVerdicts
from pysshd.ssh.connection.replies import Slot
from pysshd.ssh.connection.requests import EOW, PROGRAM, Kind, read_request
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.events.channels import (
    ChannelClosed,
    DataReceived,
    EofReceived,
    OutputUnwanted,
    WindowOpened,
)
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.requests import RequestVerdict
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.wire.messages.connection import (
    ChannelClose,
    ChannelEof,
    ChannelFailure,
    ChannelRequest,
    ChannelSuccess,
    ChannelWindowAdjust,
    GlobalRequest,
)
from pysshd.ssh.wire.messages.requests import ExitSignal, ExitStatus
from pysshd.ssh.wire.numbers import MessageNumber

_ADJUST = struct.Struct(">BII")
_DATA_HEAD = struct.Struct(">BII")
_EXTENDED_HEAD = struct.Struct(">BIII")
DATA_HEAD = _DATA_HEAD.size
"""Bytes of a CHANNEL_DATA in front of its data: number, channel and size (RFC 4254 §5.2)."""

_DATA_RUN = struct.Struct(">BI")
_EXTENDED_RUN = struct.Struct(">BII")


class ConnectionMachine:
    """All channels of one connection.

    `receive` raises `ProtocolError` or `DecodeError` where the peer broke the protocol; `tick` returns
    `ConnectionFailed` where it is dead or the connection is of no use. Either way the connection is over.

    What is sent on a channel that is closing or gone is dropped in silence, for the peer may close at any time.
    """

    def __init__(self, settings: ConnectionSettings, tickets: Iterator[Ticket], now: float) -> None:
        self._settings = settings
        self._payloads: list[bytes] = [announcement(settings.host_keys)] if settings.host_keys else []
        self._channels: dict[int, Channel] = {}
        self._owed = OwedVerdicts(tickets, settings.max_pending)
        self.unanswered = self._owed.open
        """The questions of which the verdicts are owed."""

        self._globals = GlobalRequests(settings, self._owed, self._payloads)
        self._opening = Opening(settings, self._owed, self._payloads, self._channels, self._forget)
        self._liveness = Liveness(settings, now)
        self._receivers: dict[int, Callable[[memoryview], list[Event]]] = {
            MessageNumber.GLOBAL_REQUEST: self._globals.receive,
            MessageNumber.REQUEST_SUCCESS: lambda payload: [],
            MessageNumber.REQUEST_FAILURE: lambda payload: [],
            MessageNumber.CHANNEL_OPEN: self._open,
        }
        self._channel_receivers: dict[int, Callable[[Channel, memoryview], list[Event]]] = {
            MessageNumber.CHANNEL_WINDOW_ADJUST: self._window_adjust,
            MessageNumber.CHANNEL_DATA: self._data,
            MessageNumber.CHANNEL_EXTENDED_DATA: self._extended_data,
            MessageNumber.CHANNEL_EOF: self._eof,
            MessageNumber.CHANNEL_CLOSE: self._close,
            MessageNumber.CHANNEL_REQUEST: self._channel_request,
        }

    # --- the peer ---------------------------------------------------------------------------------------------------

    def receive(self, payload: memoryview) -> list[Event]:
        """Take one message with a number from 80 to 127; the data of `DataReceived` are a view into it."""
        self._liveness.heard = True
        if not payload:
            raise DecodeError("connection message is empty, expected a message number")
        number = payload[0]
        steps = STEPS.get(number)
        if steps is None:
            receiver = self._receivers.get(number)
            if receiver is None:
                raise ProtocolError(DisconnectReason.PROTOCOL_ERROR, f"message {number} came, which nobody defined")
            return receiver(payload)
        if len(payload) < 5:
            raise DecodeError(f"message {number} has {len(payload)} bytes, expected a channel number")
        recipient = int.from_bytes(payload[1:5], "big")
        channel = self._channels.get(recipient)
        life = Life.NONE if channel is None else channel.life
        step = steps[life]
        if step is Step.REFUSE:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR,
                f"message {number} came for channel {recipient}, which is {life.name.lower()}",
            )
        if step is Step.IGNORE or channel is None:
            return []
        events = self._channel_receivers[number](channel, payload)
        return events if step is Step.TAKE else []

    def taking(self, payload: memoryview) -> Channel | None:
        """The channel that takes the data of this CHANNEL_DATA, or None where `receive` is to look at it."""
        if len(payload) < DATA_HEAD:
            return None
        _, number, size = _DATA_HEAD.unpack_from(payload)
        channel = self._channels.get(number)
        if channel is None or channel.life is not Life.OPEN or size != len(payload) - DATA_HEAD:
            return None
        return channel

    def receive_data(self, channel: Channel, data: memoryview, largest: int) -> list[Event]:
        """As `receive`, for the data of several messages in a row that are for a channel of `taking`.

        `largest` is the most that one of them carried.
        """
        self._liveness.heard = True
        if not data:
            return []
        channel.receive.charge(len(data), largest)
        return [DataReceived(channel.number, data, 0)]

    def answer(self, ticket: Ticket, verdict: Verdict) -> list[Event]:
        """Act on the verdict that was owed for `ticket`; a ticket that is not owed (any more) is dropped.

        `TypeError` and `ValueError` for a verdict that can not answer the question, which then is still owed.
        """
        self._owed.settle(ticket, verdict)
        return []

    def take_payloads(self) -> list[bytes]:
        """The messages to send, in their order and before any data whose head is made later; each is given once."""
        payloads = self._payloads.copy()
        self._payloads.clear()
        return payloads

    # --- the clock --------------------------------------------------------------------------------------------------

    @property
    def next_deadline(self) -> float | None:
        """When `tick` has something to do, on the clock of `now`; None for never. It changes with every call."""
        return self._liveness.deadline(len(self._channels))

    def tick(self, now: float) -> list[Event]:
        """Let time pass until `now`."""
        due = self._liveness.look(now, len(self._channels))
        if due is Due.KEEPALIVE:
            self._payloads.append(GlobalRequest(KEEPALIVE, want_reply=True).encode())
        elif due is Due.DEAD:
            return [ConnectionFailed(DisconnectReason.CONNECTION_LOST, "peer left every keepalive unanswered")]
        elif due is Due.UNUSED:
            return [ConnectionFailed(DisconnectReason.BY_APPLICATION, "connection had no channel for too long")]
        return []

    # --- the driver -------------------------------------------------------------------------------------------------

    def writable(self, channel: ChannelId) -> int:
        """How many bytes one data message on the channel may carry now; 0 where none may be sent."""
        found = self._speaking(channel)
        return 0 if found is None or found.eof_sent else found.send.writable

    def data_head(self, channel: ChannelId, size: int, extended: int) -> bytes:
        """Charge the window and return what stands before `size` bytes of data in their message.

        `extended` is 0, or the data type code. `ValueError` past `writable`.
        """
        found = self._speaking(channel)
        if found is None or found.eof_sent:
            raise ValueError(f"channel {channel} takes no data from us any more")
        found.send.charge(size)
        if extended:
            return _EXTENDED_HEAD.pack(MessageNumber.CHANNEL_EXTENDED_DATA, found.peer, extended, size)
        return _DATA_HEAD.pack(MessageNumber.CHANNEL_DATA, found.peer, size)

    def room(self, channel: ChannelId) -> tuple[int, int]:
        """How many bytes may be sent on the channel now, and how many of them one data message carries at most."""
        found = self._channels.get(channel)
        if found is None or found.eof_sent or found.life not in SPEAKING:
            return 0, 0
        return found.send.left, found.send.packet

    def unread(self, channel: ChannelId) -> int:
        """How many bytes were sent on the channel for which the peer has not widened its window again."""
        found = self._channels.get(channel)
        return 0 if found is None else found.send.unread

    def run_head(self, channel: ChannelId, size: int, extended: int) -> tuple[bytes, int]:
        """As `data_head` for `size` bytes in several messages: what stands before the string in each of them.

        And how many bytes more may be sent.
        """
        found = self._channels.get(channel)
        if found is None or found.eof_sent or found.life not in SPEAKING:
            raise ValueError(f"channel {channel} takes no data from us any more")
        found.send.charge_all(size)
        if extended:
            return _EXTENDED_RUN.pack(MessageNumber.CHANNEL_EXTENDED_DATA, found.peer, extended), found.send.left
        return _DATA_RUN.pack(MessageNumber.CHANNEL_DATA, found.peer), found.send.left

    def consumed(self, channel: ChannelId, size: int) -> bool:
        """So many bytes of data that came were passed on, and the peer may send as many. Whether it is told now."""
        found = self._channels.get(channel)
        if found is None:
            return False
        adjust = found.receive.consume(size)
        if not adjust or found.life is not Life.OPEN:
            return False
        self._payloads.append(ChannelWindowAdjust(found.peer, adjust).encode())
        return True

    def send_eof(self, channel: ChannelId) -> None:
        """No more data will be sent on the channel."""
        found = self._speaking(channel)
        if found is not None and not found.eof_sent:
            found.eof_sent = True
            self._payloads.append(ChannelEof(found.peer).encode())

    def send_eow(self, channel: ChannelId) -> None:
        """The program reads no more; whatever it is still sent is dropped."""
        found = self._speaking(channel)
        if found is not None and found.life is Life.OPEN:
            self._payloads.append(ChannelRequest(found.peer, EOW, want_reply=False, data=b"").encode())

    def send_exit_status(self, channel: ChannelId, status: int) -> None:
        """The program ended by itself (RFC 4254 §6.10); the first of the exits that are sent on a channel counts."""
        self._send_exit(channel, "exit-status", ExitStatus(status).encode())

    def send_exit_signal(self, channel: ChannelId, name: str, core_dumped: bool, text: str) -> None:
        """A signal ended the program (RFC 4254 §6.10); `name` is without SIG, see `wire.signals`."""
        self._send_exit(channel, "exit-signal", ExitSignal(name, core_dumped, text.encode()).encode())

    def close(self, channel: ChannelId) -> None:
        """Close the channel; `ChannelClosed` comes when the peer has, too. `ValueError` before its verdict."""
        found = self._channels.get(channel)
        if found is not None and found.life is Life.OPENING:
            raise ValueError(f"channel {channel} is not open yet, expected an OpenVerdict instead")
        if found is not None and found.life in SPEAKING:
            self._say_close(found)

    def _speaking(self, number: ChannelId) -> Channel | None:
        channel = self._channels.get(number)
        return channel if channel is not None and channel.life in SPEAKING else None

    def _send_exit(self, number: ChannelId, kind: str, data: bytes) -> None:
        channel = self._speaking(number)
        if channel is not None and not channel.exit_sent:
            channel.exit_sent = True
            self._payloads.append(ChannelRequest(channel.peer, kind, want_reply=False, data=data).encode())

    def _say_close(self, channel: Channel) -> None:
        """Our CLOSE is the last message for the channel, so whatever still waits for an answer is forgotten."""
        channel.life = Life.CLOSING
        self._owed.forget(channel.number)
        self._payloads.append(ChannelClose(channel.peer).encode())

    def _open(self, payload: memoryview) -> list[Event]:
        return self._opening.receive(payload, self._globals.no_more_sessions)

    # --- messages on a channel --------------------------------------------------------------------------------------

    def _window_adjust(self, channel: Channel, payload: memoryview) -> list[Event]:
        if len(payload) != _ADJUST.size:
            ChannelWindowAdjust.decode(payload)  # says what is wrong
        size: int = _ADJUST.unpack(payload)[2]
        short = channel.send.left < channel.send.packet
        channel.send.widen(size)
        return [WindowOpened(channel.number)] if short and size and not channel.eof_sent else []

    def _data(self, channel: Channel, payload: memoryview) -> list[Event]:
        if len(payload) < 9 or int.from_bytes(payload[5:9], "big") != len(payload) - 9:
            raise DecodeError(f"channel data message of {len(payload)} bytes does not hold the length that it says")
        data = payload[9:]
        if not data:
            return []
        channel.receive.charge(len(data))
        return [DataReceived(channel.number, data, 0)]

    def _extended_data(self, channel: Channel, payload: memoryview) -> list[Event]:
        """A client has no second stream to send, whatever its type: dropped, and the window given back (S80)."""
        size = len(payload) - 13
        if size < 0 or int.from_bytes(payload[9:13], "big") != size:
            raise DecodeError(f"extended data message of {len(payload)} bytes does not hold the length that it says")
        channel.receive.charge(size)
        self.consumed(channel.number, size)
        return []

    def _eof(self, channel: Channel, payload: memoryview) -> list[Event]:
        ChannelEof.decode(payload)
        channel.life = Life.PEER_EOF
        return [EofReceived(channel.number)]

    def _close(self, channel: Channel, payload: memoryview) -> list[Event]:
        ChannelClose.decode(payload)
        if channel.life is not Life.CLOSING:
            self._say_close(channel)
        self._forget(channel)
        return [ChannelClosed(channel.number)]

    def _channel_request(self, channel: Channel, payload: memoryview) -> list[Event]:
        message = ChannelRequest.decode(payload)
        if message.kind == EOW and not message.want_reply and not message.data and PROGRAM in channel.asked:
            return [OutputUnwanted(channel.number)]
        request = read_request(channel, message.kind, message.data, self._settings)
        if request is None:
            if message.want_reply:
                channel.replies.reserve(ChannelFailure(channel.peer).encode())
            return []
        kind, ask = request
        slot = channel.replies.reserve() if message.want_reply else None
        ticket = self._owed.ask(
            RequestVerdict, lambda verdict: self._settle_request(channel, kind, slot, verdict), channel.number
        )
        if kind.once is not None:
            channel.asked.add(kind.once)
        return [ask(ticket, channel.number)]

    def _settle_request(self, channel: Channel, kind: Kind, slot: Slot | None, verdict: RequestVerdict) -> None:
        ok = verdict.ok is True
        if not ok and kind.once is not None:
            channel.asked.discard(kind.once)
        if slot is not None:
            channel.replies.fill(slot, (ChannelSuccess if ok else ChannelFailure)(channel.peer).encode())

    def _forget(self, channel: Channel) -> None:
        del self._channels[channel.number]
        self._liveness.used()

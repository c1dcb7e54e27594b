"""One connection: bytes in, events out; answers in, bytes out.

    stack = Stack(settings, entropy, now)
    events = stack.receive_data(data, now)                  # while stack.wants_data
    events = stack.answer(ticket, verdict, now)
    stack.output.sent(socket.send(stack.output.view()))     # while stack.output.waiting
    events = stack.tick(now)                                # when stack.next_deadline has come

`now` is monotonic seconds. Whatever the peer sends, no exception comes out: its fault becomes one SSH_MSG_DISCONNECT
with a text that tells nothing, a `ConnectionFailed` event that tells the log everything, and `closed`.
"""

from collections.abc import Iterator
from dataclasses import field
from itertools import count

from pysshd.errors import DisconnectReason, ProtocolError, PysshdError
from pysshd.records import dataclass
from pysshd.ssh.connection.machine import DATA_HEAD, ConnectionMachine
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.crypto.shares import Entropy
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.transport import ConnectionFailed, PeerIdentified, Signed
from pysshd.ssh.events.userauth import AuthOffer, AuthVerdict, Challenge
from pysshd.ssh.transport.faults import FAULTS, told
from pysshd.ssh.transport.machine import TransportMachine
from pysshd.ssh.transport.scratch import SMALL_SIZE, Scratch
from pysshd.ssh.transport.settings import TransportSettings
from pysshd.ssh.userauth.machine import UserauthMachine
from pysshd.ssh.userauth.settings import UserauthSettings
from pysshd.ssh.wire.numbers import MessageNumber

_CHANNEL_DATA = int(MessageNumber.CHANNEL_DATA)
_FLOW = (_CHANNEL_DATA, int(MessageNumber.CHANNEL_WINDOW_ADJUST))
"""Messages of which there are many: nothing is owed for one, and nothing is sent."""

_OPENSSH = b"SSH-2.0-OpenSSH"


@dataclass(frozen=True, slots=True)
class StackSettings:
    """The settings of the three machines, and what concerns them all."""

    transport: TransportSettings
    userauth: UserauthSettings = field(default_factory=UserauthSettings)
    connection: ConnectionSettings = field(default_factory=ConnectionSettings)

    login_grace: float = 0.0
    """Seconds from the start of the connection to its authentication, whatever comes in between (S03); 0: no limit."""

    max_unanswered: int = 32
    """Requests of an authenticated peer that may wait for their answers before nothing more is opened."""

    max_outgoing: int = 1 << 20
    """Bytes: while so much waits to be sent, nothing more is opened."""

    max_held: int = 1 << 20
    """Bytes that may wait to be opened; a driver that heeds `wants_data` stays below."""


class Stack:
    """The server side of one SSH connection, without any I/O."""

    def __init__(self, settings: StackSettings, entropy: Entropy, now: float, scratch: Scratch | None = None) -> None:
        """Our identification and KEXINIT are there to be sent at once. `scratch` is shared by all of a process."""
        self.scratch = scratch or Scratch()
        self._settings = settings
        self._tickets: Iterator[Ticket] = (Ticket(number) for number in count(1))
        self._transport = TransportMachine(settings.transport, entropy, self._tickets, now, self.scratch)
        self._outbox = self._transport.outbox
        self.output = self._transport.outgoing
        """The bytes that wait to be sent: `waiting` says how many, `view` gives them, `sent` takes them off.

        A view lasts until anything else is called.
        """

        self.unsettled = True
        """Something may have changed what `closed`, `wants_data` and `next_deadline` say; who looks says False here."""

        self._userauth = UserauthMachine(settings.userauth, self._tickets)
        self._connection: ConnectionMachine | None = None
        self._grace_deadline = now + settings.login_grace if settings.login_grace else None
        self._now = now
        self._is_openssh = False
        self._stopped = False
        """Input waits that could have been opened."""

        self._late: list[Event] = []
        """What happened in a call that returns no events."""

    # --- input ------------------------------------------------------------------------------------------------------

    @property
    def wants_data(self) -> bool:
        """The driver should read from the peer; False while what would come could not be opened, and once closed.

        That is: while an answer is owed that decides what may come next, while the peer is slowed down, and while too
        much waits to be answered or sent.
        """
        return not self._stalled()

    def receive_data(self, data: bytes | bytearray | memoryview, now: float) -> list[Event]:
        """Take bytes from the peer. `data` may be reused afterwards; the views in events last until the next call.

        That is the next call of any stack with the same scratch.
        """
        transport, connection = self._transport, self._connection
        # As `_begin`, without the call, and the rest too: this is what a keystroke takes.
        self._now = now
        events, self._late = self._late, []
        if transport.closed:
            return events
        try:
            if self._stopped and transport.held + len(data) > self._settings.max_held:
                raise ProtocolError(DisconnectReason.BY_APPLICATION, "too much input waits for an answer")
            if connection is None or len(data) > SMALL_SIZE or self._busy(connection):
                transport.feed(memoryview(data))
                self._pull(events)
            elif (payload := transport.take(memoryview(data), now)) is None:
                self._pull(events)
            else:
                self._take(connection, payload, events)
        except FAULTS as error:
            self._fail(error, events)
        return events

    def receive_eof(self) -> None:
        """The peer will send no more bytes: the connection is closed, and what was not opened yet is dropped."""
        self.unsettled = True
        self._transport.stop()

    def answer(self, ticket: Ticket, verdict: Verdict, now: float) -> list[Event]:
        """Give the answer that an event asked for, and go on with what had to wait for it.

        An answer that nobody waits for (any more) is dropped; one that does not fit its event is a `TypeError` or
        `ValueError`: our own defect.
        """
        events = self._begin(now)
        if self.closed:
            return events
        try:
            if isinstance(verdict, Signed):
                self._transport.answer(ticket, verdict)
            elif isinstance(verdict, AuthOffer | AuthVerdict | Challenge):
                self._note(self._userauth.answer(ticket, verdict), events)
            elif self._connection is not None:
                self._note(self._connection.answer(ticket, verdict), events)
            self._flush()
        except FAULTS as error:
            self._fail(error, events)
        self._pull(events)
        return events

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def next_deadline(self) -> float | None:
        """When `tick` wants to be called, or None. It may have passed: then input that had to wait can be opened."""
        if self._late or (self._stopped and not self.closed and not self._stalled()):
            return self._now
        if self.closed:
            return None
        # Of an authenticated connection there is no grace: one of the two is None.
        other = self._grace_deadline if self._connection is None else self._connection.next_deadline
        nearest = self._transport.next_deadline
        if nearest is None or other is None:
            return other if nearest is None else nearest
        return min(nearest, other)

    def tick(self, now: float) -> list[Event]:
        """Look at the clock: grace, keepalives, new keys, and input that had to wait."""
        events = self._begin(now)
        if self.closed:
            return events
        try:
            if self._grace_deadline is not None and now >= self._grace_deadline:
                raise ProtocolError(
                    DisconnectReason.BY_APPLICATION,
                    f"peer did not authenticate within {self._settings.login_grace:g} seconds",
                )
            self._transport.tick(now)
            if self._connection is not None:
                self._note(self._connection.tick(now), events)
            self._flush()
        except FAULTS as error:
            self._fail(error, events)
        self._pull(events)
        return events

    # --- channels ---------------------------------------------------------------------------------------------------

    def writable(self, channel: ChannelId) -> int:
        """How many bytes `send_data` takes now: what the peer's window has left, 0 while a key exchange is open.

        Look again after `WindowOpened`, after `KeysTaken`, and after the answer to a `SignatureWanted`.
        """
        if self._connection is None or self._outbox.holding or self._transport.closed:
            return 0
        return self._connection.room(channel)[0]

    def unread(self, channel: ChannelId) -> int:
        """How many bytes of what was sent the peer has not made room for again: they are under way, or lie with it."""
        return 0 if self._connection is None else self._connection.unread(channel)

    def send_data(self, channel: ChannelId, data: bytes | bytearray | memoryview, extended: int = 0) -> None:
        """Send at most `writable` bytes, in as many packets as the peer wants; `ValueError` for more."""
        size = len(data)
        connection, transport = self._connection, self._transport
        if connection is None or size > self.writable(channel):
            raise ValueError(f"channel {channel} was sent {size} bytes, expected at most {self.writable(channel)}")
        view, at = memoryview(data), 0
        try:
            while at < size:
                end = min(size, at + connection.writable(channel))
                transport.send_parts(connection.data_head(channel, end - at, extended), view[at:end])
                at = end
            transport.rekey_if_due()
            self.unsettled = True
        except FAULTS as error:
            self._fail(error, self._late)

    def reserve(self, channel: ChannelId, limit: int) -> list[memoryview]:
        """Places for at most `limit` bytes of data, to be filled from the first on; none where nothing can be sent now.

        They are every connection's, so `commit` has to follow before any other call.
        """
        if self._connection is None or self._outbox.holding or self._transport.closed:
            return []
        room, packet = self._connection.room(channel)
        size = min(limit, room)
        return self.scratch.slots.views(size, packet) if size > 0 else []

    def commit(self, channel: ChannelId, size: int, extended: int = 0) -> int:
        """Send the first `size` bytes of what stands in the places that `reserve` gave; what is `writable` then."""
        if self._connection is None or not size:
            return 0
        head, left = self._connection.run_head(channel, size, extended)
        try:
            self._transport.send_slots(head, size)
        except FAULTS as error:
            self._fail(error, self._late)
            return 0
        if self._outbox.holding:
            self.unsettled = True
            return 0
        return left

    def consumed(self, channel: ChannelId, size: int) -> None:
        """`size` bytes of a channel's data are passed on: the peer may send as many more."""
        if self._connection is not None and self._connection.consumed(channel, size):
            self._flush_late()

    def send_eof(self, channel: ChannelId) -> None:
        """No more data will be sent on this channel."""
        if self._connection is not None:
            self._connection.send_eof(channel)
            self._flush_late()

    def send_eow(self, channel: ChannelId) -> None:
        """The program reads no more. Only OpenSSH is told (its PROTOCOL §2.1), for nobody else may know the message."""
        if self._connection is not None and self._is_openssh:
            self._connection.send_eow(channel)
            self._flush_late()

    def send_exit_status(self, channel: ChannelId, status: int) -> None:
        """How the program ended (RFC 4254 §6.10)."""
        if self._connection is not None:
            self._connection.send_exit_status(channel, status)
            self._flush_late()

    def send_exit_signal(self, channel: ChannelId, name: str, core_dumped: bool, text: str) -> None:
        """Which signal ended the program, without SIG (RFC 4254 §6.10)."""
        if self._connection is not None:
            self._connection.send_exit_signal(channel, name, core_dumped, text)
            self._flush_late()

    def close_channel(self, channel: ChannelId) -> None:
        """Close our side; `ChannelClosed` comes when the peer has closed too."""
        if self._connection is not None:
            self._connection.close(channel)
            self._flush_late()

    # --- the connection ---------------------------------------------------------------------------------------------

    def disconnect(self, reason: DisconnectReason, text: str) -> None:
        """Say SSH_MSG_DISCONNECT with a text for the peer to read, and close. Nothing is processed afterwards."""
        self.unsettled = True
        self._transport.disconnect(reason, text)

    @property
    def closed(self) -> bool:
        """Nothing more is processed: send what waits, then close the socket."""
        return self._transport.closed

    @property
    def session_id(self) -> bytes | None:
        """The first exchange hash (RFC 4253 §7.2), None before it is known."""
        return self._transport.session_id

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> list[Event]:
        self.unsettled = True
        self._now = now
        events, self._late = self._late, []
        return events

    def _stalled(self) -> bool:
        """The next packet has to wait, or there will be none."""
        if self._transport.waits(self._now):
            return True
        connection = self._connection
        if connection is None:
            return self._userauth.pending or self.output.waiting >= self._settings.max_outgoing
        return self._busy(connection)

    def _busy(self, connection: ConnectionMachine) -> bool:
        """So much waits to be answered or sent that nothing more is opened."""
        settings = self._settings
        return len(connection.unanswered) >= settings.max_unanswered or self.output.waiting >= settings.max_outgoing

    def _take(self, connection: ConnectionMachine, payload: memoryview, events: list[Event]) -> None:
        """Take a message that came alone."""
        number = payload[0]
        channel = connection.taking(payload) if number == _CHANNEL_DATA else None
        if channel is not None:
            events += connection.receive_data(channel, payload[DATA_HEAD:], len(payload) - DATA_HEAD)
        else:
            events += connection.receive(payload)
        if number not in _FLOW:
            self.unsettled = True
            self._flush()
        elif self._outbox.holding:
            self.unsettled = True

    def _pull(self, events: list[Event]) -> None:
        """Open packets until there are no more, or the next one has to wait."""
        transport, now = self._transport, self._now
        quiet = True
        try:
            stalled = self._stalled()
            while not stalled:
                got = transport.next(now)
                if got is None:
                    break
                if type(got) is not memoryview:
                    quiet = False
                    events.append(got)
                    if isinstance(got, PeerIdentified):
                        self._is_openssh = got.identification.startswith(_OPENSSH)
                    continue
                connection = self._connection
                if connection is None:
                    quiet = False
                    events += self._userauth.receive(got)
                    self._flush()
                    stalled = self._stalled()
                    continue
                number = got[0]
                if number == _CHANNEL_DATA:
                    channel = connection.taking(got)
                    if channel is not None:
                        events += connection.receive_data(channel, *transport.gather(got))
                        continue
                events += connection.receive(got)
                if number not in _FLOW:
                    quiet = False
                    self._flush()
                # Of times and keys `next` knows itself; and it may have answered something in between.
                stalled = self._busy(connection)
            held = transport.keep()
        except FAULTS as error:
            self._fail(error, events)
            held = 0
        self._stopped = held > 0 and self._stalled()
        if not (quiet and transport.steady(now)):
            self.unsettled = True

    def _flush(self) -> None:
        """Hand the messages of the upper machines down."""
        transport = self._transport
        if self._connection is None:
            for payload in self._userauth.take_payloads():
                transport.send(payload)
            if self._userauth.authenticated:
                transport.authenticated()
                self._grace_deadline = None
                self._connection = ConnectionMachine(self._settings.connection, self._tickets, self._now)
        if self._connection is not None:
            for payload in self._connection.take_payloads():
                transport.send(payload)

    def _flush_late(self) -> None:
        if self._transport.closed:
            return
        try:
            self._flush()
        except FAULTS as error:
            self._fail(error, self._late)

    def _note(self, new: list[Event], events: list[Event]) -> None:
        """Take a machine's events; one of them may say that the connection is over."""
        for event in new:
            if isinstance(event, ConnectionFailed):
                raise ProtocolError(event.reason, event.detail, event.note)
            events.append(event)

    def _fail(self, error: PysshdError, events: list[Event]) -> None:
        """The one way in which a connection ends by a fault."""
        self.unsettled = True
        if self.closed:
            return
        reason, text = told(error)
        self._transport.disconnect(reason, text)
        events.append(ConnectionFailed(reason, str(error)))

"""A session channel of the raw client: requests with their answers, output, and how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import (
    ChannelClose,
    ChannelData,
    ChannelEof,
    ChannelExtendedData,
    ChannelOpen,
    ChannelOpenConfirmation,
    ChannelRequest,
)
from pysshd.ssh.wire.messages.requests import Break, Env, Exec, ExitSignal, ExitStatus, PtyReq, Signal
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.daemon import Daemon
from tests.live.wire import Wire, wire

WINDOW = 1 << 24
PACKET = 32768

End = int | tuple[str, bool]
"""An exit status, or a signal and whether it left a core."""


class Session:
    """One channel: `ours` is the number by which the server names it, `number` the one by which we do."""

    def __init__(self, connection: Wire, ours: int, number: int) -> None:
        self.connection = connection
        self.ours = ours
        self.number = number
        self.output = b""
        self.errors = b""
        self.status: End | None = None
        self.ended = False
        self.ending: list[bytes] = []
        """Messages that came after the one that says how the program ended."""

        self._answers: list[bool] = []
        self._seen = 0

    def ask(self, kind: str, data: bytes = b"") -> bool:
        """A request, and its answer."""
        self.connection.say(ChannelRequest(self.number, kind, True, data).encode())
        while not self._answers:
            self._take()
        return self._answers.pop(0)

    def tell(self, kind: str, data: bytes = b"") -> None:
        """A request that wants no answer."""
        self.connection.say(ChannelRequest(self.number, kind, False, data).encode())

    def exec(self, command: str) -> bool:
        return self.ask("exec", Exec(command.encode()).encode())

    def shell(self) -> bool:
        return self.ask("shell")

    def subsystem(self, name: str) -> bool:
        return self.ask("subsystem", codec.text(name))

    def env(self, name: str, value: str) -> bool:
        return self.ask("env", Env(name.encode(), value.encode()).encode())

    def pty(self, term: str = "xterm") -> bool:
        return self.ask("pty-req", PtyReq(term, 80, 24, 0, 0, b"\0").encode())

    def signal(self, name: str) -> bool:
        return self.ask("signal", Signal(name).encode())

    def send_break(self) -> bool:
        return self.ask("break", Break(500).encode())

    def data(self, data: bytes) -> None:
        self.connection.say(ChannelData(self.number, data).encode())

    def eof(self) -> None:
        self.connection.say(ChannelEof(self.number).encode())

    def see(self, text: bytes) -> None:
        """Read until the output has this, after what was seen before."""
        while (at := self.output.find(text, self._seen)) < 0:
            assert not self.ended, f"{text!r} is not in {self.output!r}, and the channel is closed"
            self._take()
        self._seen = at + len(text)

    def end(self) -> End | None:
        """Read up to the end of the channel, and how the program ended."""
        while not self.ended:
            self._take()
        self.connection.say(ChannelClose(self.number).encode())
        return self.status

    def another(self, ours: int) -> "Session | None":
        """One more channel on this connection; None where it is refused."""
        return opened(self.connection, ours)

    def _take(self) -> None:
        for payload in messages(self.connection, self.ours):
            if self.status is not None:
                self.ending.append(payload)
            self._read(payload)

    def _read(self, payload: bytes) -> None:
        number = payload[0]
        if number == MessageNumber.CHANNEL_DATA:
            self.output += ChannelData.decode(payload).data
        elif number == MessageNumber.CHANNEL_EXTENDED_DATA:
            self.errors += ChannelExtendedData.decode(payload).data
        elif number in (MessageNumber.CHANNEL_SUCCESS, MessageNumber.CHANNEL_FAILURE):
            self._answers.append(number == MessageNumber.CHANNEL_SUCCESS)
        elif number == MessageNumber.CHANNEL_REQUEST:
            self._ended(ChannelRequest.decode(payload))
        elif number == MessageNumber.CHANNEL_CLOSE:
            self.ended = True

    def _ended(self, request: ChannelRequest) -> None:
        assert self.status is None
        if request.kind == "exit-status":
            self.status = ExitStatus.decode(request.data).status
        elif request.kind == "exit-signal":
            said = ExitSignal.decode(request.data)
            self.status = (said.name, said.core_dumped)


def messages(connection: Wire, number: int) -> list[bytes]:
    """Wait for the next message, and return all that have come for one channel since the last time."""
    client = connection.client
    taken = getattr(client, "taken", {})
    client.taken = taken  # type: ignore[attr-defined]
    at = taken.get(number, 0)
    if at == len(client.received):
        connection.until(*range(1, 256))
    new = client.received[at:]
    taken[number] = len(client.received)
    recipient = number.to_bytes(4, "big")
    return [payload for payload in new if 91 <= payload[0] <= 100 and payload[1:5] == recipient]


def opened(connection: Wire, ours: int) -> Session | None:
    """Open a channel; None where it is refused."""
    connection.say(ChannelOpen("session", ours, WINDOW, PACKET).encode())
    answer = connection.until(MessageNumber.CHANNEL_OPEN_CONFIRMATION, MessageNumber.CHANNEL_OPEN_FAILURE)
    if answer[0] == MessageNumber.CHANNEL_OPEN_FAILURE:
        return None
    return Session(connection, ours, ChannelOpenConfirmation.decode(answer).sender)


@contextmanager
def session(daemon: Daemon, login: str, key: str = "alice") -> Iterator[Session]:
    """A channel on a connection of its own, logged in with a key."""
    with wire(daemon) as connection:
        answer = connection.sign_in(login.encode(), daemon.client.keys.private(key))
        assert answer[0] == MessageNumber.USERAUTH_SUCCESS
        channel = opened(connection, 0)
        assert channel is not None
        yield channel

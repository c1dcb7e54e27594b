"""From a CHANNEL_OPEN to a channel, or to its refusal (RFC 4254 §5.1)."""

from collections.abc import Callable

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.connection.channel import Channel, Life
from pysshd.ssh.connection.global_requests import NO_MORE_SESSIONS
from pysshd.ssh.connection.opens import SESSION, read_open
from pysshd.ssh.connection.owed import OwedVerdicts
from pysshd.ssh.connection.replies import Replies
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.connection.windows import ReceiveWindow, SendWindow
from pysshd.ssh.events.channels import OpenCode, OpenVerdict
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.wire.messages.connection import ChannelOpen, ChannelOpenConfirmation, ChannelOpenFailure

_NUMBERS = 1 << 32


class Opening:
    """Puts channels into `channels`, the connection's own; `forget` takes out one that is refused after all."""

    def __init__(
        self,
        settings: ConnectionSettings,
        owed: OwedVerdicts,
        payloads: list[bytes],
        channels: dict[int, Channel],
        forget: Callable[[Channel], None],
    ) -> None:
        self._settings = settings
        self._owed = owed
        self._payloads = payloads
        self._channels = channels
        self._forget = forget
        self._next_number = 0

    def receive(self, payload: memoryview, no_more_sessions: bool) -> list[Event]:
        """Take one CHANNEL_OPEN: an event that asks for a verdict, or a refusal at once."""
        message = ChannelOpen.decode(payload)
        if message.kind == SESSION and no_more_sessions:
            raise ProtocolError(DisconnectReason.PROTOCOL_ERROR, f"session was opened after {NO_MORE_SESSIONS}")
        ask = read_open(message, len(self._channels), self._settings)
        if isinstance(ask, OpenVerdict):
            self._refuse(message.sender, ask)
            return []
        number = self._free_number()
        channel = Channel(
            number,
            message.sender,
            message.kind,
            ReceiveWindow(self._settings.window, self._settings.max_packet),
            SendWindow(message.window, min(message.max_packet, self._settings.max_packet)),
            Replies(self._payloads, self._settings.max_pending),
        )
        ticket = self._owed.ask(OpenVerdict, lambda verdict: self._settle(channel, verdict), number)
        self._channels[number] = channel
        return [ask(ticket, number)]

    def _settle(self, channel: Channel, verdict: OpenVerdict) -> None:
        if type(verdict.code) is not OpenCode:  # False and 0 are equal to SUCCEEDED, and mean anything but that
            raise TypeError(f"open code is {verdict.code!r}, expected an OpenCode")
        if verdict.code is not OpenCode.SUCCEEDED:
            self._refuse(channel.peer, verdict)
            self._forget(channel)
            return
        channel.life = Life.OPEN
        self._payloads.append(
            ChannelOpenConfirmation(
                channel.peer, channel.number, self._settings.window, self._settings.max_packet
            ).encode()
        )

    def _refuse(self, peer: int, verdict: OpenVerdict) -> None:
        self._payloads.append(ChannelOpenFailure(peer, verdict.code, verdict.text.encode()).encode())

    def _free_number(self) -> ChannelId:
        """The next number that no channel has: one that was just given up comes back as late as possible."""
        while self._next_number in self._channels:
            self._next_number = (self._next_number + 1) % _NUMBERS
        number = self._next_number
        self._next_number = (number + 1) % _NUMBERS
        return ChannelId(number)

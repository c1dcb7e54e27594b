"""Channel opens as a table: what a client may open, and which event asks for a verdict (RFC 4254 §5.1, §6.1, §7.2)."""

from collections.abc import Callable

from pysshd.errors import DecodeError
from pysshd.ssh.connection.names import PORT_MAX, is_address, is_name, is_port
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.events.channels import ChannelRequested, DirectTcpipRequested, OpenCode, OpenVerdict
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.wire.messages.connection import ChannelOpen
from pysshd.ssh.wire.messages.requests import DirectTcpip

Ask = Callable[[Ticket, ChannelId], Event]
"""Makes the event of an open that was read."""

SESSION = "session"

SERVERS_ALONE = frozenset(
    {
        "forwarded-tcpip",
        "forwarded-streamlocal@openssh.com",
        "x11",
        "auth-agent",
        "auth-agent@openssh.com",
        "tun@openssh.com",
    }
)
"""What a server opens towards a client, and a tunnel; never the other way round (S95)."""


def _refused(code: OpenCode, text: str) -> OpenVerdict:
    return OpenVerdict(code, text)


def _session(data: bytes) -> Ask:
    if data:
        raise DecodeError(f"open of a session has {len(data)} bytes behind its packet size, expected none")
    return lambda ticket, channel: ChannelRequested(ticket, channel, SESSION)


def _direct_tcpip(data: bytes) -> Ask | OpenVerdict:
    read = DirectTcpip.decode(data)
    if not is_address(read.host) or not is_port(read.port):
        return _refused(OpenCode.ADMINISTRATIVELY_PROHIBITED, "destination not acceptable")
    if read.originator_port > PORT_MAX or not (read.originator_host == "" or is_address(read.originator_host)):
        return _refused(OpenCode.ADMINISTRATIVELY_PROHIBITED, "originator not acceptable")
    origin, destination = (read.originator_host, read.originator_port), (read.host, read.port)
    return lambda ticket, channel: DirectTcpipRequested(ticket, channel, origin, destination)


_READERS: dict[str, Callable[[bytes], Ask | OpenVerdict]] = {SESSION: _session, "direct-tcpip": _direct_tcpip}


def read_open(message: ChannelOpen, channels: int, settings: ConnectionSettings) -> Ask | OpenVerdict:
    """What to ask about an open while there are `channels`, or its refusal; `DecodeError` for a malformed one."""
    kind = message.kind
    if not is_name(kind):
        return _refused(OpenCode.UNKNOWN_CHANNEL_TYPE, "unknown channel type")
    if kind in SERVERS_ALONE:
        return _refused(OpenCode.ADMINISTRATIVELY_PROHIBITED, "not for a client to open")
    reader = _READERS.get(kind)
    ask = reader(message.data) if reader else lambda ticket, channel: ChannelRequested(ticket, channel, kind)
    if message.max_packet < settings.min_packet:
        return _refused(OpenCode.RESOURCE_SHORTAGE, "maximum packet size too small")
    if channels >= settings.max_channels:
        return _refused(OpenCode.RESOURCE_SHORTAGE, "too many channels")
    return ask

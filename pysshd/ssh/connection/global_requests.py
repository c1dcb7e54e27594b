"""Global requests as a table: what each says, which event asks for its verdict, and what a success carries.

RFC 4254 §4 and §7.1, and of OpenSSH's PROTOCOL §2.2, §2.5, §2.9 `no-more-sessions@openssh.com`, `keepalive@openssh.com`
and `hostkeys-prove-00@openssh.com`.
"""

from collections.abc import Callable

from pysshd.errors import DecodeError
from pysshd.records import dataclass
from pysshd.ssh.connection.names import PORT_MAX, is_address, is_name, is_port
from pysshd.ssh.connection.owed import OwedVerdicts
from pysshd.ssh.connection.replies import Replies
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.events.global_requests import (
    ForwardCancelled,
    ForwardRequested,
    ForwardVerdict,
    GlobalRequested,
    GlobalVerdict,
    HostKeysDoubted,
)
from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.wire.messages.connection import GlobalRequest, RequestFailure, RequestSuccess
from pysshd.ssh.wire.messages.requests import (
    HOST_KEYS,
    HOST_KEYS_PROVE,
    TcpipForward,
    TcpipForwardReply,
    decode_strings,
    encode_strings,
)

KEEPALIVE = "keepalive@openssh.com"
NO_MORE_SESSIONS = "no-more-sessions@openssh.com"

_FAILURE = RequestFailure().encode()
_SUCCESS = RequestSuccess().encode()


@dataclass(frozen=True, slots=True)
class _Question:
    """A request that was read: how to ask about it, the verdict that it takes, and the message that this makes."""

    ask: Callable[[Ticket], Event]
    expects: type[GlobalVerdict] | type[ForwardVerdict]
    reply: Callable[[Verdict], bytes]


def _plain_reply(verdict: Verdict) -> bytes:
    assert isinstance(verdict, GlobalVerdict)
    return RequestSuccess(verdict.data).encode() if verdict.ok is True else _FAILURE


def _bare_reply(verdict: Verdict) -> bytes:
    assert isinstance(verdict, GlobalVerdict)
    return _SUCCESS if verdict.ok is True else _FAILURE


def _forward_reply(asked: int, verdict: Verdict) -> bytes:
    """The port goes to the peer only where it asked for any (RFC 4254 §7.1)."""
    assert isinstance(verdict, ForwardVerdict)
    port = verdict.port
    if port is None:
        return _FAILURE
    if type(port) is not int or not is_port(port) or asked not in (0, port):
        raise ValueError(f"verdict has port {port!r} for a forward of port {asked}")
    return _SUCCESS if asked else RequestSuccess(TcpipForwardReply(port).encode()).encode()


def _forward(data: bytes) -> _Question | None:
    read = TcpipForward.decode(data)
    address, port = read.address, read.port
    if port > PORT_MAX or not _is_bindable(address):
        return None
    return _Question(
        lambda ticket: ForwardRequested(ticket, address, port),
        ForwardVerdict,
        lambda verdict: _forward_reply(port, verdict),
    )


def _cancel(data: bytes) -> _Question | None:
    read = TcpipForward.decode(data)
    address, port = read.address, read.port
    if not is_port(port) or not _is_bindable(address):
        return None
    return _Question(lambda ticket: ForwardCancelled(ticket, address, port), GlobalVerdict, _bare_reply)


def _prove(data: bytes) -> _Question | None:
    try:
        keys = decode_strings(data)
    except DecodeError:
        return None  # whatever is no list of keys gets no signature (S96)
    return _Question(lambda ticket: HostKeysDoubted(ticket, keys), GlobalVerdict, _plain_reply) if keys else None


def announcement(host_keys: tuple[bytes, ...]) -> bytes:
    """The message that tells a client all our host keys, for it to learn those that it does not know."""
    return GlobalRequest(HOST_KEYS, want_reply=False, data=encode_strings(host_keys)).encode()


def _is_bindable(address: str) -> bool:
    return address == "" or is_address(address)  # "" is every address


_READERS: dict[str, Callable[[bytes], _Question | None]] = {
    "tcpip-forward": _forward,
    "cancel-tcpip-forward": _cancel,
    HOST_KEYS_PROVE: _prove,
}


class GlobalRequests:
    """The global requests of one connection, answered in their order."""

    def __init__(self, settings: ConnectionSettings, owed: OwedVerdicts, out: list[bytes]) -> None:
        self._settings = settings
        self._owed = owed
        self._replies = Replies(out, settings.max_pending)
        self.no_more_sessions = False

    def receive(self, payload: memoryview) -> list[Event]:
        """Take one SSH_MSG_GLOBAL_REQUEST; `ProtocolError` past the limits, `DecodeError` for a malformed one."""
        message = GlobalRequest.decode(payload)
        if message.name == NO_MORE_SESSIONS:
            if message.data:
                raise DecodeError(f"{NO_MORE_SESSIONS} has {len(message.data)} bytes of data, expected none")
            self.no_more_sessions = True
            if message.want_reply:
                self._replies.reserve(_SUCCESS)
            return []
        question = None if self._is_idle(message) else self._read(message)
        if question is None:
            if message.want_reply:
                self._replies.reserve(_FAILURE)
            return []
        slot = self._replies.reserve() if message.want_reply else None
        reply_to = question.reply

        def settle(verdict: Verdict) -> None:
            reply = reply_to(verdict)
            if slot is not None:
                self._replies.fill(slot, reply)

        return [question.ask(self._owed.ask(question.expects, settle))]

    @staticmethod
    def _is_idle(message: GlobalRequest) -> bool:
        """Nobody waits for what would be signed."""
        return message.name == HOST_KEYS_PROVE and not message.want_reply

    def _read(self, message: GlobalRequest) -> _Question | None:
        """What to ask about a request, or None where it fails unseen."""
        name, data = message.name, message.data
        reader = _READERS.get(name)
        if len(data) > self._settings.max_global_data:
            return None
        if reader is not None:
            return reader(data)
        if not is_name(name):
            return None
        return _Question(lambda ticket: GlobalRequested(ticket, name, data), GlobalVerdict, _plain_reply)

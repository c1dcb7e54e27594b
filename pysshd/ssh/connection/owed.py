"""The questions that wait for a verdict, by ticket."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.records import dataclass
from pysshd.ssh.events.ids import ChannelId, Ticket
from pysshd.ssh.events.kinds import Verdict

_V = TypeVar("_V", bound=Verdict)


@dataclass(frozen=True, slots=True)
class _Owed:
    expects: type[Any]
    settle: Callable[[Any], None]
    channel: ChannelId | None


class OwedVerdicts:
    """At most `most` open questions; a peer that asks more is out (its requests would fill our memory)."""

    def __init__(self, tickets: Iterator[Ticket], most: int) -> None:
        self._tickets = tickets
        self._most = most
        self.open: dict[Ticket, _Owed] = {}
        """The questions that wait, for whoever wants to know how many there are."""

    def ask(self, expects: type[_V], settle: Callable[[_V], None], channel: ChannelId | None = None) -> Ticket:
        """A ticket for a question whose verdict goes to `settle`; `ProtocolError` past the limit."""
        if len(self.open) >= self._most:
            raise ProtocolError(
                DisconnectReason.PROTOCOL_ERROR, f"requests that wait for an answer are more than {self._most}"
            )
        ticket = next(self._tickets)
        self.open[ticket] = _Owed(expects, settle, channel)
        return ticket

    def settle(self, ticket: Ticket, verdict: Verdict) -> None:
        """Act on a verdict once; one that nobody waits for is dropped, one of another kind is a `TypeError`."""
        owed = self.open.get(ticket)
        if owed is None:
            return
        if not isinstance(verdict, owed.expects):
            raise TypeError(f"verdict is {type(verdict).__name__}, expected {owed.expects.__name__}")
        owed.settle(verdict)
        self.open.pop(ticket, None)

    def forget(self, channel: ChannelId) -> None:
        """The channel is gone: whatever it asked is of no use to anybody."""
        for ticket in [ticket for ticket, owed in self.open.items() if owed.channel == channel]:
            del self.open[ticket]

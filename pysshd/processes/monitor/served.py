"""A channel that the server interface serves itself: its streams handed to the worker, its end told.

The streams go with the reply, so that what a hook wrote follows it. A hook that goes on reading and writing before it
answers gets them joined sooner, or both sides would wait for each other.
"""

import asyncio
import threading
from collections.abc import Callable

from pysshd.processes.boundary.calls.call import Call
from pysshd.processes.boundary.calls.channels import Exited, Finished, Joined
from pysshd.processes.boundary.calls.requests import StartAnswer, Streams
from pysshd.processes.monitor.journal import ConnectionJournal
from pysshd.server.channel import Channel, Notice
from pysshd.server.transport import Transport

JOINED_AFTER = 0.1
"""Seconds from the first use of a channel after which it is joined to the client's though its hook has not answered."""

USED_WITHIN = 30.0
"""Seconds within which a hook that said yes, and has no plan, must use its channel."""

UNUSED = "the server said yes, but neither uses the channel nor has a plan for it"


class Served:
    """The hooks' side of one channel; `send` sends a call, with descriptors, to the worker."""

    def __init__(
        self,
        number: int,
        kind: str,
        *,
        account: str,
        transport: Transport,
        journal: ConnectionJournal,
        send: Callable[[Call, tuple[int, ...]], None],
    ) -> None:
        self.channel = Channel(number, kind, transport=transport, notify=self._noticed, home=threading.get_ident())
        self.serving = False
        """A hook's yes was answered, and the channel is its own."""

        self._number = number
        self._account = account
        self._journal = journal
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._asked = False
        self._joined = False
        self._over = False
        self._within = USED_WITHIN

    def asked(self) -> None:
        """A hook is asked for a program, and may use the channel from now on."""
        self._asked = True
        if self.channel.taken:
            self._used()

    def accepted(self, call: int, request: str | bytes) -> None:
        """The hook said yes, and the channel is its own: answer the worker's `call`."""
        self._cancel()
        try:
            self.channel.streams()
        except OSError as error:
            self._failed(request, str(error))
            return self.refused(call)
        self._asked, self.serving = False, True
        self._journal.write("session.served", account=self._account, request=request)
        if self._joined:
            self._send(StartAnswer(call, Streams.JOINED), ())
        else:
            self._hand_over(StartAnswer(call, Streams.PIPES))
        if self.channel.ended:
            self._end()
        elif not self.channel.taken:
            self._timer = self._loop.call_later(self._within, self._unused, request)
        return None

    def refused(self, call: int) -> None:
        """The hook said no. Where it has used the channel all the same, the channel ends with it."""
        self._cancel()
        self._asked = False
        self._send(StartAnswer(call, Streams.NONE), ())
        if self.channel.taken:
            self.channel.discard()
            self._end()

    def close(self) -> None:
        """The channel is gone: whoever waits in it is woken."""
        self._cancel()
        self.channel.discard()
        if self.serving and not self._over:
            self._journal.write("session.finished", account=self._account, status="the client closed the channel")
        self._over = True

    # --- what the channel says

    def _noticed(self, what: Notice) -> None:
        """In whatever thread used the channel."""
        try:
            self._loop.call_soon_threadsafe(self._used if what == "used" else self._ended)
        except RuntimeError:
            pass  # the daemon has ended meanwhile

    def _used(self) -> None:
        if self._over:
            return
        self._cancel()
        if self._asked and not self._joined:
            self._timer = self._loop.call_later(JOINED_AFTER, self._join)

    def _ended(self) -> None:
        if self.serving:
            self._end()

    def _join(self) -> None:
        self._joined = True
        self._hand_over(Joined(self._number))

    def _hand_over(self, call: Call) -> None:
        peers = [peer for stream in self.channel.streams() if (peer := stream.take_peer()) is not None]
        try:
            self._send(call, tuple(peer.fileno() for peer in peers))
        finally:
            for peer in peers:
                peer.close()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        status = self.channel.exit_status if self.serving else None
        if self.serving:
            said = "no exit status" if status is None else f"status {status}"
            self._journal.write("session.finished", account=self._account, status=said)
        self._send(Finished(self._number) if status is None else Exited(self._number, status, "", False), ())

    def _unused(self, request: str | bytes) -> None:
        self._failed(request, UNUSED)
        self.channel.discard()
        self._end()

    def _failed(self, request: str | bytes, detail: str) -> None:
        self._journal.write("session.failed", person=self._account, request=request, detail=detail)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

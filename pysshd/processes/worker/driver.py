"""One connection of a worker: socket bytes into the stack, its events to their places, its bytes out.

The driver decides nothing. Events that owe an answer become questions to the monitor; data go to the relay of their
channel; what the monitor tells goes back into the stack.
"""

import math
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from pysshd.errors import BoundaryError, DisconnectReason
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.channels import CloseChannel, Exited, Finished, Joined, Notice, OpenAnswer
from pysshd.processes.boundary.calls.connection import Bye, EndConnection, Report
from pysshd.processes.boundary.calls.requests import RequestAnswer, StartAnswer, Streams
from pysshd.processes.boundary.calls.table import TO_WORKER
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.worker.acks import acknowledge
from pysshd.processes.worker.channels import Channels
from pysshd.processes.worker.dispatch import QUESTIONS, Questions
from pysshd.processes.worker.gathering import LEAST, Gathering
from pysshd.processes.worker.loop import READ, WRITE, Loop
from pysshd.processes.worker.relay import MAX_QUEUED, End
from pysshd.processes.worker.restraint import MOMENT
from pysshd.ssh.events.channels import (
    ChannelClosed,
    ChannelRequested,
    DataReceived,
    EofReceived,
    OutputUnwanted,
    WindowOpened,
)
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.requests import ExecRequested, ShellRequested, SubsystemRequested
from pysshd.ssh.events.transport import ConnectionFailed, KeysTaken, PeerDisconnected, PeerIdentified, SignatureWanted
from pysshd.ssh.events.userauth import AuthBegun
from pysshd.ssh.stack import Stack

RECEIVE_BUSY = 64 * 1024
"""Bytes taken from the client's socket in one turn where somebody else is ready too; else as many as there is room."""

LINGER_BYTES = 1024 * 1024
"""Bytes that an ended connection still reads and drops: what was on its way, and no more."""

LINGER = 1.0
"""Seconds for which an ended connection waits for the client to read our last message before the socket is closed."""

REST = 1.0
"""Seconds, one to two times as many, without anything to do after which the memory of bulk transfers is given back."""

_STARTS = (ShellRequested, ExecRequested, SubsystemRequested)
"""What a client asks for a program with; the data that follow are for that program."""


class Driver:
    """Serves one connection until it is over, then calls `over`."""

    def __init__(
        self, client: socket.socket, monitor: Endpoint, stack: Stack, loop: Loop, over: Callable[[], None]
    ) -> None:
        self._socket = client
        self._monitor = monitor
        self._stack = stack
        self._output = stack.output
        self._loop = loop
        self._over = over
        self._questions = Questions(lambda call: monitor.send(call.encode()))
        self._channels = Channels(stack, loop, self._flush)
        self._relays = self._channels.relays
        self._reason = ""
        self._linger_until: float | None = None
        self._shut = False
        self._dropped = 0
        self._finished = False
        self._due = math.inf
        self.deadline: float | None = None
        """The stack's next deadline as of the last `_flush`, the end of lingering, or a time to rest."""

        self._rest: float | None = None
        self._restless = False
        """Something went through since `_rest` was set: it is not the time for it yet."""

        self._spoken = False
        """The client said more than data in this turn."""

        self._gathering = Gathering(client)
        self._moment: float | None = None
        self._mask = 0
        client.setblocking(False)
        loop.add_timed(self)
        loop.watch(monitor.fileno(), READ, self._told)
        self._flush()

    # --- time

    def tick(self, now: float) -> None:
        """A key must be renewed, a peer probed, or the connection is over."""
        if self._linger_until is not None and now >= self._linger_until:
            return self._finish()
        if self._rest is not None and now >= self._rest:
            if self._restless:
                self._rest, self._restless = now + REST, False
            else:
                self._stack.scratch.release()
                self._rest = None
        gathering = self._gathering
        if gathering.until is not None and now >= gathering.until:
            gathering.over()
        if self._moment is not None and now >= self._moment:
            self._moment = None
            self._channels.wait_no_more()
        self._handle(self._stack.tick(now))
        return self._flush()

    # --- the client's socket

    def _socket_ready(self, mask: int) -> None:
        # What can be sent is sent by `_flush` alone: it sees the queue shrink, and has the programs go on.
        if mask & READ:
            self._restless, self._spoken = True, False
            self._receive()
            if self._spoken or not self._relays:
                self._acknowledge()
        self._flush()

    def _acknowledge(self) -> None:
        """Let the client go on where it has nothing to wait for."""
        if not (self._output.waiting or self._questions.asked or self._finished):
            acknowledge(self._socket)

    def _receive(self) -> None:
        scratch = self._stack.scratch
        room = scratch.input if self._loop.alone else scratch.input[:RECEIVE_BUSY]
        try:
            size = self._socket.recv_into(room)
        except BlockingIOError:
            return None
        except OSError as error:
            return self._gone(f"the client's socket failed: {error.strerror}")
        if self._linger_until is not None:
            self._dropped += size
            return self._finish() if not size or self._dropped > LINGER_BYTES else None
        if not size:
            return self._gone("the client went away")
        now = time.monotonic()
        self._handle(self._stack.receive_data(room[:size], now))
        if size >= LEAST or self._gathering.until is not None:
            self._gathering.took(size, self._loop.alone, now)
            self._reckon()
        if size == len(room):
            scratch.widen_input()
        return None

    def _send(self) -> bool:
        """Send what the socket takes; False where the client is gone."""
        output = self._output
        while output.waiting:
            try:
                sent = self._socket.send(output.view())
            except BlockingIOError:
                return True
            except OSError as error:
                self._gone(f"the client's socket failed: {error.strerror}")
                return False
            output.sent(sent)
        return True

    def _flush(self) -> None:
        """Send what there is, then look again at what may be read, from the client and from the programs."""
        stack, output = self._stack, self._output
        if self._finished or (output.waiting and not self._send()):
            return
        relays = self._relays
        if (
            output.waiting
            or stack.unsettled
            or self._mask != READ
            or len(relays) > 1
            or (self._rest is None and stack.scratch.is_large)
        ):
            self._settle()
            return
        for relay in relays.values():
            if relay.paused:
                self._settle()
                return

    def _settle(self) -> None:
        """More than data came and went: go on with what had to wait, and find out what is waited for from now on."""
        stack, output = self._stack, self._output
        while not self._finished:
            waits = output.waiting
            if waits < MAX_QUEUED:
                self._channels.resume()
            if output.waiting == waits or not self._send():
                break
        if self._finished:
            return
        stack.unsettled = False
        waits = output.waiting
        if stack.closed:
            self._linger()
        mask = WRITE if waits else 0
        if stack.wants_data or self._linger_until is not None:
            mask |= READ
        if mask != self._mask:
            self._mask = mask
            self._loop.watch(self._socket.fileno(), mask, self._socket_ready)
        now = time.monotonic()
        if self._rest is None and stack.scratch.is_large:
            self._rest, self._restless = now + REST, False
        self._moment = (self._moment or now + MOMENT) if self._channels.held else None
        due = stack.next_deadline if self._linger_until is None else self._linger_until
        self._due = min(math.inf if at is None else at for at in (due, self._rest, self._moment))
        self._reckon()

    def _reckon(self) -> None:
        """Set the deadline, which is all that changes in most turns of somebody who sends much."""
        until = self._gathering.until
        due = self._due if until is None else min(until, self._due)
        self.deadline = None if due == math.inf else due

    def _linger(self) -> None:
        """Let the client read why: a socket closed over unread input would take our last message with it."""
        if self._linger_until is None:
            self._linger_until = time.monotonic() + LINGER
        if not self._output.waiting and not self._shut:
            self._shut = True
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self._linger_until = 0.0

    def abort(self, error: Exception) -> None:
        """End a connection that a defect of ours has left in some state between two, and say where that was."""
        if not isinstance(error, BoundaryError):
            *_, (frame, line) = traceback.walk_tb(error.__traceback__)
            detail = f"{type(error).__name__} at {frame.f_code.co_filename}:{line}"
            self._reason = f"a defect of the worker: {detail}"
        self._gone("the monitor ended the connection")

    def _gone(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._finish()

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        # Whoever stays may move little, and would keep it.
        self._stack.scratch.release()
        self._channels.close()
        self._loop.remove_timed(self)
        self._loop.watch(self._socket.fileno(), 0, self._socket_ready)
        self._loop.watch(self._monitor.fileno(), 0, self._told)
        self._socket.close()
        try:
            self._monitor.send(Bye(self._reason or "the connection was closed").encode())
        except (OSError, BoundaryError):
            pass
        self._over()

    # --- what the protocol says

    def _handle(self, happened: list[Event]) -> None:
        for event in happened:
            if self._finished:
                return
            if type(event) is DataReceived:
                relay = self._relays.get(event.channel)
                if relay is not None:
                    relay.receive(event.data)
                else:
                    self._stack.consumed(event.channel, len(event.data))
                continue
            self._spoken = True
            if type(event) in QUESTIONS or type(event) is AuthBegun:
                if isinstance(event, _STARTS) and (relay := self._relays.get(event.channel)):
                    relay.expect()
                self._questions.ask(event)
            else:
                self._NOTICES[type(event)](self, event)

    def _identified(self, event: PeerIdentified) -> None:
        self._questions.client = event.identification

    def _keys_taken(self, event: KeysTaken) -> None:
        self._channels.resume()
        if event.first:
            cipher = event.ciphers[0] if event.ciphers[0] == event.ciphers[1] else "/".join(event.ciphers)
            self._report(
                "negotiated",
                client=self._questions.client,
                kex=event.kex.encode(),
                host_key=event.host_key_algorithm.encode(),
                cipher=cipher.encode(),
                strict=b"yes" if event.strict else b"no",
            )

    def _peer_disconnected(self, event: PeerDisconnected) -> None:
        self._reason = "the client disconnected"
        self._report("disconnected", reason=str(event.reason).encode(), text=event.text[:1024])

    def _failed(self, event: ConnectionFailed) -> None:
        self._reason = f"protocol failure {event.reason.name.lower()}"
        self._report("failed", reason=event.reason.name.lower().encode(), detail=event.detail.encode()[:2048])

    def _eof(self, event: EofReceived) -> None:
        if relay := self._relays.get(event.channel):
            relay.receive_eof()

    def _closed(self, event: ChannelClosed) -> None:
        self._questions.forget(event.channel)
        if self._channels.remove(event.channel):
            self._monitor.send(CloseChannel(event.channel).encode())

    def _unwanted(self, event: OutputUnwanted) -> None:
        if relay := self._relays.get(event.channel):
            relay.stop_output()

    def _window(self, event: WindowOpened) -> None:
        if relay := self._relays.get(event.channel):
            relay.resume()

    def _report(self, name: str, **fields: bytes) -> None:
        self._monitor.send(Report(name, tuple(fields.items())).encode())

    _NOTICES: Mapping[type, Callable[["Driver", Any], None]] = {
        PeerIdentified: _identified,
        KeysTaken: _keys_taken,
        PeerDisconnected: _peer_disconnected,
        ConnectionFailed: _failed,
        EofReceived: _eof,
        OutputUnwanted: _unwanted,
        ChannelClosed: _closed,
        WindowOpened: _window,
    }

    # --- what the monitor says

    def _told(self, _: int) -> None:
        received = self._monitor.recv()
        if received is None:
            return self._gone("the monitor ended the connection")
        said = decode(received.message, TO_WORKER)
        if isinstance(said, Exited):
            if relay := self._relays.get(said.channel):
                relay.ended(End(said.status, said.signal, said.core_dumped))
        elif isinstance(said, Finished):
            if relay := self._relays.get(said.channel):
                relay.ended(End(None, "", False))
        elif isinstance(said, Notice):
            if relay := self._relays.get(said.channel):
                relay.say(said.text)
        elif isinstance(said, Joined):
            self._channels.start(said.channel, Streams.PIPES, received.fds)
        elif isinstance(said, EndConnection):
            self._reason = said.text
            self._stack.disconnect(DisconnectReason(said.reason), said.text)
        else:
            self._answered(said, received.fds)
            self._acknowledge()
        return self._flush()

    def _answered(self, answer: Call, descriptors: tuple[int, ...]) -> None:
        event, verdict = self._questions.answered(answer)
        if isinstance(answer, StartAnswer):
            self._channels.start(event.channel, Streams(answer.streams), descriptors)
        elif isinstance(event, ChannelRequested) and answer == OpenAnswer(answer.call, 0, ""):  # type: ignore[attr-defined]
            self._channels.add(event.channel)
        elif isinstance(answer, RequestAnswer) and answer.ok:
            self._channels.act(event)
        self._handle(self._stack.answer(event.ticket, verdict, time.monotonic()))
        if isinstance(event, SignatureWanted):
            # Our new keys are on their way, and what the programs have to say may follow them.
            self._channels.resume()

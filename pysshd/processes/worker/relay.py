"""One session channel and the descriptors behind it: what a client sends to a program, and what the program says.

Nothing is read from a program that the client's window and the socket's queue would not take, and the client is given
new window only for what the program took: whoever stalls, stalls its own source and no memory.
"""

import errno
import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from functools import partial

from pysshd.processes.boundary.pipes import widen
from pysshd.processes.worker.inflow import Inflow
from pysshd.processes.worker.loop import READ, WRITE, Loop, Ready
from pysshd.processes.worker.restraint import Restraint
from pysshd.records import dataclass
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.stack import Stack
from pysshd.ssh.transport.scratch import SLOT_COUNT, SLOT_SIZE

CHUNK = SLOT_COUNT * SLOT_SIZE
"""Bytes that one turn takes from a program: many packets to one send, which fit a block with what is around them."""

CHUNK_BEHIND = 256 * 1024
"""The same while something waits for the client's socket: it is in that block too."""

CHUNK_BUSY = 64 * 1024
"""The same where somebody else is ready too, or types on another channel: an echo waits for the turn, and then for the
client to get through what it brought."""

CHUNK_FIRST = 32 * 1024
"""The same until a read has filled so much: places for more are not laid out for somebody who types."""

CHUNK_PTY = 16 * 1024
"""The same for a pseudo-terminal, which gives a few thousand bytes at a time."""

MAX_QUEUED = 64 * 1024
"""Bytes waiting for the client's socket from which on no program is read: the socket has a queue of its own."""

TIOCSIG = 0x40045436
"""Sends a signal to the foreground process group of the terminal behind a master (Linux, asm-generic/ioctls.h)."""

STATUS_WITHIN = 1.0
"""Seconds for which the end of a program's output waits for how the program ended, which another process tells.

Some clients close as soon as they hear that there is no more output (PuTTY), and would not hear the status that comes
a moment later. A program that closes its outputs and goes on has its client told after this time.
"""

STDERR = 1
"""SSH_EXTENDED_DATA_STDERR (RFC 4254 §5.2)."""


@dataclass(frozen=True, slots=True)
class End:
    """How a channel's process ended: an exit status, or the name of a signal without SIG; None: nobody says."""

    status: int | None
    signal: str
    core_dumped: bool


class Relay:
    """Moves the bytes of one channel; `flush` is called when it has put something into the stack."""

    def __init__(self, channel: ChannelId, stack: Stack, loop: Loop, flush: Callable[[], None]) -> None:
        self.channel = channel
        self._stack = stack
        self._loop = loop
        self._flush = flush
        self._output = stack.output
        self._handed = loop.handed
        self._inflow = Inflow(channel, stack, self._watch, self._release)
        self._outputs: dict[int, int] = {}
        self._pty = False
        self._started = False
        self._said_eof = False
        self.deadline: float | None = None
        """When the client is told that there is no more output, though the program has not ended."""

        self._end: End | None = None
        self._size: tuple[int, int, int, int] | None = None
        self._ready: dict[int, Ready] = {}
        self._edge = 0
        """EPOLLET while nobody holds the terminal open: a master then reads EIO and is told of as ready for ever, and
        closing it would hang up a program that lives and may open the terminal again."""

        self.paused = False
        """Something is not read because there is no room for it; `resume` looks again."""

        self.crowded = False
        """There are other channels on this connection."""

        self.restraint = Restraint()
        self._much = False
        """The last read brought much, and there is more to come."""

        self._wide = False
        """The output brought much once, and its pipe is as wide as it can be."""

    # --- starting and ending

    def start_pipes(self, stdin: int, stdout: int, stderr: int) -> None:
        """The program is there, with a pipe each."""
        self._outputs = {stdout: 0, stderr: STDERR}
        self._begin(stdin)

    def start_pty(self, master: int) -> None:
        """The program is there, behind a pseudo-terminal whose master is ours alone."""
        self._pty = True
        self._outputs = {master: 0}
        if self._size is not None:
            self.resize(*self._size)
        self._begin(master)

    def expect(self) -> None:
        """A program is asked for: what the client sends from now on is for that one."""
        self._inflow.expect()

    def refuse(self) -> None:
        """There will be no program."""
        self._inflow.refuse()

    def ended(self, end: End) -> None:
        """The process is gone; the channel closes once its output has been passed on."""
        self._end = end
        self._drain()
        self._look_for_ends()
        self._finish()

    def close(self) -> None:
        """Let go of every descriptor: for a pseudo-terminal this is what hangs it up."""
        for descriptor, ready in self._ready.items():
            self._loop.watch(descriptor, 0, ready)
            os.close(descriptor)
        self._outputs, self._ready = {}, {}
        self._inflow.close()
        self._wait_for_no_status()

    def _begin(self, stdin: int) -> None:
        self._started = True
        for descriptor in {stdin, *self._outputs}:
            os.set_blocking(descriptor, False)
            self._ready[descriptor] = partial(self._serve, descriptor)
        self._inflow.begin(stdin, terminal=self._pty)
        self.resume()

    # --- client to program

    def receive(self, data: memoryview) -> None:
        """Data of the client, for the program."""
        self._inflow.receive(data)
        self._handed(len(data), id(self))

    def receive_eof(self) -> None:
        """The client has nothing more to say."""
        self._inflow.receive_eof()

    def _release(self, descriptor: int) -> None:
        """The program's input is over; a pseudo-terminal has none of its own to close."""
        if descriptor in self._outputs:
            self._watch(descriptor)
        else:
            self._let_go(descriptor)

    def _let_go(self, descriptor: int) -> None:
        self._loop.watch(descriptor, 0, self._ready.pop(descriptor))
        os.close(descriptor)

    # --- program to client

    def stop_output(self) -> None:
        """The client reads no more: the program's next word to it fails. A terminal has no such end."""
        if not self._pty:
            for descriptor in list(self._outputs):
                self._end_output(descriptor)

    def resume(self) -> None:
        """Look again at what may be read: the window, the socket's queue or a key exchange has changed."""
        self.paused = False
        if self.restraint.held and self._room() > 0:
            self.restraint.kept_up()
        self._drain()
        for descriptor in list(self._outputs):
            self._watch(descriptor)

    @property
    def held(self) -> bool:
        """It is the restraint that keeps the program from being read."""
        return self.crowded and bool(self._outputs) and self._room() == 0 and self.restraint.held

    def wait_no_more(self) -> None:
        """The restraint was in the way for a moment."""
        self.restraint.waited()
        self.resume()

    def _watch(self, descriptor: int) -> None:
        mask = WRITE if self._inflow.waits_for(descriptor) else 0
        if descriptor in self._outputs:
            if self._room() > 0:
                mask |= READ
            else:
                self.paused = True
        self._loop.watch(descriptor, mask and mask | self._edge, self._ready[descriptor])

    def _serve(self, descriptor: int, mask: int) -> None:
        if mask & WRITE and descriptor == self._inflow.descriptor:
            self._inflow.writable()
        roomy = False
        if (mask & READ or self._edge) and descriptor in self._outputs:
            roomy = self._readable(descriptor)
        self._flush()
        # Only now it is known what of it the socket has left: mostly nothing, and there is room as before.
        goes_on = roomy and mask == READ and not self._output.waiting
        if not goes_on and descriptor in self._outputs:
            self._watch(descriptor)

    def _room(self) -> int:
        stack = self._stack
        if self._output.waiting >= MAX_QUEUED:
            return 0
        room = stack.writable(self.channel)
        return self.restraint.room(room, stack.unread(self.channel)) if self.crowded else room

    def _readable(self, descriptor: int) -> bool:
        """Read once, into the places from which packets are sealed; True where there is room for more, for certain."""
        if self._pty:
            limit = CHUNK_PTY
        elif not self._much:
            limit = CHUNK_FIRST
        elif not self._loop.alone or self._loop.others_type(id(self)):
            limit = CHUNK_BUSY
        else:
            limit = CHUNK_BEHIND if self._output.waiting else CHUNK
        if self.crowded or self._output.waiting >= MAX_QUEUED:
            limit = min(limit, self._room())
        places = self._stack.reserve(self.channel, limit)
        if not places:
            return False
        edge = self._edge
        try:
            size = os.readv(descriptor, places)
            self._edge = 0
        except BlockingIOError:
            size = 0 if self._pty and self._end is not None else -1
            self._edge = 0
        except OSError as error:
            vacant = self._pty and self._end is None and error.errno == errno.EIO
            size, self._edge = (-1, select.EPOLLET) if vacant else (0, 0)
        self._much = size >= CHUNK_FIRST
        if self._much and not self._wide and self._outputs[descriptor] != STDERR:
            self._wide = True
            widen(descriptor)
        if size > 0:
            left = self._stack.commit(self.channel, size, self._outputs[descriptor])
            return left > 0 and not (edge or self.crowded)
        if size == 0:
            self._end_output(descriptor)
        return False

    def _drain(self) -> None:
        """Take what a dead leader's terminal still holds; a background job that keeps it open is not waited for."""
        while self._pty and self._end is not None and self._outputs and self._room() > 0:
            self._readable(next(iter(self._outputs)))

    def _look_for_ends(self) -> None:
        """Where the client's window is full nothing is read, so the end of an output that has no more is asked for."""
        for descriptor in list(self._outputs):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            mask = next((mask for _, mask in poll.poll(0)), 0)
            if not mask & select.POLLIN and (self._pty or mask & select.POLLHUP):
                self._end_output(descriptor)

    def _end_output(self, descriptor: int) -> None:
        """A pipe ended, or the program of a terminal has, and what the terminal held was read."""
        del self._outputs[descriptor]
        if descriptor == self._inflow.descriptor:
            self._inflow.drop()
        self._let_go(descriptor)
        # On a terminal nothing but the end of the session ends the output.
        if not self._outputs and not self._inflow.eof and not self._pty and self._end is None:
            self.deadline = time.monotonic() + STATUS_WITHIN
            self._loop.add_timed(self)
        self._finish()

    def tick(self, now: float) -> None:
        """The program goes on without its outputs: the client may know.

        But one that has sent its own EOF may close as soon as it has ours, and would never hear how the program ended
        (OpenSSH does so behind a ControlMaster): it gets ours with the status.
        """
        self._wait_for_no_status()
        if not self._inflow.eof:
            self._say_eof()
            self._flush()

    def _wait_for_no_status(self) -> None:
        if self.deadline is not None:
            self.deadline = None
            self._loop.remove_timed(self)

    def _say_eof(self) -> None:
        if not self._said_eof:
            self._said_eof = True
            self._stack.send_eof(self.channel)

    def _finish(self) -> None:
        """Once the process is gone and its output passed on: how it ended, then CLOSE (RFC 4254 §6.10)."""
        if self._end is None or self._outputs or not (self._started or self._end.status is None):
            return
        end, self._end = self._end, None
        self._wait_for_no_status()
        if end.signal:
            self._stack.send_exit_signal(self.channel, end.signal, end.core_dumped, "")
        elif end.status is not None:
            self._stack.send_exit_status(self.channel, end.status)
        self._say_eof()
        self._stack.close_channel(self.channel)
        self._flush()

    def say(self, text: bytes) -> None:
        """Put a notice on the standard error, where the client still listens and has room for all of it now."""
        if not self._said_eof and 0 < len(text) <= self._stack.writable(self.channel):
            self._stack.send_data(self.channel, text, STDERR)

    # --- the terminal

    def resize(self, columns: int, rows: int, pixel_width: int, pixel_height: int) -> None:
        """Set the terminal's size, now or when there is one (the kernel tells the program with SIGWINCH)."""
        self._size = columns, rows, pixel_width, pixel_height
        if self._pty and self._outputs:
            fields = (min(value, 0xFFFF) for value in (rows, columns, pixel_width, pixel_height))
            fcntl.ioctl(next(iter(self._outputs)), termios.TIOCSWINSZ, struct.pack("HHHH", *fields))

    def interrupt(self) -> None:
        """A break on the line: what a terminal with BRKINT makes of it, SIGINT to its foreground (termios(3))."""
        if self._pty and self._outputs:
            fcntl.ioctl(next(iter(self._outputs)), TIOCSIG, signal.SIGINT)

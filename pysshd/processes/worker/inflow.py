"""What a client sends to the program of one channel: passed on, or kept while the program does not take it."""

import os
from collections.abc import Callable

from pysshd.processes.boundary.pipes import widen
from pysshd.processes.worker.backlog import Backlog
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.stack import Stack

_Descriptor = Callable[[int], None]


class Inflow:
    """The way in of one channel. The client gets new window only for what the program took."""

    __slots__ = ("_channel", "_refused", "_release", "_stack", "_started", "_terminal", "_waiting", "_watch",
                 "_wide", "descriptor", "eof")  # fmt: skip

    def __init__(self, channel: ChannelId, stack: Stack, watch: _Descriptor, release: _Descriptor) -> None:
        """`watch` looks again at what a descriptor is to be watched for; `release` takes one that is needed no more."""
        self._channel = channel
        self._stack = stack
        self._watch = watch
        self._release = release
        self._waiting = Backlog(stack.scratch.blocks)
        self._started = self._refused = self._terminal = self._wide = False
        self.descriptor: int | None = None
        """Where it goes; None before there is a program, and after its end."""

        self.eof = False
        """The client has nothing more to say."""

    def waits_for(self, descriptor: int) -> bool:
        """Whether bytes wait until this descriptor can be written to."""
        return descriptor == self.descriptor and bool(self._waiting)

    def expect(self) -> None:
        """A program is asked for: what the client sends from now on is for that one."""
        self._refused = False

    def refuse(self) -> None:
        """There will be no program: what the client sent for it is dropped, and what comes before it asks again."""
        if not self._started:
            self._refused = True
            self._consumed(self._waiting.clear())

    def begin(self, descriptor: int, *, terminal: bool) -> None:
        """The program is there; with `terminal` it is behind this descriptor for its output too."""
        self._started, self._refused, self._terminal = True, False, terminal
        self.descriptor = descriptor
        if self._waiting:
            self.writable()
        elif self.eof:
            self._end()

    def receive(self, data: memoryview) -> None:
        """Pass data of the client on, or keep it while the program does not take it (the window bounds how much)."""
        descriptor, size = self.descriptor, len(data)
        if self._refused or (self._started and descriptor is None):
            self._consumed(size)
            return
        if descriptor is None or self._waiting.size:
            self._waiting.append(data)
            return
        try:
            done = os.write(descriptor, data)
        except BlockingIOError:
            done = 0
        except OSError:
            self._consumed(size)
            self._break()
            return
        self._stack.consumed(self._channel, done)
        if done == size:
            return
        self._waiting.append(data[done:])
        if self._widened(descriptor):
            self.writable()
        else:
            self._watch(descriptor)

    def receive_eof(self) -> None:
        """The client has nothing more to say."""
        self.eof = True
        if self._started and not self._waiting:
            self._end()

    def writable(self) -> None:
        """The descriptor takes more of what waits."""
        assert self.descriptor is not None
        waited = len(self._waiting)
        try:
            self._waiting.write_to(self.descriptor)
            if self._waiting and self._widened(self.descriptor):
                self._waiting.write_to(self.descriptor)
        except OSError:
            self._waiting.clear()
            self._consumed(waited)
            self._break()
            return
        self._consumed(waited - len(self._waiting))
        if self.eof and not self._waiting:
            self._end()
        else:
            self._watch(self.descriptor)

    def drop(self) -> None:
        """Whoever had the descriptor has closed it: what waits for it goes nowhere."""
        self.descriptor = None
        self._consumed(self._waiting.clear())

    def close(self) -> None:
        """The channel is over."""
        self.descriptor, self._refused = None, True
        self._waiting.clear()

    def _widened(self, descriptor: int) -> bool:
        """The pipe was full for the first time, and holds more now."""
        if self._wide or self._terminal:
            return False
        self._wide = True
        return widen(descriptor)

    def _consumed(self, size: int) -> None:
        self._stack.consumed(self._channel, size)

    def _break(self) -> None:
        """The program reads no more: what is still to come for it is dropped, and the client need not send it.

        A terminal has no such end while its program lives: it may be opened again.
        """
        if self._terminal and not self.eof:
            return
        self._end()
        if not self.eof:
            self._stack.send_eow(self._channel)

    def _end(self) -> None:
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            self._release(descriptor)

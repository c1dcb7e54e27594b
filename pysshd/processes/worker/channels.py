"""The channels of one connection that have a relay: each comes with the monitor's yes, and goes when it is closed."""

import os
from collections.abc import Callable

from pysshd.processes.boundary.calls.requests import Streams
from pysshd.processes.worker.loop import Loop
from pysshd.processes.worker.relay import Relay
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.requests import BreakRequested, WindowChanged
from pysshd.ssh.stack import Stack


class Channels:
    """Makes and ends relays; `flush` is called when one has put something into the stack."""

    __slots__ = ("_flush", "_loop", "_stack", "relays")

    def __init__(self, stack: Stack, loop: Loop, flush: Callable[[], None]) -> None:
        self._stack = stack
        self._loop = loop
        self._flush = flush
        self.relays: dict[int, Relay] = {}
        """The relay of each channel."""

    def add(self, channel: ChannelId) -> None:
        """The monitor has said yes to a channel."""
        self.relays[channel] = Relay(channel, self._stack, self._loop, self._flush)
        self._count()

    def remove(self, channel: int) -> bool:
        """Let go of a channel, where there is one."""
        relay = self.relays.pop(channel, None)
        if relay is None:
            return False
        self._count()
        relay.close()
        return True

    def close(self) -> None:
        """Let go of all."""
        for relay in self.relays.values():
            relay.close()
        self.relays.clear()

    def _count(self) -> None:
        crowded = len(self.relays) > 1
        for relay in self.relays.values():
            relay.crowded = crowded

    # --- what was not read for want of room

    def resume(self) -> None:
        """Look again at every program that is not read."""
        for relay in tuple(self.relays.values()):
            if relay.paused:
                relay.resume()

    @property
    def held(self) -> bool:
        """A program is not read because its client has more of it than the other channels can wait for."""
        return any(relay.held for relay in self.relays.values())

    def wait_no_more(self) -> None:
        """That was so for a moment."""
        for relay in self.relays.values():
            if relay.held:
                relay.wait_no_more()

    # --- what the monitor has said yes to

    def start(self, channel: int, streams: Streams, descriptors: tuple[int, ...]) -> None:
        """There is a program, or there will be none; its descriptors are closed where the channel is gone."""
        relay = self.relays.get(channel)
        if relay is None:
            for descriptor in descriptors:
                os.close(descriptor)
        elif streams is Streams.PTY:
            relay.start_pty(*descriptors)
        elif streams is Streams.PIPES:
            relay.start_pipes(*descriptors)
        elif streams is Streams.NONE:
            relay.refuse()

    def act(self, event: Event) -> None:
        """Do what the worker does itself."""
        relay = self.relays.get(getattr(event, "channel", -1))
        if relay is None:
            return
        if isinstance(event, WindowChanged):
            relay.resize(event.columns, event.rows, event.pixel_width, event.pixel_height)
        elif isinstance(event, BreakRequested):
            relay.interrupt()

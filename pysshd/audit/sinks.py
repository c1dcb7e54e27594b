"""Where events go: a descriptor, as text or JSON lines, without ever making the daemon wait.

A line is written only where the descriptor takes it at once; otherwise it is counted, and the count is the first
thing that is written when the descriptor takes lines again.
"""

import os
import select
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from pysshd.audit.escape import MAX_TEXT
from pysshd.audit.events import EVENTS, AuditEvent, Level, Value, as_json, as_text

RENDERERS: Mapping[str, Callable[[AuditEvent], str]] = {"text": as_text, "json": as_json}
"""The forms of a log line by the name that the command line gives them."""

MAX_LINE = select.PIPE_BUF
"""Bytes of a line, its end included: what a pipe takes whole or not at all."""


class DescriptorSink:
    """Writes events to an open descriptor that it does not own, at `level` and louder."""

    def __init__(self, descriptor: int, form: str, level: Level = Level.INFO) -> None:
        self._descriptor = descriptor
        self._render = RENDERERS[form]
        self._level = level
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._rest = b""
        self.dropped = 0

    def write(self, event: AuditEvent) -> None:
        """Write one event, or count it as lost."""
        if event.level > self._level:
            return
        if self.dropped:
            if not self._put(AuditEvent("log.dropped", event.time, {"count": self.dropped})):
                self.dropped += 1
                return
            self.dropped = 0
        if not self._put(event):
            self.dropped += 1

    def _put(self, event: AuditEvent) -> bool:
        line = self._line(event)
        try:
            self._rest = self._rest[self._write(self._rest) :]
            # A line that was taken in part is ended before another begins.
            taken = 0 if self._rest else self._write(line)
        except OSError:
            return False
        if taken:
            self._rest = line[taken:]
        return taken > 0

    def _write(self, data: bytes) -> int:
        return os.write(self._descriptor, data) if data and self._poll.poll(0) else 0

    def _line(self, event: AuditEvent) -> bytes:
        line = self._encoded(event)
        for most in (MAX_TEXT, 64, 16, 0):
            if len(line) <= MAX_LINE:
                break
            short = {name: value for name, value in event.fields.items() if len(name) + len(str(value)) < most}
            line = self._encoded(AuditEvent(event.name, event.time, {**short, "shortened": True}))
        return line

    def _encoded(self, event: AuditEvent) -> bytes:
        return self._render(event).encode("utf-8", "backslashreplace") + b"\n"


class AuditLog:
    """The one place that events are handed to; it adds the time and hands them to every sink."""

    def __init__(self, sinks: tuple[DescriptorSink, ...], now: Callable[[], datetime]) -> None:
        self._sinks = sinks
        self._now = now
        self._lock = threading.Lock()

    def write(self, name: str, **fields: Value) -> None:
        """Record the event `name`, a row of `EVENTS`; an unknown name is a mistake of ours and raises KeyError."""
        if name not in EVENTS:
            raise KeyError(f"event {name!r} has no row in the table of events")
        event = AuditEvent(name, self._now(), fields)
        with self._lock:  # hooks over the policy decide in threads
            for sink in self._sinks:
                sink.write(event)

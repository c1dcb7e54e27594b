"""Signals: what ends the daemon, and what has it read its policy again."""

import asyncio
import signal
from collections.abc import Callable

from pysshd.audit.sinks import AuditLog


class Signals:
    """`stopped` is set by SIGTERM and SIGINT; SIGHUP calls what `on_hangup` was given.

    Made before anything is started: a signal that comes during the start ends the daemon in order once it serves, where
    the default would leave the processes behind that are on their way. A SIGHUP of that time counts once it serves.
    """

    def __init__(self, log: AuditLog) -> None:
        self.stopped = asyncio.Event()
        self._log = log
        self._reload: Callable[[], None] | None = None
        self._hung_up = False
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop, "SIGTERM")
        loop.add_signal_handler(signal.SIGINT, self._stop, "SIGINT")
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def on_hangup(self, reload: Callable[[], None]) -> None:
        """Call `reload` at each SIGHUP from now on, and now where one has come."""
        self._reload = reload
        if self._hung_up:
            reload()

    def _stop(self, name: str) -> None:
        self._log.write("daemon.signal", signal=name, meaning="stopping")
        self.stopped.set()

    def _hang_up(self) -> None:
        self._hung_up = True
        self._log.write("daemon.signal", signal="SIGHUP", meaning="reading the policy again")
        if self._reload is not None:
            self._reload()

"""Signals: what ends the daemon, and what does not."""

import asyncio
import signal

from pysshd.audit.sinks import AuditLog


def catch_signals(log: AuditLog) -> asyncio.Event:
    """Return what SIGTERM or SIGINT sets; SIGHUP is written down and changes nothing.

    Called before anything is started: a signal that comes during the start ends the daemon in order once it serves,
    where the default would leave the processes behind that are on their way.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop(name: str) -> None:
        log.write("daemon.signal", signal=name, meaning="stopping")
        stopped.set()

    loop.add_signal_handler(signal.SIGTERM, stop, "SIGTERM")
    loop.add_signal_handler(signal.SIGINT, stop, "SIGINT")
    meaning = "this version does not reload; restart to apply a changed policy"
    loop.add_signal_handler(signal.SIGHUP, lambda: log.write("daemon.signal", signal="SIGHUP", meaning=meaning))
    return stopped

"""Refused connections in the log: whoever fills the listeners does not fill the log too."""

from collections.abc import Callable

from pysshd.audit.sampling import Sampler
from pysshd.audit.sinks import AuditLog

BURST = 20
PER_SECOND = 5.0


class Refusals:
    """Writes `connection.refused`, sampled in a storm; `now` tells monotonic seconds."""

    def __init__(self, log: AuditLog, now: Callable[[], float]) -> None:
        self._log = log
        self._sampler = Sampler(BURST, PER_SECOND, now)

    def write(self, source: str, listener: str, reason: str) -> None:
        """Note that a connection was refused, and why."""
        left_out = self._sampler.admit()
        if left_out is not None:
            more = {"unwritten_before": left_out} if left_out else {}
            self._log.write("connection.refused", source=source, listener=listener, reason=reason, **more)

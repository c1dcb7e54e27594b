"""What `pysshd ctl` may ask of a running daemon, and the answers: plain data, for a person and for JSON alike."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pysshd.daemon.control import Act, Answer
from pysshd.daemon.front import Front
from pysshd.daemon.reloading import Outcome, Reloader
from pysshd.version import __version__


class Acts:
    """The acts of one daemon, which began just now; `now` tells the time."""

    def __init__(self, reloader: Reloader, front: Front, now: Callable[[], datetime]) -> None:
        self._reloader = reloader
        self._front = front
        self._now = now
        self._started = self._since = now()
        self._refused: datetime | None = None

    def reload(self) -> None:
        """Reload, as for a signal: nobody waits for what comes of it."""
        self._reloader.request().add_done_callback(lambda done: None if done.cancelled() else self._note(done.result()))

    def _note(self, outcome: Outcome) -> None:
        """A reload is over."""
        if outcome.accepted:
            self._since, self._refused = self._now(), None
        else:
            self._refused = self._now()

    @property
    def by_name(self) -> Mapping[str, Act]:
        """What can be asked."""
        return {"reload": self._reload, "status": self._status}

    async def _reload(self) -> Answer:
        outcome = await self._reloader.request()
        self._note(outcome)
        return {
            "ok": outcome.accepted,
            "policy": str(self._reloader.policy),
            "rules": outcome.in_force.rules,
            "waits_for_restart": list(outcome.in_force.waits),
            "problems": [problem.plain() for problem in outcome.problems],
        }

    async def _status(self) -> Answer:
        in_force, admission = self._reloader.in_force, self._front.admission
        found: dict[str, Any] = {
            "ok": True,
            "version": __version__,
            "pid": os.getpid(),
            "since": _text(self._started),
            "policy": str(self._reloader.policy),
            "rules": in_force.rules,
            "rules_since": _text(self._since),
            "reload_refused": None if self._refused is None else _text(self._refused),
            "connections": admission.open,
            "logged_in": admission.open - admission.starting,
            "waits_for_restart": list(in_force.waits),
        }
        return found


def _text(when: datetime) -> str:
    return when.isoformat(timespec="seconds")

"""How a running daemon is asked to reload: by a signal, or on its control socket, which says how it is as well."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from pysshd.audit.sinks import AuditLog
from pysshd.daemon.acts import Acts
from pysshd.daemon.clock import SystemClock
from pysshd.daemon.control import Control
from pysshd.daemon.front import Front
from pysshd.daemon.lifecycle import Signals
from pysshd.daemon.reloading import Reloader
from pysshd.errors import StartupError


@asynccontextmanager
async def reloads(
    reloader: Reloader | None, front: Front, signals: Signals, state: Path, log: AuditLog
) -> AsyncIterator[None]:
    """Answer to signals and on the control socket for as long as the block goes on.

    None: the policy is no file, so there is nothing to reload, and nobody to ask on a socket. A socket that can not be
    had is a warning: a signal reloads as well.
    """
    if reloader is None:
        signals.on_hangup(lambda: log.write("daemon.note", detail="the policy is no file, and can not be read again"))
        yield
        return
    clock = SystemClock()
    acts = Acts(reloader, front, clock.wall)
    control = Control(state, acts.by_name, partial(_complain, log))
    try:
        await control.open()
    except StartupError as error:
        log.write("daemon.warning", detail=str(error))
    signals.on_hangup(acts.reload)
    try:
        yield
    finally:
        await control.close()
        await reloader.close()


def _complain(log: AuditLog, text: str) -> None:
    log.write("control.refused", detail=text)

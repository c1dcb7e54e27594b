"""Serving a policy file: the load that reports every problem, then the daemon."""

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pysshd.errors import StartupError
from pysshd.processes.monitor import zygote_start

if TYPE_CHECKING:
    from pysshd.daemon.host_keys import HostKey

    Ready = Callable[[list[HostKey], list[str]], None]


def serve_policy(
    path: Path,
    log_format: str,
    log_level: str,
    *,
    strict: bool = False,
    root_may_serve: bool = False,
    ready: "Ready | None" = None,
) -> None:
    """Serve until a signal ends it; StartupError where it can not begin, with `strict` also where its tests fail."""
    if not path.name:
        raise StartupError("--config: names no file")
    # What is made until it serves is there to stay: to look through all of it for what is not is a tenth of a start.
    gc.disable()
    try:
        _serve(path, log_format, log_level, strict, root_may_serve, ready)
    finally:
        gc.enable()


def _serve(
    path: Path, log_format: str, log_level: str, strict: bool, root_may_serve: bool, ready: "Ready | None"
) -> None:
    try:
        # Its imports take as long as those of this process: both go on at once. It ends with its socket.
        zygote = zygote_start.start()
    except OSError as error:
        raise StartupError(f"zygote can not be started: {error}") from error
    from pysshd.daemon.api import load_policy, make_log, trusted_owners
    from pysshd.daemon.app import Options, serve

    def begun(host_keys: "list[HostKey]", addresses: list[str]) -> None:
        # Code and policy are there to stay. Left among what is collected, they make a full collection so long and so
        # rare that the remains of hundreds of connections wait for one.
        gc.freeze()
        gc.enable()
        gc.collect()  # of next to nothing, by which the interpreter learns how little there is to collect
        if ready is not None:
            ready(host_keys, addresses)

    log, owners = make_log(log_format, log_level), trusted_owners()
    load = partial(load_policy, path, log, owners, strict=strict)
    again = partial(load_policy, path, log, owners, strict=True)
    serve(Options(path, load, root_may_serve, begun, zygote=zygote, reload=again), log)

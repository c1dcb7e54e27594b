"""Forks the workers that serve one connection each, from as near to their work as a process can stand and still fork.

A nursery is a fork of the zygote that has become the workers' user, let go of every right that forks inherit the loss
of, and served a few connections to itself. What is left for each worker to do is little, and so is the memory that it
writes on: that is most of what a worker costs. It holds nothing but its socket to the monitor, whose children its forks
are, and never meets a client.
"""

import os
import signal
import sys
import traceback
from dataclasses import replace
from functools import partial
from typing import Final, NoReturn, get_args

from pysshd.errors import BoundaryError, SandboxError
from pysshd.processes.boundary.calls.zygote import ForkWorker
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.sandbox.limits import WorkerLimits
from pysshd.processes.sandbox.process import set_parent_death_signal, set_process_name, take_short_turns
from pysshd.processes.sandbox.profile import Level, Settled, seal, settle
from pysshd.processes.worker import program as worker
from pysshd.processes.worker.rehearsal import rehearse
from pysshd.processes.zygote import pages
from pysshd.processes.zygote.born import EXIT_FAULT
from pysshd.processes.zygote.program import Zygote, ignore_signals

_LEVELS: Final[dict[str, Level]] = {level: level for level in get_args(Level)}


def level_of(asked: ForkWorker) -> Level:
    """The level of the sandbox that is asked for; SandboxError where there is no such one."""
    level = _LEVELS.get(asked.level)
    if level is None:
        raise SandboxError(f"sandbox: level is {asked.level!r}, expected {' or '.join(_LEVELS)}")
    return level


def main(endpoint: Endpoint, asked: ForkWorker, monitor: int) -> NoReturn:
    """Be the nursery of the workers that `asked` describes, until the monitor lets go."""
    status = EXIT_FAULT
    try:
        set_process_name("pysshd: nursery")
        wanted, settled = replace(asked, nursery=False), prepare(asked, monitor)
        nursery = Zygote(endpoint, (), monitor=monitor)
        birth = nursery.run()
        nursery.close()
        if birth is not None:
            if birth.call != wanted:
                raise BoundaryError(f"asked for {type(birth.call).__name__} of another kind than its workers")
            birth.run_in("pysshd: worker", partial(serve, settled, monitor))
        status = 0
    except (SandboxError, BoundaryError) as error:
        print(f"pysshd: nursery: {error}", file=sys.stderr, flush=True)  # noqa: T201
    except BaseException:
        print(f"pysshd: nursery: {traceback.format_exc()}", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        os._exit(status)


def prepare(asked: ForkWorker, monitor: int) -> Settled:
    """Make this process one of which forks need little to be such workers as are asked for; they `serve`."""
    take_short_turns()
    settled = settle(
        level_of(asked),
        uid=asked.uid,
        gid=asked.gid,
        worker_limits=WorkerLimits(descriptors=asked.descriptors),
        # Each fork has a pipe for them.
        words_in_file=False,
    )
    settled.report.lines()
    set_parent_death_signal(signal.SIGKILL, monitor)
    ignore_signals()
    # A peer that is gone is an error of the call, not the end of the process.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    rehearse()
    pages.settle_for_many()
    return settled


def serve(settled: Settled, monitor: int, endpoint: Endpoint) -> int:
    """Be a worker in a fork of a process that was prepared; returns its exit status."""
    return worker.run(endpoint, partial(seal, settled, monitor))

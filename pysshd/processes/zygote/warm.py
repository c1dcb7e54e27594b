"""All that a fork may run: imported and used once here, so that no fork pays for it and none has to open a file."""

from collections.abc import Collection
from functools import partial
from typing import Final

from pysshd.identity import verify
from pysshd.identity.host import key_program, lookup, password
from pysshd.identity.host.calls import ACCOUNTS, KEY_PROGRAM, SYSTEM_PASSWORD
from pysshd.processes.boundary.calls.zygote import ForkWorker
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.sandbox import bounded, profile
from pysshd.processes.sandbox.limits import WorkerLimits
from pysshd.processes.sandbox.process import take_short_turns
from pysshd.processes.session import probe
from pysshd.processes.session import program as session
from pysshd.processes.worker import program as worker
from pysshd.processes.zygote import nursery
from pysshd.processes.zygote.born import Programs
from pysshd.processes.zygote.nursery import level_of
from pysshd.ssh.crypto.catalogue import DELAYED_COMPRESSION
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.warm import warm_up as warm_up_crypto
from pysshd.ssh.crypto.warm import warm_up_optional as warm_up_optional_crypto


def _run_worker(monitor: Endpoint, asked: ForkWorker, parent: int) -> int:
    take_short_turns()
    confine = partial(
        profile.confine_worker,
        level_of(asked),
        uid=asked.uid,
        gid=asked.gid,
        parent=parent,
        worker_limits=WorkerLimits(descriptors=asked.descriptors),
    )
    return worker.run(monitor, confine, shared=asked.shared)


def warm_up_optional(algorithms: Collection[str]) -> None:
    """Import and run what is needed for some of these algorithms only."""
    warm_up_optional_crypto(SystemEntropy(), algorithms)
    if DELAYED_COMPRESSION in algorithms:
        from pysshd.ssh.transport import compression

        compression.warm_up()


def _run_bounded(task: key_program.Task, hangup: int) -> key_program.Ran:
    return bounded.run(
        bounded.Task(task.argv, task.environment, task.uid, task.gid, task.groups, task.seconds, task.output), hangup
    )


PROGRAMS: Final = Programs(
    worker=_run_worker,
    nursery=nursery.main,
    helpers={
        "password": verify.main,
        "confinement": probe.main,
        ACCOUNTS: lookup.main,
        SYSTEM_PASSWORD: password.main,
        KEY_PROGRAM: partial(key_program.main, run=_run_bounded),
    },
    session=session.main,
    warm=warm_up_optional,
)
"""What the zygote forks."""


def warm_up() -> None:
    """Run every primitive and every error path once. Raises what does not work on this machine."""
    profile.prepare()
    warm_up_crypto(SystemEntropy())

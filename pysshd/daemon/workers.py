"""The workers of a daemon: one for each connection, or a few for all of them, as `server.isolation` says."""

import os
import resource
from dataclasses import replace

from pysshd.audit.sinks import AuditLog
from pysshd.daemon.users import Identity
from pysshd.policy.settings import Settings
from pysshd.processes.boundary.calls.zygote import ForkWorker
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.pool import Pool, Workers
from pysshd.processes.monitor.shared_pool import OWN_DESCRIPTORS, SharedPool, descriptors_of

READY_WORKERS = 4
"""Workers that wait for a connection, where each serves one."""

LEAST_SHARED = 2
"""Workers that serve many, at the least: a connection that keeps one busy leaves another to its neighbours."""


def offered_names(settings: Settings) -> tuple[str, ...]:
    """The algorithms of which some are imported only where they are offered."""
    offered = settings.crypto.algorithms
    return (*offered.kex, *offered.compression)


def make_workers(settings: Settings, launcher: Launcher, identity: Identity | None, log: AuditLog) -> Workers:
    """Return where connections find their workers; the launcher forks such as are needed from now on."""
    server, limits = settings.server, settings.limits
    uid, gid = (identity.uid, identity.gid) if identity is not None else (None, None)
    worker = ForkWorker(server.sandbox, uid, gid, offered_names(settings))
    each = descriptors_of(limits.sessions_per_connection)
    if server.isolation == "connection":
        descriptors = max(worker.descriptors, OWN_DESCRIPTORS + each)
        launcher.worker_is(replace(worker, descriptors=descriptors), by_nursery=True)
        return Pool(launcher, READY_WORKERS, lambda text: log.write("daemon.error", detail=text))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OWN_DESCRIPTORS + limits.connections * each
    descriptors = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    launcher.worker_is(replace(worker, descriptors=descriptors, shared=True))
    size = max(LEAST_SHARED, len(os.sched_getaffinity(0)))
    return SharedPool(launcher, size, max(1, (descriptors - OWN_DESCRIPTORS) // each), log)

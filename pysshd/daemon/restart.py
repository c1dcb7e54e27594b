"""What a reload can not change: these settings stay as they were at the start, and all else of the new file applies.

To refuse such a file would hold back what else stands in it, which may be that somebody is to be kept out.
"""

from dataclasses import replace
from typing import Final

from pysshd.policy.settings import Limits, Listen, Server, Settings
from pysshd.records import dataclass
from pysshd.ssh.crypto.catalogue import DELAYED_COMPRESSION
from pysshd.ssh.crypto.kex import OPTIONAL_KEX

_SERVER: Final = ("accounts", "isolation", "sandbox", "user", "worker_user", "state", "interface", "host_keys")
"""What decides as whom, how confined, by whose code and with which keys the processes run that are there already."""

_OPTIONAL: Final = frozenset({*OPTIONAL_KEX, DELAYED_COMPRESSION})
"""Algorithms whose code is imported before a worker closes its sandbox, and only where they are offered then."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The settings to serve by, and the keys of the file that wait for a restart."""

    settings: Settings
    waits: tuple[str, ...]


def kept(started: Settings, new: Settings) -> Kept:
    """Return what of `new` applies to a daemon that was started with `started`, and what of it has to wait."""
    waits: list[str] = []
    server = _server(started.server, new.server, waits)
    before, algorithms = started.crypto.algorithms, new.crypto.algorithms
    if not _OPTIONAL.intersection(algorithms.kex) <= set(before.kex):
        algorithms = replace(algorithms, kex=before.kex)
        waits.append("crypto.kex")
    if not _OPTIONAL.intersection(algorithms.compression) <= set(before.compression):
        algorithms = replace(algorithms, compression=before.compression)
        waits.append("crypto.compression")
    limits = _limits(started, new.limits, waits)
    return Kept(Settings(server=server, crypto=replace(new.crypto, algorithms=algorithms), limits=limits), tuple(waits))


def _server(started: Server, new: Server, waits: list[str]) -> Server:
    changed = {name: getattr(started, name) for name in _SERVER if getattr(started, name) != getattr(new, name)}
    waits += [f"server.{name}" for name in changed]
    if list(map(_place, started.listen)) != list(map(_place, new.listen)):
        changed["listen"] = started.listen
        waits.append("server.listen")
    return replace(new, **changed)


def _place(listen: Listen) -> tuple[str, str, int]:
    """A listener without its banner, which applies at once."""
    return listen.name, listen.host, listen.port


def _limits(started: Settings, new: Limits, waits: list[str]) -> Limits:
    """Workers have descriptors for as many sessions, and shared ones for as many connections, as at the start."""
    before = started.limits
    if new.sessions_per_connection > before.sessions_per_connection:
        new = replace(new, sessions_per_connection=before.sessions_per_connection)
        waits.append("limits.sessions_per_connection")
    if started.server.isolation == "shared" and new.connections > before.connections:
        new = replace(new, connections=before.connections)
        waits.append("limits.connections")
    return new

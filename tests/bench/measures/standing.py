"""What a server costs before anything happens: memory of idle connections, and the time to its first banner."""

from tests.bench.errors import TroubleError
from tests.bench.hands import Hands
from tests.bench.measures.base import Benchmark, Figure, Sizes, Taken
from tests.bench.measures.logins import LIGHT
from tests.bench.servers.base import Running, running

MEMORY = Figure("memory", "kB")
PROCESSES = Figure("processes", "")
BANNER = Figure("first banner", "ms")


def idle(server: Running, hands: Hands, sizes: Sizes) -> Taken:
    """Memory of a connection that is logged in and has no session: a fresh server with many, and with as many more.

    Not with many and with none: what a server needs for the first, or gives back after its start, is not of each.
    """
    count = sizes.idle_connections
    with running(server.server, server.place) as fresh:
        try:
            hands.hold(fresh.port, count)
            fresh.kept.settled_cpu()
            some, processes = fresh.kept.memory(), fresh.kept.processes()
            held = hands.hold(fresh.port, count).count
            fresh.kept.settled_cpu()
            more, more_processes = fresh.kept.memory(), fresh.kept.processes()
        finally:
            hands.drop()
    memory = None if some is None or more is None else (more - some) / held / 1e3
    return {MEMORY.name: memory, PROCESSES.name: (more_processes - processes) / held}


def start(server: Running, _: Hands, __: Sizes) -> Taken:
    """From the execution of the server's program to the first byte that a client reads."""
    with running(server.server, server.place) as fresh:
        if fresh.banner_after <= 0:
            raise TroubleError("a server answered before it was started")
        return {BANNER.name: fresh.banner_after * 1e3}


STANDING = (
    Benchmark("idle", "an idle connection, logged in, without a session", LIGHT, (MEMORY, PROCESSES), idle),
    Benchmark("start", "from exec to the first byte of the banner", "a socket", (BANNER,), start),
)

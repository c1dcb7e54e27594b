"""What a server costs before anything happens: memory of idle connections, and the time to its first banner."""

from tests.bench.errors import TroubleError
from tests.bench.hands import Hands
from tests.bench.measures.base import Benchmark, Figure, Sizes, Taken
from tests.bench.measures.logins import LIGHT
from tests.bench.servers.base import Running, running

MEMORY = Figure("memory", "kB")
PROCESSES = Figure("processes", "")
BANNER = Figure("first banner", "ms")
WARM_UP = 4


def idle(server: Running, hands: Hands, sizes: Sizes) -> Taken:
    """Memory of a connection that is logged in and has no session: a fresh server, with many of them and with none."""
    count = sizes.idle_connections
    with running(server.server, server.place) as fresh:
        hands.logins(fresh.port, WARM_UP, 1)
        fresh.kept.settled_cpu()
        none, processes = fresh.kept.memory(), fresh.kept.processes()
        try:
            held = hands.hold(fresh.port, count).count
            fresh.kept.settled_cpu()
            all_of_them, more = fresh.kept.memory(), fresh.kept.processes()
        finally:
            hands.drop()
    memory = None if none is None or all_of_them is None else (all_of_them - none) / held / 1e3
    return {MEMORY.name: memory, PROCESSES.name: (more - processes) / held}


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

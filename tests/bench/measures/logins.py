"""Logins: how many in a second, and what each costs the server."""

from tests.bench.hands import Hands
from tests.bench.measures.base import Benchmark, Figure, Sizes, Taken
from tests.bench.place import HOST
from tests.bench.servers.base import Running
from tests.bench.ssh_client import run, words

RATE = Figure("rate", "logins/s", more=True)
CPU = Figure("server cpu", "CPU ms")
CLIENT = Figure("client cpu", "CPU ms")
TIME = Figure("time", "ms")
AT_ONCE = 16
MILLI = 1e3
LIGHT = "the raw client of the tests"


def one(server: Running, hands: Hands, sizes: Sizes) -> Taken:
    """One login after another."""
    return _logins(server, hands, sizes.logins, 1)


def sixteen(server: Running, hands: Hands, sizes: Sizes) -> Taken:
    """Sixteen under way at any moment."""
    return _logins(server, hands, sizes.logins_at_once, AT_ONCE)


def _logins(server: Running, hands: Hands, count: int, at_once: int) -> Taken:
    before = server.kept.settled_cpu()
    done = hands.logins(server.port, count, at_once)
    used = server.kept.settled_cpu() - before
    client = done.client_cpu / done.count * MILLI
    return {RATE.name: done.count / done.seconds, CPU.name: used / done.count * MILLI, CLIENT.name: client}


def commands(server: Running, _: Hands, sizes: Sizes) -> Taken:
    """What a person has: `ssh HOST true`, one after another."""
    before = server.kept.settled_cpu()
    seconds = sum(run([*words(server), HOST, "true"]) for _ in range(sizes.commands))
    used = server.kept.settled_cpu() - before
    return {TIME.name: seconds / sizes.commands * MILLI, CPU.name: used / sizes.commands * MILLI}


LOGINS = (
    Benchmark("login-one", "logins, one after another", LIGHT, (RATE, CPU, CLIENT), one),
    Benchmark("login-sixteen", "logins, sixteen under way at any moment", LIGHT, (RATE, CPU, CLIENT), sixteen),
    Benchmark("command", "ssh HOST true, one after another", "OpenSSH's ssh", (TIME, CPU), commands),
)

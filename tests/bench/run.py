"""The run itself: servers side by side, rounds, the table. `python -m tests.bench.run` in a ready environment."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType
from typing import TypeVar

from tests.bench import record, table
from tests.bench.benchmarks import BENCHMARKS, chosen
from tests.bench.errors import TroubleError
from tests.bench.hands import Hands, open_hands
from tests.bench.measures.base import FULL, QUICK, Benchmark, Sizes, Taken
from tests.bench.options import Options, parse
from tests.bench.place import Place, open_place
from tests.bench.progress import Progress
from tests.bench.results import Results
from tests.bench.servers.base import Running, running
from tests.bench.servers.registry import ENGINE, SERVERS
from tests.gates import show

T = TypeVar("T")

MEASURED, TROUBLE, INTERRUPTED = 0, 2, 130
TROUBLE_SHOWN = 10
BUSY = 0.5
"""The load of the machine, for each of its CPUs, from which on the figures say little."""


@dataclass(slots=True)
class Field:
    """The servers that are measured, and why the others are not."""

    servers: list[Running] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


@contextmanager
def open_field(names: Sequence[str], place: Place, hands: Hands) -> Iterator[Field]:
    """Start the servers of these names that this machine can have; each has let somebody in once."""
    made = Field()
    with ExitStack() as stack:
        for name in names:
            server = SERVERS[name]
            why = server.missing(place)
            if why is None:
                try:
                    started = stack.enter_context(running(server, place))
                    hands.logins(started.port, 2, 1)
                    made.servers.append(started)
                except TroubleError as trouble:
                    why = f"it does not serve: {trouble}"
            if why is not None:
                made.left_out[name] = why
        yield made


def rotated(servers: Sequence[T], number: int) -> list[T]:
    """The servers in the order of a round."""
    at = number % len(servers) if servers else 0
    return [*servers[at:], *servers[:at]]


def measure(
    servers: Sequence[Running], hands: Hands, benchmarks: Sequence[Benchmark], sizes: Sizes, results: Results
) -> None:
    """All rounds: in each, every benchmark of every server, in an order that changes from round to round."""
    progress = Progress(sizes.rounds * sum(1 if one.alone else len(servers) for one in benchmarks))
    try:
        for number in range(sizes.rounds):
            progress.round(number + 1, sizes.rounds)
            for benchmark in benchmarks:
                for name, title, take in takers(benchmark, rotated(servers, number), hands, sizes):
                    progress.step(f"round {number + 1}: {benchmark.name}, {title}")
                    try:
                        results.add(benchmark, name, take())
                    except TroubleError as trouble:
                        results.trouble.append(f"round {number + 1}, {benchmark.name}, {name}: {trouble}")
    finally:
        progress.end()


def takers(
    benchmark: Benchmark, servers: Sequence[Running], hands: Hands, sizes: Sizes
) -> Iterator[tuple[str, str, Callable[[], Taken]]]:
    """Whom a benchmark is of, by name and title, and what takes it."""
    if benchmark.alone is not None:
        yield ENGINE, "no server", partial(benchmark.alone, sizes)
    if benchmark.measure is not None:
        for server in servers:
            yield server.server.name, server.server.title, partial(benchmark.measure, server, hands, sizes)


def described(server: Running) -> dict[str, str]:
    """What a server is, for the head of the table and for the record."""
    return {"version": server.server.version(), "settings": server.server.settings(server.place)}


def sizes_of(options: Options) -> Sizes:
    """How much is done."""
    sizes = QUICK if options.quick else FULL
    return replace(sizes, rounds=options.rounds) if options.rounds else sizes


def wanted(options: Options) -> tuple[str, ...]:
    """The names of the servers that were asked for, each once."""
    return tuple(name for name in SERVERS if not options.servers or name in options.servers)


def whole_run(options: Options, benchmarks: Sequence[Benchmark]) -> int:
    """Measure, show and keep; returns the exit status."""
    about, results, sizes = record.machine(), Results(), sizes_of(options)
    show.head(f"{about['cpus']} CPUs, {about['cpu']}, {about['kernel']}, {about['python']}")
    if about["load_at_start"] > BUSY * about["cpus"]:
        show.note(f"this machine is busy (load {about['load_at_start']}): expect noise")
    status = MEASURED
    with (
        open_place(options.accounts) as place,
        open_hands(place) as hands,
        open_field(wanted(options) if any(one.measure for one in benchmarks) else (), place, hands) as found,
    ):
        servers = {each.server.name: described(each) for each in found.servers}
        for each in found.servers:
            show.note(f"{each.server.title}: {'; '.join(servers[each.server.name].values())}")
        for name, why in found.left_out.items():
            show.note(f"left out: {SERVERS[name].title}: {why}")
        try:
            measure(found.servers, hands, benchmarks, sizes, results)
        except KeyboardInterrupt:
            status = INTERRUPTED
    for line in table.lines(results):
        show.say(line)
    for figure in sorted(results.unknown):
        show.say(f"not known here: {figure}: start this as root, who may read other users' memory")
    show.bullets(results.trouble[:TROUBLE_SHOWN])
    if len(results.trouble) > TROUBLE_SHOWN:
        show.say(f"  and {len(results.trouble) - TROUBLE_SHOWN} more that could not be measured")
    show.say(table.verdict(results))
    if options.json is not None:
        kept = record.whole(results, sizes, servers, found.left_out, about, complete=status == MEASURED)
        record.write(options.json, kept)
    return status or (TROUBLE if results.trouble or not results.rounds else MEASURED)


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """The benchmark command, once its environment is there; returns its exit status."""
    options = parse(arguments)
    try:
        benchmarks = chosen(options.only)
    except ValueError as error:
        show.say(show.paint(f"--only: {error}", show.RED))
        return TROUBLE
    if options.list:
        for benchmark in BENCHMARKS.values():
            figures = ", ".join(f"{each.name} ({each.unit})" if each.unit else each.name for each in benchmark.figures)
            show.say(f"{benchmark.name:<22} {benchmark.about}, by {benchmark.client}: {figures}")
        return MEASURED
    before = {number: signal.signal(number, _interrupted) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return whole_run(options, benchmarks)
    except TroubleError as trouble:
        show.say(show.paint(f"nothing can be measured: {trouble}", show.RED))
        return TROUBLE
    except KeyboardInterrupt:
        show.say(show.paint("interrupted", show.RED))
        return INTERRUPTED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

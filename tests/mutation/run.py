"""The run itself: collects the tests once, and forks a process for each mutant."""

import gc
import json
import os
import random
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import pytest

from tests.mutation.covering import Covering, Measuring, read_covering
from tests.mutation.fresh import ARGUMENTS
from tests.mutation.judging import (
    ENDLESS,
    KILLED,
    SURVIVED,
    UNTESTED,
    Judgement,
    Watch,
    limit_memory,
    run_until_one_fails,
)
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.options import Options, parse
from tests.mutation.results import Results, is_alive, share_killed, summary
from tests.mutation.swap import CannotSwapError, Functions

ROOT = Path(__file__).resolve().parents[2]
_SLOW = 20
"""How many times the CPU time of all its tests a mutant may take by the clock, on a machine that others use too."""


_CHEAP = 0.05
"""CPU seconds of a test that is also run without a mutant."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is mutated. origin: where it was imported from."""

    path: str
    module: str
    origin: str
    text: str


def sources(patterns: Sequence[str]) -> list[Source]:
    """The files that are meant, as they are imported."""
    found = []
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT)
        module = ".".join(name.with_suffix("").parts).removesuffix(".__init__")
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        found.append(Source(str(name), module, spec.origin, Path(spec.origin).read_text("utf-8")))
    return found


@dataclass(slots=True)
class _At:
    """A mutant at work in a process of its own."""

    mutant: Mutant
    pid: int
    output: IO[bytes]
    began: float
    longest: float
    told: bytes = b""
    tests: list[int] = field(default_factory=list)


class Run:
    """A plugin for pytest: in place of the tests it runs the mutants."""

    def __init__(self, options: Options, files: Sequence[Source], chosen: Sequence[Mutant], results: Results) -> None:
        self._options = options
        self._files = {source.path: source for source in files}
        self._chosen = chosen
        self._results = results
        self._items: dict[str, pytest.Item] = {}
        self._covering = Covering([], [], {})
        self._functions: Functions | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge the mutants."""
        self._items = {item.nodeid: item for item in session.items}
        self._covering = self._measured(session.items)
        gc.unfreeze()
        self._functions = Functions()
        gc.freeze()
        self._check_that_tests_pass()
        waiting = deque(self._chosen)
        with selectors.DefaultSelector() as selector:
            while waiting or selector.get_map():
                while waiting and len(selector.get_map()) < self._options.jobs:
                    self._begin(waiting.popleft(), selector)
                for key, _ in selector.select(1.0):
                    at: _At = key.data
                    read = os.read(at.output.fileno(), 1 << 16)
                    at.told += read
                    if not read:
                        selector.unregister(at.output)
                        self._end(at)
                for key in list(selector.get_map().values()):
                    if time.monotonic() - key.data.began > key.data.longest:
                        os.kill(key.data.pid, 9)
        return True

    def _measured(self, items: Sequence[pytest.Item]) -> Covering:
        """Which test runs which line: what is kept of it, and what is not yet known."""
        kept = self._options.covering
        found = read_covering(kept) if kept is not None and kept.exists() else Covering([], [], {})
        known = set(found.names)
        new = [item for item in items if item.nodeid not in known]
        if new:
            _say(f"which line {len(new)} of {len(items)} tests run: some minutes")
            found = found.joined(self._measure(new))
            if kept is not None:
                found.write(kept)
        for name in sorted(self._items.keys() - set(found.names)):
            _say(f"left out, for it fails without a mutant: {name}")
        return found

    def _measure(self, items: Sequence[pytest.Item]) -> Covering:
        every = {source.origin: source.path for source in self._files.values()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "covering"
            pid = os.fork()
            if not pid:
                with _at_work():
                    _quiet()
                    Measuring(every).run(items).write(path)
            if os.waitpid(pid, 0)[1]:
                pytest.exit("the tests could not be measured", returncode=2)
            return read_covering(path)

    def _tests_of(self, mutant: Mutant) -> list[int]:
        covering = self._covering
        here = covering.of_line(mutant.path, mutant.line)
        if mutant.called and here:
            found = covering.cheapest_first(here)
        else:
            # What an import makes may be used anywhere, first of all in its own file.
            own = covering.of_file(mutant.path)
            others = set(range(len(covering.names))) - set(own)
            found = [*covering.cheapest_first(own), *covering.cheapest_first(sorted(others))]
        return [number for number in found if covering.names[number] in self._items]

    def _begin(self, mutant: Mutant, selector: selectors.BaseSelector) -> None:
        tests = self._tests_of(mutant)
        if not tests:
            self._note(mutant, Judgement(UNTESTED))
            return
        seconds = sum(self._covering.seconds[number] for number in tests)
        reading, writing = os.pipe()
        began = time.monotonic()
        pid = os.fork()
        if not pid:
            with _at_work():
                os.close(reading)
                _quiet()
                judged = self._judge(mutant, tests)
                os.write(writing, json.dumps(asdict(judged)).encode())
        os.close(writing)
        at = _At(mutant, pid, os.fdopen(reading, "rb", 0), began, 60 + _SLOW * seconds, tests=tests)
        selector.register(at.output, selectors.EVENT_READ, at)

    def _judge(self, mutant: Mutant, tests: Sequence[int]) -> Judgement:
        """What the tests say, in the process of the mutant."""
        names = [self._covering.names[number] for number in tests]
        seconds = {name: self._covering.seconds[number] for name, number in zip(names, tests, strict=True)}
        source = self._files[mutant.path]
        assert self._functions is not None
        try:
            if not (mutant.called and self._covering.of_line(mutant.path, mutant.line)):
                raise CannotSwapError
            self._functions.swap(source.origin, source.text, mutant.number)
        except CannotSwapError:
            return _judge_fresh(source, mutant, names, seconds)
        watch = self._run(names, seconds)
        return Judgement(KILLED if watch.failed else SURVIVED, watch.failed, watch.tests)

    def _run(self, names: Sequence[str], seconds: Mapping[str, float]) -> Watch:
        """Run tests in this process, which is a fork that ends with them."""
        limit_memory()
        watch = Watch(seconds)
        items = [self._items[name] for name in names]
        plugins = items[0].config.pluginmanager
        plugins.unregister(name="terminalreporter")
        plugins.register(watch)
        run_until_one_fails(items, watch)
        return watch

    def _check_that_tests_pass(self) -> None:
        """Without a mutant, the cheap ones: else every mutant would be killed by what is wrong with the run itself."""
        covering = self._covering
        cheap = [one for one in range(len(covering.names)) if covering.seconds[one] < _CHEAP]
        tests = [number for number in covering.cheapest_first(cheap) if covering.names[number] in self._items]
        if pid := os.fork():
            if os.waitpid(pid, 0)[1]:
                pytest.exit("tests fail without a mutant", returncode=2)
            return
        with _at_work():
            _quiet()
            watch = self._run([covering.names[number] for number in tests], {})
            if watch.failed:
                _say(watch.why)
                raise AssertionError(watch.failed)

    def _end(self, at: _At) -> None:
        at.output.close()
        _, status = os.waitpid(at.pid, 0)
        # What fails without a word of the mutant is the run's own fault, and no test has noticed anything.
        silent = ENDLESS if os.WIFSIGNALED(status) else SURVIVED
        judged = Judgement(**json.loads(at.told)) if at.told else Judgement(silent)
        self._note(at.mutant, replace(judged, seconds=round(time.monotonic() - at.began, 2)))

    def _note(self, mutant: Mutant, judged: Judgement) -> None:
        self._results.note(mutant, judged)
        if is_alive(judged):
            _say(f"{judged.verdict}: {mutant} ({judged.tests} tests, {judged.seconds:.0f} s)")


def _judge_fresh(source: Source, mutant: Mutant, names: list[str], seconds: dict[str, float]) -> Judgement:
    """What the tests say where everything has to be imported again."""
    task = {"module": source.module, "number": mutant.number, "tests": names, "seconds": seconds}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as kept:
        kept.write(json.dumps(task))
        kept.flush()
        command = [sys.executable, "-s", "-m", "tests.mutation.fresh", kept.name]
        ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    lines = ended.stdout.decode("utf-8", "replace").strip().splitlines()
    if ended.returncode > 0:
        raise RuntimeError(f"{mutant} could not be judged")
    return Judgement(**json.loads(lines[-1])) if ended.returncode == 0 and lines else Judgement(ENDLESS)


class _at_work:  # noqa: N801 (used as a function is)
    """What is done in a fork, which ends with it, whatever comes."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None:
            _say("".join(traceback.format_exception(error)))
        os._exit(0 if kind is None else 1)


def _quiet() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


_TERMINAL = os.dup(1)


def _say(text: str) -> None:
    """To whoever started this: pytest has taken standard output."""
    os.write(_TERMINAL, f"{text}\n".encode())


def chosen_of(options: Options, files: Sequence[Source], results: Results) -> Iterator[Mutant]:
    """The mutants that are asked for."""
    every = [mutant for source in files for mutant in mutants_of(source.path, source.text)]
    every = [mutant for mutant in every if not options.kinds or mutant.kind in options.kinds]
    every = [mutant for mutant in every if mutant.called or not options.called]
    if options.sample is not None:
        every = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    for mutant in every:
        known = results.of(mutant)
        if not options.again or (known is not None and known.verdict in options.again):
            yield mutant


def main(arguments: list[str], say: Callable[[str], None] = _say) -> int:
    """The run; returns its exit status."""
    options = parse(arguments)
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = "steady"
    chance = () if options.drawn else ("-m", "not hypothesis")
    files, results = sources(options.files), Results(options.json)
    chosen = list(chosen_of(options, files, results))
    if options.list:
        for mutant in chosen:
            say(str(mutant))
        return 0
    waiting = [mutant for mutant in chosen if options.again or results.of(mutant) is None]
    say(f"{len(chosen)} mutants, of which {len(chosen) - len(waiting)} are judged already")
    if waiting:
        # Measured are all files of the room, so that what is kept serves for other files too.
        everything = sources(("pysshd/policy/*.py", *options.files))
        status = pytest.main(
            [*ARGUMENTS, *chance, *options.tests], plugins=[Run(options, everything, waiting, results)]
        )
        if status not in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            return 130 if status == pytest.ExitCode.INTERRUPTED else 2
    judged = [(mutant, found) for mutant in chosen if (found := results.of(mutant)) is not None]
    for line in summary(judged):
        say(line)
    return 0 if share_killed(found for _, found in judged) >= options.least else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

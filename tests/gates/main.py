"""From the command line to the last line: prepare, pass the gates, sum up."""

import fcntl
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from tests.gates import account as accounts
from tests.gates import needs, results, show, unsteady
from tests.gates.environments import LOWEST, NEWEST, ROOT, Environment, build, build_wheel, install_wheel
from tests.gates.interpreters import runnable_by
from tests.gates.options import COVERAGE, LINTS, PYTEST_LOWEST, PYTEST_NEWEST, PYTEST_USER, Options, parse
from tests.gates.plan import Plan, make_plan
from tests.gates.programs import Account, Begun, Ended, NotReadyError, begin, clean_environment, run
from tests.gates.shares import LOWEST_PURE, NEWEST_PURE, PARTS, PURE, chosen

_LINT_COMMANDS = {
    "ruff": ("ruff", "check", "--no-cache", "."),
    "format": ("ruff", "format", "--check", "--no-cache", "."),
    "mypy": ("mypy",),
    "imports": ("lint-imports", "--no-logo"),
}

PURE_RUNS = (NEWEST_PURE, LOWEST_PURE)
NICE = 10
"""How far runs that never wait stand back: a test of theirs still has its tenth of a busy CPU."""

OWN = (PYTEST_NEWEST, PYTEST_LOWEST, *PARTS)
"""Runs of pytest as who we are."""


# Without what hypothesis draws: a branch that only some runs take has no test.
MEASURED = ("tests/policy", "tests/patterns", "-m", "not hypothesis", "--cov=pysshd.policy", "--cov-branch",
            "--cov-report=term-missing:skip-covered", "--cov-fail-under=100")  # fmt: skip
"""What the coverage gate gives to pytest."""


@dataclass(slots=True)
class Run:
    """What is known so far."""

    options: Options
    plan: Plan
    work: Path
    seed: int
    environments: dict[str, Environment] = field(default_factory=dict)
    wheel: Path | None = None
    verdicts: dict[str, bool] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, list[results.Outcome]] = field(default_factory=dict)
    ran: dict[str, "Tests"] = field(default_factory=dict)
    unsteady: list[str] = field(default_factory=list)
    crashed: int = 0


def prepare(this: Run) -> None:
    """Build the environments that the plan needs, with pysshd in them."""
    needs.see_to()
    if os.geteuid() == 0 and {PYTEST_NEWEST, PYTEST_LOWEST}.intersection(this.plan.gates):
        accounts.make()  # whose programs the daemons run that root starts
    lender: Environment | None = None
    for interpreter, which in this.plan.environments:
        made = build(interpreter, which, ROOT, lender)
        lender = lender or made
        if this.wheel is None:
            this.wheel = build_wheel(made, this.work)
        install_wheel(made, this.wheel, lender)
        this.environments[which] = made


def lint(this: Run, name: str) -> bool:
    """Run one of the lints; its output is shown where it fails."""
    made = this.environments[NEWEST]
    program, *arguments = _LINT_COMMANDS[name]
    # -P: the tools must see their own packages, not a folder of the checkout that is named like one.
    env = clean_environment(path_first=made.bin) | {"PYTHONSAFEPATH": "1"}
    ended = run([made.bin / program, *arguments], cwd=ROOT, seconds=this.options.deadline, env=env)
    show.verdict(name, ended.status == 0, ended.seconds)
    if ended.status != 0:
        show.block(ended.output)
    this.seconds[name] = ended.seconds
    return ended.status == 0


@dataclass(frozen=True, slots=True)
class Pytest:
    """How pytest is run in one environment, in the checkout in `folder`, as `account`."""

    made: Environment
    folder: Path
    account: Account | None

    def begin(self, arguments: Sequence[str], output: "IO[str] | None" = None) -> Begun:
        """Run it; -P keeps the checkout's own pysshd out of the way: the tests run against the installed one."""
        command: list[str | Path] = [self.made.python, "-P", "-m", "pytest", "-q", *arguments]
        env = clean_environment(self.account, path_first=self.made.bin)
        return begin(command, cwd=self.folder, env=env, account=self.account, output=output)


@dataclass(frozen=True, slots=True)
class Tests:
    """One run of pytest that has begun; `output` is where it writes, None: where we write."""

    name: str
    begun: Begun
    report: Path
    output: Path | None
    pytest: Pytest

    def end(self, this: Run) -> bool:
        """Wait for it, show what it wrote, and note what came of it."""
        return self.judge(this, self.begun.finish(this.options.deadline))

    def judge(self, this: Run, ended: Ended) -> bool:
        """Show what it wrote, where that is not seen yet, and note what came of it."""
        if self.output is not None:
            show.head(f"{self.name}: {this.shown[self.name]}, beside the others")
            show.say(self.output.read_text("utf-8", "replace").rstrip())
        outcomes = this.outcomes[self.name] = results.read_report(self.report)
        good = ended.status == 0
        detail = ""
        if not good and not any(outcome.result == results.FAILED for outcome in outcomes):
            this.crashed += 1
            ending = (
                f"no end within {this.options.deadline:.0f} s" if ended.status is None else f"status {ended.status}"
            )
            detail = f"pytest itself ended badly: {ending}"
            if self.name == COVERAGE and ended.status == 1:
                detail = "there are branches that no test takes, see above"
        this.seconds[self.name] = ended.seconds
        show.verdict(self.name, good, ended.seconds, detail)
        return good


def begin_tests(
    this: Run, name: str, made: Environment, folder: Path, account: Account | None, output: Path | None = None
) -> Tests:
    """Begin the tests of the checkout in `folder` as `account`, with pytest's output as it comes, or into a file."""
    who = account.name if account else ("root" if os.geteuid() == 0 else "the user who started this")
    this.shown[name] = f"{made.interpreter}, cryptography {made.cryptography}, as {who}"
    show.head(f"{name}: {this.shown[name]}, order {this.seed}{'; its output follows' if output else ''}")
    report = (folder if account else this.work) / f".report-{name}.xml"
    # The family that names files.
    arguments = [f"--junitxml={report}", "-o", "junit_family=xunit1", f"--randomly-seed={this.seed}"]
    arguments += [*(MEASURED if name == COVERAGE else ()), *this.options.pytest]
    if not this.options.pytest:
        arguments += chosen(name, this.plan.gates)
    pytest = Pytest(made, folder, account)
    if output is None:
        this.ran[name] = Tests(name, pytest.begin(arguments), report, None, pytest)
    else:
        with output.open("w") as stream:
            this.ran[name] = Tests(name, pytest.begin(arguments, stream), report, output, pytest)
    if name in PURE_RUNS:
        # It never waits: what waits comes first, whenever it is there.
        this.ran[name].begun.stand_back(NICE)
    return this.ran[name]


def look_again(this: Run) -> None:
    """Run what failed once more, alone, now that nothing else runs; a run is good where all of it was unsteady."""
    for name, tests in this.ran.items():
        if this.verdicts.get(name, True):
            continue
        nodes = unsteady.candidates(this.outcomes[name], PURE)
        if not nodes:
            continue
        show.head(f"{name}: a second look at what failed, {unsteady.TIMES} times alone")
        # Whatever the arguments chose, these are the tests, each by its full name.
        alone = (tests.pytest.begin(nodes).finish(this.options.deadline) for _ in range(unsteady.TIMES))
        this.verdicts[name] = all(ended.status == 0 for ended in alone)
        if this.verdicts[name]:
            this.unsteady += [f"{name}: {node}" for node in nodes]
            this.outcomes[name] = [
                replace(each, result=results.PASSED) if each.node else each for each in this.outcomes[name]
            ]


Begin = Callable[[], Tests]
"""Begins a run of pytest."""


class Lane:
    """Runs of pytest one after the other, beside what the caller runs; lanes may take them from the same `queue`."""

    def __init__(self, this: Run, queue: deque[Begin]) -> None:
        self._this = this
        self._queue = queue
        self._at_work: Tests | None = None
        self._stopped = False
        self._pool = ThreadPoolExecutor(1)
        self._end = self._pool.submit(self._pass)

    def _pass(self) -> list[tuple[Tests, Ended]]:
        ended = []
        while not self._stopped:
            try:
                begin_next = self._queue.popleft()
            except IndexError:
                break
            self._at_work = tests = begin_next()
            ended.append((tests, tests.begun.finish(self._this.options.deadline)))
        return ended

    def verdicts(self) -> Iterator[tuple[str, bool]]:
        """Each run's name and whether it is good, once all have ended, in order."""
        for tests, ended in self._end.result():
            yield tests.name, tests.judge(self._this, ended)

    def stop(self) -> None:
        """End what is at work, and begin nothing more."""
        self._stopped = True
        while not self._end.done():
            if self._at_work is not None:
                self._at_work.begun.stop()
            wait([self._end], 1)
        self._pool.shutdown()


@contextmanager
def ground_of_user(this: Run) -> Iterator[Begin]:
    """Make the ordinary user and what it needs; what is given begins the tests as that user."""
    account = accounts.make()
    plan = this.plan
    interpreter = runnable_by(account, [plan.newest, plan.started])
    if interpreter is None:
        raise NotReadyError(
            f"{account.name} can run no Python of 3.11 or newer: {plan.started.path} is closed to it, "
            "and /usr/bin/python3 is not there or too old; install python3"
        )
    with only_one(accounts.STATE / "lock"):
        lender = this.environments[NEWEST]
        made = build(interpreter, NEWEST, accounts.STATE, lender)
        assert this.wheel is not None
        install_wheel(made, this.wheel, lender)
        copy = accounts.give_checkout(account)
        try:
            yield partial(begin_tests, this, PYTEST_USER, made, copy, account, this.work / f"{PYTEST_USER}.out")
        finally:
            for pid, words in accounts.left_behind(account):
                show.note(f"the tests left a process behind, ended now: {pid} {words}")
                os.kill(pid, signal.SIGKILL)


def begin_own(this: Run, name: str, output: Path | None = None) -> Tests:
    """Begin the tests as who we are."""
    which = {PYTEST_NEWEST: NEWEST, PYTEST_LOWEST: LOWEST, COVERAGE: NEWEST}[PARTS.get(name, name)]
    return begin_tests(this, name, this.environments[which], ROOT, None, output)


def pass_own(this: Run, name: str) -> bool:
    """Run the tests as who we are, to the end."""
    return begin_own(this, name).end(this)


def beside(this: Run, name: str) -> Begin:
    """What begins these tests as who we are, with what they say in a file."""
    return partial(begin_own, this, name, this.work / f"{name}.out")


def sum_up(this: Run, seconds: float) -> None:
    """Say what passed, what was shown, what was not, and the sum of the tests as the last line."""
    show.say()
    show.head(f"summary, after {seconds:.0f} s")
    for name in this.plan.gates:
        if name in this.verdicts:
            show.verdict(name, this.verdicts[name], this.seconds.get(name, 0.0), this.shown.get(name, ""))
    by_reason = results.ran_in_none(this.outcomes.values())
    if this.plan.not_shown or by_reason:
        show.say("not shown here:")
        show.bullets(this.plan.not_shown)
    for reason, tests in by_reason.items():
        show.say(f"  - tests that ran in none of the runs ({len(tests)}): {reason.removeprefix('Skipped: ')}")
        show.bullets(tests, 6)
    if this.unsteady:
        show.say(show.paint(f"unsteady: failed beside others, passed {unsteady.TIMES} times alone:", show.YELLOW))
        show.bullets(this.unsteady)
    bad = [name for name, good in this.verdicts.items() if not good]
    show.say(show.paint(f"gates that fail: {', '.join(bad)}", show.RED) if bad else "every gate that ran passes")
    show.say(results.last_line(this.outcomes.values(), this.crashed))


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock file `path`: two runs would pull the environments away under each other."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        held = path.open("w")
    except OSError as error:
        raise NotReadyError(f"{path} cannot be written: {error.strerror}; use a checkout that is yours") from None
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            show.note("another run of the tests is at work here: waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def pass_gates(this: Run) -> None:
    """Pass the gates; one that fails does not keep the next from running."""
    show.head("gates")
    for name in this.plan.gates:
        if name in LINTS:
            attempt(this, name, partial(lint, this, name))
    if PYTEST_USER in this.plan.gates:
        attempt(this, PYTEST_USER, partial(tests_of_both, this))
    else:
        tests_of_this_user(this)
    if COVERAGE in this.plan.gates:
        attempt(this, COVERAGE, partial(pass_own, this, COVERAGE))


def tests_of_both(this: Run) -> bool:
    """Run the tests as who we are and as the ordinary user; whether those of the user are good."""
    with ground_of_user(this) as begin_user:
        tests_of_this_user(this, begin_user)
    return this.verdicts[PYTEST_USER]


def tests_of_this_user(this: Run, *others: Begin) -> None:
    """Run the tests as who we are, those on the newest cryptography before our eyes; `others` are run too.

    Two at a time and no more, for most of a test of a whole daemon is waiting: with three, tests of time are late on
    two CPUs. The pure ones are a third, which has what the two leave.
    """
    wanted = [name for name in this.plan.gates if name in OWN and name not in this.verdicts]
    first = [name for name in wanted if name not in PARTS][:1]
    queue = deque(others)
    # The longer one first, so that both lanes end together.
    rest = sorted((name for name in wanted if name not in (*first, *PURE_RUNS)), key=[*PARTS, PYTEST_LOWEST].index)
    queue.extend(beside(this, name) for name in rest)
    pure = deque(beside(this, name) for name in wanted if name in PURE_RUNS)
    lanes = [Lane(this, queue), Lane(this, pure)]
    try:
        for name in first:
            attempt(this, name, partial(pass_own, this, name))
        lanes.append(Lane(this, queue))
        for lane in lanes:
            this.verdicts.update(lane.verdicts())
        look_again(this)
    finally:
        for lane in lanes:
            lane.stop()


def attempt(this: Run, name: str, gate: Callable[[], bool]) -> None:
    """Pass one gate; what keeps it from beginning makes it fail, and is shown."""
    try:
        this.verdicts[name] = gate()
    except NotReadyError as stopped:
        this.verdicts[name] = False
        this.crashed += name not in LINTS
        show.verdict(name, False, 0.0)
        show.block(str(stopped))
        if name == PYTEST_USER:
            tests_of_this_user(this)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """The test command; returns its exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="pysshd-tests-"))
    try:
        with only_one(ROOT / ".venv-tests.lock"):
            show.head("preparations")
            this = Run(options, make_plan(options), work, secrets.randbelow(2**32))
            prepare(this)
            pass_gates(this)
            sum_up(this, time.monotonic() - started)
    except NotReadyError as stopped:
        show.say(show.paint(f"the tests cannot start: {stopped}", show.RED))
        return 2
    except KeyboardInterrupt:
        show.say(show.paint("interrupted", show.RED))
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0 if all(this.verdicts.values()) else 1

"""From the command line to the last line: prepare, pass the gates, sum up."""

import fcntl
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
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

_LINT_COMMANDS = {
    "ruff": ("ruff", "check", "--no-cache", "."),
    "format": ("ruff", "format", "--check", "--no-cache", "."),
    "mypy": ("mypy",),
    "imports": ("lint-imports", "--no-logo"),
}


ON_EVERY_CRYPTOGRAPHY = frozenset({"test_login", "test_transfer", "test_quickstart", "test_passwords"})
"""The tests of whole daemons that stand on what `cryptography` does."""


SAME_FOR_EVERYONE = tuple(
    f"tests/{room}"
    for room in ("architecture", "audit", "importing", "mutation", "patterns", "policy", "server", "ssh")
)
"""Tests of rooms that are pure, or read the checkout alone."""


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
    arguments += [*left_out(name, this.options), *(MEASURED if name == COVERAGE else ()), *this.options.pytest]
    pytest = Pytest(made, folder, account)
    if output is None:
        this.ran[name] = Tests(name, pytest.begin(arguments), report, None, pytest)
    else:
        with output.open("w") as stream:
            this.ran[name] = Tests(name, pytest.begin(arguments, stream), report, output, pytest)
    return this.ran[name]


def look_again(this: Run) -> None:
    """Run what failed once more, alone, now that nothing else runs; a run is good where all of it was unsteady."""
    for name, tests in this.ran.items():
        if this.verdicts.get(name, True):
            continue
        nodes = unsteady.candidates(this.outcomes[name], SAME_FOR_EVERYONE)
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


def left_out(name: str, options: Options) -> list[str]:
    """What one run need not repeat of another.

    On the lowest cryptography: whole daemons at what has nothing to do with it, and the clients of other people, of
    which some stand on `cryptography` themselves. As the ordinary user: rooms that ask nothing of the system, where
    whoever runs them sees the same, and what all these clients negotiate.
    """
    if options.pytest or PYTEST_NEWEST not in (options.gates or (PYTEST_NEWEST,)):
        return []
    if name == PYTEST_USER:
        return [f"--ignore={path}" for path in [*SAME_FOR_EVERYONE, "tests/interop/test_algorithms.py"]]
    if name != PYTEST_LOWEST:
        return []
    live = sorted((ROOT / "tests" / "live").glob("test_*.py"))
    again = [path.relative_to(ROOT) for path in live if path.stem not in ON_EVERY_CRYPTOGRAPHY]
    # Random documents and hostile files ask nothing of cryptography, and take long.
    rooms = [path.relative_to(ROOT) for path in sorted((ROOT / "tests" / "policy").glob("test_*propert*.py"))]
    rooms += [Path("tests/policy/test_hostile_files.py")]
    return [f"--ignore={path}" for path in [*again, *rooms, "tests/interop", "tests/bench", "tests/mutation"]]


class SecondLane:
    """Runs of pytest one after the other, beside what the caller runs: most of a test of a whole daemon is waiting.

    Two runs at a time and no more: with three, tests of time are late on two CPUs.
    """

    def __init__(self, this: Run, *begins: Callable[[], Tests]) -> None:
        self._this = this
        self._at_work: Tests | None = None
        self._stopped = False
        self._pool = ThreadPoolExecutor(1)
        self._ends = [self._pool.submit(self._pass, begin) for begin in begins]

    def _pass(self, begin: Callable[[], Tests]) -> tuple[Tests, Ended]:
        if self._stopped:
            raise CancelledError
        self._at_work = tests = begin()
        return tests, tests.begun.finish(self._this.options.deadline)

    def verdicts(self) -> Iterator[tuple[str, bool]]:
        """Each run's name and whether it is good, once it has ended, in order."""
        for end in self._ends:
            tests, ended = end.result()
            yield tests.name, tests.judge(self._this, ended)

    def stop(self) -> None:
        """End what is at work, and begin nothing more."""
        self._stopped = True
        while not all(end.done() for end in self._ends):
            if self._at_work is not None:
                self._at_work.begun.stop()
            wait(self._ends, 1)
        self._pool.shutdown()


@contextmanager
def ground_of_user(this: Run) -> Iterator[Callable[[], Tests]]:
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
    which = {PYTEST_NEWEST: NEWEST, PYTEST_LOWEST: LOWEST, COVERAGE: NEWEST}[name]
    return begin_tests(this, name, this.environments[which], ROOT, None, output)


def pass_own(this: Run, name: str) -> bool:
    """Run the tests as who we are, to the end."""
    return begin_own(this, name).end(this)


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
    """Run the tests as who we are, newest cryptography; beside that as the ordinary user, then on the lowest."""
    with ground_of_user(this) as begin_user:
        beside = [begin_user]
        if PYTEST_LOWEST in this.plan.gates:
            beside.append(partial(begin_own, this, PYTEST_LOWEST, this.work / f"{PYTEST_LOWEST}.out"))
        lane = SecondLane(this, *beside)
        try:
            if PYTEST_NEWEST in this.plan.gates:
                attempt(this, PYTEST_NEWEST, partial(pass_own, this, PYTEST_NEWEST))
            this.verdicts.update(lane.verdicts())
            look_again(this)
        finally:
            lane.stop()
    return this.verdicts[PYTEST_USER]


def tests_of_this_user(this: Run) -> None:
    """Run the tests as who we are."""
    for name in (PYTEST_NEWEST, PYTEST_LOWEST):
        if name in this.plan.gates and name not in this.verdicts:
            attempt(this, name, partial(pass_own, this, name))
    look_again(this)


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

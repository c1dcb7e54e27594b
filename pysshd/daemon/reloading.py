"""Reloading the policy: read beside what goes on, and put in force whole, or not at all."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pysshd.audit.sinks import AuditLog
from pysshd.errors import PysshdError, StartupError
from pysshd.policy.problems import PolicyError, Problem
from pysshd.records import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InForce:
    """What a reload has put in force: the version of the policy, and the settings that wait for a restart."""

    rules: str
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reload came to. in_force: what holds now, the old where it was refused; problems: why."""

    accepted: bool
    in_force: InForce
    problems: tuple[Problem, ...] = ()


class Reloader:
    """Reloads when asked, one at a time: who asks while one is under way waits for the next, which all of them share.

    `load` reads in a thread of its own and may take its time; `apply` puts what was read in force, on the event loop.
    Whatever either of them raises leaves what is in force as it is.
    """

    def __init__(
        self,
        policy: Path,
        load: Callable[[], T],
        apply: Callable[[T], Awaitable[InForce]],
        in_force: InForce,
        log: AuditLog,
    ) -> None:
        self.in_force = in_force
        self.last: Outcome | None = None
        self.policy = policy
        self._load: Callable[[], object] = load
        self._apply: Callable[[object], Awaitable[InForce]] = apply  # type: ignore[assignment]
        self._log = log
        self._next: asyncio.Future[Outcome] | None = None
        self._task: asyncio.Task[None] | None = None

    def request(self) -> "asyncio.Future[Outcome]":
        """Reload, from a file that is read after this call."""
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.create_future()
        if self._task is None:
            self._task = loop.create_task(self._run())
        return self._next

    async def close(self) -> None:
        """Begin none any more, and drop the one that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._next is not None:
            self._next.cancel()

    async def _run(self) -> None:
        while self._next is not None:
            asked, self._next = self._next, None
            try:
                self.last = await self._reload()
            except asyncio.CancelledError:
                asked.cancel()
                raise
            if not asked.cancelled():
                asked.set_result(self.last)
        self._task = None

    async def _reload(self) -> Outcome:
        try:
            loaded = await in_a_thread(self._load)
            self.in_force = await self._apply(loaded)
        except PolicyError as error:
            return self._refused(error.problems)
        except StartupError as error:
            return self._refused([self._problem(str(error).removeprefix(f"{self.policy}: "))])
        except Exception as error:
            # Whatever it is, a defect of ours too: what is in force goes on.
            said = str(error) if isinstance(error, PysshdError | OSError) else ""
            text = f"reading it failed with {type(error).__name__}{': ' if said else ''}{said}"
            return self._refused([self._problem(text)])
        rules, waits = self.in_force.rules, self.in_force.waits
        self._log.write("reload.accepted", policy=str(self.policy), rules=rules)
        for name in waits:
            self._log.write("reload.waits", setting=name, rules=rules)
        return Outcome(True, self.in_force)

    def _problem(self, text: str) -> Problem:
        """What is wrong with the file as a whole, or with what it names."""
        return Problem(str(self.policy), 0, 0, text)

    def _refused(self, problems: Sequence[Problem]) -> Outcome:
        rules = self.in_force.rules
        for problem in problems:
            self._log.write("reload.problem", detail=str(problem), rules=rules)
        self._log.write("reload.refused", policy=str(self.policy), count=len(problems), rules=rules)
        return Outcome(False, self.in_force, tuple(problems))


async def in_a_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns or raises, in a thread that nobody waits for at the end: a disk may hang for ever."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        # So many new objects would have the collector walk all of them again and again, while everybody waits.
        gc.disable()
        try:
            result = work()
        except BaseException as raised:
            error = raised
        finally:
            gc.enable()
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            pass  # the daemon has ended meanwhile

    threading.Thread(target=run, name="pysshd-reload", daemon=True).start()
    return await done

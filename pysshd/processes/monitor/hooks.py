"""Calls a hook of a server interface and judges what it returns: what goes wrong is a refusal and a line for the log.

Hooks that decide inline run on the event loop, `async` ones too; any other runs in a thread, one at a time for each
connection. Each has a deadline; what comes after it is dropped.
"""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pysshd.processes.monitor.held import hold
from pysshd.processes.monitor.hook_threads import HookThreads, Outcome
from pysshd.server.answers import Judged
from pysshd.server.interface import ServerInterface
from pysshd.server.plan import Plan
from pysshd.server.policy_server import PolicyServer
from pysshd.server.requests import Request

T = TypeVar("T")

REFUSED = object()
"""What a hook that failed is taken to have returned: nothing that any judge accepts."""

TEXT_MAX = 300
"""Characters of an exception's text that are logged."""

UNTOLD = ("check_auth_", "get_allowed_auths", "check_channel_x11_request", "__init__")
"""How the names of hooks begin that are given a secret, or run beside one: the text of what they raise may hold it."""


class Hooks:
    """The hooks of one connection's server interface. `deadline` is in seconds, by default that of the threads."""

    def __init__(
        self,
        interface: ServerInterface,
        threads: HookThreads,
        complain: Callable[[str, str], None],
        deadline: float | None = None,
    ) -> None:
        self._deadline = threads.deadline if deadline is None else deadline
        self._interface = interface
        self._threads = threads
        self._complain = complain
        self._one_at_a_time = asyncio.Lock()
        self._in_thread: str | None = None

    @classmethod
    async def of(
        cls, make: Callable[[], object], inline: bool, threads: HookThreads, complain: Callable[[str, str], None]
    ) -> "Hooks":
        """Those of the interface that `make` makes; where it makes none, of one that refuses everything."""
        hooks = cls(ServerInterface(), threads, complain)
        interface = await hooks._call("__init__", make, (), inline)
        if isinstance(interface, ServerInterface):
            hooks._interface = interface
        elif interface is not REFUSED:
            complain("__init__", f"made {type(interface).__name__}, expected a ServerInterface")
        return hooks

    @property
    def by_policy(self) -> PolicyServer | None:
        """The interface, where the policy stands behind it; None for one that decides as it likes."""
        return self._interface if isinstance(self._interface, PolicyServer) else None

    async def ask(self, hook: str, judge: Callable[[str, Any], Judged[T]], *args: Any) -> T:
        """Call `hook` with `args`; the value is the judge's, and any complaint goes to the log."""
        returned = await self._call(hook, getattr(self._interface, hook, None), args, is_inline(self._interface, hook))
        judged = judge(hook, returned)
        if judged.complaint is not None and returned is not REFUSED:
            self._complain(hook, judged.complaint)
        return judged.value

    async def plan(self, request: Request) -> Plan | None:
        """Ask for the plan of a request that was allowed; None where there is none, LookupError for no such answer."""
        plan = await self._call("plan", self._interface.plan, (request,), is_inline(self._interface, "plan"))
        if plan is None or isinstance(plan, Plan):
            return plan
        if plan is not REFUSED:
            self._complain("plan", f"returned {type(plan).__name__}, expected a Plan or None")
        raise LookupError("the server interface did not say how")

    async def _call(self, hook: str, function: Any, args: tuple[Any, ...], inline: bool) -> Any:
        """What the hook returns, within the deadline; REFUSED, and a complaint, for anything else that it does."""
        if inline or inspect.iscoroutinefunction(function):
            returned, error = _outcome_of(function, args)
            if error is None and inspect.isawaitable(returned):
                returned, error = await self._within(_settled(returned))
        else:
            returned, error = await self._within(self._threaded(hook, function, args))
        if error is None:
            return returned
        self._complain(hook, str(error) if isinstance(error, _FailedError) else _raised(hook, error))
        return REFUSED

    async def _threaded(self, hook: str, function: Any, args: tuple[Any, ...]) -> Outcome:
        async with self._one_at_a_time:
            if self._in_thread is not None:
                return None, _FailedError(f"was not asked, for {self._in_thread} has not returned yet")
            self._in_thread = hook
            outcome = await self._threads.run(hook, function, args, self._out_of_thread)
        returned, error = outcome
        return await _settled(returned) if error is None and inspect.isawaitable(returned) else outcome

    def _out_of_thread(self) -> None:
        self._in_thread = None

    async def _within(self, work: Awaitable[Outcome]) -> Outcome:
        """The outcome of `work`, which is a task of its own: it may hold on when it is cancelled."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=self._deadline)
        finally:
            if not task.done():
                task.cancel()
                hold(task)
        if not task.done():
            return None, _FailedError(f"took longer than {self._deadline:g} s")
        return (None, asyncio.CancelledError()) if task.cancelled() else task.result()


class _FailedError(Exception):
    """What our side has to say of a hook; never raised."""


def is_inline(interface: ServerInterface, hook: str) -> bool:
    """Whether a hook runs on the event loop: by the `inline` of the class that defines it, or of one below that."""
    for kind in type(interface).__mro__:
        if "inline" in vars(kind):
            return vars(kind)["inline"] is True
        if hook in vars(kind):
            return False  # a class that says nothing was written without a thought of the event loop
    return False


def _outcome_of(function: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    try:
        return function(*args), None
    except BaseException as error:
        return None, error


async def _settled(awaitable: Awaitable[Any]) -> Outcome:
    """What comes of it: an exit that a hook asks for would else be the daemon's."""
    try:
        return await awaitable, None
    except BaseException as error:
        return None, error


def raised(error: BaseException) -> str:
    """What was raised, and where: for whoever wrote it, and nothing that a client said."""
    where = [f"{frame.f_code.co_filename}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
    return f"raised {type(error).__name__}" + (f" at {where[-1]}" if where else "")


def _raised(hook: str, error: BaseException) -> str:
    """As `raised`, with the text where no hook of that kind is given a secret."""
    told = raised(error)
    if hook.startswith(UNTOLD):
        return told
    text = _outcome_of(lambda: str(error)[:TEXT_MAX], ())[0]
    return f"{told}: {text}" if text else told

"""From a plan to a running program: the one place where a verdict becomes a process."""

import asyncio
import os
import shutil

from pysshd.processes.boundary.calls.zygote import Account as Become
from pysshd.processes.boundary.calls.zygote import Confinement, SessionSpec
from pysshd.processes.monitor.children import Child
from pysshd.processes.monitor.held import hold
from pysshd.processes.monitor.launcher import Launcher
from pysshd.processes.monitor.streams import Pair
from pysshd.processes.monitor.terminal import Ownership, PtyRequest
from pysshd.server.commands import RUN_WAYS, run_of
from pysshd.server.environment import Surroundings, session_environment
from pysshd.server.plan import Account, LoginShell, Plan
from pysshd.server.requests import Run

Ends = tuple[tuple[str, int] | None, tuple[str, int] | None]
"""Address and port of the client, and of our side, of one connection."""

NOLOGIN = ("/run/nologin", "/etc/nologin")
"""The files that keep everyone but root out (nologin(5))."""

Limits = tuple[tuple[int, int, int], ...]
"""Kind, soft and hard value of resource limits, as of setrlimit(2)."""


class Sessions:
    """Starts the programs of one connection."""

    def __init__(
        self,
        launcher: Launcher,
        ends: Ends,
        hidden: tuple[str, ...],
        timezone: str | None,
        limits: Limits = (),
        own_user: bool = True,
    ) -> None:
        """`limits`: those of sessions that are an account of the host. `own_user`: others may be the daemon's user."""
        self._own_user = own_user
        self._launcher = launcher
        self._ends = ends
        self._hidden = hidden
        self._timezone = timezone
        self._limits = limits
        self.person = "-"

    async def start(
        self, plan: Plan, request: Run, pair: Pair, pty: PtyRequest | None, env: dict[bytes, bytes]
    ) -> Child:
        """Run what `plan` says on the streams of `pair`; LaunchError, LookupError or OSError where that fails."""
        run = run_of(plan)
        if run is None or not isinstance(plan.way, RUN_WAYS):
            raise LookupError(f"plan {plan.decision_id} runs nothing that could be started")
        if plan.account.uid is None and not self._own_user:
            raise LookupError(f"plan {plan.decision_id} names no uid, expected that of an account of the host")
        self.person = plan.account.person
        client, server = self._ends
        around = Surroundings(client, server, pair.tty, pty.term if pty else None, self._timezone)
        environment = session_environment(plan.account, plan.way, around, env.items())
        account = plan.account
        system = account.uid is not None
        spec = SessionSpec(
            name=f"{account.person}@{account.name}",
            executable=_found(run.path, environment.get(b"PATH", b"")),
            argv=run.argv,
            environment=tuple({**environment, **dict(run.env)}.items()),
            directory=run.cwd.encode("utf-8", "surrogateescape"),
            has_pty=pty is not None,
            account=_become(account),
            umask=run.umask,
            confinement=self._confinement(account) if run.confined else None,
            limits=self._limits if system and not run.confined else (),
            system=system,
            greeting=system and pty is not None and isinstance(plan.way, LoginShell) and not run.confined,
            nologin=nologin(account),
        )
        if pty is None or account.uid is None or account.gid is None:
            return await self._launcher.session(spec, pair.program)
        terminal = Ownership(pair.program[0], account.uid, account.gid)
        try:
            child = await self._launcher.session(spec, pair.program)
        except BaseException:
            terminal.give_back()
            raise
        task = asyncio.create_task(_give_back(terminal, child))
        hold(task)
        return child

    def _confinement(self, account: Account) -> Confinement:
        home, *hidden = (path.encode("utf-8", "surrogateescape") for path in (account.home, *self._hidden))
        return Confinement(home=home, hidden=tuple(hidden))


async def _give_back(terminal: Ownership, child: Child) -> None:
    """A terminal is the account's for as long as the session's leader lives."""
    try:
        await child.wait()
    finally:
        terminal.give_back()


def nologin(account: Account) -> bytes:
    """The file for which this account may not log in now, or nothing; root always may (nologin(5))."""
    if account.uid in (None, 0):
        return b""
    return next((path.encode() for path in NOLOGIN if os.path.lexists(path)), b"")


def _become(account: Account) -> Become | None:
    """Whom the session becomes; the daemon's own user is said by name only where it is root, never by omission."""
    if account.uid is not None and account.gid is not None:
        return Become(account.uid, account.gid, account.groups)
    return Become(0, os.getgid(), tuple(os.getgroups())) if os.geteuid() == 0 else None


def _found(path: bytes, search: bytes) -> bytes:
    """Return the absolute path of a program: as it is, or looked up in the PATH of its environment."""
    if path.startswith(b"/"):
        return path
    found = shutil.which(os.fsdecode(path), path=os.fsdecode(search))
    if found is None:
        raise LookupError(f"program {path.decode('utf-8', 'backslashreplace')!r} is not in the PATH of the session")
    return os.fsencode(found)

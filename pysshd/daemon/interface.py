"""Which server decides: the built-in one over the policy, or one that the administrator wrote.

A class of one's own is named in the policy (`server.interface`) or handed to `pysshd.serve`. What a policy says of
people, logins and grants means nothing to it, unless it is a `PolicyServer`.
"""

import asyncio
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from pysshd.audit.sinks import AuditLog
from pysshd.daemon.blame import blamed_on
from pysshd.daemon.clock import new_id
from pysshd.errors import StartupError
from pysshd.processes.monitor.hooks import raised
from pysshd.processes.monitor.terms import MakeServer
from pysshd.records import dataclass
from pysshd.server.connection import Connection
from pysshd.server.interface import ServerInterface
from pysshd.server.policy_server import PolicyServer
from pysshd.server.ports import Journal
from pysshd.server.rules import CurrentRules

Factory: TypeAlias = Callable[..., object]
"""Makes a `ServerInterface`: of a `Connection` or of nothing; a `PolicyServer`: of what that takes."""

UNASKED = "users, roles, login and grants of the policy mean nothing to {name}, which is no PolicyServer: it decides"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the server of a connection.

    inline: it decides at once; what a person wrote runs in a thread.
    warning: what an administrator may have taken to be otherwise.
    """

    make: MakeServer
    inline: bool
    warning: str | None = None


def maker_of(given: Factory | None, rules: CurrentRules) -> Maker:
    """Return what makes servers: of the factory `given` to the daemon, of the policy's, or the built-in one.

    A server over the policy is made with the rules that are in force then; which kind it is, is decided once.

    StartupError where it can not be imported or called so.
    """
    ruleset = rules().ruleset
    named = ruleset.settings.server.interface
    if given is not None and named is not None:
        given_too = StartupError(f"interface: {named} is named, and the program that starts the daemon gives another")
        with blamed_on(ruleset.settings.server.where.get("interface")):
            raise given_too
    if given is not None:
        return _checked(given, _name_of(given), rules)
    if named is None:
        return Maker(partial(_make_by_policy, PolicyServer, rules), True)
    with blamed_on(ruleset.settings.server.where.get("interface")):
        return _checked(imported(named), named, rules)


@contextmanager
def threads_watched(log: AuditLog) -> Iterator[None]:
    """Log what ends a thread that a server interface started: its traceback could show what a client typed."""
    loop = asyncio.get_running_loop()
    before = threading.excepthook

    def ended(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is None:
            return
        detail = raised(args.exc_value)
        try:
            loop.call_soon_threadsafe(lambda: log.write("hook.thread", detail=detail))
        except RuntimeError:
            pass  # the daemon has ended meanwhile

    threading.excepthook = ended
    try:
        yield
    finally:
        threading.excepthook = before


def imported(named: str) -> Factory:
    """Import `module:name`; StartupError says what is wrong with it."""
    path, _, name = named.partition(":")
    try:
        found: Any = importlib.import_module(path)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise StartupError(
            f"interface: module {path} can not be imported: {type(error).__name__}: {error}; it has to be one that "
            "this Python finds: an installed one, or one of a folder in PYTHONPATH"
        ) from None
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise StartupError(f"interface: module {path} has no {name}") from None
    if not callable(found):
        raise StartupError(f"interface: {named} is {type(found).__name__}, expected a subclass of ServerInterface")
    checked: Factory = found
    return checked


def _checked(factory: Factory, name: str, rules: CurrentRules) -> Maker:
    if inspect.isclass(factory) and not issubclass(factory, ServerInterface):
        raise StartupError(f"interface: {name} is no subclass of ServerInterface")
    if inspect.isclass(factory) and issubclass(factory, PolicyServer):
        if not _takes(factory, 5):
            raise StartupError(f"interface: {name} is a PolicyServer, and its __init__ does not take what that takes")
        return Maker(partial(_make_by_policy, factory, rules), False)
    count = next((count for count in (1, 0) if _takes(factory, count)), None)
    if count is None:
        raise StartupError(f"interface: {name} can be called neither with a Connection nor without arguments")
    unasked = bool(rules().ruleset.people or rules().ruleset.grants)
    return Maker(partial(_make, factory, count == 1), False, UNASKED.format(name=name) if unasked else None)


def _takes(factory: Factory, count: int) -> bool:
    """Whether it can be called with so many arguments; what can not be asked is taken to take one."""
    try:
        inspect.signature(factory).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return count == 1
    return True


def _name_of(factory: Factory) -> str:
    return f"{getattr(factory, '__module__', '?')}:{getattr(factory, '__qualname__', type(factory).__name__)}"


# The caller checks what is made: these hand on whatever comes.


def _make(factory: Callable[..., Any], with_connection: bool, connection: Connection, journal: Journal) -> Any:
    return factory(connection) if with_connection else factory()


def _make_by_policy(factory: Callable[..., Any], rules: CurrentRules, connection: Connection, journal: Journal) -> Any:
    now = rules()
    return factory(now.ruleset, connection, now.identity, journal, new_id)

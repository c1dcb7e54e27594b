"""Serving from Python: `pysshd.serve`, for a program that brings a server of its own."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pysshd.audit.events import Level
from pysshd.audit.sinks import AuditLog, DescriptorSink
from pysshd.daemon.app import Options
from pysshd.daemon.app import serve as serve_options
from pysshd.server.interface import ServerInterface

if TYPE_CHECKING:
    from pysshd.policy.load import Loaded
    from pysshd.policy.ruleset import Ruleset

STDERR: Final = 2

SETTINGS: Final = "settings"
"""What stands for a file's name where the policy is a mapping."""


def serve(
    policy: str | os.PathLike[str] | Mapping[str, Any],
    interface: Callable[..., ServerInterface] | None = None,
    *,
    log_format: str = "text",
    log_level: str = "info",
) -> None:
    """Serve until SIGTERM or SIGINT; must be called in the main thread. `StartupError` where it can not begin.

    policy: the path of a policy file, or what such a file says as a mapping (`{"version": 1, "server": {…}}`).
    interface: called for each connection with its `Connection`, or with nothing where it takes nothing, and returns the
        `ServerInterface` that decides for it; a class is such a callable. A subclass of `PolicyServer` is called as
        that is, and gets the policy; to any other, what the policy says of people, logins and grants means nothing.
        None: the policy's `server.interface`, else the policy decides.
    log_format, log_level: as the options of the command line.

    The calling process becomes the daemon: it can not be traced and leaves no core, its umask is 077, and where root
    started it with `server.user` it becomes that user.
    """
    log = make_log(log_format, log_level)
    if isinstance(policy, Mapping):
        text = json.dumps(dict(policy))
        serve_options(Options(Path(SETTINGS), lambda: load_settings(text, log), interface=interface), log)
    else:
        path, owners = Path(policy), trusted_owners()
        load = partial(load_policy, path, log, owners)
        serve_options(Options(path, load, interface=interface, reload=partial(load, strict=True)), log)


def make_log(form: str, level: str) -> AuditLog:
    """Return a log that writes to standard error."""
    return AuditLog((DescriptorSink(STDERR, form, Level[level.upper()]),), lambda: datetime.now(UTC))


def trusted_owners() -> frozenset[int]:
    """Whose files are read: root's, and those of whoever starts the daemon, for as long as it runs."""
    return frozenset({0, os.geteuid()})


def load_policy(path: Path, log: AuditLog, owners: frozenset[int], *, strict: bool = False) -> "Ruleset":
    """Read and compile a policy; PolicyError with every problem, warnings to the log. `owners`: whose files count.

    strict: a policy whose `tests` fail is refused, too; else it serves, and the log says so loudly.
    """
    # The zygote is on its way while this is imported: it takes as long as reading a policy does.
    without_plugins()
    from pysshd.policy.load import load_file
    from pysshd.policy.problems import PolicyError

    loaded = load_file(str(path), owner_uids=owners)
    if strict and loaded.tests_failed:
        raise PolicyError(problem for problem in loaded.warnings if problem.severity == "failed")
    return _warned(loaded, log, str(path))


def load_settings(text: str, log: AuditLog) -> "Ruleset":
    """Compile a policy that a program gave as JSON, which YAML holds; otherwise as `load_policy`."""
    without_plugins()
    from pysshd.policy.load import load_text

    return _warned(load_text(text, SETTINGS), log, SETTINGS)


def without_plugins() -> None:
    """Have pydantic look for no plugins: nobody else's code reads a policy, and every package would be looked at."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _warned(loaded: "Loaded", log: AuditLog, policy: str) -> "Ruleset":
    for warning in loaded.warnings:
        log.write("daemon.warning", detail=str(warning))
    if loaded.tests_failed:
        failed = sum(not verdict.passed for verdict in loaded.verdicts)
        log.write("daemon.tests_failed", failed=failed, count=len(loaded.verdicts), policy=policy)
    return loaded.ruleset

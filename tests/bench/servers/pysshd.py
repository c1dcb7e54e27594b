"""Our daemon, with one worker for each connection or with a few shared ones."""

import os
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

from pysshd.version import __version__
from tests.bench.errors import TroubleError
from tests.bench.place import ENVIRONMENT, HOST, SHELL_LEVEL, Place
from tests.bench.servers.base import Prepared, Server

CONNECTION, SHARED = "connection", "shared"

_POLICY = """\
version: 1
server:
  listen: ["{host}:{port}"]
  state: {state}
  host_keys: [{host_key}]
{server}
limits: {{startups: {{start: 400, rate: 30%, full: 500}}, sessions_per_connection: 10, connections: 1000}}
users: {{{user}: {{keys: ["{public_line}"]}}}}
roles: {{bench: {{exec: any, env: {{set: {{{variables}}}}}}}}}
grants: [{{who: {user}, roles: bench}}]
"""

_AS_ROOT = (
    (
        "accounts: system",
        ("accounts: system", "worker_user: nobody"),
        ("acknowledge: [shared-workers-with-system-accounts]",),
    ),
    ("accounts: service", ("user: {user}", "owner: {user}"), ()),
)
"""What stands in `server` where root starts the daemon: a name, lines, and more of them where workers are shared.

The first that pysshd takes is used.
"""

_AS_USER = (("accounts: service", ("owner: {user}",), ()),)


def policy(place: Place, state: Path, port: int, lines: tuple[str, ...]) -> str:
    """The policy of a daemon: one person, who may run any command; `lines` are more of its section `server`."""
    return _POLICY.format(
        host=HOST,
        port=port,
        state=state,
        host_key=place.host_key,
        user=place.user,
        server="\n".join(f"  {line.format(user=place.user)}" for line in lines),
        public_line=place.public_line,
        variables=", ".join(f'{name}: "{value}"' for name, value in SHELL_LEVEL.items()),
    )


def _pysshd(*words: str | Path) -> list[str | Path]:
    return [sys.executable, "-P", "-m", "pysshd", *words]


@cache
def settings(place: Place, isolation: str) -> tuple[str, tuple[str, ...]]:
    """How this pysshd serves this isolation here: a name, and lines of the policy; TroubleError where it does not."""
    said = f"accounts: {place.accounts} can not be served by whoever runs this"
    for name, plain, shared in _AS_ROOT if os.geteuid() == 0 else _AS_USER:
        if place.accounts and name != f"accounts: {place.accounts}":
            continue
        lines: tuple[str, ...] = plain if isolation == CONNECTION else (*plain, f"isolation: {isolation}", *shared)
        file = place.subfolder("check") / "policy.yaml"
        file.write_text(policy(place, file.parent, 2222, lines))
        done = subprocess.run(
            _pysshd("check", file), env=ENVIRONMENT, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode == 0:
            return name, lines
        complaints = (done.stdout + done.stderr).strip().splitlines() or [f"status {done.returncode}"]
        first = next((line for line in complaints if "isolation" in line), complaints[0])
        said = f"this pysshd does not take its policy: {first.replace(str(file), file.name)}"
    raise TroubleError(said)


def missing(place: Place, isolation: str) -> str | None:
    """Whether the installed pysshd serves this isolation."""
    try:
        settings(place, isolation)
    except TroubleError as trouble:
        return str(trouble)
    return None


def prepare(place: Place, folder: Path, port: int, isolation: str) -> Prepared:
    """Write the policy."""
    _, lines = settings(place, isolation)
    state, file = folder / "state", folder / "policy.yaml"
    state.mkdir(mode=0o700)
    if os.geteuid() == 0 and "owner: {user}" in lines:
        os.chown(state, *place.ids)
    file.write_text(policy(place, state, port, lines))
    return Prepared(_pysshd("--config", file), {})


def _about(place: Place, isolation: str) -> str:
    return f"isolation: {isolation}; {settings(place, isolation)[0]}; logs as it does by default, into a file"


def _server(name: str, isolation: str) -> Server:
    return Server(
        name,
        f"pysshd, isolation: {isolation}",
        partial(missing, isolation=isolation),
        partial(prepare, isolation=isolation),
        lambda: f"pysshd {__version__}",
        partial(_about, isolation=isolation),
    )


PYSSHD = _server("pysshd", CONNECTION)
PYSSHD_SHARED = _server("pysshd-shared", SHARED)

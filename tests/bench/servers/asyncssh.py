"""An AsyncSSH server that runs programs over pipes, as its documentation shows it."""

import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tests.bench.kept import ROOT
from tests.bench.place import Place
from tests.bench.servers.base import Prepared, Server


def prepare(place: Place, folder: Path, port: int) -> Prepared:
    """Write the authorized keys."""
    authorized = folder / "authorized_keys"
    authorized.write_text(f"{place.public_line}\n")
    words: list[str | Path] = [sys.executable, "-s", "-m", "tests.bench.servers.asyncssh_program"]
    words += [str(port), place.host_key, authorized, place.person.pw_shell or "/bin/sh"]
    # The tests are no package that is installed anywhere.
    return Prepared(words, {"PYTHONPATH": str(ROOT)})


def missing(_: Place) -> str | None:
    """Whether AsyncSSH is installed."""
    return None if find_spec("asyncssh") else "asyncssh is not installed here; it is in the dependency group `bench`"


ASYNCSSH = Server(
    "asyncssh",
    "AsyncSSH",
    missing,
    prepare,
    lambda: f"asyncssh {metadata.version('asyncssh')}",
    lambda _: "one process, which is every user; programs over pipes by redirect(); no log",
)

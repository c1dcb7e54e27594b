"""Finds the Python interpreters that the tests run on."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gates.programs import Account, run

OLDEST = (3, 11)
SHOWN = ((3, 11), (3, 13))
"""The versions that pysshd is shown on."""

_PROBE = """
import importlib.util, json, os, ssl, sys, venv
found = importlib.util.find_spec
print(json.dumps({
    "path": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": list(sys.version_info[:3]),
    "pip": found("ensurepip") is not None,
    "fit": sys.implementation.name == "cpython" and bool(found("ctypes") and found("pty")),
}))
"""
_PLACES = (
    "/usr/local/bin",
    "/usr/bin",
    "~/.pyenv/versions/{v}.*/bin",
    "~/.local/share/uv/python/cpython-{v}.*/bin",
    "~/.local/bin",
    "/opt/python{v}*/bin",
    "/opt/python/{v}*/bin",
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython that can make virtual environments; `has_pip` says whether it brings a pip for them."""

    path: str
    version: tuple[int, int, int]
    has_pip: bool

    @property
    def series(self) -> tuple[int, int]:
        """The version without its last number."""
        return self.version[:2]

    def __str__(self) -> str:
        return f"python {'.'.join(map(str, self.version))}"


def probe(path: str, account: Account | None = None) -> Interpreter | None:
    """Ask the interpreter at `path` who it is, as `account` where that is given; None where it does not serve."""
    try:
        ended = run([path, "-I", "-c", _PROBE], cwd=Path("/"), seconds=60, account=account)
        said = json.loads(ended.output) if ended.status == 0 else None
    except (OSError, ValueError):
        return None
    if said is None or not said["fit"] or tuple(said["version"][:2]) < OLDEST:
        return None
    major, minor, micro = said["version"]
    return Interpreter(said["path"], (major, minor, micro), said["pip"])


def started_on() -> Interpreter | None:
    """The interpreter that runs this, below any virtual environment."""
    return probe(sys.executable)


def _candidates(series: tuple[int, int]) -> Iterator[str]:
    version = f"{series[0]}.{series[1]}"
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(":") if folder.startswith("/")]
    for place in _PLACES:
        pattern = os.path.expanduser(place.format(v=version)).lstrip("/")
        folders += sorted(Path("/").glob(pattern), reverse=True)
    seen = set()
    for folder in folders:
        path = folder / f"python{version}"
        if path not in seen and os.access(path, os.X_OK):
            seen.add(path)
            yield str(path)


def partner_of(started: Interpreter) -> Interpreter | None:
    """Another interpreter of the versions that pysshd is shown on, from PATH and the usual places."""
    for series in SHOWN:
        if series == started.series:
            continue
        for path in _candidates(series):
            found = probe(path)
            if found is not None and found.series == series:
                return found
    return None


def runnable_by(account: Account, wished: list[Interpreter]) -> Interpreter | None:
    """The first of the `wished` interpreters, or of those in the system's folders, that `account` can run."""
    system = [path for series in SHOWN[::-1] for path in _candidates(series) if path.startswith("/usr/")]
    for path in [each.path for each in wished] + ["/usr/bin/python3", *system]:
        found = probe(path, account)
        if found is not None:
            return found
    return None

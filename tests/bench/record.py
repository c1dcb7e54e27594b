"""What is kept of a run: every round, and the machine; no host name, no path."""

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.benchmarks import BENCHMARKS
from tests.bench.kept import ROOT
from tests.bench.measures.base import Sizes
from tests.bench.results import Results, rows

FORMAT = 1
"""Raised when what stands in the file changes its meaning."""


def machine() -> dict[str, Any]:
    """The machine, as far as it makes figures comparable."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": _field(Path("/proc/cpuinfo"), "model name"),
        "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cryptography": importlib.metadata.version("cryptography"),
        "root": os.geteuid() == 0,
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def _field(file: Path, name: str) -> str | None:
    try:
        found = (line.partition(":") for line in file.read_text().splitlines())
        return next((value.strip() for key, _, value in found if key.strip() == name), None)
    except OSError:
        return None


def commit() -> str | None:
    """The commit that is measured, with a + where files differ from it; None outside of a repository."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return None
    return said.stdout.strip() or None


def whole(
    results: Results,
    sizes: Sizes,
    servers: Mapping[str, Mapping[str, str]],
    left_out: Mapping[str, str],
    about: Mapping[str, Any],
    complete: bool = True,
) -> dict[str, Any]:
    """The record of a run; `servers` says what each was, `about` is what `machine` said at the start.

    complete: every round was begun; a run that was interrupted is kept too, and says so.
    """
    return {
        "format": FORMAT,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "complete": complete,
        "machine": about,
        "sizes": {name: getattr(sizes, name) for name in sizes.__slots__},
        "servers": servers,
        "left_out": left_out,
        "trouble": results.trouble,
        "figures": [
            {
                "benchmark": key.benchmark,
                "figure": key.figure,
                "unit": next(f.unit for f in BENCHMARKS[key.benchmark].figures if f.name == key.figure),
                "server": key.server,
                "rounds": rounds,
            }
            for key, rounds in results.rounds.items()
        ],
        "targets": [
            {
                "benchmark": row.benchmark.name,
                "figure": row.figure.name,
                "server": row.server,
                "median": row.ours.median,
                "ratio": row.ratio,
                "bound": row.bound,
                "relative": row.target.relative,
                "met": row.met,
            }
            for row in rows(results)
            if row.target is not None
        ],
    }


def write(file: Path, record: dict[str, Any]) -> None:
    """Write a record as a file of JSON."""
    file.write_text(json.dumps(record, indent=1) + "\n", "utf-8")

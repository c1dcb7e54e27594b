"""A program that says much at a steady pace, so that every server has the same to carry.

A download without end is as fast as the server, and on a machine with few CPUs its client takes the more of them from
everybody the faster that is: an echo beside it says more about the download than about the echo.
"""

import shutil
import sys
from pathlib import Path

from tests.bench.measures.bulk import BLOCK
from tests.bench.place import ENVIRONMENT, Place

RATE = 300e6
"""Bytes a second: what a line of 2.5 Gbit/s carries."""

_PROGRAM = """\
import os, sys, time
size, pace = int(sys.argv[1]), float(sys.argv[2])
block, due = memoryview(bytes(size)), time.monotonic()
while True:
    left = block
    while left:
        left = left[os.write(1, left) :]
    due = max(due + pace, time.monotonic() - 0.1)
    time.sleep(max(0.0, due - time.monotonic()))
"""
"""What it could not say in time it says later, but for more than a tenth of a second."""


def command(place: Place) -> str:
    """What the person who logs in runs: the system's Python, which everybody may, or else the one of this run."""
    program = place.folder / "paced.py"
    if not program.exists():
        program.write_text(_PROGRAM)
    python = shutil.which("python3", path=ENVIRONMENT["PATH"]) or Path(sys.executable)
    return f"{python} -I {program} {BLOCK} {BLOCK / RATE}"

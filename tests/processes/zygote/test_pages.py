"""What a fork writes on: pages of its own for what it makes."""

import re
import subprocess
import sys
from pathlib import Path

import pysshd

SCRIPT = """
import gc, os
from pysshd.processes.zygote import pages

holes = [bytes(200) for _ in range(3000)]
del holes[::2]
pages.settle()
assert gc.get_freeze_count() and not gc.isenabled()
before = {id(one) // pages._POOL for one in holes}
made = [bytes(200) for _ in range(200)]
print(sum(id(one) // pages._POOL in before for one in made))
"""


def test_what_is_made_after_settling_fills_no_hole() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=True)
    assert int(found.stdout) == 0


def test_no_library_runs_anything_in_a_fork() -> None:
    """`random` would, and is imported by `cryptography`: in a fork its state is what it was."""
    code = """
import os
from pysshd.processes.zygote.hooks import refuse_hooks
refuse_hooks()
import random
state = random.getstate()
pid = os.fork()
if not pid:
    os._exit(7 if random.getstate() == state else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "7\n"


def test_nothing_that_the_zygote_forks_asks_random() -> None:
    root = Path(pysshd.__file__).parent
    lean = [path for room in ("processes", "ssh", "identity", "server") for path in (root / room).rglob("*.py")]
    assert len(lean) > 100
    assert [str(path) for path in lean if re.search(r"^\s*(import|from) random\b", path.read_text(), re.M)] == []

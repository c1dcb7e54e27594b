"""That looking at what is immortal writes nothing, and that nothing else is different."""

import subprocess
import sys

import pytest

immortal = pytest.mark.skipif(sys.version_info < (3, 12), reason="objects are counted always before Python 3.12")


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@immortal
def test_objects_functions_and_what_they_hold_are_not_counted_any_more() -> None:
    code = """
import ctypes, gc
from pysshd.processes.zygote.uncounted import stop_counting

class Thing:
    def __init__(self):
        self.text = "no constant " + str(id(self))

def act():
    return [number + 100_000 for number in range(3)]

frozen = Thing()
gc.collect(); gc.freeze()
thing = Thing()
assert stop_counting() > 1000
seen = (frozen, frozen.text, thing, thing.text, Thing, act, act.__code__, act.__code__.co_consts)
before = [ctypes.string_at(id(each), 8) for each in seen]
used = [each for each in seen for _ in range(5)]
act()
print([ctypes.string_at(id(each), 8) for each in seen] == before)
"""
    assert _run(code) == "True"


@immortal
def test_what_is_made_afterwards_is_counted_and_freed() -> None:
    code = """
import weakref
from pysshd.processes.zygote.uncounted import stop_counting

class Thing:
    pass

stop_counting()
thing = Thing()
there = weakref.ref(thing)
del thing
print(there() is None, stop_counting() < 1000)
"""
    assert _run(code) == "True True"


def test_a_process_goes_on_as_before_and_ends_well() -> None:
    """Whether this interpreter knows immortal objects or not: a count that was tried out is put back."""
    code = """
import gc, json, re, sys
from pysshd.processes.zygote.uncounted import stop_counting

text = "a" * 3
items = [1 << 70, text, (1, 2), {"a": [1]}]
stop_counting()
text += "b"
items.append(items[0] + 1)
items[3]["a"].append(2)
del items[1]
gc.collect()
print(json.dumps([text, items]), re.sub("a+", "c", text))
"""
    expected = f'["aaab", [{1 << 70}, [1, 2], {{"a": [1, 2]}}, {(1 << 70) + 1}]] cb'
    assert _run(code) == expected


@immortal
def test_a_fork_that_looks_at_everything_copies_few_pages() -> None:
    code = """
import gc, os
from pysshd.processes.zygote.uncounted import stop_counting
import sys

things = [object() for _ in range(50_000)]

def copied():
    pid = os.fork()
    if not pid:
        before = private()
        for each in things:
            kept = each
        os._exit(min(255, (private() - before) // 16))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def private():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) // 4

gc.collect(); gc.disable()
before = copied()
stop_counting()
print(before > 4 * (copied() + 1))
"""
    assert _run(code) == "True"

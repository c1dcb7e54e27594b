"""The benchmarks by name, in the order in which a round takes them."""

from fnmatch import fnmatchcase

from tests.bench.measures.base import Benchmark
from tests.bench.measures.bulk import BULK
from tests.bench.measures.echo import ECHO
from tests.bench.measures.engine import ENGINE
from tests.bench.measures.logins import LOGINS
from tests.bench.measures.standing import STANDING

BENCHMARKS: dict[str, Benchmark] = {each.name: each for each in (*BULK, *LOGINS, *ECHO, *STANDING, *ENGINE)}


def chosen(words: tuple[str, ...]) -> tuple[Benchmark, ...]:
    """Those whose name is, begins with or matches one of `words`; all of them where there is none.

    Raises ValueError, for a person, where a word matches nothing.
    """
    for word in words:
        if not any(_matches(name, word) for name in BENCHMARKS):
            raise ValueError(f"{word!r} is no benchmark; --list shows them")
    return tuple(each for name, each in BENCHMARKS.items() if not words or any(_matches(name, word) for word in words))


def _matches(name: str, word: str) -> bool:
    return name == word or name.startswith(f"{word}-") or fnmatchcase(name, word)

"""One mutant in a fresh process: `python -m tests.mutation.fresh TASK`, for what is run when a module is imported.

TASK is a file of JSON: `module`, `number` of the mutant, `tests` to run in their order, `seconds` that each took. What
came of it is written to standard output as JSON, in the last line.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tests.mutation.judging import BROKEN, KILLED, SURVIVED, Judgement, Watch, limit_memory
from tests.mutation.mutants import mutated


class _Loader(SourceFileLoader):
    """Loads the mutant in place of the file."""

    number = 0

    def get_code(self, fullname: str) -> CodeType:
        """The code of the mutant; no compiled file is looked at or written."""
        path = self.get_filename(fullname)
        return compile(mutated(Path(path).read_text("utf-8"), self.number), path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds one module as a mutant, and no other."""

    def __init__(self, module: str, number: int) -> None:
        self._module = module
        self._number = number

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of this name."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == self._module else None
        if spec is not None and spec.origin is not None:
            spec.loader = loader = _Loader(fullname, spec.origin)
            loader.number = self._number
        return spec


class _Chosen:
    """A plugin for pytest: the tests that are asked for, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        kept = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(kept, key=lambda item: self._places[item.nodeid])


ARGUMENTS = ("-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "--no-header", "--tb=no", "--timeout=0")
"""Of every run of pytest here: in the order that is given, to the first failure, and nothing is left behind."""


def main(task_file: str) -> None:
    """Judge one mutant."""
    task = json.loads(Path(task_file).read_text())
    sys.meta_path.insert(0, _Finder(task["module"], task["number"]))
    limit_memory()
    watch = Watch(task["seconds"])
    files = dict.fromkeys(name.partition("::")[0] for name in task["tests"])
    status = pytest.main([*ARGUMENTS, *files], plugins=[watch, _Chosen(task["tests"])])
    if status == pytest.ExitCode.USAGE_ERROR:
        sys.exit("the tests are not those that were measured")  # and nothing is said of the mutant
    verdict = KILLED if watch.failed else SURVIVED if status in (0, pytest.ExitCode.NO_TESTS_COLLECTED) else BROKEN
    print("\n" + json.dumps(asdict(Judgement(verdict, watch.failed, watch.tests))))


if __name__ == "__main__":
    main(sys.argv[1])

"""What became of the mutants: kept as JSON while the run goes on, and summed up at its end."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.mutation.judging import DEAD, SURVIVED, UNTESTED, Judgement
from tests.mutation.mutants import Mutant


class Results:
    """The judgements so far. A mutant is told by its file, its line, its place there and what it changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, tuple[Mutant, Judgement]] = {}
        if path is not None and path.exists():
            for row in json.loads(path.read_text())["mutants"]:
                mutant = Mutant(**{name: row[name] for name in Mutant.__slots__})
                self._known[str(mutant)] = mutant, Judgement(**row["judgement"])

    def of(self, mutant: Mutant) -> Judgement | None:
        """What is known of a mutant."""
        found = self._known.get(str(mutant))
        return found[1] if found is not None else None

    def note(self, mutant: Mutant, judgement: Judgement) -> None:
        """Keep a judgement."""
        self._known[str(mutant)] = mutant, judgement
        if self._path is not None:
            rows: list[dict[str, Any]] = [
                asdict(mutant) | {"judgement": asdict(found)} for mutant, found in self._known.values()
            ]
            beside = self._path.with_name(f"{self._path.name}.new")
            beside.write_text(json.dumps({"mutants": rows}, indent=1))
            os.replace(beside, self._path)


def share_killed(judgements: Iterable[Judgement]) -> float:
    """How many in a hundred are dead; of none all are."""
    found = [judgement.verdict in DEAD for judgement in judgements]
    return 100 * sum(found) / len(found) if found else 100.0


def summary(judged: Iterable[tuple[Mutant, Judgement]]) -> Iterator[str]:
    """What is told at the end: the survivors, the kinds, and the sum."""
    found = sorted(judged, key=lambda pair: (pair[0].path, pair[0].number))
    for mutant, judgement in found:
        if judgement.verdict not in DEAD:
            note = ", in a line that no test runs" if judgement.verdict == UNTESTED else ""
            yield f"{mutant}{note}"
    by_kind = Counter(mutant.kind for mutant, _ in found)
    alive = Counter(mutant.kind for mutant, judgement in found if judgement.verdict not in DEAD)
    for kind, count in sorted(by_kind.items()):
        yield f"{kind:12} {count - alive[kind]:5} of {count:5} killed"
    verdicts = Counter(judgement.verdict for _, judgement in found)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    yield f"{share_killed(judgement for _, judgement in found):.1f} % of {len(found)} mutants killed ({told})"


def is_alive(judgement: Judgement) -> bool:
    """Whether no test noticed."""
    return judgement.verdict in (SURVIVED, UNTESTED)

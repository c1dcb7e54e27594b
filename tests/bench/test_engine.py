"""What the measurements of the policy engine are about: the documents, the requests, the patterns, and the figures."""

from pathlib import Path

import pytest

from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from tests.bench import run
from tests.bench.engine.documents import ROLES, document
from tests.bench.engine.program import decisions, load, patterns
from tests.bench.engine.questions import KINDS, queries
from tests.bench.engine.worst import WORST
from tests.bench.errors import TroubleError
from tests.bench.measures import engine


def test_a_document_is_accepted_and_has_what_it_was_asked_for() -> None:
    ruleset = load_text(document(60, 80), language=True).ruleset
    assert (len(ruleset.people), len(ruleset.grants)) == (60, 80)
    held = [len(ruleset.grants_of(person)) for person in ruleset.people.values()]
    assert max(held) < 80
    assert min(held) > 1
    assert document(60, 80) == document(60, 80)
    assert all(role in document(60, 80) for role in ROLES)


def test_requests_of_every_kind_are_allowed_and_refused() -> None:
    ruleset = load_text(document(60, 80), language=True).ruleset
    found = queries(ruleset, 40)
    assert found.keys() == KINDS.keys()
    for kind, some in found.items():
        allowed = [decide(ruleset, query).allowed for query in some]
        assert any(allowed), kind
        assert not all(allowed) or kind in ("login", "session", "env"), kind


@pytest.mark.parametrize("name", WORST)
def test_the_worst_texts_have_the_length_that_is_asked_for(name: str) -> None:
    for one in WORST[name]:
        assert 800 <= len(one.text(1000)) <= 1000
        one.matches(one.text(1000))


def test_every_figure_is_taken() -> None:
    assert load(20, 10).keys() == {"cpu", "memory", "process"}
    assert decisions(40, 20, 1).keys() == {engine.MEDIAN.name, engine.SLOWEST.name}
    assert patterns(1).keys() == {figure.name for figure in engine.PATTERNS}


def test_a_run_of_them_starts_no_server(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    words = ["--quick", "--rounds", "1", "--only", "policy-patterns", "--json", str(file)]
    if run.main(words) != run.MEASURED:
        pytest.fail(capfd.readouterr().out)
    said = capfd.readouterr().out
    assert "policy-patterns  glob, ms" in " ".join(said.split("\x1b[0m")).replace("   ", " ")
    assert '"servers": {}' in file.read_text()
    assert '"server": "engine"' in file.read_text()


def test_what_fails_is_said() -> None:
    with pytest.raises(TroubleError, match="KeyError"):
        engine._run("nothing")

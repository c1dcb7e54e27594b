"""Files that are made to cost: wide, long, and wrong in every line. Each is refused within seconds and few problems."""

import time
from collections.abc import Callable

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import Mark, PolicyError
from pysshd.policy.report import PROBLEMS_MAX, Report, Source, meant
from pysshd.policy.text import MAX_BYTES
from pysshd.policy.tree import MAX_NODES, MAX_TEXT

SECONDS = 15.0
"""Of CPU time; each of these took minutes to hours before there were caps."""

Make = Callable[[int], str]


def _lines(head: str, line: str) -> Make:
    return lambda count: head + "".join(line.format(number) for number in range(count))


def _dear_hint(count: int) -> str:
    users = "".join(f"  user{number}: {{groups: g}}\n" for number in range(count))
    unknown = ", ".join(f"usr{number}" for number in range(count))
    return f"version: 1\nusers:\n{users}groups: [g]\ngrants: [{{who: [{unknown}], roles: login-shell}}]\n"


WIDE: dict[str, Make] = {
    "list in one line": lambda count: "version: 1\ngroups: [" + "a," * count + "]\n",
    "mapping in one line": lambda count: "version: 1\nserver: {" + ",".join(f"k{n}: 1" for n in range(count)) + "}\n",
    "unknown sections": _lines("version: 1\n", "k{}: 1\n"),
    "unknown keys": _lines("version: 1\nserver:\n", "  k{}: 1\n"),
    "unknown keys behind a secret": _lines("version: 1\nusers:\n  a:\n    password: x\n", "    k{}: 1\n"),
    "keys twice": lambda count: "version: 1\nusers:\n" + "".join(f"  k{n}: 1\n" for n in range(count // 2)) * 2,
    "keys that are none": lambda count: "version: 1\nusers: {a: {keys: [" + "ssh-ed25519 AAAA, " * count + "]}}\n",
    "secrets": _lines("version: 1\nusers:\n", "  k{}: {{password: x}}\n"),
    "people who are not there": lambda count: _dear_hint(count // 4),
}


MANY = MAX_NODES - 20_000
READ_WHOLE = ("list in one line", "keys twice", "keys that are none")
"""Of so many, these are no more nodes than there may be, and all of it is read."""

SIZES = [
    *((name, MAX_NODES // 8) for name in WIDE),
    *((name, MANY) for name in READ_WHOLE),
    # Of the others no more is read than MAX_NODES, whatever they hold: one in a line, and the one of most bytes.
    *((name, MANY) for name in ("mapping in one line", "secrets")),
]


@pytest.mark.parametrize(("name", "count"), SIZES)
@pytest.mark.security("S123")
def test_wide_file_is_refused_in_bounded_time(name: str, count: int) -> None:
    text = WIDE[name](count)[:MAX_BYTES]
    began = time.process_time()
    with pytest.raises(PolicyError) as refused:
        load_text(text)
    assert time.process_time() - began < SECONDS
    assert len(refused.value.problems) <= 2 * PROBLEMS_MAX + 2
    assert len(str(refused.value)) < 1 << 20


@pytest.mark.parametrize("text", ["{{", "$a", "?a*", "\\\\", "password"])
@pytest.mark.security("S123")
def test_long_text_is_refused(text: str) -> None:
    long = text * (MAX_TEXT // len(text) + 1)
    with pytest.raises(PolicyError, match=f"a text has {len(long)} characters, expected at most {MAX_TEXT}"):
        load_text(f"version: 1\nroles: {{r: {{forced: [x, '{long}']}}}}\n")


def test_longest_text_costs_little() -> None:
    began = time.process_time()
    load_text(
        "version: 1\nserver: {owner: a}\nusers: {a: {accounts: a, password: "
        "'$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}}\n"
        f"roles: {{r: {{forced: [x, '{'{{' * (MAX_TEXT // 2)}']}}}}\ngrants: [{{who: a, roles: r}}]\n"
    )
    assert time.process_time() - began < SECONDS


def test_report_says_that_there_is_more() -> None:
    with pytest.raises(PolicyError) as refused:
        load_text(WIDE["unknown keys"](PROBLEMS_MAX + 1))
    *told, last = refused.value.problems
    assert len(told) == PROBLEMS_MAX
    assert (last.line, last.severity) == (0, "error")
    assert last.message == f"these are {PROBLEMS_MAX} problems; what follows was not looked at"


def test_warnings_are_counted_beyond_those_that_are_told() -> None:
    users = "".join(f"  k{number}: {{accounts: a}}\n" for number in range(PROBLEMS_MAX + 7))
    loaded = load_text(f"version: 1\nusers:\n{users}")
    *told, last = loaded.warnings
    assert len(told) == PROBLEMS_MAX
    assert (last.message, last.severity) == ("there are 7 more warnings", "warning")


def test_line_that_is_too_long_is_not_shown() -> None:
    source = Source("policy.yaml", "x" * 5000 + "\nshort\n")
    assert source.shown(1) == ""
    assert source.shown(2) == "short"


def test_hint_among_many_words_is_still_found() -> None:
    known = [f"user{number:04}" for number in range(3000)] + ["katherine"]
    assert meant("katherin", known) == "did you mean 'katherine'?"
    assert meant("k" * 65, ["k" * 65 + "k"]) == ""


def test_report_counts_a_problem_once() -> None:
    report = Report()
    source = Source("policy.yaml", "a\n")
    report.sources["policy.yaml"] = source
    for _ in range(PROBLEMS_MAX * 2):
        report.warning(Mark("policy.yaml", 1, 1), "it is odd")
    assert len(report.problems) == 1
    assert not report.refused

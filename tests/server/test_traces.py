"""The trace of a refusal, as one text that a line of the log has room for."""

from pysshd.policy.decision import Tried
from pysshd.server.traces import LENGTH_MAX, told

SILENT = "it does not speak of this request"


def test_what_matched_stands_first_and_what_is_silent_is_counted() -> None:
    trace = (
        Tried("ops", "p:1", False, "who does not hold"),
        Tried("no-shell", "p:2", True),
        Tried("db", "p:3", False, SILENT),
        Tried("more", "p:4", False, SILENT),
        Tried("odd", "p:5", False),
    )
    assert told(trace) == (
        "no-shell (p:2): matches; ops (p:1): who does not hold; odd (p:5): does not match; "
        "2 that do not speak of this request"
    )


def test_nothing_tried_is_nothing() -> None:
    assert told(()) == ""


def test_a_thousand_entries_have_an_end() -> None:
    said = told(
        tuple(Tried(f"grant {n}", f"/etc/pysshd/policy.yaml:{n}", False, "from does not hold") for n in range(1000))
    )
    assert len(said) < LENGTH_MAX + 40
    shown = said.count("grant ")
    assert said.endswith(f"and {1000 - shown} more")

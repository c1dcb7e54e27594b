"""Every event as text and as JSON, whatever its fields hold (S119, F18)."""

import string
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.audit.escape import MAX_TEXT, printable
from pysshd.audit.events import EVENTS, AuditEvent, Level, as_json, as_text
from tests.audit.canaries import CANARIES, harmless, record

NOW = datetime(2027, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def fields_of(name: str) -> list[str]:
    return [field for _, field, _, _ in string.Formatter().parse(EVENTS[name].sentence) if field]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_renders(name: str) -> None:
    event = AuditEvent(name, NOW, {**{field: f"<{field}>" for field in fields_of(name)}, "more": "a b"})
    text, made = as_text(event), record(as_json(event))
    assert text.startswith(f"2027-03-01T12:00:00.250+00:00 {EVENTS[name].level.name.lower()}")
    assert made["event"] == name
    assert Level[str(made["level"]).upper()] is EVENTS[name].level
    for field in fields_of(name):
        assert f"<{field}>" in text
        assert made[field] == f"<{field}>"
    assert text.endswith('[more="a b"]')


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_without_its_fields_is_still_a_line(name: str) -> None:
    event = AuditEvent(name, NOW, {})
    assert "{" not in as_text(event)
    assert record(as_json(event))["event"] == name


@pytest.mark.security("S119")
@pytest.mark.parametrize(("name", "canary"), list(product(EVENTS, CANARIES)))
def test_no_field_does_more_than_to_be_shown(name: str, canary: str) -> None:
    value = CANARIES[canary]
    for fields in (dict.fromkeys(fields_of(name), value), {"extra": value}):
        event = AuditEvent(name, NOW, fields)
        text, line = as_text(event), as_json(event)
        assert harmless(text)
        assert line.isascii()
        assert line.isprintable()
        made = record(line)
        assert made["event"] == name
        assert set(made) == {"time", "level", "event", *fields}


@pytest.mark.security("S119")
@given(st.text() | st.binary())
def test_any_text_becomes_one_harmless_line(value: str | bytes) -> None:
    shown = printable(value)
    assert harmless(shown)
    assert len(shown.splitlines()) <= 1
    shown.encode()


@pytest.mark.security("S119")
def test_a_field_takes_no_place_that_is_ours() -> None:
    made = record(
        as_json(AuditEvent("daemon.ready", NOW, {"time": "1970", "level": "debug", "event": "daemon.stopped"}))
    )
    assert (made["time"], made["level"], made["event"]) == ("2027-03-01T12:00:00.250+00:00", "info", "daemon.ready")
    assert made["time_"] == "1970"


@pytest.mark.security("S119")
@pytest.mark.parametrize(
    ("name", "field"),
    [("login.refused", "account"), ("login.refused", "method"), ("request.allowed", "request"),
     ("connection.negotiated", "client"), ("connection.disconnected", "text"), ("session.started", "person")],
)  # fmt: skip
def test_what_a_peer_chose_says_no_sentence_of_its_own(name: str, field: str) -> None:
    forged = "bob from 10.0.0.1:1 is in as root by publickey (policy.yaml:1)"
    fields = {other: other for other in fields_of(name)} | {field: forged}
    assert f'"{forged}"' in as_text(AuditEvent(name, NOW, fields))


def test_plain_words_stand_without_quotes() -> None:
    fields = {"account": "alice-1@example.org", "source": "[::1]:4", "method": "password", "reason": "it is wrong"}
    text = as_text(AuditEvent("login.refused", NOW, {**fields, "decided_by": "policy.yaml:3"}))
    assert text.endswith("alice-1@example.org from [::1]:4 refused with password: it is wrong (policy.yaml:3)")


def test_a_long_value_says_how_long_it_was() -> None:
    assert printable("y" * (MAX_TEXT + 1)) == "y" * MAX_TEXT + f"… ({MAX_TEXT + 1} characters)"
    assert printable("é\x9b") == "é\\x9b"

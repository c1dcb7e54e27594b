"""Every number of the language at its borders: the least and the most are taken, and nothing beyond them."""

import pytest

from pysshd.policy.fields import NAME_FORM
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from tests.policy.support import PEOPLE

COUNTS = [
    ("limits: {{auth_attempts: {}}}", 1, 100),
    ("limits: {{sessions_per_connection: {}}}", 1, 1000),
    ("limits: {{connections: {}}}", 1, 100_000),
    ("limits: {{startups: {{start: {}, rate: 30%, full: 100000}}}}", 1, 100_000),
    ("limits: {{startups: {{start: 1, rate: 30%, full: {}}}}}", 1, 100_000),
    ("limits: {{startups: {{start: 1, rate: 30%, full: 9, per_source: {}}}}}", 1, 100_000),
    ("limits: {{startups: {{start: 1, rate: 30%, full: 9, per_source_rate: {}}}}}", 1, 100_000),
    ("crypto: {{min_rsa_bits: {}}}", 2048, 16384),
    ("login: [{{methods: publickey, set: {{sessions: {}}}}}]", 1, 1000),
    ("login: [{{methods: publickey, set: {{keepalive: {{interval: 9s, count: {}}}}}}}]", 1, 100),
    ("grants: [{{who: bob, allow: {{shell: true, confined: true}}, limits: {{channels: {}}}}}]", 1, 999_999_999),
    ("server: {{accounts: system, min_uid: {}}}", 1, 999_999_999),
]
SPANS = [
    ("limits: {{login_grace: {}s}}", 1, 3600),
    ("crypto: {{rekey: {{interval: {}s}}}}", 60, 86400),
    ("login: [{{methods: publickey, set: {{keepalive: {}s}}}}]", 1, 86400),
    ("login: [{{methods: publickey, set: {{rekey: {{interval: {}s}}}}}}]", 60, 86400),
]
SIZES = [
    ("crypto: {{rekey: {{bytes: {}B}}}}", 1 << 20, 1 << 36),
    ("login: [{{methods: publickey, set: {{rekey: {{bytes: {}B}}}}}}]", 1 << 20, 1 << 36),
    ("roles: {{r: {{exec: {{profile: borg, paths: /srv, quota: {}B}}, confined: true}}}}", 10_000_000, None),
]
SHARES = [("limits: {{startups: {{start: 1, rate: {}%, full: 9}}}}", 0, 100)]


def refused(form: str, number: int | str) -> str:
    try:
        load_text(f"{PEOPLE}{form.format(number)}\n", "p.yaml", language=True)
    except PolicyError as error:
        return "\n".join(problem.message for problem in error.problems if problem.severity == "error")
    return ""


@pytest.mark.parametrize(("form", "least", "most"), [*COUNTS, *SPANS, *SIZES, *SHARES])
def test_borders(form: str, least: int, most: int | None) -> None:
    assert refused(form, least) == ""
    if least:
        assert f"found '{least - 1}" in refused(form, least - 1)
    if most is not None:
        assert refused(form, most) == ""
        assert f"found '{most + 1}" in refused(form, most + 1)


@pytest.mark.parametrize(("form", "least", "most"), COUNTS)
def test_the_words_of_counts(form: str, least: int, most: int) -> None:
    assert refused(form, most + 1) == f"found '{most + 1}', expected a whole number from {least} to {most}"
    assert refused(form, least - 1) == f"found '{least - 1}', expected a whole number from {least} to {most}"


@pytest.mark.parametrize(("form", "least", "most"), SPANS)
def test_the_words_of_spans(form: str, least: int, most: int) -> None:
    assert refused(form, most + 1) == f"found '{most + 1}s', expected from {least}s to {most}s"


@pytest.mark.parametrize("key", ["not_before", "not_after"])
def test_the_last_day_of_the_calendar_has_no_end(key: str) -> None:
    grant = "grants: [{{who: bob, {}: {}, allow: {{pty: true}}}}]\n"
    assert refused(grant.replace("{}", key, 1), "9999-12-30") == ""
    assert "found '9999-12-31', expected a date" in refused(grant.replace("{}", key, 1), "9999-12-31")


TEXTS = [
    ("networks: {{'{}': 10.0.0.0/8}}", 64, f"found '{{}}…', expected {NAME_FORM}"),
    ("server: {{banner: '{}'}}", 8192, "the banner has 8193 characters, expected at most 8192"),
    ("server: {{version_addendum: '{}'}}", 200, "the version addendum has 201 characters, expected at most 200"),
    ("grants: [{{who: bob, client: '{}', allow: {{pty: true}}}}]", 253,
     "found '{}…', expected up to 253 printable letters of ASCII"),
    ("authorities: {{staff: {{keys: [/ca], accounts: {{deploy: ['{}']}}}}}}", 128,
     "found '{}…', expected a principal: printable letters of ASCII without spaces, or '*'"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "most", "words"), TEXTS)
def test_the_longest_texts(form: str, most: int, words: str) -> None:
    assert refused(form, "x" * most) == ""
    assert refused(form, "x" * (most + 1)) == words.format("x" * 64)


@pytest.mark.parametrize(
    ("text", "good"), [("a !~b", True), ("~", True), ("a\\x7f", False), ("é", False), ("a ", False)]
)
def test_the_letters_of_an_addendum(text: str, good: bool) -> None:
    told = refused('server: {{version_addendum: "{}"}}', text)
    assert bool(told) is not good
    assert good or told.endswith(", expected printable ASCII that neither begins nor ends with a space")


def test_the_longest_chain() -> None:
    form = "login: [{{methods: {}}}]"
    assert refused(form, "+".join(["publickey"] * 4)) == ""
    assert refused(form, "+".join(["publickey"] * 5)) == "the chain has 5 steps, expected at most 4"

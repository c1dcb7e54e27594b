"""What must hold of documents with certificates, guests and every condition, which the daemon does not serve yet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.policy.decide import decide, first_methods
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import UNKNOWN, Exec, Facts, Login, Pty, Query, Request, Shell
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import METHODS, Certificate, Step
from tests.policy.documents import but_clashes, is_whole
from tests.policy.support import FINGERPRINTS, HASH, KEYS

PEOPLE = f"""\
version: 1
server: {{timezone: Europe/Paris}}
groups: [ops]
users:
  alice: {{groups: ops, keys: ["{KEYS[0]}"], accounts: [alice, git], totp: {{secret_file: t}}, password: "{HASH}"}}
  bob: {{keys: ["{KEYS[1]}"]}}
  guest: {{groups: ops, names: ["*"]}}
authorities:
  staff: {{keys: ["{KEYS[2]}"], accounts: {{git: [web], "{{principal}}": ["*"]}}}}
  robots: {{keys: ["{KEYS[3]}"], person: principal}}
"""
CONDITIONS = {
    "who": ["alice", "guest", "dave", "group:ops", '"*"', '["*", guest]', "authority:staff", "principal:staff/web",
            "[bob, extension:robots/x]", f"'key:{FINGERPRINTS[0]}'"],
    "account": ["git", "x"],
    "from": ["10.0.0.0/8", "10.1.0.0/16"],
    "with": ["certificate", "publickey", "totp", "none", "publickey+certificate"],
    "client": ['"a*"', '["*b", c]'],
    "when": ["{hours: 02:00-03:00}", "{days: sat}", "{days: sun, hours: 02:30-01:00}",
             "{hours: 20:00-21:30, timezone: America/New_York}"],
    "not_after": ["2027-03-28"],
}  # fmt: skip
EFFECTS = [
    "allow: {pty: true}",
    "allow: {forced: [a], confined: true}",
    "allow: {exec: ls, confined: true}",
    "deny: all",
    "deny: {pty: true}",
]
LOGINS = st.sampled_from(
    [
        "",
        "login: [{who: guest, methods: none}, {methods: [certificate, publickey+totp]}]\n",
        "login: [{when: {days: sun}, methods: certificate+publickey}, {methods: [publickey, totp+password]}]\n",
        "login: [{who: principal:staff/web, refuse: true}, {client: 'a*', methods: publickey}]\n",
    ]
)


def _mapping(keys: list[str]) -> st.SearchStrategy[str]:
    drawn = st.fixed_dictionaries({key: st.sampled_from(CONDITIONS[key]) for key in keys})
    return drawn.map(lambda found: ", ".join(f"{key}: {value}" for key, value in found.items()))


def _conditions(keys: list[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(keys), unique=True, max_size=most).flatmap(_mapping)


@st.composite
def grants(draw: st.DrawFn) -> str:
    """One grant, without a name."""
    parts = [draw(_conditions(sorted(CONDITIONS), 3))]
    unless = draw(_conditions(sorted(CONDITIONS.keys() - {"not_after"}), 2)) if draw(st.booleans()) else ""
    parts += [f"unless: {{{unless}}}"] if unless else []
    return ", ".join([part for part in [*parts, draw(st.sampled_from(EFFECTS))] if part])


DOCUMENTS = st.tuples(LOGINS, st.lists(grants(), min_size=1, max_size=4))
CERTIFICATES = st.builds(
    Certificate,
    st.sampled_from(["staff", "robots", "gone"]),
    st.sampled_from(["alice", "bob", "dave", "guest"]),
    st.frozensets(st.sampled_from(["alice", "dave", "web", "x"]), max_size=2),
    st.frozensets(st.sampled_from(["permit-pty", "x"])),
)
BARE = [
    Step("none"),
    Step("totp"),
    Step("password"),
    Step("pam"),
    *(Step("publickey", one) for one in FINGERPRINTS[:2]),
]
CERTIFIED = st.builds(
    lambda key, held: Step("publickey", key, certificate=held), st.sampled_from(FINGERPRINTS[2:]), CERTIFICATES
)
STEPS = st.one_of(st.sampled_from(BARE), CERTIFIED)
CHAINS = st.lists(STEPS, min_size=1, max_size=2).map(tuple)
REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.sampled_from([Pty("xterm"), Shell(), Exec(b"ls")]),
    CHAINS.map(lambda steps: Login(steps[:-1], steps[-1])),
)
# Around the night in which clocks are set forward in Paris.
SPRING = datetime(2027, 3, 27, 12, tzinfo=UTC)
FACTS = st.builds(
    Facts,
    st.sampled_from(["alice", "bob", "git", "dave", "x", "web"]),
    st.sampled_from(["alice", "bob", "dave", "guest", "x", None]),
    st.sampled_from([ip_address("10.1.0.1"), ip_address("10.2.0.1"), ip_address("192.0.2.1"), UNKNOWN, None]),
    st.just("127.0.0.1:2222"),
    st.sampled_from(["SSH-2.0-ab", "SSH-2.0-c", "SSH-2.0-", UNKNOWN]),
    st.integers(0, 96).map(lambda halves: SPRING + timedelta(minutes=30 * halves)),
    CHAINS,
)
ASKED = st.lists(st.builds(Query, FACTS, REQUESTS), min_size=10, max_size=20)
many = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=25)


def document(login: str, entries: list[str]) -> str:
    return PEOPLE + login + "grants:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def accepted(login: str, entries: list[str]) -> Ruleset:
    """The ruleset, where the document is accepted."""
    try:
        return load_text(document(login, entries), language=True).ruleset
    except PolicyError:
        assume(False)
        raise


@many
@given(DOCUMENTS, ASKED)
def test_every_query_gets_a_decision_and_no_request_clashes(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in asked:
        found = decide(ruleset, query)
        assert found.decided_by != "a clash" or not is_whole(ruleset, query.facts)
        assert found.allowed is (found.way is not None)
        assert replace(decide(ruleset, query, trace=True), trace=()) == found
        assert found.valid_until is None or found.valid_until > query.facts.now
        assert set(first_methods(ruleset, query.facts)) <= set(METHODS)


@many
@given(DOCUMENTS, ASKED)
def test_the_order_of_grants_never_matters(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
    login, entries = drawn
    first, second = accepted(login, entries), accepted(login, entries[::-1])
    for query in asked:
        one, two = decide(first, query), decide(second, query)
        assert (one.allowed, one.way, one.valid_until) == (two.allowed, two.way, two.valid_until)


@many
@given(DOCUMENTS, ASKED)
def test_what_is_unknown_never_grants(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in but_clashes(ruleset, asked):
        if isinstance(query.request, Login):
            continue
        for facts in (replace(query.facts, client=UNKNOWN), replace(query.facts, source=UNKNOWN)):
            if decide(ruleset, Query(facts, query.request)).allowed:
                assert decide(ruleset, query).allowed


@many
@given(DOCUMENTS, ASKED)
def test_until_valid_until_nothing_changes(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in asked:
        found = decide(ruleset, query)
        for minutes in (*range(30, 600, 30), *range(600, 6000, 330)):
            later = query.facts.now + timedelta(minutes=minutes)
            if found.valid_until is not None and later >= found.valid_until:
                break
            again = decide(ruleset, Query(replace(query.facts, now=later), query.request))
            assert (again.allowed, again.way) == (found.allowed, found.way)


@many
@given(DOCUMENTS, ASKED)
def test_guests_get_nothing_that_does_not_name_them(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
    login, entries = drawn
    naming = ("guest", "group:ops")
    ruleset = accepted(login, entries)
    assume(not any(word in entry for entry in entries for word in naming))
    for query in asked:
        if query.facts.person == "guest" and not isinstance(query.request, Login):
            assert not decide(ruleset, query).allowed


@many
@given(DOCUMENTS, ASKED)
def test_nobody_stands_by_a_certificate_of_no_authority(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
    ruleset = accepted(*drawn)
    for query in asked:
        steps = query.facts.methods
        if isinstance(query.request, Login):
            steps = (*query.request.done, query.request.step)
        held = [step.certificate for step in steps if step.certificate is not None]
        if any(one.authority == "gone" for one in held):
            assert not decide(ruleset, query).allowed


def test_some_of_it_is_allowed_and_some_is_not() -> None:
    """The properties are about something."""
    allowed: list[bool] = []

    # What is drawn is held to here, not the code: the same each time, or chance alone would fail it.
    @settings(max_examples=60, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS, ASKED)
    def draw(drawn: tuple[str, list[str]], asked: list[Query]) -> None:
        ruleset = accepted(*drawn)
        allowed.extend(decide(ruleset, query).allowed for query in asked)

    draw()
    assert sum(allowed) > 20
    assert len(allowed) - sum(allowed) > 20

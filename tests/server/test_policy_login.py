"""Logging in by the policy: offers, chains in every order, and who is settled by what."""

from datetime import UTC, datetime

import pytest

from pysshd.policy.query import Login, Step
from pysshd.server.plan import LoginWay
from pysshd.ssh.events.userauth import Outcome
from tests.server.house import ALICE, BOB, CAROL, CHEAP, STRANGER, House, line_of, make_key, steps

SUCCESS, PARTIAL, FAILURE = Outcome.SUCCESS, Outcome.PARTIAL, Outcome.FAILURE
SPARE = make_key(4)


def policy(login: str, more: str = "") -> str:
    return f"""
version: 1
server: {{owner: alice, banner: "Authorised use only.\\n"}}
users:
  alice: {{keys: ["{line_of(ALICE)}", "{line_of(SPARE)}"], password: "{CHEAP}", accounts: [alice, git]}}
  bob: {{keys: ["{line_of(BOB)}"], password: "{CHEAP}", accounts: [bob, git]}}
  carol: {{keys: [{{key: "{line_of(CAROL)}", not_after: 2027-03-31}}], not_after: 2027-06-30}}
  dave: {{password: "{CHEAP}"}}
login: [{login}]
grants: [{{name: all, who: alice, roles: login-shell}}]
{more}"""


EITHER = '{who: "*", methods: [publickey, password]}'
BOTH = '{who: "*", methods: publickey+password}'
REVERSE = '{who: "*", methods: password+publickey}'
BOTH_WAYS = '{who: "*", methods: [publickey+password, password+publickey]}'


def test_a_key_alone() -> None:
    house = House(policy(EITHER))
    assert house.server.get_banner() == ("Authorised use only.\n", None)
    assert house.offers() == "publickey,password"
    assert house.probe("alice", ALICE) is SUCCESS
    assert house.offers() == "publickey,password"
    assert house.key("alice", ALICE) is SUCCESS
    assert house.offers() == ""
    assert (house.last.allowed, house.last.person, house.last.account) == (True, "alice", "alice")
    assert house.last.decided_by.startswith("policy.yaml:")


def test_a_password_alone() -> None:
    house = House(policy(EITHER))
    assert house.password("alice", "wrong") is FAILURE
    assert (house.last.reason, house.last.person) == ("password does not match", None)
    assert house.password("alice", b"right") is SUCCESS
    assert [person for person, _, _ in house.people.checked] == ["alice", "alice"]


@pytest.mark.parametrize("user", ["alice", "bob", "dave", "carol"])
def test_the_secret_reaches_nothing_but_the_check(user: str) -> None:
    house = House(policy(EITHER))
    house.password(user, "hunter2-hunter2")
    assert "hunter2" not in repr(house.notes.records)


def test_key_then_password() -> None:
    house = House(policy(BOTH))
    assert house.offers() == "publickey"
    assert house.password("alice") is FAILURE
    assert house.people.checked == []
    assert house.key("alice", ALICE) is PARTIAL
    assert house.offers() == "password"
    assert house.password("alice", "wrong") is FAILURE
    assert house.offers() == "password"
    assert house.last.person == "alice"
    assert house.key("alice", ALICE) is FAILURE
    assert house.password("alice") is SUCCESS
    assert steps(house.last) == (("publickey",), "password")


def test_password_then_key() -> None:
    house = House(policy(REVERSE))
    assert house.offers() == "password"
    assert house.key("alice", ALICE) is FAILURE
    assert house.people.looked_up == []
    assert house.password("alice") is PARTIAL
    assert house.server.check_channel_request("session", 0) == 1
    assert house.offers() == "publickey"
    assert house.key("alice", STRANGER) is FAILURE
    assert house.key("alice", BOB) is FAILURE
    assert house.key("alice", ALICE) is SUCCESS


@pytest.mark.parametrize("first", ["key", "password"])
def test_either_order_where_both_are_written(first: str) -> None:
    house = House(policy(BOTH_WAYS))
    assert house.offers() == "publickey,password"
    if first == "key":
        assert house.key("alice", ALICE) is PARTIAL
        assert house.offers() == "password"
        assert house.password("alice") is SUCCESS
    else:
        assert house.password("alice") is PARTIAL
        assert house.offers() == "publickey"
        assert house.key("alice", ALICE) is SUCCESS


def test_a_shared_account_is_of_whom_the_key_is() -> None:
    house = House(policy(BOTH))
    assert house.key("git", BOB) is PARTIAL
    assert house.password("git") is SUCCESS
    assert house.people.checked == [("bob", b"right", house.people.checked[0][2])]
    assert house.last.person == "bob"
    assert house.last.account == "git"


@pytest.mark.security("S64")
def test_a_later_factor_must_be_of_the_same_person() -> None:
    house = House(policy('{who: "*", methods: [publickey+publickey, publickey+password]}'))
    assert house.key("git", BOB) is PARTIAL
    assert house.offers() == "publickey,password"
    assert house.probe("git", ALICE) is FAILURE
    assert house.key("git", ALICE) is FAILURE
    assert "not of the person whom an earlier factor identified" in house.last.reason
    assert house.password("git") is SUCCESS
    assert house.last.person == "bob"


@pytest.mark.security("S64")
def test_no_key_counts_twice() -> None:
    house = House(policy('{who: "*", methods: publickey+publickey}'))
    assert house.key("alice", ALICE) is PARTIAL
    assert house.offers() == "publickey"
    assert house.probe("alice", ALICE) is FAILURE
    assert house.key("alice", ALICE) is FAILURE
    assert house.key("alice", SPARE) is SUCCESS


@pytest.mark.security("S53")
def test_a_probe_lends_nothing() -> None:
    house = House(policy(BOTH))
    assert house.probe("alice", ALICE) is PARTIAL
    assert house.offers() == "publickey"
    assert house.password("alice") is FAILURE
    assert house.server.plan(Login((), Step("publickey", ALICE.fingerprint))) is None
    assert house.server.check_channel_request("session", 0) == 1
    assert house.key("git", BOB) is FAILURE  # the account is alice, for good


@pytest.mark.security("S53")
def test_a_key_is_of_whom_it_was_when_it_signed() -> None:
    house = House(policy(EITHER))
    assert house.probe("git", ALICE) is SUCCESS
    assert house.probe("git", BOB) is SUCCESS
    assert house.key("git", BOB) is SUCCESS
    assert house.server.plan(Login((), Step("publickey", BOB.fingerprint))) is not None
    assert house.last.person == "bob"


def test_a_signature_that_does_not_verify_leaves_no_step() -> None:
    house = House(policy(BOTH))
    assert house.key("alice", ALICE, verified=False) is FAILURE
    assert house.offers() == "publickey"
    assert house.server.check_channel_request("session", 0) == 1


@pytest.mark.security("S53")
def test_a_step_that_no_hook_allowed_settles_nobody() -> None:
    house = House(policy(EITHER))
    house.writer.succeeded("publickey", ALICE.fingerprint)
    assert house.offers() == ""
    assert house.password("alice") is FAILURE
    assert house.server.check_channel_request("session", 0) == 1


@pytest.mark.security("S55", "S71")
@pytest.mark.parametrize("login", [EITHER, BOTH, REVERSE, BOTH_WAYS, "{who: bob, refuse: true}, " + EITHER])
def test_strangers_known_and_refused_people_are_offered_the_same(login: str) -> None:
    seen = set()
    for user in ("alice", "bob", "carol", "dave", "nobody", "root", "../x", "", "a" * 500, "\0"):
        house = House(policy(login))
        transcript = [house.server.get_banner(), house.offers(user), house.probe(user, STRANGER), house.offers(user)]
        transcript += [house.password(user, "wrong"), house.offers(user), house.server.check_auth_none(user)]
        transcript += [house.server.check_auth_interactive(user, b""), house.offers(user)]
        seen.add(repr((transcript, len(house.people.checked))))
    assert len(seen) == 1


@pytest.mark.security("S70")
@pytest.mark.parametrize("user", ["nobody", "bob", "git", "carol", "../x"])
def test_whoever_cannot_come_in_by_password_costs_one_check_all_the_same(user: str) -> None:
    house = House(policy('{who: bob, refuse: true}, {who: "*", methods: password}'))
    assert house.password(user, "right") is FAILURE
    assert len(house.people.checked) == 1
    assert house.people.checked[0][0] in ("", "carol")


def test_a_password_first_is_only_that_of_the_person_with_the_accounts_name() -> None:
    house = House(policy(EITHER))
    assert house.password("git") is FAILURE
    assert house.people.checked == [("", b"right", house.people.checked[0][2])]


@pytest.mark.parametrize(
    ("day", "outcome"),
    [("2027-03-30T12:00", SUCCESS), ("2027-03-31T12:00", SUCCESS), ("2027-04-01T12:00", FAILURE)],
)
def test_a_key_expires(day: str, outcome: Outcome) -> None:
    house = House(policy(EITHER))
    house.clock.now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    assert house.probe("carol", CAROL) is outcome
    assert house.key("carol", CAROL) is outcome


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ("2027-03-05T17:59:59+01:00", SUCCESS),
        ("2027-03-05T18:00+01:00", FAILURE),
        ("2027-03-06T12:00+01:00", FAILURE),
        ("2027-03-29T08:00+02:00", SUCCESS),
        ("2027-03-29T07:59+02:00", FAILURE),
    ],
)
def test_office_hours(now: str, outcome: Outcome) -> None:
    hours = "{days: mon-fri, hours: 08:00-18:00, timezone: Europe/Paris}"
    house = House(policy(f"{{when: {hours}, methods: publickey}}, {{who: bob, methods: publickey+password}}"))
    house.clock.now = datetime.fromisoformat(now)
    assert house.offers() == "publickey"
    assert house.key("alice", ALICE) is outcome


def test_a_login_ends_with_the_hours_that_it_was_made_in() -> None:
    house = House(policy("{when: {hours: 08:00-18:00}, methods: publickey}"))
    house.clock.now = datetime(2027, 3, 1, 17, 59, tzinfo=UTC)
    assert house.key("alice", ALICE) is SUCCESS
    assert house.server.check_channel_request("session", 0) == 0
    house.clock.now = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
    assert house.server.check_channel_request("session", 1) != 0


def test_a_client_by_what_it_claims() -> None:
    house = House(policy('{client: "other*", methods: password}, {client: "te?t", methods: publickey}'))
    assert house.offers() == "publickey"
    assert house.key("alice", ALICE) is SUCCESS


def test_no_entry_refuses_and_says_so() -> None:
    house = House(policy("{who: bob, methods: publickey}"))
    assert house.offers("alice") == house.offers("bob") == "publickey"
    assert house.key("alice", ALICE) is FAILURE
    assert house.last.allowed is False
    assert house.last.reason


@pytest.mark.security("S69")
def test_none_and_interactive_fail_and_are_noted() -> None:
    house = House(policy(EITHER))
    assert house.server.check_auth_none("alice") == 2
    assert steps(house.last) == ((), "none")
    assert house.server.check_auth_interactive("alice", b"pam") == 2
    assert steps(house.last) == ((), "keyboard-interactive")
    assert house.server.check_auth_interactive_response(["x"]) == 2
    assert all(not record.allowed for record in house.notes.records)


@pytest.mark.security("S67", "S74")
def test_another_name_on_the_same_connection_gets_nothing() -> None:
    house = House(policy(EITHER))
    assert house.probe("alice", ALICE) is SUCCESS
    assert house.key("bob", BOB) is FAILURE
    assert house.key("git", ALICE) is FAILURE
    assert house.password("bob") is FAILURE
    assert house.key("alice", ALICE) is SUCCESS
    assert {record.account for record in house.notes.records} == {"alice"}


@pytest.mark.security("S67")
@pytest.mark.parametrize("user", ["../x", "a/b", "-l", "a\0", "x" * 10_000, "al\u0456ce", "", "a b", "alice\n"])
def test_odd_names_get_nothing(user: str) -> None:
    house = House(policy(EITHER))
    assert house.key(user, ALICE) is FAILURE
    assert house.password(user) is FAILURE
    assert house.people.accounts == []


def test_a_login_has_a_plan() -> None:
    house = House(policy(BOTH))
    house.key("alice", ALICE)
    first = house.server.plan(Login((), Step("publickey", ALICE.fingerprint)))
    assert first is not None
    assert first.way == LoginWay(False, ("password",))
    house.password("alice")
    plan = house.server.plan(Login((Step("publickey", ALICE.fingerprint),), Step("password")))
    assert plan is not None
    assert plan.way == LoginWay(True)
    assert (plan.account.person, plan.account.name, plan.decision_id) == ("alice", "alice", house.last.decision_id)


def test_a_login_without_a_usable_account_is_refused() -> None:
    house = House(policy(EITHER))
    house.people.unusable = True
    assert house.key("alice", ALICE) is FAILURE
    assert "nothing for alice" in house.last.reason


def test_probes_are_marked_for_the_log() -> None:
    house = House(policy(EITHER))
    house.probe("alice", ALICE)
    house.key("alice", ALICE)
    assert [record.probe for record in house.notes.records] == [True, False]


def test_decisions_are_named_once() -> None:
    house = House(policy(BOTH))
    house.key("alice", ALICE)
    house.password("alice", "wrong")
    house.password("alice")
    names = [record.decision_id for record in house.notes.records]
    assert len(set(names)) == len(names) == 3


def test_a_decision_that_runs_out_during_the_check_is_a_refusal() -> None:
    house = House(policy(EITHER).replace("  dave: {", "  dave: {not_after: 2027-03-01, "))
    house.clock.now = datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC)
    house.people.meanwhile = lambda: setattr(house.clock, "now", datetime(2027, 3, 2, 0, 0, 1, tzinfo=UTC))
    assert house.password("dave") is FAILURE
    assert "ran out" in house.last.reason


@pytest.mark.security("S64")
def test_steps_of_two_people_make_no_login() -> None:
    house = House(policy(BOTH_WAYS))
    steps_ = house.server._login
    assert steps_.names("git")
    steps_.found("alice", Step("publickey", ALICE.fingerprint))
    steps_.found("bob", Step("password"))
    house.writer.succeeded("publickey", ALICE.fingerprint)
    assert steps_.done() == ("alice", (Step("publickey", ALICE.fingerprint),))
    house.writer.succeeded("password")
    assert steps_.done() is None
    assert steps_.session_facts() is None
    assert steps_.offers() == ()

"""A login and its requests, asked again: by other rules, at another time, with what the host says now."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.query import UnixFacts
from pysshd.server.again import Again, difference
from pysshd.server.known import HostAccount, Known
from pysshd.server.plan import NO_BOUNDS, Account, EnvWay, Forced, LoginShell, Plan, RunWay, ShellCommand, Words
from pysshd.server.renewal import carried_over
from pysshd.server.requests import Env, Exec, Pty, Shell
from pysshd.server.rules import Rules
from pysshd.ssh.events.userauth import Outcome
from tests.server.house import ALICE, BOB, CAROL, CHEAP, FakePeople, House, line_of

OTHER_HASH = CHEAP.replace("nf65EOgL", "nf65EOgM")


def policy(
    key: str = f'"{line_of(ALICE)}"',
    user: str = "",
    role: str = "{shell: true, exec: any, pty: true, env: {accept: [LANG]}}",
    more: str = "",
    login: str = '{who: "*", methods: [publickey, password]}',
    grant: str = "",
) -> str:
    return f"""
version: 1
server: {{owner: alice}}
users:
  alice: {{keys: [{key}], password: "{CHEAP}", accounts: [alice, git]{user}}}
{more}
login: [{login}]
roles: {{owner: {role}}}
grants: [{{name: all, who: alice, roles: owner{grant}}}]
"""


def rules_of(text: str) -> Rules:
    ruleset = load_text(text).ruleset
    return Rules(ruleset, FakePeople(ruleset))


def renewed(house: House, text: str) -> Again | None:
    rules = rules_of(text)
    return asyncio.run(house.server.renew(lambda: rules))


def in_by_key(text: str = policy()) -> House:
    return House(text).logged_in("alice", ALICE)


def in_by_password() -> House:
    house = House(policy())
    assert house.password("alice") is Outcome.SUCCESS
    return house


@pytest.mark.parametrize(
    "text",
    [
        policy(),
        policy(key=f'{{name: laptop, key: "{line_of(ALICE)}"}}'),
        policy(key=f'"{line_of(BOB)}", "{line_of(ALICE)}"'),
        policy(login="{who: alice, methods: publickey}"),
        policy(user=", not_after: 2027-12-31"),
    ],
    ids=["the same", "its key has a name now", "another key beside it", "another entry", "a window that is open"],
)
def test_a_login_that_is_still_the_same_stays(text: str) -> None:
    house = in_by_key()
    again = renewed(house, text)
    assert again is not None
    assert again.fault() == ""
    assert house.server.again(Exec(b"id")).fault() == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (policy(key=f'"{line_of(BOB)}"'), "it is nobody's key"),
        (
            policy(key=f'"{line_of(BOB)}"', more=f'  bob: {{keys: ["{line_of(ALICE)}"], accounts: [alice]}}'),
            "is of bob",
        ),
        (policy(user=", not_after: 2027-01-31"), "has expired"),
        (policy(key=f'{{key: "{line_of(ALICE)}", not_after: 2027-01-31}}'), "has expired"),
        (policy(login='{who: "*", methods: password}'), "asks for password"),
        (policy(login='{who: "*", refuse: true}'), "refuses"),
        (policy(login='{who: "*", methods: publickey+password}'), "more is asked for now"),
        (policy().replace("accounts: [alice, git]", "accounts: git"), "nobody may log in as that"),
    ],
    ids=["revoked", "another's", "expired", "key expired", "method", "refused", "more is asked", "account"],
)
def test_a_login_that_is_not_the_same_any_more_ends(text: str, reason: str) -> None:
    house = in_by_key()
    again = renewed(house, text)
    assert again is not None
    assert reason in again.login_fault(complete=True)
    assert house.server.again(Exec(b"id")).plan is None
    assert house.server.check_channel_request("session", 0) == 1
    assert (again.record.person, again.record.account) == ("alice", "alice")


def test_a_login_that_would_go_on_with_another_step_is_not_complete() -> None:
    house = in_by_key()
    again = renewed(house, policy(login='{who: "*", methods: publickey+password}'))
    assert again is not None
    assert again.fault() == ""
    assert again.login_fault(complete=False) == ""
    assert again.login_fault(complete=True) == "more is asked for now than was proven"


def test_a_password_stays_while_its_hash_stands() -> None:
    assert (again := renewed(in_by_password(), policy(key=f'"{line_of(BOB)}"'))) is not None
    assert again.fault() == ""
    assert (again := renewed(in_by_password(), policy().replace(CHEAP, OTHER_HASH))) is not None
    assert again.fault() == "the password of alice has changed"
    gone = policy().replace("alice", "carol").replace(line_of(ALICE), line_of(BOB))
    assert (again := renewed(in_by_password(), gone)) is not None
    assert again.fault() == "alice is not in the policy any more"


def test_a_login_that_has_not_begun_is_not_asked_for_and_goes_by_the_new_rules() -> None:
    house = House(policy())
    assert renewed(house, policy(login='{who: "*", methods: password}')) is None
    assert house.offers() == "password"


def test_a_login_in_the_middle_goes_on_by_the_new_rules() -> None:
    both = policy(login='{who: "*", methods: publickey+password}')
    house = House(both)
    assert house.key("alice", ALICE) is Outcome.PARTIAL
    again = renewed(house, both.replace("alice: {keys: [", f'alice: {{keys: ["{line_of(BOB)}", '))
    assert again is not None
    assert again.fault() == ""
    assert again.login_fault(complete=False) == ""
    assert house.password("alice") is Outcome.SUCCESS


def test_a_reload_while_a_password_is_checked_counts() -> None:
    house = House(policy())
    fresh = rules_of(policy(login='{who: "*", methods: publickey}'))

    def reload() -> None:
        house.people.meanwhile = lambda: None
        done = house.server.renew(lambda: fresh)
        with pytest.raises(StopIteration):
            done.send(None)

    house.people.meanwhile = reload
    assert house.password("alice") is Outcome.FAILURE
    assert house.server.ruleset is fresh.ruleset
    # What the old rules had allowed was judged once more, and by the new ones costs as much as any refusal.
    assert isinstance(fresh.identity, FakePeople)
    assert [(person, secret) for person, secret, _ in fresh.identity.checked] == [("", b"right")]


@pytest.mark.parametrize(("text", "stays"), [(policy(), True), (policy(key=f'"{line_of(BOB)}"'), False)])
def test_a_reload_between_a_yes_and_the_step_that_it_makes(text: str, stays: bool) -> None:
    """The hook has said yes, and the daemon has not counted the step yet."""
    house = House(policy())
    house.writer.ask("signed")
    assert asyncio.run(house.server.check_auth_publickey("alice", ALICE)) == 0
    house.writer.ask(None)
    assert renewed(house, text) is None
    house.writer.succeeded("publickey", ALICE.fingerprint)
    assert (house.server.check_channel_request("session", 0) == 0) is stays
    assert bool(house.server.fault) is not stays
    again = renewed(house, text)
    assert again is not None
    assert (again.login_fault(complete=True) == "") is stays


def test_time_ends_a_login_without_a_reload() -> None:
    house = in_by_key(policy(user=", not_after: 2027-03-02"))
    assert house.server.login_until == datetime(2027, 3, 3, tzinfo=UTC)
    assert house.server.again(Shell()).fault() == ""
    house.clock.now += timedelta(days=2)
    same = Rules(house.server.ruleset, house.people)
    again = asyncio.run(house.server.renew(lambda: same))
    assert again is not None
    assert "expired" in again.fault()


def test_a_grant_ends_with_its_window() -> None:
    house = in_by_key(policy(grant=", not_after: 2027-03-02"))
    assert house.server.login_until is None
    again = house.server.again(Exec(b"id"))
    assert again.plan is not None
    assert again.plan.valid_until == datetime(2027, 3, 3, tzinfo=UTC)
    house.clock.now += timedelta(days=2)
    assert house.server.again(Exec(b"id")).fault() == "no grant allows it"


@pytest.mark.parametrize(
    ("role", "stays"),
    [
        ("{exec: any}", True),
        ("{exec: {literal: 'id -u'}}", True),
        ("{exec: id -u}", False),
        ("{exec: any, env: {set: {A: b}}}", False),
        ("{exec: ls}", False),
        ("{forced: /bin/menu}", False),
        ("{shell: true}", False),
    ],
)
def test_a_command_stays_where_it_would_be_run_in_the_same_way(role: str, stays: bool) -> None:
    house = in_by_key()
    assert house.server.check_channel_exec_request(house.session(), b"id -u")
    before = house.server.plan(Exec(b"id -u"))
    renewed(house, policy(role=role))
    assert (house.server.again(Exec(b"id -u")).fault(before) == "") is stays


def test_what_is_asked_again_is_not_written_down_but_has_an_id_and_a_trace() -> None:
    house = in_by_key()
    count = len(house.notes.records)
    renewed(house, policy(role="{exec: ls}"))
    again = house.server.again(Pty("xterm"))
    assert len(house.notes.records) == count
    assert again.plan is None
    assert again.record.decision_id
    assert again.record.rules == house.server.ruleset.version
    assert again.record.trace


def test_a_refusal_that_is_written_down_has_its_trace_and_version() -> None:
    house = in_by_key(policy(role="{exec: ls}", grant=", from: 192.0.2.1"))
    assert house.server.check_channel_request("session", 0) == 1
    assert "all (policy.yaml:" in house.last.trace
    assert "from" in house.last.trace
    assert house.last.rules == house.ruleset.version


# --- what the host says


SYSTEM = policy().replace("server: {owner: alice}", "server: {accounts: system}")


def known(fault: str = "", groups: tuple[int, ...] = (), unanswered: bool = False) -> Known:
    facts = UnixFacts("alice", 2000, fault=fault)
    accounts = {} if unanswered else {"alice": HostAccount(facts, 2000, 2000, groups, "/home/alice", "/bin/sh")}
    return Known(accounts=accounts, fault=fault, unanswered=unanswered)


def renew_on_host(change: Callable[[FakePeople], None]) -> tuple[Again | None, FakePeople]:
    house = House(SYSTEM)
    house.people.known = known()
    house.logged_in("alice", ALICE)
    rules = rules_of(SYSTEM)
    assert isinstance(rules.identity, FakePeople)
    change(rules.identity)
    return asyncio.run(house.server.renew(lambda: rules)), rules.identity


def test_an_account_is_looked_up_again() -> None:
    again, people = renew_on_host(lambda people: setattr(people, "known", known()))
    assert again is not None
    assert again.fault() == ""
    assert people.asked == ["alice"]


def test_an_account_that_was_locked_meanwhile_ends_its_logins() -> None:
    again, _ = renew_on_host(lambda people: setattr(people, "known", known("account alice is locked")))
    assert again is not None
    assert again.fault() == "account alice is locked"


def test_a_host_that_says_nothing_is_asked_once_more_and_then_nobody_is_let_stay() -> None:
    again, people = renew_on_host(lambda people: setattr(people, "known", known("no answer", unanswered=True)))
    assert again is not None
    assert again.fault() == "no answer"
    assert people.asked == ["alice", "alice"]


# --- at once, by what the host said before

SOURCE = "sources: [{system: {min_uid: 1000}, keys: [FILES]}]".replace(
    "FILES", "{authorized_keys: ~/.ssh/authorized_keys}, {authorized_keys: '/etc/keys/{user}'}"
)
HOSTS = """
version: 1
server: {accounts: system}
SOURCE
LOGIN
grants: [{who: "*", roles: login-shell}]
"""


def on_host(text: str = "", source: str = SOURCE) -> str:
    return HOSTS.replace("SOURCE", source).replace("LOGIN", text)


def in_from_host() -> House:
    """Alice of the host, by a key of her own file there; the host says nothing more from now on."""
    house = House(on_host())
    source = house.ruleset.source
    assert source is not None
    held = {ALICE.fingerprint: (("alice", source.keys[1], NO_NARROWING),)}
    house.people.known = replace(known(), people={"alice": source.person("alice", None)}, keys=held)
    return house.logged_in("alice", ALICE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (on_host(), ""),
        (on_host("users: {alice: {groups: staff}}\ngroups: [staff]"), ""),
        (on_host("users: {alice: {not_after: 2027-01-31}}"), "lets nobody in"),
        (on_host("users: {alice: {accounts: git}}"), "lets nobody in"),
        (on_host('login: [{who: "*", refuse: true}]'), "refuses"),
        (on_host(source=SOURCE.replace("min_uid: 1000", "min_uid: 3000")), "lets nobody in"),
        (on_host(source=SOURCE.replace(", {authorized_keys: '/etc/keys/{user}'}", "")), "lets nobody in"),
        (on_host(source="users: {bob: {keys: [" + line_of(BOB) + "]}}"), "nobody may log in"),
    ],
    ids=["the same", "a group", "expired", "account", "refused", "min_uid", "file", "no source"],
)
def test_what_the_file_says_counts_before_the_host_answers(text: str, reason: str) -> None:
    house, rules = in_from_host(), rules_of(text)
    assert house.server.suffices(rules)
    again = asyncio.run(house.server.renew(lambda: rules, ask_host=False))
    assert again is not None
    assert reason in again.login_fault(complete=True)
    assert bool(reason) is bool(again.login_fault(complete=True))
    assert isinstance(rules.identity, FakePeople)
    assert rules.identity.asked == []


@pytest.mark.parametrize(
    "text",
    [
        on_host('login: [{who: "system-group:adm", methods: publickey}]'),
        on_host("users: {alice: {run_as: web}}"),
        on_host(source=SOURCE.replace("1000", "500")),
        on_host(source=SOURCE.replace("keys: [", "keys: [{authorized_keys: '/srv/keys/{user}'}, ")),
    ],
    ids=["a group", "an account", "more accounts", "another file"],
)
def test_what_the_host_was_not_asked_before_is_not_judged_without_it(text: str) -> None:
    assert not in_from_host().server.suffices(rules_of(text))


# --- what a program said


PROGRAM = "sources: [{command: [/bin/keys, '{user}'], groups: ldap}]"
ASKING = """
version: 1
groups: [ldap, staff]
PROGRAM
LOGIN
roles: {box: {shell: true, confined: true}}
grants: [{who: group:ldap, roles: box}, {who: bob, roles: box}]
"""


def asking(text: str = "", program: str = PROGRAM) -> str:
    return ASKING.replace("PROGRAM", program).replace("LOGIN", text)


def said_by(house: House, keys: Mapping[str, tuple[str, ...]], unobtained: str = "", bob: bool = False) -> Known:
    """What is known when a program has said whose these keys are, by fingerprint."""
    asked = house.ruleset.asked
    assert asked is not None
    people = {name: asked.person(name, house.ruleset.people.get(name)) for names in keys.values() for name in names}
    people |= {"bob": asked.perhaps(house.ruleset.people["bob"])} if bob else {}
    held = {key: tuple((name, asked.command.label, NO_NARROWING) for name in names) for key, names in keys.items()}
    return Known(people, {}, held, not_of_host=frozenset(people), unobtained=unobtained)


def in_by_program(text: str = "") -> House:
    """Alice, by a key that a program has."""
    house = House(asking(text))
    house.people.known = said_by(house, {ALICE.fingerprint: ("alice",), CAROL.fingerprint: ("alice",)})
    return house.logged_in("alice", ALICE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (asking(), ""),
        (asking(program=PROGRAM.replace("groups: ldap", "timeout: 5s")), ""),
        (asking("users: {alice: {not_after: 2027-01-31}}"), "lets nobody in"),
        (asking("users: {alice: {accounts: git}}"), "lets nobody in"),
        (asking('login: [{who: group:ldap, refuse: true}, {who: "*", methods: publickey}]'), "refuses"),
        (asking(program="users: {bob: {keys: [" + line_of(BOB) + "]}}"), "nobody may log in"),
    ],
    ids=["the same", "no group", "expired", "account", "refused", "no program"],
)
def test_what_a_program_said_counts_before_it_answers(text: str, reason: str) -> None:
    house, rules = in_by_program(), rules_of(text)
    assert house.server.suffices(rules)
    again = asyncio.run(house.server.renew(lambda: rules, ask_host=False))
    assert again is not None
    assert reason in again.login_fault(complete=True)
    assert bool(reason) is bool(again.login_fault(complete=True))
    assert isinstance(rules.identity, FakePeople)
    assert rules.identity.asked == []


@pytest.mark.parametrize(
    "program",
    [
        PROGRAM.replace("/bin/keys", "/bin/others"),
        PROGRAM.replace("'{user}'", "'{user}', '{account}'"),
        PROGRAM.replace("groups", "timeout: 9s, groups"),
    ],
)
def test_another_program_is_not_judged_without_its_answer(program: str) -> None:
    assert not in_by_program().server.suffices(rules_of(asking(program=program)))


def test_a_program_that_says_nothing_is_asked_once_more() -> None:
    house, rules = in_by_program(), rules_of(asking())
    assert isinstance(rules.identity, FakePeople)
    rules.identity.known = said_by(House(asking()), {}, "it hangs")
    again = asyncio.run(house.server.renew(lambda: rules))
    assert again is not None
    assert "it hangs" in again.login_fault(complete=True)
    assert rules.identity.asked == ["alice", "alice"]


@pytest.mark.parametrize(("waits", "asked"), [(True, ["alice"] * 3), (False, ["alice"])])
def test_nobody_is_asked_about_for_a_connection_that_is_over(waits: bool, asked: list[str]) -> None:
    """A program that hung is done when its connection has ended, and another reload has come."""
    house, before, after = in_by_program(), rules_of(asking()), rules_of(asking())
    assert isinstance(before.identity, FakePeople)
    assert isinstance(after.identity, FakePeople)
    before.identity.known = said_by(House(asking()), {}, "it hangs")
    current = [after, before]
    done = asyncio.run(house.server.renew(lambda: current.pop() if len(current) > 1 else after, wanted=lambda: waits))
    assert (done is not None) is waits
    assert before.identity.asked + after.identity.asked == asked


def test_what_a_program_did_not_say_stays_unknown() -> None:
    """bob came in by a key of the file while it was not known whether he is in the groups of the program's people."""
    bob = "users: {bob: {keys: [" + line_of(BOB) + "]}}\n"
    house = House(asking(bob))
    house.people.known = said_by(house, {}, "it hangs", bob=True)
    house.logged_in("bob", BOB)
    for login, refused in (
        ("", False),
        ('login: [{who: group:ldap, refuse: true}, {who: "*", methods: publickey}]', True),
    ):
        rules = rules_of(asking(bob + login))
        assert house.server.suffices(rules)
        again = asyncio.run(house.server.renew(lambda rules=rules: rules, ask_host=False))  # type: ignore[misc]
        assert again is not None
        assert bool(again.login_fault(complete=True)) is refused
        house = House(asking(bob))
        house.people.known = said_by(house, {}, "it hangs", bob=True)
        house.logged_in("bob", BOB)


@pytest.mark.parametrize("unobtained", ["it hangs", ""])
def test_groups_that_a_program_gets_by_a_reload_are_unknown_where_it_did_not_answer(unobtained: str) -> None:
    """The program had no groups before, so nobody was marked; it may have failed, or bob was not asked about."""
    bob = "users: {bob: {keys: [" + line_of(BOB) + "]}}\n"
    refused = 'login: [{who: group:ldap, refuse: true}, {who: "*", methods: publickey}]'

    def fault(known: Callable[[House], Known], old: str, new: str = PROGRAM) -> str:
        house = House(asking(bob, old))
        house.people.known = known(house)
        house.logged_in("bob", BOB)
        rules = rules_of(asking(bob + refused, new))
        assert house.server.suffices(rules)
        again = asyncio.run(house.server.renew(lambda: rules, ask_host=False))
        assert again is not None
        return again.login_fault(complete=True)

    def nothing(house: House) -> Known:
        return said_by(house, {}, unobtained)

    def no_key(house: House) -> Known:
        return replace(nothing(house), by_program=frozenset(["bob"]))

    without = PROGRAM.replace(", groups: ldap", "")
    assert "hangs on a fact that is unknown" in fault(nothing, without)
    assert fault(no_key, without) == ""
    # What one program said is no word of another one.
    both = (
        "sources:\n  - {system: {min_uid: 1000}, keys: [{command: [/bin/keys, '{user}'], run_as: nobody}]}\n"
        "  - {command: [/bin/others, '{user}'], run_as: nobody}\nserver: {accounts: system}"
    )
    house = House(asking(bob, both))
    login = house.server._login
    login.known = no_key(house)
    other = rules_of(asking(bob, both.replace("/bin/others", "/bin/keys"))).ruleset
    assert carried_over(login, login.known, other).by_program == frozenset()
    assert carried_over(login, login.known, house.ruleset).by_program == {"bob"}
    no_program = rules_of(asking(bob, "")).ruleset
    assert carried_over(login, login.known, no_program).by_program == frozenset()


def test_people_of_a_program_are_none_of_the_host() -> None:
    """Nor do they become that by a reload, whatever its source of the host says."""
    program = "\n  - {command: [/bin/keys, '{user}'], run_as: nobody}"
    both = "sources:\n  - {system: {min_uid: 1000}, keys: [{command: [/bin/host, '{user}'], run_as: nobody}]}" + program
    house = House(on_host(source=both))
    asked, source = house.ruleset.asked, house.ruleset.source
    assert asked is not None
    assert source is not None
    held = {
        ALICE.fingerprint: (("alice", asked.command.label, NO_NARROWING),),
        BOB.fingerprint: (("alice", source.commands[0].label, NO_NARROWING),),
    }
    people = {"alice": asked.person("alice", None)}
    house.people.known = replace(known(), people=people, keys=held, not_of_host=frozenset(people))
    house.logged_in("alice", ALICE)
    rules = rules_of(on_host(source=both))
    assert house.server.suffices(rules)
    again = asyncio.run(house.server.renew(lambda: rules, ask_host=False))
    assert again is not None
    assert again.login_fault(complete=True) == ""
    alone = rules_of(on_host(source=both.replace(program, "")))
    assert house.server.suffices(alone)
    again = asyncio.run(house.server.renew(lambda: alone, ask_host=False))
    assert again is not None
    assert "lets nobody in" in again.login_fault(complete=True)


# --- in the same way


ACCOUNT = Account("alice", 2000, 2000, (2000, 27), "/home/alice", "/bin/sh", "alice")
BEFORE = Plan(ACCOUNT, ShellCommand(b"id", False), NO_BOUNDS, None, "d")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (BEFORE, ""),
        (replace(BEFORE, decision_id="other", valid_until=datetime(2030, 1, 1, tzinfo=UTC)), ""),
        (replace(BEFORE, account=replace(ACCOUNT, home="/srv/alice")), ""),
        (replace(BEFORE, account=replace(ACCOUNT, shell="/sbin/nologin")), "it would be run by another shell"),
        (replace(BEFORE, account=replace(ACCOUNT, groups=(2000, 27, 100))), ""),
        (replace(BEFORE, account=replace(ACCOUNT, groups=(2000,))), "it has a group"),
        (replace(BEFORE, account=replace(ACCOUNT, uid=2001)), "it would run as"),
        (replace(BEFORE, account=replace(ACCOUNT, person="bob")), "it would run as bob@alice now"),
        (replace(BEFORE, way=ShellCommand(b"id", True)), "it would be run in another way"),
        (replace(BEFORE, way=LoginShell(False)), "it would be run in another way"),
    ],
)
def test_what_is_the_same_way(now: Plan, said: str) -> None:
    assert difference(BEFORE, now).startswith(said)
    assert bool(difference(BEFORE, now)) is bool(said)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (LoginShell(False), "it would be run by another shell now, /sbin/nologin"),
        (Words((b"/bin/id",), False), ""),
        (Forced((b"/bin/menu",), b"", False), ""),
    ],
)
def test_the_shell_of_the_account_counts_where_it_runs(way: RunWay, said: str) -> None:
    before = replace(BEFORE, way=way)
    assert difference(before, replace(before, account=replace(ACCOUNT, shell="/sbin/nologin"))) == said


def test_a_confined_program_has_its_home_for_good() -> None:
    confined = replace(BEFORE, way=ShellCommand(b"id", True))
    assert (
        difference(confined, replace(confined, account=replace(ACCOUNT, home="/srv")))
        == "it would have another home now"
    )


def test_variables_are_asked_as_they_were() -> None:
    house = in_by_key()
    again = house.server.again(Env("LANG", b"C"))
    assert again.plan is not None
    assert again.plan.way == EnvWay()
    assert isinstance(house.server.ruleset.people["alice"], Person)

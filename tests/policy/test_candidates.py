"""Which grants are looked at for whom, and which of them as one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.decide import decide
from pysshd.policy.people import Person
from pysshd.policy.query import Exec, Pty, Query, Sftp
from pysshd.policy.ruleset import Ruleset
from tests.policy.sftp import load
from tests.policy.support import NOON, ask, facts

ROLES = """\
roles:
  words: {exec: ls, confined: true}
  files: {sftp: {mounts: {/: /srv}, paths: {/: list}}}
grants:
"""


def names(bundles: tuple[tuple[object, ...], ...]) -> list[list[str]]:
    return [[grant.name for grant in bundle] for bundle in bundles]  # type: ignore[attr-defined]


def entries(*lines: str) -> str:
    return ROLES + "".join(f"  - {{name: g{number}, {line}}}\n" for number, line in enumerate(lines, 1))


def test_what_says_the_same_is_one() -> None:
    ruleset = load(
        entries(
            "who: alice, roles: words",
            "who: group:ops, roles: words",
            "who: group:dba, roles: words",
            "who: group:ops, from: 10.0.0.0/8, roles: words",
            'who: "*", from: 10.0.0.0/8, roles: words',
            "who: group:ops, from: 10.0.0.0/9, roles: words",
            "who: group:ops, unless: {account: git}, roles: words",
            "who: group:ops, deny: {exec: x}",
            "who: group:ops, deny: {exec: x}",
            "who: bob, roles: words",
            "who: carol, roles: [words, files]",
            "who: key:laptop, roles: words",
        )
    )
    alice, bob = ruleset.people["alice"], ruleset.people["bob"]
    assert names(ruleset.bundles_of(alice)) == [
        ["g2", "g3"], ["g4", "g5"], ["g6"], ["g7"], ["g8"], ["g9"], ["g12"], ["g1"],
    ]  # fmt: skip
    assert names(ruleset.bundles_of(bob)) == [["g2"], ["g4", "g5"], ["g6"], ["g7"], ["g8"], ["g9"], ["g12"], ["g10"]]
    # Many people share what they have in common.
    assert ruleset.bundles_of(bob) is not ruleset.bundles_of(alice)
    assert ruleset.bundles_of(alice)[1] is ruleset.bundles_of(bob)[1]


WHO = st.sampled_from(["alice", "bob", "carol", "group:ops", "group:dba", '"*"', "key:laptop", "[bob, group:dba]",
                       "[carol, alice]"])  # fmt: skip
MORE = st.sampled_from(["roles: words", "roles: words", "from: 10.0.0.0/8, roles: words", "deny: all"])


@given(st.lists(st.tuples(WHO, MORE), min_size=1, max_size=8))
def test_bundles_hold_the_grants_of_everybody_each_once(drawn: list[tuple[str, str]]) -> None:
    ruleset = load(entries(*(f"who: {who}, {more}" for who, more in drawn)))
    for person in (*ruleset.people.values(), Person("dave")):
        numbers = [grant.number for grant in ruleset.grants_of(person)]
        assert len(set(numbers)) == len(numbers)
        assert sorted(grant.number for bundle in ruleset.bundles_of(person) for grant in bundle) == sorted(numbers)
        speaking = [grant.number for grant in ruleset.grants if grant.conditions.concerns(person)]
        if person.name in ruleset.people:
            assert sorted(numbers) == speaking


GROUPS = st.frozensets(st.sampled_from(["ops", "dba"]))


@given(
    st.lists(st.tuples(WHO, MORE), min_size=1, max_size=8), st.sampled_from(["alice", "carol", "dave"]), GROUPS, GROUPS
)
def test_who_is_in_other_groups_than_the_entry_says_is_spoken_of_by_name_and_by_those(
    drawn: list[tuple[str, str]], name: str, groups: frozenset[str], unknown: frozenset[str]
) -> None:
    ruleset = load(entries(*(f"who: {who}, {more}" for who, more in drawn)))
    person = replace(ruleset.people.get(name, Person(name)), groups=groups, unknown_groups=unknown - groups)
    perhaps = replace(person, groups=groups | unknown)
    numbers = [grant.number for grant in ruleset.grants_of(person)]
    assert sorted(numbers) == [grant.number for grant in ruleset.grants if grant.conditions.concerns(perhaps)]
    assert sorted(grant.number for bundle in ruleset.bundles_of(person) for grant in bundle) == sorted(numbers)
    for request in (Exec(b"ls"), Pty("xterm")):
        asked = Query(replace(facts("alice", name), holder=replace(person, accounts=(name,))), request)
        found, traced = decide(ruleset, asked), decide(ruleset, asked, trace=True)
        assert found == replace(traced, trace=())


def test_a_group_that_somebody_may_be_in_denies_and_does_not_allow() -> None:
    ruleset = load(entries("who: group:dba, roles: words", "who: group:ops, roles: words"))
    alice = ruleset.people["alice"]

    def allowed(text: Ruleset, groups: str, unknown: str) -> bool:
        holder = replace(alice, groups=frozenset(groups.split()), unknown_groups=frozenset(unknown.split()))
        return decide(text, Query(replace(facts(), holder=holder), Exec(b"ls"))).allowed

    assert [allowed(ruleset, *one) for one in (("", "dba ops"), ("ops", "dba"), ("dba", "ops"))] == [False, True, True]
    denied = load(entries("who: alice, roles: words", "who: group:dba, deny: all"))
    assert [allowed(denied, *one) for one in (("", ""), ("", "dba"), ("dba", ""))] == [True, False, False]


SOURCE = """\
version: 1
server: {accounts: system}
groups: [ops, dba]
user_defaults: {groups: ops}
sources: [{system: {min_uid: 1000}, password: system}]
"""


def test_somebody_of_a_source_who_is_named_and_in_a_named_group_is_told_of_once() -> None:
    ruleset = load(
        entries("who: [dave, group:ops], allow: {pty: true}", "who: dave, allow: {pty: true}", "who: erin, deny: all"),
        SOURCE,
    )
    assert ruleset.source is not None
    dave = ruleset.source.person("dave", None)
    assert [grant.name for grant in ruleset.grants_of(dave)] == ["g1", "g2"]
    assert names(ruleset.bundles_of(dave)) == [["g1"], ["g2"]]


def test_a_role_that_is_given_twice_shows_one_tree() -> None:
    ruleset = load(entries("who: alice, roles: files", "who: group:ops, roles: files", "who: bob, roles: files"))
    once = load(entries("who: alice, roles: files"))
    found = ask(ruleset, Sftp("list", b"/"))
    assert found == ask(once, Sftp("list", b"/"))
    assert found.allowed


def hours(ruleset: Ruleset) -> object:
    return ask(ruleset, Exec(b"ls")).valid_until


def test_hours_that_two_grants_share_end_once() -> None:
    when = "when: {hours: 11:00-13:00}, "
    both = load(entries(f"who: alice, {when}roles: words", f"who: group:ops, {when}roles: words"))
    assert hours(both) == hours(load(entries(f"who: alice, {when}roles: words"))) == NOON.replace(hour=13)
    # Hours of what has nothing to say to the request do not count.
    other = load(entries("who: alice, roles: words", f"who: alice, {when}allow: {{pty: true}}"))
    assert hours(other) is None
    assert ask(other, Pty("xterm")).valid_until == NOON.replace(hour=13)


def test_what_comes_behind_hours_that_say_nothing_of_it_is_heard() -> None:
    ruleset = load(entries("who: alice, when: {hours: 11:00-13:00}, allow: {pty: true}", "who: alice, roles: words"))
    assert ask(ruleset, Exec(b"ls")).allowed
    assert ask(ruleset, Exec(b"ls"), trace=True).allowed


def test_a_fact_that_is_unknown_beside_a_condition_that_holds() -> None:
    ruleset = load(entries("who: alice, account: alice, client: x, roles: words", "who: bob, client: x, deny: all"))
    assert ask(ruleset, Exec(b"ls")).allowed is False
    known = replace(facts(), client="SSH-2.0-x")
    assert decide(ruleset, Query(known, Exec(b"ls"))).allowed

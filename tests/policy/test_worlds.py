"""The cases that the file can not exclude: which accounts, keys, places, logins and times stand for all others."""

from collections.abc import Iterable

import pytest

from pysshd.patterns.globs import parse_glob
from pysshd.policy.conditions import Case, Client, Conditions
from pysshd.policy.load import load_text
from pysshd.policy.moments import NO_CLIENT, clients
from pysshd.policy.people import Person
from pysshd.policy.worlds import NOBODY, Worlds, describe
from tests.policy.support import FINGERPRINTS, KEYS, messages

USERS = f"""\
  a: {{accounts: [a, b, c, root], keys: [{{name: n, key: '{KEYS[0]}'}}, '{KEYS[1]}', '{KEYS[2]}']}}
  d: {{accounts: d}}
"""
FIRST = FINGERPRINTS[0]


def made(users: str, entries: Iterable[str], more: str = "") -> tuple[Worlds, dict[str, Person], list[Conditions]]:
    grants = "".join(f"  - {{{entry}, allow: {{pty: true}}}}\n" for entry in entries)
    ruleset = load_text(f"version: 1\n{more}users:\n{users}grants:\n{grants}", language=True).ruleset
    fingerprints: dict[tuple[str, str], tuple[str, ...]] = {
        (person.name, key.label): (key.fingerprint,)
        for person in ruleset.people.values()
        for key in person.keys
        if key.fingerprint is not None
    }
    chains = (chain for entry in ruleset.login for chain in entry.chains)
    worlds = Worlds(chains, fingerprints, ruleset.authorities.values())
    return worlds, dict(ruleset.people), [grant.conditions for grant in ruleset.grants]


def cases(person: str, *entries: str, users: str = USERS, more: str = "") -> list[Case]:
    worlds, people, conditions = made(users, entries, more)
    return list(worlds.cases(people[person], conditions))


@pytest.mark.parametrize(
    ("entry", "accounts"),
    [
        ("who: a", ["a"]),
        ("account: c", ["c", "a"]),
        ("account: [b, a]", ["a", "b", "c"]),
        ("account: [a, b, c, root]", ["a", "b", "c", "root"]),
        ("account: d", ["a"]),
        ("unless: {account: b}", ["b", "a"]),
    ],
)
def test_the_accounts_that_are_named_and_one_that_is_not(entry: str, accounts: list[str]) -> None:
    assert [case.account for case in cases("a", entry)] == accounts


@pytest.mark.parametrize(
    ("names", "named", "accounts"),
    [
        ("g-*", "[g-a, x, g-x]", ["g-a", "g-x", "g-"]),
        ("g-?", "[g-a, d]", ["g-a", "g-x"]),
        ("g-?", "[g-x, x]", ["g-x", "g-a"]),
        ("g-?", "[g-x, g-a]", ["g-a", "g-x", "g-b"]),
        ("*", "[guest, x]", ["guest", "x", "nobody-else"]),
        ("*", "[guest, x, nobody-else]", ["guest", "nobody-else", "x", "guest-a"]),
        ("g", "g", ["g"]),
    ],
)
def test_the_names_of_guests(names: str, named: str, accounts: list[str]) -> None:
    found = cases("z", f"who: z, account: {named}", users=f"  d: {{accounts: d}}\n  z: {{names: '{names}'}}\n")
    assert [case.account for case in found] == accounts


def test_an_entry_for_guests_of_all_other_names_is_reached() -> None:
    users = "version: 1\nusers: {d: {accounts: d}, g: {names: 'g-?'}}\n"
    text = "login: [{who: g, account: g-x, refuse: true}, {who: g, methods: none}, {methods: publickey}]\n"
    load_text(users + text, language=True)
    assert "never reached" in messages(text.replace("account: g-x, ", ""), users)


@pytest.mark.parametrize(
    ("entries", "keys"),
    [
        (["who: a"], [""]),
        (["who: key:n"], ["n", ""]),
        ([f"who: 'key:{FIRST}'"], ["", FIRST]),
        ([f"who: ['key:n', 'key:{FIRST}']"], ["n", f"n {FIRST}", ""]),
        ([f"who: 'key:{FINGERPRINTS[3]}'"], [""]),
    ],
)
def test_the_keys_that_are_named_and_one_that_is_not(entries: list[str], keys: list[str]) -> None:
    found = cases("a", *entries)
    assert [" ".join([*case.key_names, *case.fingerprints]) for case in found] == keys


def test_logins_are_those_of_the_chains() -> None:
    two = "login: [{methods: [publickey+publickey, password]}]\n"
    assert [case.methods for case in cases("a", "who: a", more=two)] == [()]
    assert {case.methods for case in cases("a", "with: password", more=two)} == {
        ("publickey", "publickey"), ("password",)
    }  # fmt: skip
    both = {(case.methods, tuple(sorted(case.fingerprints))) for case in
            cases("a", f"who: ['key:{FIRST}', 'key:{FINGERPRINTS[1]}']", more=two)}  # fmt: skip
    first, second = FINGERPRINTS[:2]
    by_keys = {(), (first,), (second,), tuple(sorted((first, second)))}
    assert both == {(("publickey", "publickey"), used) for used in by_keys} | {(("password",), ())}


def test_sources_listeners_and_moments() -> None:
    assert {str(case.source) for case in cases("a", "from: [10.0.0.0/8, 'fd00::/8']")} == {
        "10.0.0.0", "11.0.0.0", "fd00::", "fe00::", "0.0.0.0", "::", "None",
    }  # fmt: skip
    listen = "server: {listen: ['127.0.0.1:22', '[::1]:22']}\n"
    assert [case.listener for case in cases("a", "listener: '[::1]:22'", more=listen)] == ["[::1]:22", NOBODY]
    assert [case.listener for case in cases("a", "who: a", more=listen)] == [NOBODY]
    assert len(cases("a", "not_after: 2027-01-01")) == 2


def test_groups_of_the_host() -> None:
    system = "server: {accounts: system}\n"
    found = cases("d", "who: ['system-group:x', 'system-group:y', 'system-group:z']", more=system)
    held = [case.unix.groups for case in found if case.unix is not None]
    assert held == [frozenset(groups) for groups in ("", "x", "y", "z", "xy", "xz", "yz")]
    roots = [
        (case.account, case.unix.uid) for case in cases("a", "account: root", more=system) if case.unix is not None
    ]
    assert roots == [("root", 0), ("a", 1 << 20)]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("who: a", "a"),
        ("account: c", "a as c"),
        ("from: 10.0.0.0/8", "a from 10.0.0.0"),
        ("unless: {from: [0.0.0.0/0, '::/0']}", "a from no address"),
        ("listener: '[::1]:22'", "a on [::1]:22"),
        ("with: publickey+publickey", "a with publickey+publickey"),
        ("who: 'system-group:x'", "a in the host's group x"),
        ("who: key:n", "a by the key n"),
        (f"who: 'key:{FIRST}'", f"a by the key {FIRST}"),
        ("client: 'PuTTY*'", "a with the client 'PuTTY'"),
        ("not_before: 2027-01-01", "a at 2027-01-01T00:00Z"),
        ("not_after: 2027-01-01", "a at 1970-01-01T00:00Z"),
        ("when: {days: tue, hours: 08:00-09:00, timezone: Asia/Tokyo}", "a on tue 2027-01-05T08:00+09:00"),
        ("account: c, from: 10.0.0.0/8, not_before: 2027-01-01", "a as c from 10.0.0.0 at 2027-01-01T00:00Z"),
    ],
)
def test_a_case_in_words(entry: str, words: str) -> None:
    more = "server: {accounts: system, listen: ['127.0.0.1:22', '[::1]:22']}\n"
    more += "login: [{methods: [publickey+publickey, password]}]\n"
    worlds, people, conditions = made(USERS, [entry], more)
    case = worlds.together(people["a"], conditions)
    assert case is not None
    assert describe(case, conditions) == words


def test_two_groups_in_words() -> None:
    worlds, people, conditions = made(
        USERS, ["who: 'system-group:x'", "who: 'system-group:y'"], "server: {accounts: system}\n"
    )
    case = worlds.together(people["d"], conditions)
    assert case is not None
    assert describe(case, conditions) == "d in the host's groups x and y"


AUTHORITIES = (
    f"authorities: {{one: {{keys: ['{KEYS[2]}']}}, two: {{keys: ['{KEYS[3]}']}}}}\nlogin: [{{methods: certificate}}]\n"
)


def test_what_a_certificate_says() -> None:
    both = ["who: principal:one/x", "who: principal:two/y"]
    worlds, people, conditions = made(USERS, both, AUTHORITIES)
    # One certificate has one signer.
    assert worlds.together(people["a"], conditions) is None
    case = worlds.together(people["a"], conditions[:1])
    assert case is not None
    assert describe(case, conditions) == "a by a certificate of one with a and x"
    worlds, people, conditions = made(USERS, ["who: principal:one/x", "who: principal:one/y"], AUTHORITIES)
    case = worlds.together(people["a"], conditions)
    assert case is not None
    assert describe(case, conditions) == "a by a certificate of one with a and x and y"
    twice = AUTHORITIES.replace("methods: certificate", "methods: certificate+certificate")
    worlds, people, conditions = made(USERS, both, twice)
    case = worlds.together(people["a"], conditions)
    assert case is not None
    assert describe(case, conditions) == "a by a certificate of one with a and x"  # the first alone is told


def test_who_is_told_apart() -> None:
    users = (
        USERS + f"  e: {{accounts: [x, b], keys: ['{KEYS[3]}']}}\n  f: {{accounts: [y, b]}}\n  g: {{run_as: root}}\n"
    )
    more = "server: {accounts: system}\n"
    worlds, people, conditions = made(users, ["account: b"], more)
    signature = {name: worlds.signature(person, conditions) for name, person in people.items()}
    assert signature["e"] != signature["f"]  # who has no key has other logins
    assert len({signature[name] for name in "adg"}) == 3
    worlds, people, conditions = made(users, ["account: z"], more)
    signature = {name: worlds.signature(person, conditions) for name, person in people.items()}
    assert signature["a"] == signature["e"] != signature["g"]
    worlds, people, conditions = made(users, ["who: a, account: z"], more)
    assert worlds.signature(people["a"], conditions) != worlds.signature(people["e"], conditions)


def test_of_moments_and_clients_that_are_alike_the_first_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it would cost more to tell them apart than to try them all, they are all kept."""
    client = Client("", (parse_glob("x*y"),))
    few, all_of_them = ["SSH-2.0-xy", NO_CLIENT], ["SSH-2.0-xy", "SSH-2.0-x~y", NO_CLIENT]
    for most, expected in ((300_000, few), (3, few), (2, all_of_them), (0, all_of_them)):
        monkeypatch.setattr("pysshd.policy.moments._TRIED_MAX", most)
        assert clients([client]) == expected
    two = [client, Client("", (parse_glob("z"),))]
    for most, count in ((8, 3), (7, 4)):
        monkeypatch.setattr("pysshd.policy.moments._TRIED_MAX", most)
        assert len(clients(two)) == count

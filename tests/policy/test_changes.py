"""Changes that would allow what is refused, where little can be offered, or something that is rarely asked for."""

from dataclasses import fields, replace
from ipaddress import ip_address

import pytest

from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.changes_narrow import lifted
from pysshd.policy.changes_net import net_permission
from pysshd.policy.explain import plain
from pysshd.policy.load import load_text
from pysshd.policy.query import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Global,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
)
from pysshd.policy.rights import Rights
from pysshd.policy.verbs import read_request
from pysshd.policy.ways_net import LookUpWay
from tests.policy.support import FINGERPRINTS, KEYS, PEOPLE
from tests.policy.test_explain import changes, explained

TREES = """\
roles:
  inbox: {sftp: {mounts: {/: /srv}, paths: {/in: list}}}
  outbox: {sftp: {paths: {/out: list}}}
grants:
  - {name: boxes, who: bob, roles: [inbox, outbox]}
"""


def test_of_two_permissions_of_files_none_is_chosen_to_be_widened() -> None:
    added = ['add a grant: {who: bob, allow: {sftp: {paths: {"/in": [upload]}}}}']
    assert changes("sftp upload /in", policy=TREES) == [added]
    one = TREES.replace("[inbox, outbox]", "inbox")
    widened = [
        'change that path to sftp: {paths: {"/in": [list, upload]}} in the role inbox, which boxes gives (p.yaml:12)'
    ]
    assert changes("sftp upload /in", policy=one) == [widened, added]


def test_whom_an_exception_meets_is_told_of_the_exception() -> None:
    policy = (
        "grants:\n  - {name: inside, who: bob, unless: {from: 192.0.2.0/24}, allow: {shell: true, confined: true}}\n"
    )
    assert changes("shell", policy=policy, source=ip_address("192.0.2.1")) == [
        ["let inside match: it asks for unless: {from: 192.0.2.0/24} (p.yaml:9)"],
        ["add a grant: {who: bob, allow: {shell: true, confined: true}}"],
    ]


@pytest.mark.parametrize(("text", "signal"), [("signal KILL", "KILL"), ("break", "BREAK")])
def test_a_signal_is_added_to_the_role_whose_program_would_get_it(text: str, signal: str) -> None:
    policy = "grants:\n  - {name: quiet, who: bob, allow: {shell: true, confined: true, signals: INT}}\n"
    assert changes(text, policy=policy) == [
        [f"add signals: [{signal}] to the allow of quiet (p.yaml:9)"],
        [f"add a grant: {{who: bob, allow: {{signals: [{signal}]}}}}"],
    ]


def test_a_command_that_no_file_could_hold_is_not_offered() -> None:
    """A policy is UTF-8: nothing but `any` could permit these bytes, and that is not offered for one command."""
    policy = "grants:\n  - {name: list, who: bob, allow: {exec: ls, confined: true}}\n"
    assert changes("exec caf\udce9", policy=policy) == []
    (added, _) = changes("exec café", policy=policy)
    assert added == ['add exec: "café", confined: true to the allow of list (p.yaml:9)']


LOCAL = "grants:\n  - {name: db, who: bob, allow: {forward: {local: %s}}}\n"


@pytest.mark.parametrize(
    ("permitted", "by"),
    [
        ('"localhost:5432"', "localhost:5432"),
        ('["127.0.0.1:5432", "[::1]:5432"]', "127.0.0.1:5432"),
        ('"**.corp:*"', None),
    ],
)
def test_localhost_is_explained_at_its_addresses(permitted: str, by: str | None) -> None:
    """No resolver is asked for `localhost`; where its two addresses are answered alike, one of them is the answer."""
    found = explained("forward localhost:5432", policy=LOCAL % permitted)
    assert found.allowed == (by is not None)
    if by is not None:
        assert found.decision is not None
        assert found.decision.reason == f"db permits it by forward: {{local: {by}}}"


def test_where_its_addresses_are_answered_otherwise_localhost_has_no_answer() -> None:
    found = explained("forward localhost:5432", policy=LOCAL % '"127.0.0.1:5432"')
    assert not found.allowed
    assert found.decision is not None
    assert found.decision.way == LookUpWay("localhost", 5432, named=False)
    for address, allowed in (("127.0.0.1", True), ("::1", False)):
        one = explained(f"forward localhost:5432 {address}", policy=LOCAL % '"127.0.0.1:5432"')
        assert one.allowed == allowed
        assert plain(one)["decision"]["allowed"] is allowed
    assert plain(found)["decision"]["allowed"] is plain(found)["allowed"] is None


MANY = "grants:\n  - {name: d, who: carol, deny: {pty: true}}\n" + "".join(
    f"  - {{name: a{number}, who: bob, allow: {{pty: true, env: {{accept: X{number}}}}}}}\n" for number in range(1, 8)
)


@pytest.mark.parametrize(("most", "eased"), [(9, "a1 a2 a3 a4 a5"), (8, "a1 a2 a3 a5 a6"), (7, "a1 a2 a5 a6 a7")])
def test_of_many_candidates_the_first_and_the_last_are_tried_together(
    monkeypatch: pytest.MonkeyPatch, most: int, eased: str
) -> None:
    """Alone each of them is; the last are permissions to be added, which are always a way."""
    monkeypatch.setattr("pysshd.policy.changes.CANDIDATES_MAX", most)
    found = [[edit.text for edit in change] for change in explained("pty x", person="carol", policy=MANY).changes]
    assert found == [["lift the deny d", f"let {name} match: it asks for who: bob"] for name in eased.split()]
    alone = explained("pty x", person="carol", policy=MANY.replace("deny: {pty: true}", "deny: {agent: true}"))
    assert [edit.text.split()[1] for change in alone.changes for edit in change] == ["a1", "a2", "a3", "a4", "a5"]


@pytest.mark.parametrize(("more", "edits"), [("", 3), (", not_after: 2026-01-01", 0)])
def test_more_than_three_edits_are_no_small_change(more: str, edits: int) -> None:
    people = f"""\
version: 1
users: {{bob: {{not_after: 2026-01-01, keys: [{{name: old, key: '{KEYS[0]}'{more}}}]}}}}
"""
    policy = "login: [{who: bob, refuse: true}]\n"
    found = explained("shell", people=people, policy=policy, account="git").changes
    assert {len(change) for change in found} == ({edits} if edits else set())


def test_a_login_by_several_steps_is_offered_with_all_of_them() -> None:
    policy = "login: [{who: bob, methods: publickey}]\n"
    assert changes("shell", person="carol", policy=policy, chain=("publickey", "password")) == [
        ["add a login entry above the others: {who: carol, methods: publickey+password}"]
    ]


def test_a_grant_of_the_same_kind_is_offered_first() -> None:
    kinds = {"exec": "exec: ls, confined: true", "env": "env: {accept: LANG}", "forward": "forward: {local: 'a.b:1'}"}
    grants = "".join(f"  - {{name: g-{kind}, who: bob, allow: {{{text}}}}}\n" for kind, text in kinds.items())
    for kind, text in {"exec": "exec id", "env": "env X=y", "forward": "forward c.d:1 10.9.9.9"}.items():
        found = explained(text, policy=f"server: {{owner: alice}}\ngrants:\n{grants}").changes
        places = [edit.text.rpartition(" allow of g-")[2] for change in found for edit in change]
        assert places[:-1] == [kind, *(other for other in kinds if other != kind)]


def test_denies_that_do_not_count_are_no_candidates() -> None:
    """However many there are, they leave room for what is of use."""
    others = "".join(f"  - {{who: alice, deny: {{env: {{accept: X{number}}}}}}}\n" for number in range(20))
    others += "  - {who: bob, from: 192.0.2.0/24, deny: {pty: true}}\n"
    policy = f"grants:\n{others}  - {{name: d, who: bob, deny: {{pty: true}}}}\n"
    found = explained("pty x", policy=policy).changes
    assert [[edit.text for edit in change] for change in found] == [
        ["lift the deny d", "add a grant: {who: bob, allow: {pty: true}}"]
    ]


@pytest.mark.parametrize(
    ("roles", "place"),
    [
        ("login-shell, sftp, mine", "the role mine, which g gives"),
        ("mine, login-shell", "the role mine, which g gives"),
        ("login-shell", "the allow of g"),
    ],
)
def test_what_is_added_to_a_role_is_added_to_one_of_the_file(roles: str, place: str) -> None:
    policy = (
        "server: {accounts: system}\nroles: {mine: {x11: true}}\n"
        f"grants:\n  - {{name: g, who: bob, roles: [{roles}]}}\n"
    )
    assert changes("agent", policy=policy)[0] == [f"add agent: true to {place} (p.yaml:11)"]


def test_another_grant_is_left_as_it_is() -> None:
    """What is eased is one grant, and of that one condition."""
    inside = ip_address("192.0.2.1")
    policy = (
        "grants:\n  - {name: a, who: bob, unless: {from: 192.0.2.0/24}, allow: {pty: true}}\n"
        "  - {name: d, who: bob, unless: {from: 192.0.2.0/24}, deny: {pty: true}}\n"
    )
    assert changes("pty x", policy=policy, source=inside)[0] == [
        "let a match: it asks for unless: {from: 192.0.2.0/24} (p.yaml:9)"
    ]
    both = "grants:\n  - {name: a, from: 192.0.2.0/24, not_after: 2026-01-01, allow: {pty: true}}\n"
    both += "  - {name: d, who: bob, deny: {pty: true}}\n"
    assert changes("pty x", policy=both) == [
        ["lift the deny d (p.yaml:10)", "add a grant: {who: bob, allow: {pty: true}}"]
    ]
    assert changes("pty x", policy=both.replace("who: bob", "who: alice")) == [
        ["add a grant: {who: bob, allow: {pty: true}}"]
    ]


def test_a_grant_that_completes_another_has_all_of_its_conditions() -> None:
    unless = "unless: {account: git, from: 10.9.0.0/16}"
    policy = f"grants:\n  - {{who: bob, from: 10.0.0.0/8, {unless}, allow: {{exec: ls, confined: true}}}}\n"
    completed = f"add a grant: {{who: bob, from: 10.0.0.0/8, {unless}, allow: {{signals: [INT]}}}}"
    assert changes("signal INT exec ls", policy=policy.replace("confined", "signals: none, confined"))[-1] == [
        completed
    ]
    # A request of another kind is of use by itself.
    assert changes("pty x", policy=policy)[-1] == ["add a grant: {who: bob, allow: {pty: true}}"]
    # Without a tree that is shown no path is of use.
    assert changes("sftp list /", policy=policy) == []
    tree = policy + "  - {name: t, who: bob, account: bob, allow: {sftp: {mounts: {/: /srv}, paths: {/x: [list]}}}}\n"
    assert changes("sftp list /", policy=tree)[-1] == [
        'add a grant: {who: bob, account: bob, allow: {sftp: {paths: {"/": [list]}}}}'
    ]
    assert changes("pty x", policy=tree.replace("exec: ls, confined: true", "env: {accept: X}"))[-1] == [
        "add a grant: {who: bob, allow: {pty: true}}"
    ]
    assert changes("sftp stat /", policy=tree)[-1] == [
        'add a grant: {who: bob, account: bob, allow: {sftp: {paths: {"/": [stat]}}}}'
    ]


@pytest.mark.parametrize(
    ("settings", "beside"),
    [
        ("server: {accounts: system}", ""),
        ("server: {owner: bob}", ""),
        ("server: {owner: alice}", ", confined: true"),
        ("limits: {auth_attempts: 3}", ", confined: true"),
    ],
)
@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("shell", "shell: true"),
        ("exec ls -l", 'exec: "ls -l"'),
        ("exec ls *", 'exec: {literal: "ls *"}'),
        ("exec echo a; id", 'exec: {literal: "echo a; id"}'),
        ("exec ls ?", 'exec: {literal: "ls ?"}'),
        ("exec ls [a]", 'exec: {literal: "ls [a]"}'),
        ("exec ls {a}", 'exec: {literal: "ls {a}"}'),
        ("exec ls 'a b'", "exec: {literal: \"ls 'a b'\"}"),
    ],
)
def test_a_permission_to_run_something(settings: str, beside: str, text: str, permission: str) -> None:
    """Confined, where the daemon would run it as its own user."""
    policy = f"{settings}\ngrants: [{{who: bob, allow: {{pty: true}}}}]\n"
    assert changes(text, policy=policy)[-1] == [f"add a grant: {{who: bob, allow: {{{permission}{beside}}}}}"]


def test_of_two_keys_that_are_not_valid_each_is_to_be_changed() -> None:
    old = ", ".join(f"{{name: k{number}, key: '{KEYS[number]}', not_after: 2026-01-01}}" for number in range(2))
    people = f"version: 1\nusers:\n  bob: {{keys: [{old}]}}\n"
    policy = "login: [{methods: publickey+publickey}]\n"
    assert changes("shell", people=people, policy=policy, chain=("publickey", "publickey"))[:1] == [
        [f"change not_before or not_after of the key k{number} (p.yaml:3)" for number in range(2)]
    ]


def test_another_login_entry_is_left_as_it_is() -> None:
    policy = "login: [{from: 10.0.0.0/8, refuse: true}, {who: bob, from: 192.0.2.0/24, methods: publickey}]\n"
    assert changes("shell", policy=policy) == [["add a login entry above the others: {who: bob, methods: publickey}"]]


def test_a_request_that_is_of_no_kind_beyond_the_session_has_no_such_permission() -> None:
    for text in ("shell", "subsystem x", "pty x", "sftp list /", "signal INT"):
        assert net_permission(read_request(text), "") is None


@pytest.mark.parametrize(
    ("path", "pattern"),
    [("/run/X", "/run/X"), ("/run/a*b", "/run/a?b"), ("/run/a?b", "/run/a?b"), ("/run/{X}", "/run/{{X}}")],
)
def test_the_narrowest_pattern_of_a_socket(path: str, pattern: str) -> None:
    found = net_permission(ConnectUnix(path), "")
    assert found is not None
    assert found[0] == f'forward: {{local_unix: "{pattern}"}}'


WRITTEN = [
    "shell", "exec ls -l", "exec ls *", "exec a; b", "pty xterm", "env LC_ALL=C", "signal KILL exec id",
    "break exec id", "agent", "x11 single", "global x@y.z", "forward db1.corp:5432 10.9.9.9", "forward 10.9.9.9:22",
    "forward [fd00::1]:22",
    "forward db1.corp:80 169.254.169.254", "forward localhost:22", "listen :9000", "listen :0", "listen localhost:0",
    "listen localhost:80", "listen 10.0.0.5:80", "listen [fd00::1]:80", "forward-unix /run/x", "forward-unix /run/{*}",
    "listen-unix /run/x", "sftp list /in", "sftp upload /in/x", "sftp stat /", "sftp delete /a*b",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("server", ["server: {accounts: system}\n", "server: {owner: alice}\n"])
def test_what_is_tried_is_what_a_file_with_these_words_says(server: str, text: str) -> None:
    """Else a change would be told that is not the one which was found to be enough."""
    tree = (
        "grants:\n  - {name: tree, who: bob, allow: {sftp: {mounts: {/: /srv}, paths: {/x: [list]}}}}\n"
        "  - {name: quiet, who: bob, allow: {exec: id, signals: none, confined: true}}\n"
    )
    found = explained(text, policy=server + tree)
    (edit,) = found.changes[-1]
    tried = edit.apply(load_text(PEOPLE + server + tree, "p.yaml", language=True).ruleset).grants[-1].rights
    added = edit.text.removeprefix("add a grant: ")
    written = load_text(f"{PEOPLE}{server}{tree}  - {added}\n", "p.yaml", language=True).ruleset.grants[-1]
    for one in fields(Rights):
        here, there = getattr(tried, one.name), getattr(written.rights, one.name)
        if isinstance(here, tuple) and one.name != "accept":
            here = tuple(replace(right, where="") for right in here)
            there = tuple(replace(right, where="") for right in there)
        assert here == there, one.name


OPTIONS = 'restrict,command="id",from="10.0.0.0/8",expiry-time="20300101Z",permitopen="a.b:1",permitlisten="9000"'
LIFTED: dict[type, str] = {
    Pty: "no-pty",
    Agent: "no-agent-forwarding",
    X11: "no-x11-forwarding",
    Connect: "no-port-forwarding permitopen",
    Listen: "no-port-forwarding permitlisten",
    ConnectUnix: "no-port-forwarding permitopen command",
    ListenUnix: "no-port-forwarding permitlisten command",
    Login: "from expiry-time command",
    Global: "",
    **dict.fromkeys((Shell, Exec, Subsystem, Env, Signal, Break, Sftp), "command"),
}
"""The options that bear on each kind of request, in the order in which they are offered."""


@pytest.mark.parametrize("kind", LIFTED)
def test_the_options_that_are_offered_to_be_taken_away(kind: type) -> None:
    """Of the key that was used, each by itself: what else it says, and what others say, stays."""
    keys = ", ".join(f"{{name: k{number}, key: '{OPTIONS} {KEYS[number]}'}}" for number in range(2))
    person = load_text(f"version: 1\nusers:\n  bob: {{keys: [{keys}]}}\n", "p.yaml").ruleset.people["bob"]
    found = list(lifted(person, [Step("publickey", FINGERPRINTS[1], "k1")], kind))
    words = [text.partition(" away from the key ") for text, _, _ in found]
    places = [where for _, where, _ in found]
    edits = [change(person) for _, _, change in found]
    assert [option.removesuffix(" (or restrict)") for option, _, _ in words] == LIFTED[kind].split()
    assert [key for _, _, key in words] == ["k1"] * len(found)
    assert places == ["p.yaml:3"] * len(found)
    for edited in edits:
        assert edited.keys[0] == person.keys[0]
        before, after = person.keys[1].narrowing, edited.keys[1].narrowing
        differing = [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
        assert len(differing) == 1
        assert getattr(after, differing[0]) == getattr(NO_NARROWING, differing[0])
    assert list(lifted(person, [], kind)) == []

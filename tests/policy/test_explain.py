"""Explanations: the whole answer as data, and the smallest changes, each of which is tried here once more."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given

from pysshd.policy.bounds import Bounds, Limit, Record
from pysshd.policy.changes import changes_for
from pysshd.policy.explain import Explanation, default_login, explain, plain, said_bounds, said_way, with_login
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import UNKNOWN, Login, Query
from pysshd.policy.roles import roles_by_grant
from pysshd.policy.scene import Scene, ask, held_steps, holder_of, log_in
from pysshd.policy.verbs import VerbError, read_request
from pysshd.policy.ways import FileWay, Forced, LoginShell, Program, PtyWay, ShellCommand, Words
from tests.policy.documents import DOCUMENTS, QUERIES, document
from tests.policy.support import KEYS, NOON, PEOPLE

POLICY = """\
server: {owner: alice}
networks: {office: [10.0.0.0/8]}
login:
  - {who: carol, methods: publickey+password}
  - {who: bob, from: 192.0.2.0/24, refuse: true}
  - {methods: [publickey, password+publickey]}
roles:
  look: {exec: [uptime], pty: true, confined: true}
grants:
  - {name: shell, who: alice, from: office, roles: login-shell}
  - {name: look, who: bob, roles: look}
  - {name: this-year, who: bob, from: office, not_after: 2026-12-31, allow: {exec: date, confined: true}}
  - {name: no-pty, who: "group:ops", deny: {pty: true}, unless: {from: 10.1.0.0/16}}
"""


def explained(
    text: str, *, person: str = "bob", policy: str = POLICY, people: str = PEOPLE, **known: Any
) -> Explanation:
    """Explain a request of a person, who comes from the office at noon unless something else is said."""
    found = load_text(people + policy, "p.yaml", language=True)
    holder = holder_of(found.ruleset, person)
    assert holder is not None
    chain = known.pop("chain", None)
    facts = {"account": person, "source": ip_address("10.0.0.1"), "listener": "127.0.0.1:2222", "now": NOON} | known
    scene = Scene(person=holder, chain=(), keys=(), **facts)
    held = held_steps(holder, {})
    scene = with_login(scene, chain, held) if chain is not None else default_login(found.ruleset, scene, held)
    roles = roles_by_grant(found.document, found.ruleset)
    return explain(found.ruleset, scene, read_request(text), held, roles)


def changes(text: str, **known: Any) -> list[list[str]]:
    return [
        [f"{edit.text} ({edit.where})" if edit.where else edit.text for edit in change]
        for change in explained(text, **known).changes
    ]


OUTSIDE = ip_address("198.51.100.1")


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        (
            "shell",
            {"person": "alice", "source": OUTSIDE},
            [["let shell match: it asks for from: office (p.yaml:17)"],
             ["add a grant: {who: alice, allow: {shell: true}}"]],
        ),
        (
            "exec rm -rf /",
            {},
            [['add exec: "rm -rf /", confined: true to the role look, which look gives (p.yaml:18)'],
             ['add exec: "rm -rf /", confined: true to the allow of this-year (p.yaml:19)'],
             ['add a grant: {who: bob, allow: {exec: "rm -rf /", confined: true}}']],
        ),
        (
            "exec ls *; id",
            {"source": OUTSIDE},
            [['add exec: {literal: "ls *; id"}, confined: true to the role look, which look gives (p.yaml:18)'],
             ['add a grant: {who: bob, allow: {exec: {literal: "ls *; id"}, confined: true}}']],
        ),
        ("pty xterm", {}, [["lift the deny no-pty (p.yaml:20)"]]),
        (
            "pty xterm",
            {"person": "alice", "source": OUTSIDE},
            [["lift the deny no-pty (p.yaml:20)", "let shell match: it asks for from: office (p.yaml:17)"],
             ["lift the deny no-pty (p.yaml:20)", "let look match: it asks for who: bob (p.yaml:18)"],
             ["lift the deny no-pty (p.yaml:20)", "add a grant: {who: alice, allow: {pty: true}}"]],
        ),
        (
            "exec date",
            {"now": datetime(2027, 6, 1, tzinfo=UTC)},
            [["let this-year match: it asks for not_after: 2026-12-31 (p.yaml:19)"],
             ['add exec: "date", confined: true to the role look, which look gives (p.yaml:18)'],
             ['add a grant: {who: bob, allow: {exec: "date", confined: true}}']],
        ),
        (
            "env LC_ALL=C",
            {},
            [["let shell match: it asks for who: alice (p.yaml:17)"],
             ["add env: {accept: [LC_ALL]} to the role look, which look gives (p.yaml:18)"],
             ["add env: {accept: [LC_ALL]} to the allow of this-year (p.yaml:19)"],
             ["add a grant: {who: bob, allow: {env: {accept: [LC_ALL]}}}"]],
        ),
        (
            "forward db1.corp:5432 10.9.9.9",
            {},
            [['add forward: {local: "db1.corp:5432"} to the role look, which look gives (p.yaml:18)'],
             ['add forward: {local: "db1.corp:5432"} to the allow of this-year (p.yaml:19)'],
             ['add a grant: {who: bob, allow: {forward: {local: "db1.corp:5432"}}}']],
        ),
        ("env LD_PRELOAD=x", {}, []),
        ("subsystem mail", {}, []),
        ("channel session", {}, []),
    ],
)  # fmt: skip
def test_the_smallest_changes(text: str, known: dict[str, Any], expected: list[list[str]]) -> None:
    assert changes(text, **known) == expected


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("agent", "agent: true"),
        ("x11 single", "x11: true"),
        ("global x@y.z", 'global_requests: "x@y.z"'),
        ("forward 10.9.9.9:22", 'forward: {local: "10.9.9.9:22"}'),
        ("forward [fd00::1]:22", 'forward: {local: "[fd00::1]:22"}'),
        ("forward db1.corp:80 169.254.169.254", 'forward: {local: "169.254.169.254:80"}'),
        ("forward localhost:22", 'forward: {local: "localhost:22"}'),
        ("listen :9000", 'forward: {remote: "*:9000"}'),
        ("listen localhost:0", 'forward: {remote: "loopback:1024-65535"}'),
        ("listen 10.0.0.5:80", 'forward: {remote: "10.0.0.5:80"}'),
        ("listen [fd00::1]:80", 'forward: {remote: "[fd00::1]:80"}'),
        ("forward-unix /run/x", 'forward: {local_unix: "/run/x"}'),
        ("forward-unix /run/{*}", 'forward: {local_unix: "/run/{{?}}"}'),
        ("listen-unix /run/x", 'forward: {remote_unix: "/run/x"}'),
    ],
)
def test_a_permission_beyond_the_session(text: str, permission: str) -> None:
    """It is the narrowest, and was tried."""
    assert changes(text)[-1] == [f"add a grant: {{who: bob, allow: {{{permission}}}}}"]


@pytest.mark.parametrize("text", ["forward 127.1:80", "forward-unix run/x", "listen db1.corp:80", "forward x:0"])
def test_no_permission_is_enough_for_what_is_served_to_nobody(text: str) -> None:
    try:
        assert changes(text) == []
    except VerbError:
        assert "0" in text or "127" in text or "run" in text


@pytest.mark.parametrize(
    ("known", "logins", "expected"),
    [
        (
            {"source": ip_address("192.0.2.1")},
            (),
            [["take login entry 2 away, which refuses (p.yaml:12)"],
             ["add a login entry above the others: {who: bob, methods: publickey}"]],
        ),
        (
            {"person": "carol", "chain": ("publickey",)},
            ("publickey+password",),
            [["add publickey to the methods of login entry 1 (p.yaml:11)"],
             ["add a login entry above the others: {who: carol, methods: publickey}"]],
        ),
        (
            {"account": "git"},
            (),
            [["add git to the accounts of bob (p.yaml:6)"]],
        ),
        (
            {"people": PEOPLE.replace("bob: {", "bob: {not_after: 2026-01-01, ")},
            (),
            [["change not_before or not_after of bob (p.yaml:6)"]],
        ),
        (
            {"people": PEOPLE.replace("bob: {", "bob: {not_after: 2026-01-01, "), "account": "git"},
            (),
            [["add git to the accounts of bob (p.yaml:6)", "change not_before or not_after of bob (p.yaml:6)"]],
        ),
    ],
)  # fmt: skip
def test_the_smallest_changes_of_a_login(
    known: dict[str, Any], logins: tuple[str, ...], expected: list[list[str]]
) -> None:
    found = explained("shell", **known)
    assert not found.login.admitted
    assert found.logins == logins
    assert changes("shell", **known) == expected


def test_a_key_that_is_not_valid_any_more() -> None:
    people = PEOPLE.replace("{name: laptop,", "{name: laptop, not_after: 2026-01-01,")
    people = people.replace(', "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAj', ', "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAj')
    found = explained("shell", person="alice", people=people)
    assert [edit.text for change in found.changes for edit in change] == [
        "change not_before or not_after of the key laptop"
    ]


def test_a_login_entry_that_nearly_matches() -> None:
    policy = "login: [{who: bob, from: 10.0.0.0/8, methods: publickey}]\n"
    found = explained("shell", policy=policy, source=OUTSIDE)
    assert [edit.text for change in found.changes for edit in change] == [
        "let login entry 1 match: it asks for from: 10.0.0.0/8",
        "add a login entry above the others: {who: bob, methods: publickey}",
    ]


FILES = """\
server: {owner: alice}
roles:
  box: {sftp: {mounts: {/: /srv/box}, paths: {/: [list], "/in/**": [upload]}}}
grants:
  - {name: box, who: bob, roles: box}
"""


def test_sftp_and_one_operation_of_it() -> None:
    found = explained("subsystem sftp", policy=FILES)
    assert found.decision.way is not None
    assert said_way(found.decision.way) == "the daemon's own SFTP server, over / (/srv/box)"
    found = explained("sftp upload /in/x", policy=FILES)
    assert found.decision.way is not None
    assert said_way(found.decision.way) == "at /srv/box/in/x"
    assert changes("sftp download /in/x", policy=FILES) == [
        ['add sftp: {paths: {"/in/x": [download, upload]}} to the role box, which box gives (p.yaml:12)'],
        ['add a grant: {who: bob, allow: {sftp: {paths: {"/in/x": [download]}}}}'],
    ]
    assert changes("sftp download /in/**\udcff", policy=FILES) == []


def test_a_right_more_at_a_path_takes_none_away() -> None:
    """Within a permission the longest literal start decides alone, so that the new path repeats what was permitted."""
    policy = FILES.replace("who: bob, roles", "who: bob, from: 10.0.0.0/8, unless: {from: 10.9.0.0/16}, roles")
    assert changes("sftp overwrite /in/x", policy=policy) == [
        ['add sftp: {paths: {"/in/x": [upload, overwrite]}} to the role box, which box gives (p.yaml:12)'],
        ['add a grant: {who: bob, from: 10.0.0.0/8, unless: {from: 10.9.0.0/16}, '
         'allow: {sftp: {paths: {"/in/x": [overwrite]}}}}'],
    ]  # fmt: skip
    for written in ("[upload, overwrite]", "[overwrite]"):
        edited = policy.replace('"/in/**": [upload]', f'"/in/**": [upload], "/in/x": {written}')
        assert explained("sftp overwrite /in/x", policy=edited).allowed
        assert explained("sftp upload /in/x", policy=edited).allowed == ("upload" in written)
    found = explained("sftp overwrite /in/x", policy=policy)
    for change in found.changes:
        edited_rules = load_text(PEOPLE + policy, "p.yaml", language=True).ruleset
        for edit in change:
            edited_rules = edit.apply(edited_rules)
        assert ask(edited_rules, found.scene, read_request("sftp upload /in/x")).allowed


def test_a_path_that_stands_there_is_changed() -> None:
    policy = FILES.replace('"/in/**": [upload]', '"/in/**": [delete], "/in/x": [upload]')
    assert changes("sftp overwrite /in/x", policy=policy)[0] == [
        'change that path to sftp: {paths: {"/in/x": [upload, overwrite]}} in the role box, which box gives (p.yaml:12)'
    ]


def test_what_is_listed_may_be_looked_at_too() -> None:
    assert changes("sftp list /in", policy=FILES)[0] == [
        'add sftp: {paths: {"/in": [list]}} to the role box, which box gives (p.yaml:12)'
    ]


@pytest.mark.parametrize(
    ("system", "person", "chain"), [(False, "carol", "password"), (True, "root", "publickey")]
)  # fmt: skip
def test_where_there_is_no_login_section_a_whole_one_is_offered(system: bool, person: str, chain: str) -> None:
    """An entry alone would take the place of the built-in one, and shut everybody else out."""
    policy = "server: {accounts: system}\n" if system else "server: {owner: alice}\n"
    people = PEOPLE + (f'  root: {{keys: "{KEYS[3]}"}}\n' if system else "")
    found = explained("shell", policy=policy, people=people, person=person, chain=(chain,))
    assert [[(edit.text, edit.where) for edit in change] for change in found.changes] == [
        [(f'add a section login: [{{who: {person}, methods: {chain}}}, {{who: "*", methods: publickey}}]', "")]
    ]


def test_what_is_allowed_needs_no_change() -> None:
    found = explained("exec uptime")
    assert found.allowed
    assert (found.changes, found.logins, found.effects) == ((), (), ("allow", "allow", "deny"))
    assert found.decision.decided_by == "p.yaml:18"


def test_a_fact_that_is_unknown_is_said_to_be() -> None:
    found = explained("shell", person="alice", source=UNKNOWN)
    assert not found.allowed
    assert [tried.failed for tried in found.decision.trace] == [
        "from: office (unknown)",
        "it does not speak of this request",
    ]


HANGING = """\
server: {accounts: system}
login:
  - {who: carol, client: PuTTY*, refuse: true}
  - {who: "*", methods: publickey}
grants:
  - {name: guests, who: system-group:guests, deny: all}
  - {name: shell, who: "*", allow: {shell: true, pty: true}}
  - {name: far, who: "*", unless: {from: 10.0.0.0/8}, deny: {pty: true}}
  - {name: never, who: "*", deny: {exec: any}}
"""


@pytest.mark.parametrize(
    ("text", "known", "lacking"),
    [
        ("shell", {}, ("system_groups",)),
        ("pty xterm", {"source": UNKNOWN}, ("from", "system_groups")),
        ("pty xterm", {"source": UNKNOWN, "system_groups": frozenset()}, ("from",)),
        ("exec ls", {}, ()),  # which is denied in any case
        ("shell", {"system_groups": frozenset()}, ()),
        ("shell", {"system_groups": frozenset(["guests"])}, ()),
        ("shell", {"person": "carol"}, ("client",)),
    ],
)
def test_the_facts_that_a_refusal_hangs_on(text: str, known: dict[str, Any], lacking: tuple[str, ...]) -> None:
    found = explained(text, policy=HANGING, **known)
    assert found.lacking == lacking
    assert plain(found)["lacking"] == list(lacking)


def test_an_allow_that_asks_for_a_fact_names_it() -> None:
    assert explained("shell", person="alice", source=UNKNOWN).lacking == ("from",)
    assert explained("shell", person="carol", source=UNKNOWN).lacking == ()


def test_the_shape_for_machines() -> None:
    found = explained("exec date", source=OUTSIDE)
    assert json.loads(json.dumps(plain(found))) == {
        "allowed": False,
        "as": "bob",
        "account": "bob",
        "from": "198.51.100.1",
        "listener": "127.0.0.1:2222",
        "client": None,
        "at": "2026-11-23T12:00:00+00:00",
        "with": "publickey",
        "keys": ["SHA256:zrRiG4vU3xqlM+aXj7oWb026UiYXdTVIU97iPzL2h40"],
        "certificate": None,
        "system_groups": None,
        "request": "exec date",
        "login": {
            "allowed": True,
            "decided_by": "p.yaml:13",
            "reason": "login entry 3 is met by publickey",
            "valid_until": None,
            "trace": [
                {"entry": "login entry 1", "where": "p.yaml:11", "effect": "login", "matched": False,
                 "failed": "who: carol"},
                {"entry": "login entry 2", "where": "p.yaml:12", "effect": "login", "matched": False,
                 "failed": "from: 192.0.2.0/24"},
                {"entry": "login entry 3", "where": "p.yaml:13", "effect": "login", "matched": True, "failed": None},
            ],
        },
        "decision": {
            "allowed": False,
            "decided_by": "no grant",
            "reason": "no grant allows it",
            "valid_until": "2027-01-01T00:00:00+00:00",
            "trace": [
                {"entry": "look", "where": "p.yaml:18", "effect": "allow", "matched": False,
                 "failed": "it does not speak of this request"},
                {"entry": "this-year", "where": "p.yaml:19", "effect": "allow", "matched": False,
                 "failed": "from: office"},
                {"entry": "no-pty", "where": "p.yaml:20", "effect": "deny", "matched": False,
                 "failed": "it does not speak of this request"},
            ],
            "way": None,
            "bounds": {"limits": [], "record": "off"},
        },
        "nearest": {
            "why": "no exec permission is of 'date'; there are some of uptime",
            "permission": None,
            "where": None,
            "grant": None,
            "hint": None,
        },
        "lacking": [],
        "assumed": [],
        "other_logins": [],
        "changes": [
            [{"edit": "let this-year match: it asks for from: office", "where": "p.yaml:19"}],
            [{"edit": 'add exec: "date", confined: true to the role look, which look gives', "where": "p.yaml:18"}],
            [{"edit": 'add a grant: {who: bob, allow: {exec: "date", confined: true}}', "where": None}],
        ],
    }  # fmt: skip


def test_ways_and_bounds_for_machines_and_people() -> None:
    found = plain(explained("exec uptime"))["decision"]
    way = {"kind": "Words", "argv": ["uptime"], "confined": True, "env": [], "umask": None, "folder": None,
           "asked": None}  # fmt: skip
    assert found["way"] == way
    assert [said_way(way) for way in (
        LoginShell(False), ShellCommand(b"x", False), Words((b"a", b"b"), True), Program((b"m",), False),
        Forced((b"serve",), b"", True), PtyWay(),
    )] == [
        "the account's own shell",
        "by the account's own shell, with -c",
        "without a shell: [a, b], confined",
        "a program of the policy: [m]",
        "a forced program: [serve], confined",
        "",
    ]  # fmt: skip
    limits = [
        Limit("lifetime", 28800.0, grant="dba"), Limit("lifetime", 14400.0, grant="ops"),
        Limit("channels", 2, per="source"), Limit("idle", 900.0), Limit("file_size", 10**9), Limit("files", 10),
        Limit("bandwidth", 50 << 20, grant="dba"), Limit("bandwidth", 1536, "all", "dba"),
    ]  # fmt: skip
    bounds = Bounds(frozenset(limits), Record.ON)
    assert said_bounds(bounds) == (
        "bandwidth: 1536B/s per all by dba", "bandwidth: 50MiB/s per grant by dba", "channels: 2 per source",
        "file_size: 1GB", "files: 10 per grant", "idle: 15m", "lifetime: 4h by ops", "record: on",
    )  # fmt: skip
    assert said_bounds(Bounds()) == ()


def test_amounts_are_whole_numbers_for_machines() -> None:
    policy = POLICY.replace("roles: look}", "roles: look, limits: {lifetime: 8h, bandwidth: 1MiB/s}}")
    limits = json.dumps(plain(explained("exec uptime", policy=policy))["decision"]["bounds"]["limits"])
    assert '"amount": 28800,' in limits
    assert '"amount": 1048576,' in limits


@given(DOCUMENTS, QUERIES)
def test_every_change_is_enough_and_none_of_its_edits_is_superfluous(parts: Any, query: Query) -> None:
    """Also: explaining never fails, and says what the engine decides."""
    try:
        ruleset = load_text(document(*parts), "p.yaml").ruleset
    except PolicyError:
        return
    facts = query.facts
    person = ruleset.people.get(facts.person or "", ruleset.people["bob"])
    scene = Scene(person, facts.account, facts.source, facts.listener, facts.now, (), ())
    held = held_steps(person, {})
    scene = default_login(ruleset, scene, held)
    request = read_request("shell") if isinstance(query.request, Login) else query.request
    found = explain(ruleset, scene, request, held)
    json.dumps(plain(found))
    assert found.decision.allowed == ask(ruleset, scene, request).allowed
    assert found.login.admitted == log_in(ruleset, scene).admitted
    for change in changes_for(ruleset, scene, request, {}) if not found.decision.allowed else ():
        for left_out in range(len(change)):
            edited = ruleset
            for edit in (*change[:left_out], *change[left_out + 1 :]):
                edited = edit.apply(edited)
            as_in = replace(scene, person=edited.people[person.name])
            assert not ask(edited, as_in, request).allowed


def test_a_fact_that_another_kind_of_request_hangs_on_is_not_named() -> None:
    policy = (
        "grants:\n  - {who: bob, from: 10.0.0.0/8, allow: {pty: true}}\n  - {who: bob, allow: {env: {accept: X}}}\n"
    )
    assert explained("agent", policy=policy, source=UNKNOWN).lacking == ()
    assert explained("pty x", policy=policy, source=UNKNOWN).lacking == ("from",)
    # Nor one of an entry that does not count whatever it is.
    elsewhere = policy.replace("who: bob, from", "who: bob, account: git, from")
    assert explained("pty x", policy=elsewhere, source=UNKNOWN).lacking == ()


def test_a_file_that_is_at_no_folder_of_the_host_needs_no_words() -> None:
    assert said_way(FileWay(None, "")) == ""


def test_words_that_are_no_text_are_told_as_the_bytes_that_they_are() -> None:
    assert said_way(Words((b"caf\xe9", "é".encode()), False)) == "without a shell: [caf\udce9, é]"


CERTIFIED = f"""\
server: {{accounts: system}}
authorities:
  guests: {{keys: ['{KEYS[1]}'], accounts: {{git: [git]}}}}
  staff: {{keys: ['{KEYS[3]}']}}
"""


@pytest.mark.parametrize(
    ("methods", "account", "authority"),
    [
        ("certificate", "bob", "staff"),
        ("certificate", "git", "guests"),
        ("[publickey+password, certificate]", "bob", "staff"),
        ("[publickey]", "bob", None),
    ],
)
def test_whoever_logs_in_by_certificate_has_one_of_an_authority_that_opens_the_account(
    methods: str, account: str, authority: str | None
) -> None:
    """Of the chains the first that lets them in, and of the certificates too."""
    people = PEOPLE.replace("bob: {", "bob: {accounts: [bob, git], ")
    found = explained("shell", people=people, policy=CERTIFIED + f"login: [{{methods: {methods}}}]\n", account=account)
    assert found.login.admitted
    assert (found.scene.certificate.authority if found.scene.certificate is not None else None) == authority
    assert found.scene.chain == (("publickey",) if authority is None else ("certificate",))


def test_another_login_that_a_certificate_opens_is_told() -> None:
    policy = CERTIFIED + "login: [{methods: [certificate, publickey+password]}]\n"
    assert explained("shell", policy=policy, chain=("publickey",)).logins == ("certificate",)


def test_what_the_language_decides_has_no_effects_of_entries() -> None:
    found = explained("env LD_PRELOAD=x")
    assert (found.decision.trace, found.effects) == ((), ())
    assert plain(found)["decision"]["trace"] == []

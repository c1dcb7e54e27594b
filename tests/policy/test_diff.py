"""Access gained and lost between two policies, case by case."""

from pathlib import Path

import pytest

from pysshd.patterns.names import BREAK, SIGNALS
from pysshd.policy.bounds import Bounds, Limit, Record
from pysshd.policy.diff import Change, Difference, difference
from pysshd.policy.diff_permissions import as_strict
from pysshd.policy.diff_sessions import Side
from pysshd.policy.load import load_file, load_text
from tests.policy.support import FINGERPRINTS, HASH, KEYS, PEOPLE

OTHER_HASH = HASH.replace("jxYh9", "jxYh8")
ALLOW = "grants: [{name: g, who: alice, allow: {%s, confined: true}}]\n"
SYSTEM = PEOPLE.replace("users:", "server: {accounts: system}\nusers:")


def side(text: str, name: str) -> Side:
    return Side(load_text(text, name, language=True).ruleset)


def compared(old: str, new: str, before: str = PEOPLE, after: str = PEOPLE) -> Difference:
    return difference(side(before + old, "old.yaml"), side(after + new, "new.yaml"))


def only(changes: tuple[Change, ...]) -> Change:
    (change,) = changes
    return change


def told(changes: tuple[Change, ...]) -> set[tuple[str, ...]]:
    return {(*change.people, change.what) for change in changes}


def gained(old: str, new: str, before: str = PEOPLE, after: str = PEOPLE) -> set[tuple[str, ...]]:
    return told(compared(old, new, before, after).gained)


def test_a_permission_that_is_new_and_the_lines_that_decide() -> None:
    more = "  - {name: terminals, who: group:ops, from: 10.0.0.0/8, allow: {pty: true}}\n"
    found = compared("grants:\n  - {who: alice, allow: {exec: ls, confined: true}}\n",
                     "grants:\n  - {who: alice, allow: {exec: ls, confined: true}}\n" + more)  # fmt: skip
    change = only(found.gained)
    assert change == Change(
        ("alice", "bob"), "pty: true", True, "who: group:ops, from: 10.0.0.0/8", "alice from 10.0.0.0: pty",
        "new.yaml:10", "no grant",
    )  # fmt: skip
    assert not found.lost


def test_the_same_policy_in_other_words_is_no_difference() -> None:
    old = "roles: {r: {exec: [ls, id], confined: true}}\ngrants: [{name: a, who: alice, roles: r}]\n"
    new = ('grants: [{name: y, who: alice, allow: {exec: "id", confined: true}},'
           " {name: x, who: alice, allow: {exec: ls, confined: true}}]\n")  # fmt: skip
    assert compared(old, new) == Difference((), ())


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ('exec: "ls *"', "exec: ls x", False),
        ('exec: "ls *"', 'exec: "ls a?c*"', False),
        ('exec: "ls a*"', 'exec: "ls *"', True),
        ('exec: "ls ?"', 'exec: "ls *"', True),
        ('exec: "ls *"', 'exec: "ls -*"', True),
        ('exec: "cat /var/*"', 'exec: "cat /var/log/*"', False),
        ('exec: "cat /var/*"', "exec: cat /var/../etc/shadow", True),
        ('exec: ["ls a*", "ls b*"]', 'exec: "ls *"', True),
        ("exec: any", 'exec: "ls *"', False),
        ("exec: any", "exec: {literal: 'a; b'}", False),
        ("exec: {literal: 'a; b'}", "exec: any", True),
        ("shell: true", "shell: [menu]", True),
        ("forced: [serve]", "forced: [serve, --all]", True),
        ("forced: [serve]", "shell: [serve]", True),
        ("subsystems: {sftp: [a]}", "subsystems: {sftp: [b]}", True),
        ("subsystems: {sftp: [a], mail: [b]}", "subsystems: {mail: [b]}", False),
        ("exec: ls, env: {accept: 'LC_*'}", "exec: ls, env: {accept: LC_ALL}", False),
        ("exec: ls, env: {accept: 'LC_?*'}", "exec: ls, env: {accept: 'LC_*'}", True),
        ("exec: ls, env: {set: {MODE: safe}}", "exec: ls", True),
        ("exec: ls", "exec: ls, env: {set: {MODE: safe}}", True),
        ("exec: ls, signals: [INT]", "exec: ls", True),
        ("exec: ls", "exec: ls, signals: [INT]", False),
        ("exec: ls, signals: [INT, HUP]", "exec: ls, signals: [INT]", False),
    ],
)
def test_permissions(old: str, new: str, more: bool) -> None:
    found = compared(ALLOW % old, ALLOW % new)
    assert bool(found.gained) is more
    assert all(change.people == ("alice",) for change in found.gained)


SFTP = "grants: [{who: alice, allow: {sftp: {%s}}}]\n"
TREE = 'mounts: {/: /srv}, paths: {/: [list], "/in/**": [upload, list]}'


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        (TREE, TREE, False),
        (TREE, TREE.replace("upload, ", ""), False),
        (TREE.replace("upload, ", ""), TREE, True),
        (TREE, TREE.replace("/srv", "/"), True),
        (TREE, TREE.replace("/in/**", "/**"), True),
        (TREE, TREE.replace("{/: /srv}", "{/: /srv, /more: /}"), True),
        (TREE.replace("{/: /srv}", "{/: /srv, /in: /empty}"), TREE, True),
        (TREE.replace("/srv", '"{home}"'), TREE.replace("/srv", '"{home}"'), False),
    ],
)
def test_sftp(old: str, new: str, more: bool) -> None:
    found = compared(SFTP % old, SFTP % new)
    assert bool(found.gained) is more


def test_an_operation_shows_what_is_gained() -> None:
    change = only(compared("", SFTP % TREE).gained)
    assert change.what == "sftp: {mounts: {/: /srv}, paths: {/in/**: [list, stat, upload], /: [list, stat]}}"
    assert (change.sure, change.example) == (True, "alice: list /in/x")


def test_a_folder_that_covered_another_one_is_gone() -> None:
    both = (
        "grants: [{who: alice, allow: {sftp: {%s}}}, {name: m, who: alice, allow: {sftp: {mounts: {/in: /empty}}}}]\n"
    )
    assert any("other folders" in change.what for change in compared(both % TREE, SFTP % TREE).gained)


def test_a_channel_that_may_be_opened_for_what_is_denied() -> None:
    new = "grants: [{who: alice, allow: {shell: true, confined: true}}, {who: '*', deny: {shell: true}}]\n"
    change = only(compared("", new).gained)
    assert (change.people, change.what) == (("alice",), "shell: true (confined)")
    before = "grants: [{who: alice, allow: {exec: ls, confined: true}}]\n"
    after = before.replace("exec: ls", "exec: ls, shell: true").replace("}}]", "}}, {who: '*', deny: {shell: true}}]")
    assert compared(before, after).gained == ()


def test_what_was_confined_and_is_not_any_more() -> None:
    owner = PEOPLE.replace("users:", "server: {owner: alice}\nusers:")
    free = "grants: [{who: alice, allow: {shell: true}}]\n"
    shut = "grants: [{who: alice, allow: {shell: true, confined: true}}]\n"
    assert gained(shut, free, owner, owner) == {("alice", "shell: true")}
    assert gained(free, shut, owner, owner) == set()


def test_a_confined_way_that_goes_leaves_a_wider_one() -> None:
    owner = PEOPLE.replace("users:", "server: {owner: alice}\nusers:")
    words = '{who: alice, allow: {exec: "ls *", confined: true}}'
    anything = "{who: alice, allow: {exec: any}}"
    old, new = f"grants: [{words}, {anything}]\n", f"grants: [{anything}]\n"
    change = only(compared(old, new, owner, owner).gained)
    assert (change.what, change.sure) == ("exec: any, where some of it was confined", False)


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("deny: {exec: rm}", "deny: {exec: any}", False),
        ("deny: {exec: any}", "deny: {exec: rm}", True),
        ("deny: {pty: true}", "deny: all", False),
        ("deny: all", "deny: {pty: true}", True),
        ("deny: {pty: true}", "from: 10.0.0.0/8, deny: {pty: true}", True),
        ("deny: {shell: true}", "deny: {shell: true, pty: true}", False),
    ],
)
def test_denies(old: str, new: str, more: bool) -> None:
    allow = "{who: alice, allow: {exec: [rm, ls], pty: true, confined: true}}"
    assert (
        bool(compared(f"grants: [{allow}, {{who: bob, {old}}}]\n", f"grants: [{allow}, {{who: bob, {new}}}]\n").gained)
        is False
    )
    found = compared(f"grants: [{allow}, {{who: '*', {old}}}]\n", f"grants: [{allow}, {{who: '*', {new}}}]\n")
    assert bool(found.gained) is more


def test_of_every_signal_the_denied_ones_are_left_out() -> None:
    old = "grants: [{who: alice, allow: {exec: ls, pty: true, signals: [INT, HUP], confined: true}}, %s]\n"
    new = old.replace("signals: [INT, HUP], ", "")
    others = f"{{who: alice, deny: {{signals: [{', '.join(sorted((SIGNALS | {BREAK}) - {'INT', 'HUP'}))}]}}}}"
    assert gained(old % "{who: alice, deny: {signals: TERM}}", new % others) == set()
    more = {("alice", "exec: ls (confined), to which any signal may be sent")}
    assert gained(old % "{who: alice, deny: {signals: INT}}", new % others) == more
    assert gained(old % "{who: alice, deny: {signals: TERM}}", new % others.replace("KILL, ", "")) == more


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("from: 10.0.0.0/8", "from: 10.1.0.0/16", False),
        ("from: 10.1.0.0/16", "from: 10.0.0.0/8", True),
        ("not_after: 2027-01-01", "not_after: 2027-01-02", True),
        ("not_after: 2027-01-02", "not_after: 2027-01-01", False),
        ("with: publickey+password", "with: publickey", True),
        ("with: publickey", "with: publickey+password", False),
        ("unless: {from: 10.0.0.0/8}", "unless: {from: 10.0.0.0/9}", True),
        ("unless: {from: 10.0.0.0/9}", "unless: {from: 10.0.0.0/8}", False),
        ("account: git", "account: [git, alice]", True),
        ("when: {days: mon-fri}", "when: {days: mon-sat}", True),
        ("when: {days: mon-fri}", "when: {days: tue, hours: 08:00-18:00}", False),
        ("when: {hours: 08:00-18:00}", "when: {hours: 08:00-18:30}", True),
        ("client: OpenSSH_9*", "client: OpenSSH_*", True),
        ("client: OpenSSH_*", "client: OpenSSH_9*", False),
        ("listener: '[::1]:2222'", "listener: ['[::1]:2222', '127.0.0.1:2222']", True),
        ("who: key:laptop", "who: alice", True),
        ("who: alice", "who: key:laptop", False),
    ],
)
def test_conditions(old: str, new: str, more: bool) -> None:
    login = "login: [{methods: [publickey, password+publickey]}]\n" if "with" in old else ""
    who = "" if "who" in old else "who: alice, "
    texts = (f"{login}grants: [{{{who}{one}, allow: {{exec: ls, confined: true}}}}]\n" for one in (old, new))
    assert bool(compared(*texts).gained) is more


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("publickey+password", "publickey", {("alice", "bob", "carol", "login by publickey")}),
        ("publickey", "publickey+password", set()),
        ("publickey", "[publickey, password]", {("alice", "carol", "login by password")}),
        ("[publickey, password]", "publickey", set()),
    ],
)
def test_logins(old: str, new: str, expected: set[tuple[str, ...]]) -> None:
    assert gained(f"login: [{{methods: {old}}}]\n", f"login: [{{methods: {new}}}]\n") == expected


def test_a_login_from_more_places() -> None:
    old = "login: [{from: 10.0.0.0/8, methods: publickey}]\n"
    found = compared(old, old.replace("/8", "/7").replace("10.", "10."))
    change = only(found.gained)
    assert change.what == "login by publickey"
    assert "from 11.0.0.0" in change.example
    assert (change.new, change.old) == ("new.yaml:8", "no login entry")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (f', "{KEYS[1]}"]', "]", {("alice", "login by publickey with the key SHA256:1")}),
        (HASH, OTHER_HASH, {(name, "login by password with another password") for name in ("alice", "carol")}),
        ("accounts: [alice, git]", "accounts: [alice]", {("alice", "login by publickey as git")}),
        (f'bob: {{groups: ops, keys: ["{KEYS[2]}"]}}', "dave: {groups: ops}", {("bob", "login by publickey")}),
    ],
)  # fmt: skip
def test_people_keys_and_passwords(old: str, new: str, expected: set[tuple[str, ...]]) -> None:
    login = "login: [{methods: [publickey, password]}]\n"
    less = PEOPLE.replace(old, new)
    assert less != PEOPLE
    found = told(compared(login, login, less, PEOPLE).gained)
    assert {(*people, what.split("SHA256:")[0]) for *people, what in found} >= {
        (*people, what.split("SHA256:")[0]) for *people, what in expected
    }


def test_a_key_that_only_got_a_name_or_a_line_of_its_own_is_no_gain() -> None:
    renamed = PEOPLE.replace("name: laptop", "name: notebook").replace("groups: [ops, dba]\n", "groups: [ops, dba]\n\n")
    assert compared("", "", PEOPLE, renamed) == Difference((), ())


def test_the_name_of_a_key_may_choose_what_is_served() -> None:
    renamed = PEOPLE.replace("name: laptop", "name: notebook")
    found = compared(ALLOW % 'forced: [serve, "{key}"]', ALLOW % 'forced: [serve, "{key}"]', PEOPLE, renamed)
    assert any("slots" in change.what for change in found.gained)


def test_the_name_of_a_key_may_choose_what_is_denied() -> None:
    grants = """grants: [{who: alice, allow: {exec: "cat *", confined: true}},
      {who: alice, deny: {exec: [[cat, "{key}"]]}}]\n"""
    renamed = PEOPLE.replace("name: laptop", "name: notebook")
    found = compared(grants, grants, PEOPLE, renamed)
    assert ("alice", "exec: cat * (confined)") in told(found.gained)
    assert compared(grants, grants, PEOPLE, PEOPLE.replace("alice@laptop", "alice")) == Difference((), ())


def test_another_home_of_confined_programs() -> None:
    moved = PEOPLE.replace("groups: [ops, dba], accounts", "home: /srv/alice, groups: [ops, dba], accounts")
    found = compared(ALLOW % "exec: ls", ALLOW % "exec: ls", PEOPLE, moved)
    assert told(found.gained) == {("alice", "exec: ls (confined), in another home")}


def test_key_files_are_read(tmp_path: Path) -> None:
    for name, key in (("old", KEYS[0]), ("new", KEYS[1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "k.pub").write_text(key + "\n")
        (tmp_path / name / "p.yaml").write_text("version: 1\nusers: {alice: {keys: [{file: k.pub}]}}\n")
        for file in (tmp_path / name).iterdir():
            file.chmod(0o600)
    sides = []
    for name in ("old", "new"):
        loaded = load_file(str(tmp_path / name / "p.yaml"), owner_uids={tmp_path.stat().st_uid})
        sides.append(Side(loaded.ruleset, loaded.key_files))
    assert only(difference(sides[0], sides[1]).gained).what.startswith("login by publickey with the key SHA256:")
    assert difference(sides[0], sides[0]) == Difference((), ())
    (tmp_path / "new" / "k.pub").write_text(KEYS[0] + "\n")
    loaded = load_file(str(tmp_path / "new" / "p.yaml"), owner_uids={tmp_path.stat().st_uid})
    assert difference(sides[0], Side(loaded.ruleset, loaded.key_files)) == Difference((), ())


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("server: {listen: '127.0.0.1:22'}", "server: {listen: '*:22'}", True),
        ("server: {listen: '*:22'}", "server: {listen: '127.0.0.1:22'}", False),
        ("server: {listen: '*:22'}", "server: {listen: ['*:22', '*:23']}", True),
        ("limits: {auth_attempts: 3}", "limits: {auth_attempts: 6}", True),
        ("limits: {auth_attempts: 6}", "limits: {auth_attempts: 3}", False),
        ("crypto: {min_rsa_bits: 3072}", "crypto: {min_rsa_bits: 2048}", True),
        ("server: {owner: alice}", "server: {owner: bob}", True),
        ("server: {isolation: shared}", "server: {isolation: connection}", False),
        ("server: {isolation: connection}", "server: {isolation: shared}", True),
        ("server: {sandbox: require}", "server: {sandbox: best_effort}", True),
        ("server: {accounts: service}", "server: {accounts: system}", True),
        ("crypto: {user_key_algorithms: [ssh-ed25519]}", "crypto: {user_key_algorithms: [ssh-ed25519, rsa-sha2-512]}",
         True),
    ],
)  # fmt: skip
def test_settings_of_the_daemon(old: str, new: str, more: bool) -> None:
    found = compared(old + "\n", new + "\n")
    assert bool([change for change in found.gained if change.people == ("everyone",)]) is more


def test_people_of_the_host() -> None:
    source = "sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]\n"
    found = gained("", source, SYSTEM, SYSTEM)
    assert ("anybody of the host", "login by publickey") in found
    assert gained(source, source.replace("1000", "500"), SYSTEM, SYSTEM) == {
        ("everyone", "people of the host from uid 500 on")
    }
    assert gained(source.replace("1000", "500"), source, SYSTEM, SYSTEM) == set()


def test_groups_of_the_host() -> None:
    deny = "{who: 'system-group:guests', deny: {pty: true}}"
    allow = "{who: '*', allow: {exec: ls, pty: true}}"
    change = only(compared(f"grants: [{allow}, {deny}]\n", f"grants: [{allow}]\n", SYSTEM, SYSTEM).gained)
    assert "in the host's group guests" in change.example


def test_whoever_is_uid_0_under_another_name() -> None:
    login = "login: [{who: [alice, bob, carol], methods: publickey}]\n"
    old = login + "grants: [{who: '*', allow: {pty: true}}]\n"
    change = only(compared(old, old.replace("'*'", "[alice, bob, carol]"), SYSTEM, SYSTEM).gained)
    assert change.example == "alice, where alice is uid 0: pty"


def test_facts_that_could_not_be_obtained() -> None:
    halves = "grants: [{%s, allow: {pty: true}}, {who: alice, unless: {%s}, allow: {pty: true}}]\n"
    whole = "grants: [{who: alice, allow: {pty: true}}]\n"
    change = only(compared(halves % ("who: alice, from: 10.0.0.0/8", "from: 10.0.0.0/8"), whole).gained)
    assert change.example == "alice from an address that is not known: pty"
    there = "who: 'system-group:guests'"
    gained = compared(halves % (there, there), whole, SYSTEM, SYSTEM).gained
    assert only(gained).example == "alice, where the groups of the host are not known: pty"


def test_more_groups_of_the_host_than_are_tried() -> None:
    names = ", ".join(f"'system-group:g{number}'" for number in range(9))
    old = f"grants: [{{who: [{names}], allow: {{pty: true}}}}]\n"
    found = compared(old, old.replace("pty: true", "pty: true, exec: ls"), SYSTEM, SYSTEM).gained
    assert {change.what for change in found} == {"anything: there are more cases than can be tried"}


def test_passwords_of_the_host() -> None:
    keys = "sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]\n"
    login = "login: [{who: '*', methods: [publickey, password]}]\n"
    found = gained(login + keys, login + keys.replace("}]}]", "}], password: system}]"), SYSTEM, SYSTEM)
    assert ("anybody of the host", "login by password with another password") in found


def test_another_value_of_a_variable() -> None:
    old = ALLOW % "exec: ls, env: {set: {MODE: safe}}"
    assert gained(old, old.replace("safe", "free")) == {("alice", "env: {set: {MODE: …}}, of what runs")}


def test_where_nothing_runs_no_variable_is_missed() -> None:
    old = ALLOW % "exec: ls, env: {set: {MODE: safe}}"
    assert gained(old, ALLOW.replace(", confined: true", "") % "pty: true") == {("alice", "pty: true")}
    assert gained(ALLOW.replace(", confined: true", "") % "pty: true", old) == {("alice", "exec: ls (confined)")}


def test_sessions_as_another_account_of_the_host() -> None:
    other = SYSTEM.replace("bob: {", "bob: {run_as: backup, ")
    allow = "grants: [{who: bob, allow: {exec: ls}}]\n"
    assert ("bob", "sessions as bob run as the host's backup") in gained(allow, allow, SYSTEM, other)


def test_people_alike_are_told_together() -> None:
    """Whoever is like somebody who was compared gains the same; whoever is not is looked at by themselves."""
    people = "version: 1\ngroups: [ops]\nusers:\n" + "".join(
        f"  {name}: {{groups: ops, {more}keys: ['{key}']}}\n"
        for name, key, more in (
            ("one", KEYS[0], ""),
            ("two", KEYS[1], ""),
            ("three", KEYS[2], "accounts: [three, git], "),
            ("late", KEYS[3], "not_before: 2027-01-01, "),
        )
    )
    old = "login: [{from: 10.0.0.0/8, methods: publickey}]\n"
    new = "login: [{from: 10.0.0.0/8, methods: publickey}, {who: [one, two, late], methods: publickey}]\n"
    change = only(compared(old, new, people, people).gained)
    assert change.people == ("one", "two", "late")
    # So are those who have one more account, of the same name.
    deploy = people.replace("{groups: ops, keys", "{groups: ops, accounts: [NAME, deploy], keys")
    deploy = deploy.replace("one: {groups: ops, accounts: [NAME", "one: {groups: ops, accounts: [one", 1)
    deploy = deploy.replace("[NAME", "[two")
    assert only(compared(old, new, deploy, deploy).gained).people == ("one", "two", "late")
    by_key = "login: [{from: 10.0.0.0/8, methods: publickey}, {who: 'key:%s', methods: publickey}]\n"
    fingerprint = load_text(people).ruleset.people["two"].keys[0].fingerprint
    assert only(compared(old, by_key % fingerprint, people, people).gained).people == ("two",)


def test_too_many_cases_are_taken_for_a_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.policy.diff.WORK_MAX", 1)
    change = next(iter(compared(ALLOW % "exec: ls", ALLOW % "exec: any").gained))
    assert (change.people, change.sure) == (("alice",), False)
    assert "more cases" in change.what


def test_bounds() -> None:
    slow, fast = Limit("bandwidth", 10), Limit("bandwidth", 20)
    assert as_strict(Bounds(frozenset([slow])), Bounds(frozenset([fast])))
    assert not as_strict(Bounds(frozenset([fast])), Bounds(frozenset([slow])))
    assert not as_strict(Bounds(), Bounds(frozenset([slow])))
    assert not as_strict(Bounds(), Bounds(record=Record.ON))
    assert not as_strict(Bounds(frozenset([Limit("bandwidth", 5, "channel")])), Bounds(frozenset([slow])))


def test_guests() -> None:
    guests = PEOPLE + "  visitor: {names: 'guest*'}\n"
    login = "login: [{who: visitor, methods: none}, {methods: publickey}]\n"
    deny = "{name: d, who: visitor, account: guest7, deny: all}"
    allow = "{who: visitor, allow: {exec: ls, confined: true}}"
    old, new = (f"{login}grants: [{entries}]\n" for entries in (f"{allow}, {deny}", allow))
    assert gained(old, new, guests, guests) == {("visitor", "exec: ls (confined)")}
    assert gained(new, old, guests, guests) == set()


HOST = """\
version: 1
server: {accounts: system%s}
sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]
grants: [{allow: {shell: true}}]
"""


def test_another_time_zone_may_let_keys_of_the_host_in_for_longer() -> None:
    paris, utc = HOST % ", timezone: Europe/Paris", HOST % ", timezone: UTC"
    found = difference(side(paris, "old.yaml"), side(utc, "new.yaml"))
    assert told(found.gained) == {("everyone", "keys of the host until a time of UTC, where their options say none")}
    assert difference(side(utc, "old.yaml"), side(utc, "new.yaml")) == Difference((), ())


def test_whom_the_new_policy_knows_by_a_program_alone_is_compared_as_somebody_it_may_know() -> None:
    asking = PEOPLE.partition("users:")[0] + (
        'sources: [{command: [/usr/bin/keys-of, "{user}"]}]\nusers: {alice: {groups: [ops, dba]}}\n'
    )
    grant = "grants: [{who: bob, allow: {exec: ls, confined: true}}]\n"
    found = difference(side(PEOPLE, "old.yaml"), side(asking + grant, "new.yaml"))
    named = {change.people for change in found.gained if change.what.startswith("exec: ls")}
    assert all("bob" in " ".join(people) and people != ("bob",) for people in named)
    assert named


def test_people_whose_keys_are_named_are_not_taken_for_one_another() -> None:
    """But for their keys they are alike, and what happens to one of them happens to nobody else."""
    people = f"version: 1\nusers: {{ann: {{keys: '{KEYS[0]}'}}, ben: {{keys: '{KEYS[1]}'}}}}\n"
    for named in ("ann", "ben"):
        key = FINGERPRINTS[("ann", "ben").index(named)]
        grant = f"grants: [{{who: 'key:{key}', allow: {{exec: ls, confined: true}}}}]\n"
        found = compared("", grant, people, people)
        assert {change.people for change in found.gained} == {(named,)}

"""What the tools say of keys that narrow: cases, explain, diff, matrix, and the warnings of check."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest

from pysshd.policy.changes import changes_for, changes_for_login
from pysshd.policy.diff import difference
from pysshd.policy.diff_narrow import widened_keys
from pysshd.policy.diff_sessions import Side
from pysshd.policy.diff_settings import Wider
from pysshd.policy.explain import NARROWS, Explanation, explain, login_by, plain, said_way
from pysshd.policy.keyfiles import parse_key_file
from pysshd.policy.load import Loaded, load_text
from pysshd.policy.matrix import DENIED, NO, SOMETIMES, YES, Cell, matrix
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Exec, Pty, Request, Shell
from pysshd.policy.scene import Scene, held_steps
from pysshd.policy.verbs import read_request
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON, PASSWORD

GRANTS = "grants: [{name: g, who: alice, allow: {exec: [ls, id], pty: true, env: {accept: LANG}}}]\n"


def policy(options: str = "", more: str = "", other: str = f", '{KEYS[1]}'", key: str = "") -> str:
    line = f"{options} {KEYS[0]}".strip().replace("'", "''")
    return (
        "version: 1\nserver: {owner: alice}\n"
        f"users:\n  alice: {{keys: [{{name: laptop, key: '{line}'{key}}}{other}]}}\n" + GRANTS + more
    )


def loaded(*args: str, **more: str) -> Loaded:
    return load_text(policy(*args, **more), "p.yaml", language=True)


# Cases


def verdict(case: str, *args: str, **more: str) -> list[str]:
    (found,) = loaded(*args, f"tests: [{{as: alice, from: 10.1.2.3, {case}}}]\n", **more).verdicts
    return [failure.message for failure in found.failures]


@pytest.mark.parametrize(
    ("options", "case"),
    [
        ("no-pty", "key: laptop, login: publickey, allow: {exec: ls}, deny: pty x"),
        ("no-pty", f'key: "{FINGERPRINTS[1]}", login: publickey, allow: pty x'),
        ("no-pty", "login: publickey, allow: {exec: ls}"),
        ('from="10.0.0.0/8"', "key: laptop, login: publickey, allow: pty x"),
        ('from="11.0.0.0/8"', "key: laptop, refused: publickey"),
        ('from="11.0.0.0/8"', "login: publickey, allow: pty x"),
        ('expiry-time="20200101"', "key: laptop, at: '2027-03-01T09:00Z', refused: publickey"),
        ('command="id"', "key: laptop, login: publickey, allow: {exec: rm}, runs: id, deny: env LANG=C"),
        ('command="rm"', "key: laptop, login: publickey, deny: {exec: ls}"),
    ],
)
def test_cases_know_what_keys_narrow(options: str, case: str) -> None:
    assert verdict(case, options) == []


@pytest.mark.parametrize(
    ("options", "case", "what"),
    [
        ("no-pty", "login: publickey, allow: pty x", "the key"),
        ('command="id"', "login: publickey, allow: {exec: ls}, runs: ls", "the key"),
        ('expiry-time="20270301Z"', "key: laptop, login: publickey, allow: {exec: ls}", "the time"),
    ],
)
def test_a_case_says_the_key_where_the_answer_hangs_on_it(options: str, case: str, what: str) -> None:
    with pytest.raises(PolicyError, match=f"the answer depends on {what}"):
        verdict(case, options)


def test_a_case_fails_with_the_words_of_the_key() -> None:
    (told,) = verdict("key: laptop, login: publickey, allow: pty x", "no-pty")
    assert told == "case 1: alice may not pty x: key laptop allows no pty, p.yaml:4"


CERTIFIED = f"authorities: {{staff: {{keys: ['{KEYS[3]}'], options: no-pty}}}}\nlogin: [{{methods: certificate}}]\n"


@pytest.mark.parametrize(
    "case",
    [
        "login: certificate, allow: {exec: ls}, deny: pty x",
        "certificate: {authority: staff, options: {force-command: id}}, login: certificate, allow: shell, runs: id",
        "certificate: {authority: staff, options: {source-address: '10.0.0.0/8,11.0.0.1'}}, login: certificate",
        "certificate: {authority: staff, options: {source-address: 11.0.0.0/8}}, refused: certificate",
        "certificate: {authority: staff, options: {verify-required: true}}, refused: certificate",
        "certificate: {authority: staff, options: {new@example.org: x, force-command: id}}, refused: certificate",
    ],
)
def test_cases_of_certificates_with_critical_options(case: str) -> None:
    text = policy("", CERTIFIED + f"tests: [{{as: alice, from: 10.1.2.3, {case}}}]\n")
    (found,) = load_text(text, "p.yaml", language=True).verdicts
    assert [failure.message for failure in found.failures] == []


def test_a_critical_option_of_a_case_that_is_none() -> None:
    case = "certificate: {authority: staff, options: {source-address: everywhere}}, refused: certificate"
    with pytest.raises(PolicyError, match="source-address: 'everywhere' is no address or prefix"):
        load_text(policy("", CERTIFIED + f"tests: [{{as: alice, from: 10.1.2.3, {case}}}]\n"), language=True)


# Explain


def scene(found: Loaded, **more: Any) -> Scene:
    person = found.ruleset.people["alice"]
    held = held_steps(person, found.key_files or {})
    return Scene(person, "alice", ip_address("10.1.2.3"), "127.0.0.1:2222", NOON, ("publickey",), held[:1], **more)


def explained(found: Loaded, request: Request) -> Explanation:
    asked = scene(found)
    return explain(found.ruleset, asked, request, asked.keys)


def test_explain_tells_the_key_before_the_grants_and_which_option_to_take_away() -> None:
    found = explained(loaded("restrict"), Pty("xterm"))
    assert not found.allowed
    assert found.effects == (NARROWS, "allow")
    assert found.decision.trace[0].failed == "allows no pty"
    ((edit,),) = found.changes
    assert (edit.text, edit.where) == ("take the option no-pty (or restrict) away from the key laptop", "p.yaml:4")
    told = plain(found)["decision"]["trace"][0]
    assert (told["entry"], told["effect"], told["failed"]) == ("key laptop", "narrows", "allows no pty")


def test_explain_of_a_forced_command() -> None:
    found = explained(loaded('command="id"'), Shell())
    assert found.allowed
    assert found.effects == (NARROWS, "allow")
    way = plain(found)["decision"]["way"]
    assert (way["kind"], way["argv"], way["asked"]) == ("Words", ["id"], "")
    refused = explained(loaded('command="rm"'), Shell())
    texts = [[edit.text for edit in change] for change in refused.changes]
    assert ['add exec: "rm" to the allow of g'] in texts
    assert all("exec: ls" not in text for change in texts for text in change)


@pytest.mark.parametrize("text", ["exec ls", "exec id", "shell", "exec nothing"])
def test_what_comes_nearest_to_a_forced_command_is_told_of_that(text: str) -> None:
    near = explained(loaded('command="rm -r x"'), read_request(text)).nearest
    assert near is not None
    assert near.why == "no exec permission is of 'rm'; there are some of id, ls"
    near = explained(loaded('command="ls x"'), read_request(text)).nearest
    assert near is not None
    assert (near.why, near.permission) == ("it is of 1 word, and 2 came: 'x' is one too many", "exec: ls")


@pytest.mark.parametrize(
    ("options", "option"),
    [('from="11.0.0.0/8"', "from"), ('expiry-time="20200101"', "expiry-time")],
)
def test_explain_of_a_login_that_a_key_keeps_out(options: str, option: str) -> None:
    found = loaded(options)
    assert [[edit.text for edit in change] for change in changes_for_login(found.ruleset, scene(found))] == [
        [f"take the option {option} away from the key laptop"]
    ]


EVERYTHING = (
    "grants: [{name: g, who: alice, allow: {exec: ls, pty: true, agent: true, x11: true, env: {accept: LANG}, "
    "subsystems: {mail: [m]}, signals: INT, "
    "forward: {local: '*:*', remote: 'loopback:*', local_unix: '/**', remote_unix: '/**'}}}, "
    "{who: alice, allow: {sftp: {mounts: {/: /srv}, paths: {/: list}}}}]\n"
)
PORTS = "no-port-forwarding (or restrict)"


@pytest.mark.parametrize(
    ("options", "text", "option"),
    [
        ("no-pty", "pty x", "no-pty (or restrict)"),
        ("no-agent-forwarding", "agent", "no-agent-forwarding (or restrict)"),
        ("no-x11-forwarding", "x11", "no-x11-forwarding (or restrict)"),
        *(("no-port-forwarding", text, PORTS) for text in
          ("forward a.b:1 10.9.9.9", "listen localhost:9000", "forward-unix /x", "listen-unix /x")),
        *(('permitopen="c:1"', text, "permitopen") for text in ("forward a.b:1 10.9.9.9", "forward-unix /x")),
        *(('permitlisten="1"', text, "permitlisten") for text in ("listen localhost:9000", "listen-unix /x")),
        *(('command="rm"', text, "command") for text in
          ("exec ls", "subsystem mail", "env LANG=x", "sftp list /", "forward-unix /x", "listen-unix /x")),
    ],
)  # fmt: skip
def test_which_option_to_take_away(options: str, text: str, option: str) -> None:
    policies = (policy(one).replace(GRANTS, EVERYTHING) for one in (options, ""))
    narrowed, free = (explained(load_text(one, "p.yaml", language=True), read_request(text)) for one in policies)
    assert free.allowed
    assert not narrowed.allowed
    told = [[(edit.text, edit.where) for edit in change] for change in narrowed.changes]
    assert [(f"take the option {option} away from the key laptop", "p.yaml:4")] in told


def test_what_stands_in_a_file_is_no_change_of_the_policy() -> None:
    file = parse_key_file(f"no-pty {KEYS[2]}\n".encode(), "/k.pub")
    text = policy(other="").replace(f"key: '{KEYS[0]}'", "file: /k.pub")
    found = load_text(text, "p.yaml", key_files={"/k.pub": file}, language=True)
    asked = scene(found)
    assert asked.keys[0].narrowing.where == "/k.pub:1"
    assert changes_for(found.ruleset, asked, Pty("xterm"), {}) == ()
    assert explain(found.ruleset, asked, Pty("x"), asked.keys).decision.decided_by == "/k.pub:1"


def test_a_login_without_any_key_has_nothing_to_tell() -> None:
    found = load_text(policy().replace("{keys:", f"{{password: '{HASH}', keys:") + "login: [{methods: password}]\n",
                      "p.yaml")  # fmt: skip
    asked = replace(login_by(found.ruleset, scene(found), ("password",), ()), keys=())
    assert asked.steps() == (PASSWORD,)
    assert explain(found.ruleset, asked, Exec(b"ls"), ()).effects == ("allow",)


# Diff


def gained(old: str, new: str, files: tuple[bytes, bytes] = (b"", b"")) -> set[str]:
    sides = []
    for text, content in zip((old, new), files, strict=True):
        known = {"/k.pub": parse_key_file(content, "/k.pub")} if content else None
        found = load_text(text, "p.yaml", key_files=known, language=True)
        sides.append(Side(found.ruleset, known))
    return {change.what for change in difference(sides[0], sides[1]).gained}


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("restrict", "", "agent-forwarding, x11-forwarding, port-forwarding"),
        ("no-pty", "", "pty"),
        ("restrict", "restrict,pty", "pty"),
        ('command="id"', "", "another command"),
        ('command="id"', 'command="ls"', "another command"),
        ('from="10.0.0.0/8"', 'from="11.0.0.0/8"', "from elsewhere"),
        ('expiry-time="20270101Z"', 'expiry-time="20280101Z"', "for longer"),
        ('expiry-time="20270101Z"', "", "for longer"),
        ('permitopen="a:1"', 'permitopen="a:1",permitopen="b:1"', "other destinations"),
        ('permitlisten="1"', "", "other places to listen"),
        ("", 'environment="A=b"', "other variables"),
        ("cert-authority", "", "as an authority"),
    ],
)
def test_a_key_that_is_narrowed_less_is_a_gain_and_the_other_way_a_loss(old: str, new: str, more: str) -> None:
    (what,) = gained(policy(old), policy(new))
    assert what.startswith("by the key laptop: ")
    assert more in what
    assert bool(gained(policy(new), policy(old))) is (new in ('command="ls"', 'from="11.0.0.0/8"') or "cert" in old)
    assert gained(policy(old), policy(old)) == set()


FORWARDING = "agent-forwarding, x11-forwarding, port-forwarding"
NO_FORWARDING = "no pty, no agent-forwarding, no x11-forwarding, no port-forwarding"


@pytest.mark.parametrize(
    ("old", "new", "key", "more", "was"),
    [
        ("restrict", "", "laptop", f"pty, {FORWARDING}", NO_FORWARDING),
        ('no-pty,command="id"', "", "laptop", "pty, another command", "no pty, forces 'id'"),
        ("no-pty", "", FINGERPRINTS[0], "pty", "no pty"),
        ("", 'environment="A=b"', "laptop", "other variables", "without options"),
        ("cert-authority", "", "laptop", "as an authority", "cert-authority"),
    ],
)
def test_a_key_that_is_narrowed_less_is_told_with_what_it_was(
    old: str, new: str, key: str, more: str, was: str
) -> None:
    sides = [side(policy(old), "old.yaml"), side(policy(new), "new.yaml")]
    if key != "laptop":
        sides[1] = side(policy(new).replace("name: laptop, ", ""), "new.yaml")
    before, after = (one.ruleset.people["alice"] for one in sides)
    assert list(widened_keys(sides[1], sides[0], after, before)) == [
        Wider(f"by the key {key}: {more}", "new.yaml:4", f"old.yaml:4, {was}", sure=False)
    ]


def side(text: str, name: str) -> Side:
    return Side(load_text(text, name, language=True).ruleset)


def test_what_is_only_said_elsewhere_is_no_gain() -> None:
    assert gained(policy("no-pty"), policy("", key=", options: no-pty")) == set()
    assert gained(policy("restrict"), policy("no-pty,restrict")) == set()
    renamed = policy("no-pty").replace("name: laptop", "name: other")
    assert gained(policy("no-pty"), renamed) == set()


def test_lines_of_files_are_compared_too() -> None:
    text = policy(other="").replace(f"key: '{KEYS[0]}'", "file: /k.pub")
    bare, narrow = f"{KEYS[0]}\n".encode(), f"no-pty {KEYS[0]}\n".encode()
    assert gained(text, text, (narrow, bare)) == {"by the key laptop: pty"}
    assert gained(text, text, (bare, narrow)) == set()
    assert gained(text, policy("", other=""), (narrow, b"")) == {"by the key laptop: pty"}
    assert gained(text, policy("no-pty", other=""), (narrow, b"")) == set()
    assert gained(text, text) == set()
    # Another key above it in the file hides none.
    assert "by the key laptop: pty" in gained(text, text, (narrow, f"{KEYS[2]}\n".encode() + bare))
    entry = text.replace("file: /k.pub", "file: /k.pub, options: no-pty")
    assert gained(entry, text) == {"by the key laptop: pty"}
    another = gained(policy("no-pty", other=""), policy("no-pty"))
    assert {what.partition(" with ")[0] for what in another} == {"login by publickey"}


def test_a_key_that_is_new_hides_none_that_is_narrowed_less() -> None:
    first = f"{{name: new, key: '{KEYS[2]}'}}, "
    new = policy("").replace("keys: [", f"keys: [{first}", 1)
    assert "by the key laptop: pty" in gained(policy("no-pty"), new)


def test_a_file_that_was_not_read_is_the_same_under_another_name() -> None:
    old = policy(other="").replace(f"key: '{KEYS[0]}'", "file: /k.pub, options: no-pty")
    new = old.replace("name: laptop", "name: notebook").replace(", options: no-pty", "")
    assert gained(old, new) == {"by the key notebook: pty"}
    other = gained(old, new.replace("/k.pub", "/l.pub"))
    assert {what.partition(" with ")[0] for what in other} == {"login by publickey"}


def test_a_version_has_another_name_where_a_line_narrows_otherwise() -> None:
    text = policy(other="").replace(f"key: '{KEYS[0]}'", "file: /k.pub")
    names = {
        load_text(text, key_files={"/k.pub": parse_key_file(f"{options}{KEYS[0]}\n".encode())}).ruleset.version
        for options in ("", "no-pty ", 'command="a" ', 'command="b" ')
    }
    assert len(names) == 4


# Matrix


def cell(column: str, *args: str, **more: str) -> Cell:
    found = loaded(*args, **more)
    (row,) = matrix(Side(found.ruleset, found.key_files)).rows
    return row.cell(column)


def test_the_matrix_tells_what_keys_take_away() -> None:
    some = cell("pty", "no-pty")
    assert (some.state, [(one.what, one.conditions, one.where) for one in some.reasons if not one.allows]) == (
        SOMETIMES, [("pty", "by key laptop", "p.yaml:4")],
    )  # fmt: skip
    assert cell("pty", "no-pty", other="").state == DENIED
    assert cell("pty", "no-agent-forwarding", other="").state == YES
    assert cell("pty", 'permitopen="a:1",permitlisten="2"', other="").state == YES
    assert cell("exec", 'command="id"', other="").state == SOMETIMES
    assert [one.what for one in cell("env", 'command="id"').reasons] == ["env: {accept: LANG}", "all but 'id'"]
    said = {
        'from="10.0.0.0/8"': "elsewhere than from 10.0.0.0/8",
        "cert-authority": "itself, for it is an authority",
        'expiry-time="20270101Z"': "after 2027-01-01T00:00+00:00",
    }
    for options, what in said.items():
        found = cell("login", options)
        assert (found.state, found.reasons[-1].what) == (SOMETIMES, what)
    assert cell("login", "no-pty").state == YES
    assert cell("shell", "no-pty").state == NO
    forward = GRANTS.replace("exec: [ls, id]", "forward: {local: '*:*'}")
    text = policy('permitopen="a:1",permitlisten="2"').replace(GRANTS, forward)
    (row,) = matrix(Side(load_text(text, language=True).ruleset)).rows
    assert row.cell("forward").reasons[-1].what == "to open all but a:1, to listen at all but *:2"


# Warnings


def warnings(*args: str, **more: str) -> list[str]:
    return [problem.message for problem in loaded(*args, **more).warnings if problem.severity == "warning"]


def test_what_adds_nothing_is_warned_of() -> None:
    assert warnings('environment="A=b"') == ["option environment sets nothing: no login entry accepts it"]
    accepts = "login: [{methods: publickey, set: {key_options: environment}}]\n"
    assert warnings('environment="A=b"', accepts) == []
    unheard = ["option cert-authority lets nobody in: no login entry accepts it"]
    assert warnings('cert-authority,principals="a"') == unheard
    assert warnings("cert-authority", accepts.replace("environment", "cert-authority")) == []
    assert warnings('principals="a"') == ["option principals says nothing without cert-authority"]


def test_an_accepted_option_that_is_served_lets_the_file_be_served() -> None:
    accepts = "login: [{methods: publickey, set: {key_options: environment}}]\n"
    assert load_text(policy("", accepts)).ruleset.login[0].settings.key_options == {"environment"}
    with pytest.raises(PolicyError, match="key option 'no-touch-required' is not served yet"):
        load_text(policy("", accepts.replace("environment", "no-touch-required")))


def test_ends_are_told_with_their_zone() -> None:
    text = policy('expiry-time="20270101"').replace("owner: alice", "owner: alice, timezone: Asia/Tokyo")
    key = load_text(text).ruleset.people["alice"].keys[0]
    assert key.narrowing.expires == datetime(2026, 12, 31, 15, tzinfo=UTC)


def test_how_a_forced_command_is_run_is_told_with_it() -> None:
    any_command = policy('command="id; date"').replace("exec: [ls, id]", "exec: any")
    found = load_text(any_command, "p.yaml", language=True)
    way = explained(found, Shell()).decision.way
    assert way is not None
    assert said_way(way) == "by the account's own shell, with -c: 'id; date'"
    plain_way = explained(load_text(any_command.replace('command="id; date" ', ""), "p.yaml"), Exec(b"id")).decision.way
    assert plain_way is not None
    assert said_way(plain_way) == "by the account's own shell, with -c"

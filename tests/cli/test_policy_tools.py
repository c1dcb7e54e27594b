"""`check`, `test`, `explain` and `roles`: what they say to a person and to a machine, and the status they end with."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pysshd.cli.main import main
from pysshd.policy.verbs import VERBS
from tests.cli.test_commands import run
from tests.policy.support import KEYS

POLICY = f"""\
version: 1
server: {{owner: alice}}
networks: {{office: [10.0.0.0/8, "fd00:1::/32"]}}
groups: [ops]
users:
  alice:
    groups: ops
    keys: [{{name: laptop, key: "{KEYS[0]}"}}]
  bob:
    groups: ops
    keys: ["{KEYS[2]}"]
    not_after: 2027-06-30
login:
  - {{who: bob, from: office, methods: publickey}}
  - {{who: bob, refuse: true}}
  - {{who: "*", methods: publickey}}
roles:
  look: {{exec: ["systemctl status *", uptime], pty: true, confined: true}}
grants:
  - {{name: shell, who: alice, from: office, roles: login-shell}}
  - {{name: looking, who: bob, roles: look}}
  - {{name: no-pty, who: "group:ops", deny: {{pty: true}}, unless: {{from: 10.1.0.0/16}}}}
"""
PASSING = """\
tests:
  - {as: alice, from: 10.1.2.3, login: publickey, allow: [shell, {exec: ls -l}], deny: [subsystem sftp]}
  - {name: bob-from-outside, as: bob, from: 192.0.2.7, refused: any}
"""
FAILING = (
    PASSING
    + """\
  - {name: nobody-looks, as: bob, from: 10.1.2.3, at: "2027-03-01T09:00Z", login: publickey, deny: {exec: uptime}}
"""
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "policy.yaml", POLICY + PASSING)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, in this process."""

    def call(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pysshd", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        found = capsys.readouterr()
        return Ended(int(caught.value.code or 0), found.out, found.err)

    return call


def answer(ended: Ended, status: int) -> Any:
    """The JSON that a command wrote."""
    assert ended.status == status, ended
    assert ended.out.isascii()
    return json.loads(ended.out)


def said(ended: Ended, status: int, path: Path) -> str:
    """What a command wrote for a person, the policy's path cut to its name."""
    assert ended.status == status, ended
    return ended.out.replace(str(path), path.name)


def told(ended: Ended, status: int, path: Path) -> str:
    """What it wrote on standard error."""
    assert ended.status == status, ended
    return ended.err.replace(str(path), path.name)


def test_tests_that_pass(cli: Cli, file: Path) -> None:
    assert told(cli("test", file), 0, file) == "policy.yaml: 2 cases passed\n"
    assert said(cli("test", "-v", file), 0, file) == (
        "ok    case 1 (policy.yaml:24)\nok    bob-from-outside (policy.yaml:25)\n"
    )
    assert told(cli("check", file), 0, file) == "policy.yaml: good\n"


def test_tests_that_fail(cli: Cli, file: Path) -> None:
    write(file, POLICY + FAILING)
    problem, source, caret, count = told(cli("test", file), 1, file).splitlines()
    assert problem == (
        "policy.yaml:26:101: test failed: nobody-looks: bob may exec uptime: looking permits it by exec: uptime "
        "(confined) (policy.yaml:18), policy.yaml:21"
    )
    assert source[caret.index("^") :] == "exec: uptime}}"
    assert count == "policy.yaml: 1 of 3 cases failed"
    assert "FAIL  nobody-looks (policy.yaml:26)\n" in said(cli("test", "-v", file), 1, file)
    found = told(cli("check", file), 2, file)
    assert "policy.yaml:26:101: test failed: nobody-looks" in found
    assert found.endswith("policy.yaml: refused, 1 error and 0 warnings\n")
    assert "test failed" in told(cli("check", "--language", file), 2, file)


def test_tests_for_a_machine(cli: Cli, file: Path) -> None:
    write(file, POLICY + FAILING)
    found = answer(cli("test", "--json", file), 1)
    assert (found["status"], found["count"], found["failed"]) == ("failed", 3, 1)
    assert [(case["name"], case["passed"]) for case in found["cases"]] == [
        ("case 1", True), ("bob-from-outside", True), ("nobody-looks", False)
    ]  # fmt: skip
    (failure,) = found["cases"][2]["failures"]
    assert (failure["line"], failure["column"]) == (26, 101)
    assert failure["message"].startswith("nobody-looks: bob may exec uptime: looking permits it")
    write(file, POLICY + PASSING)
    assert answer(cli("test", "--json", file), 0)["status"] == "passed"
    write(file, POLICY)
    assert answer(cli("test", "--json", file), 1)["status"] == "empty"


def test_a_file_without_tests_shows_nothing(cli: Cli, file: Path) -> None:
    write(file, POLICY)
    assert "has no tests" in told(cli("test", file), 1, file)


@pytest.mark.parametrize("words", [("test",), ("roles",), ("explain", "--as", "alice", "shell")])
def test_a_file_that_is_refused_has_no_answers(cli: Cli, file: Path, words: tuple[str, ...]) -> None:
    write(file, POLICY + "nonsense: 1\n")
    name, *rest = words
    text = told(cli(name, file, *rest), 2, file)
    assert "policy.yaml:23:1: unknown key 'nonsense'" in text
    assert "policy.yaml: refused; pysshd check policy.yaml says more" in text
    found = answer(cli(name, file, "--json", *rest), 2)
    assert found["status"] == "refused"
    assert found["problems"][0]["message"].startswith("unknown key 'nonsense'")


def test_check_for_a_machine(cli: Cli, file: Path) -> None:
    assert answer(cli("check", "--json", file), 0) == {
        "file": str(file), "status": "good", "errors": 0, "warnings": 0, "problems": [],
        "waits_for_restart": [], "files": [str(file)],
    }  # fmt: skip
    write(file, POLICY.replace("server: {owner: alice}\n", ""))
    found = answer(cli("check", "--json", "--strict", file), 1)
    assert (found["status"], found["warnings"]) == ("warned", 1)
    assert found["problems"][0]["severity"] == "warning"
    write(file, POLICY + FAILING)
    found = answer(cli("check", "--json", file), 2)
    assert (found["status"], found["errors"]) == ("refused", 1)
    problem = found["problems"][0]
    assert problem["severity"] == "failed"
    assert (problem["file"], problem["line"], problem["column"]) == (str(file), 26, 101)
    assert problem["source_line"].startswith("  - {name: nobody-looks")


GOLDEN_ALLOWED = """\
alice from 10.1.2.3 may exec ls -l
  because   shell permits it by exec: any (built-in role login-shell) (policy.yaml:20)
  runs      by the account's own shell, with -c
  login     publickey is enough: login entry 3 is met by publickey (policy.yaml:16)
  facts     account alice; key laptop; listener 127.0.0.1:2222; at 2026-11-23T12:00+00:00
tried
  policy.yaml:14  login entry 1  does not count: who: bob
  policy.yaml:15  login entry 2  does not count: who: bob
  policy.yaml:16  login entry 3  matches
  policy.yaml:20  allow shell    matches
  policy.yaml:22  deny no-pty    does not count: unless: {from: 10.1.0.0/16}
"""
GOLDEN_REFUSED = """\
bob from 10.2.0.1 may not pty xterm
  because   no-pty denies it (policy.yaml:22)
  until     2027-07-01T00:00+00:00
  login     publickey is enough: login entry 1 is met by publickey (policy.yaml:14)
  facts     account bob; key SHA256:zrRiG4vU3xqlM+aXj7oWb026UiYXdTVIU97iPzL2h40; listener 127.0.0.1:2222; at \
2026-11-23T12:00+00:00
tried
  policy.yaml:14  login entry 1  matches
  policy.yaml:21  allow looking  matches
  policy.yaml:22  deny no-pty    matches
each of these would allow it; tried on the rules, and for you to judge:
  - lift the deny no-pty (policy.yaml:22)
"""
GOLDEN_NOT_IN = """\
bob from 192.0.2.7 may not exec uptime
  because   login entry 2 refuses (policy.yaml:15)
  until     2027-07-01T00:00+00:00
  login     publickey is refused: login entry 2 refuses (policy.yaml:15)
  after it  allowed: looking permits it by exec: uptime (confined) (policy.yaml:18) (policy.yaml:21)
  facts     account bob; key SHA256:zrRiG4vU3xqlM+aXj7oWb026UiYXdTVIU97iPzL2h40; listener 127.0.0.1:2222; at \
2026-11-23T12:00+00:00
tried
  policy.yaml:14  login entry 1  does not count: from: office
  policy.yaml:15  login entry 2  matches
  policy.yaml:21  allow looking  matches
  policy.yaml:22  deny no-pty    does not count: it does not speak of this request
each of these would let this login in; tried on the rules, and for you to judge:
  - let login entry 1 match: it asks for from: office (policy.yaml:14)
  - take login entry 2 away, which refuses (policy.yaml:15)
  - add a login entry above the others: {who: bob, methods: publickey}
"""
AT = ("--at", "2026-11-23T12:00Z")


def test_explain_what_is_allowed(cli: Cli, file: Path) -> None:
    assert (
        said(cli("explain", file, "--as", "alice", "--from", "10.1.2.3", *AT, "exec", "ls", "-l"), 0, file)
        == GOLDEN_ALLOWED
    )
    assert said(cli("explain", file, "--as=alice", *AT, "--from=10.1.2.3", "exec", "ls -l"), 0, file) == GOLDEN_ALLOWED


def test_explain_what_is_denied(cli: Cli, file: Path) -> None:
    assert (
        said(cli("explain", file, "--as", "bob", "--from", "10.2.0.1", *AT, "pty", "xterm"), 1, file) == GOLDEN_REFUSED
    )


def test_explain_whom_nobody_lets_in(cli: Cli, file: Path) -> None:
    words = ("--as", "bob", "--from", "192.0.2.7", *AT, "exec", "uptime")
    assert said(cli("explain", file, *words), 1, file) == GOLDEN_NOT_IN


def test_explain_with_another_login(cli: Cli, file: Path) -> None:
    words = ("--as", "alice", "--from", "10.1.2.3", *AT, "--with", "password", "shell")
    found = said(cli("explain", file, *words), 1, file)
    assert "login     password is refused: alice has no password (policy.yaml:6)" in found
    assert "let in would be: publickey\n" in found
    assert "no change of a few lines" not in found


def test_explain_where_nothing_helps(cli: Cli, file: Path) -> None:
    found = said(cli("explain", file, "--as", "alice", "--from", "10.1.2.3", *AT, "env", "LD_PRELOAD=x"), 1, file)
    assert "because   the variable is never accepted from a client\n" in found
    assert "no change of a few lines was found that would allow it" in found


def test_what_is_asked_for_is_made_harmless(cli: Cli, file: Path) -> None:
    found = said(cli("explain", file, "--as", "alice", "--from", "10.1.2.3", *AT, "exec", "\x1b]0;x\x07\x9b"), 0, file)
    assert found.isprintable() or "\x1b" not in found
    assert r"exec \x1b]0;x\x07" in found


def test_explain_for_a_machine(cli: Cli, file: Path) -> None:
    words = ("explain", "--json", str(file), "--as", "bob", "--from", "10.2.0.1", *AT, "pty", "xterm")
    found = answer(cli(*words), 1)
    assert found["file"] == str(file)
    assert not found["allowed"]
    assert found["login"]["allowed"]
    assert found["decision"]["decided_by"] == f"{file}:22"
    assert found["changes"] == [[{"edit": "lift the deny no-pty", "where": f"{file}:22"}]]


def test_explain_says_what_it_takes_for_granted_of_a_program(cli: Cli, file: Path) -> None:
    program = file.parent / "keys-of"
    write(program, "#!/bin/sh\n").chmod(0o700)
    file.parent.chmod(0o700)
    text = POLICY + f"sources: [{{command: [{program}, '{{user}}'], groups: ops}}]\n"
    write(file, text.replace("who: bob, roles: look", "who: group:ops, roles: look"))
    shown = cli("explain", str(file), "--as", "zoe", "--from", "10.1.2.3", "exec", "uptime")
    assert shown.status == 0
    assumed = f"zoe has a key by {program}, and so is in ops"
    assert f"  assumed   {assumed} (it is not asked here)\n" in shown.out
    found = answer(cli("explain", str(file), "--json", "--as", "zoe", "--from", "10.1.2.3", "exec", "uptime"), 0)
    assert found["assumed"] == [assumed]
    assert cli("check", str(file)).status == 0
    program.chmod(0o720)
    refused = cli("check", str(file))
    assert refused.status == 2
    assert "mode 0720 and others may write to it" in refused.out + refused.err


def test_explain_takes_now_and_no_address_where_none_is_given(cli: Cli, file: Path) -> None:
    found = answer(cli("explain", "--json", file, "--as", "alice", "shell"), 1)
    assert found["from"] is None
    assert found["decision"]["trace"][0]["failed"] == "from: office (unknown)"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--as", "alicia", "shell"), "--as: 'alicia' is no person of {file} (did you mean 'alice'?)"),
        (("--as", "alice", "shel"), "unknown verb 'shel', expected shell,"),
        (("--as", "alice", "exec"), "found nothing behind exec, expected exec COMMAND"),
        (("--as", "alice", "--from", "10.0.0.0/8", "shell"), "--from: '10.0.0.0/8' is no address"),
        (("--as", "alice", "--from", "office", "shell"), "--from: 'office' is no address"),
        (("--as", "alice", "--at", "2027-01-01", "shell"), "--at: found '2027-01-01', expected an instant"),
        (("--as", "alice", "--with", "pasword", "shell"), "--with: unknown method 'pasword'"),
        (("--as", "alice", "--key", "labtop", "shell"), "--key: alice has no key 'labtop' (did you mean 'laptop'?)"),
        (("--as", "alice", "--listener", "x", "shell"), "--listener: 'x' is not in server.listen"),
        (("shell",), "--as is missing"),
        (("--as", "alice"), "VERB is missing"),
    ],
)
def test_explain_says_what_it_can_not_be_asked(cli: Cli, file: Path, words: tuple[str, ...], message: str) -> None:
    assert message.format(file=file.name) in told(cli("explain", file, *words), 2, file)


def test_a_deny_that_counts_for_want_of_a_fact_says_so(cli: Cli, file: Path) -> None:
    write(file, POLICY.replace("  - {who: bob, from: office, methods: publickey}\n  - {who: bob, refuse: true}\n", ""))
    text = said(cli("explain", file, "--as", "bob", *AT, "pty", "xterm"), 1, file)
    assert "deny no-pty    matches, for unless: {from: 10.1.0.0/16} is not known\n" in text
    before, _, advice = text.partition("say --from ADDRESS: what is not known may decide this\n")
    assert "each of these" in advice
    assert "each of these" not in before


FORWARDING = """\
  - {name: tunnels, who: alice, allow: {forward: {local: ["db.example.com:5432", "127.0.0.1:80", "[::1]:80",
    "127.0.0.1:81"]}}}
"""


@pytest.mark.parametrize(
    ("asked", "status", "said_first"),
    [
        (("db.example.com:5432",), 2, "may have the name looked up, no more: forward db.example.com:5432"),
        (("db.example.com:5432", "10.1.2.3"), 0, "may forward db.example.com:5432 10.1.2.3"),
        (("db.example.com:22",), 1, "may not forward db.example.com:22"),
        (("localhost:80",), 0, "may forward localhost:80 127.0.0.1"),
        (("localhost:81",), 2, "may have the name looked up, no more: forward localhost:81"),
        (("localhost:22",), 1, "may not forward localhost:22"),
        (("127.0.0.1:81",), 0, "may forward 127.0.0.1:81"),
    ],
)
def test_a_name_that_may_be_looked_up_is_no_answer(
    cli: Cli, file: Path, asked: tuple[str, ...], status: int, said_first: str
) -> None:
    write(file, POLICY + FORWARDING)
    words = ("--as", "alice", "--from", "10.1.2.3", *AT, "forward", *asked)
    text = said(cli("explain", file, *words), status, file)
    assert text.startswith(f"alice from 10.1.2.3 {said_first}\n")
    assert ("each address is judged by itself: forward" in text) == (status == 2)
    found = answer(cli("explain", "--json", file, *words), status)
    assert found["allowed"] is {0: True, 1: False, 2: None}[status]
    assert found["decision"]["allowed"] is found["allowed"]


def test_the_help_of_explain_teaches_every_verb(cli: Cli) -> None:
    text = cli("explain", "--help").out
    assert "pysshd explain policy.yaml --as alice --from 10.1.2.3 exec 'rm -rf /'" in text
    assert "exec COMMAND" in text
    assert "  forward HOST:PORT [ADDRESS]  connect to" in text
    rows = [(line, verb) for line in text.splitlines() for verb in VERBS.values() if line.endswith(f" {verb.meaning}")]
    assert len(rows) == len(VERBS)
    assert len({line.index(verb.meaning) for line, verb in rows}) == 1
    assert "signal NAME" in text


def test_what_is_not_served_is_no_error_of_the_language(cli: Cli, file: Path) -> None:
    write(file, POLICY + FORWARDING.replace("who: alice", "who: bob"))
    first, *_, last = told(cli("check", "--language", file), 0, file).splitlines()
    assert first == "policy.yaml:23:39: not served: key 'forward'"
    assert last == "policy.yaml: good, 1 not served"
    first, *_, last = told(cli("check", file), 2, file).splitlines()
    assert first == "policy.yaml:23:39: not served: key 'forward'"
    assert last == "policy.yaml: refused, 1 not served; pysshd check --language judges the rest"
    write(file, POLICY + FORWARDING)
    last = told(cli("check", "--language", file), 0, file).splitlines()[-1]
    assert last == "policy.yaml: good, with 1 warning, 1 not served"
    write(file, POLICY + FORWARDING.replace("who: alice", "who: bob") + FAILING)
    last = told(cli("check", "--language", file), 2, file).splitlines()[-1]
    assert last == "policy.yaml: refused, 1 error and 0 warnings"
    write(file, POLICY + FORWARDING + "nonsense: 1\n")
    assert "policy.yaml: refused, 2 errors and " in told(cli("check", file), 2, file)


def test_roles(cli: Cli, file: Path) -> None:
    text = said(cli("roles", file), 0, file)
    assert text.endswith(
        "# policy.yaml:18\n"
        "# looking (policy.yaml:21) gives it to bob by who: bob\n"
        'look: {exec: ["systemctl status *", uptime], pty: true, confined: true}\n'
    )
    assert text.startswith(
        "# built in, and the name is reserved\n"
        "# shell (policy.yaml:20) gives it to alice by who: alice, if from: office\n"
        'login-shell: {shell: true, exec: any, pty: true, env: {accept: [LANG, "LC_*"]}}\n'
    )


def test_roles_without_a_file(cli: Cli) -> None:
    text = cli("roles").out
    assert text.startswith("# built in, and the name is reserved\nlogin-shell: {shell: true,")
    assert "no grant" not in text


def test_roles_for_a_machine(cli: Cli, file: Path) -> None:
    found = answer(cli("roles", "--json", file), 0)
    assert found["roles"][-1] == {
        "name": "look",
        "permissions": '{exec: ["systemctl status *", uptime], pty: true, confined: true}',
        "where": f"{file}:18",
        "given_by": [
            {"grant": "looking", "where": f"{file}:21", "who": "who: bob", "people": ["bob"], "conditions": []}
        ],
    }
    assert answer(cli("roles", "--json"), 0)["file"] is None


def test_strict_goes_with_no_command(cli: Cli, file: Path) -> None:
    assert "--strict here is for serving" in told(cli("--strict", "check", file), 2, file)


def test_strict_serves_no_policy_whose_tests_fail(file: Path) -> None:
    write(file, POLICY + FAILING)
    ended = run("--config", str(file), "--strict")
    text = ended.stderr.decode().replace(str(file), file.name)
    assert ended.returncode == 2
    assert "policy.yaml:26:101: test failed: nobody-looks: bob may exec uptime" in text


def test_places_are_named_as_the_command_line_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    write(tmp_path / "etc" / "policy.yaml", POLICY + FAILING)
    commands = (
        (["check"], "policy.yaml:26:101: test failed"),
        (["explain", "--as", "alice", "--from", "10.1.2.3"], "(policy.yaml:20)"),
        (["matrix"], "policy.yaml:20"),
        (["roles"], "(policy.yaml:20)"),
    )
    for folder, given in ((tmp_path / "etc", ""), (tmp_path, "etc/"), (tmp_path / "etc", "../etc/")):
        monkeypatch.chdir(folder)
        for (command, *options), said in commands:
            rest = ["shell"] if command == "explain" else []
            ran = run(command, f"{given}policy.yaml", *options, *rest)
            text = (ran.stdout + ran.stderr).decode()
            assert said.replace("policy", f"{given}policy") in text
            assert str(tmp_path) not in text
    absolute = str(tmp_path / "etc" / "policy.yaml")
    assert f"{absolute}:26:101: test failed" in run("check", absolute).stderr.decode()
    assert run("check", "nothing.yaml").stderr.startswith(b"nothing.yaml: the file can not be opened")

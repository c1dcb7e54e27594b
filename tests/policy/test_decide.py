"""The requests of the table in policy.md: what permits each, how it is answered, and what no grant can permit."""

from typing import Any

import pytest

from pysshd.patterns.names import SIGNALS
from pysshd.policy.query import (
    UNKNOWN,
    Break,
    Env,
    Exec,
    Global,
    Pty,
    Request,
    Run,
    Session,
    Shell,
    Signal,
    Step,
    Subsystem,
)
from pysshd.policy.ways import (
    EnvWay,
    Forced,
    GlobalWay,
    LoginShell,
    Program,
    PtyWay,
    SessionWay,
    ShellCommand,
    SignalWay,
    Way,
    Words,
)
from tests.policy.support import FINGERPRINTS, KEYS, PASSWORD, ask, key_step, load, loaded

EVERY_REQUEST: tuple[Request, ...] = (
    Session(),
    Shell(),
    Exec(b"ls"),
    Subsystem("sftp"),
    Pty("xterm"),
    Env("LANG", b"C"),
    Signal("TERM", Shell()),
    Break(Shell()),
)
OWNER = "server: {owner: alice}\n"


def allow(permissions: str, more: str = "") -> str:
    return f"{OWNER}grants: [{{name: g, who: alice, allow: {{{permissions}}}}}{more}]"


def way(permissions: str, request: Request, **known: Any) -> Way | None:
    return ask(load(allow(permissions)), request, **known).way


@pytest.mark.parametrize("request_", EVERY_REQUEST)
def test_default_deny(request_: Request) -> None:
    for document in ("", "grants: [{who: bob, allow: {shell: true, confined: true, exec: any, pty: true}}]"):
        found = ask(load(document), request_, trace=True)
        assert (found.allowed, found.way, found.decided_by, found.reason) == (
            False,
            None,
            "no grant",
            "no grant allows it",
        )


def test_the_five_lines_of_the_specification() -> None:
    found = loaded(
        "grants: [{who: alice, roles: login-shell}]", f'version: 1\nusers:\n  alice: {{keys: "{KEYS[0]}"}}\n'
    )
    ruleset = found.ruleset
    assert ruleset.settings.server.owner == "alice"
    [warning] = found.warnings
    assert (warning.severity, warning.line, warning.hint) == ("warning", 4, "write it down: server: {owner: alice}")
    assert ask(ruleset, Session()).way == SessionWay()
    assert ask(ruleset, Shell()).way == LoginShell(confined=False)
    assert ask(ruleset, Exec(b"ls; rm -rf /")).way == ShellCommand(b"ls; rm -rf /", confined=False)
    assert ask(ruleset, Pty("xterm-256color")).way == PtyWay()
    assert ask(ruleset, Env("LC_ALL", b"C.UTF-8")).way == EnvWay()
    assert ask(ruleset, Signal("INT", Exec(b"sleep 9"))).way == SignalWay()
    assert not ask(ruleset, Subsystem("sftp")).allowed
    assert not ask(ruleset, Env("EDITOR", b"vi")).allowed


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("narrower", "wider"),
    [
        ("{literal: ls -l}", "any"),
        ("ls -l", "{literal: ls -l}"),
        ("ls -l", "any"),
        ("{profile: git, paths: /srv/git}", "any"),
    ],
)
def test_what_says_more_of_a_command_answers_it_whatever_the_wider_one_says(
    narrower: str, wider: str, order: int
) -> None:
    grants = [f"  - {{who: alice, allow: {{exec: [{narrower}], confined: true}}}}\n",
              f"  - {{who: alice, allow: {{exec: [{wider}]}}}}\n"]  # fmt: skip
    ruleset = load("server: {owner: alice}\ngrants:\n" + "".join(grants[::order]))
    command = b"git-upload-pack '/srv/git/x.git'" if "git" in narrower else b"ls -l"
    way = ask(ruleset, Exec(command)).way
    assert isinstance(way, ShellCommand | Words | Program)
    assert way.confined


@pytest.mark.parametrize(
    ("permissions", "request_", "expected"),
    [
        ("shell: true", Shell(), LoginShell(False)),
        ("shell: true, confined: true", Shell(), LoginShell(True)),
        ("shell: [/bin/menu, \"--for={user}\"]", Shell(), Program((b"/bin/menu", b"--for=alice"), False)),
        ("shell: /bin/menu", Shell(), Program((b"/bin/menu",), False)),
        ("shell: true", Exec(b"ls"), None),
        ("shell: true", Subsystem("sftp"), None),
        ("exec: any", Exec(b"a | b"), ShellCommand(b"a | b", False)),
        ("exec: any", Shell(), None),
        ("exec: uptime", Exec(b"uptime"), Words((b"uptime",), False)),
        ("exec: uptime", Exec(b"  'up'time "), Words((b"uptime",), False)),
        ("exec: uptime", Exec(b"uptime; id"), None),
        ("exec: uptime", Exec(b"uptime -p"), None),
        ('exec: "systemctl status *"', Exec(b"systemctl status x"), Words((b"systemctl", b"status", b"x"), False)),
        ('exec: "systemctl status *"', Exec(b"systemctl status x; id"), None),
        ('exec: "systemctl status *"', Exec(b"systemctl status --help"), None),
        ('exec: {literal: "a; b"}', Exec(b"a; b"), ShellCommand(b"a; b", False)),
        ('exec: {literal: "a; b"}', Exec(b"a;  b"), None),
        ("exec: [{literal: ls}, any, ls]", Exec(b"ls"), Words((b"ls",), False)),
        ("exec: [any, {literal: ls -l}]", Exec(b"ls -l"), ShellCommand(b"ls -l", False)),
        ("exec: any", Exec(b"a\0b"), None),
        ("exec: any", Exec(b""), ShellCommand(b"", False)),
        ("forced: [borg, serve]", Shell(), Forced((b"borg", b"serve"), b"", False)),
        ("forced: [borg, serve]", Exec(b"rm -rf /"), Forced((b"borg", b"serve"), b"rm -rf /", False)),
        ("forced: [borg, serve]", Subsystem("sftp"), Forced((b"borg", b"serve"), b"sftp", False)),
        ("subsystems: {sftp: [/usr/lib/sftp-server]}", Subsystem("sftp"), Program((b"/usr/lib/sftp-server",), False)),
        ("subsystems: {sftp: x}", Subsystem("sftp "), None),
        ("subsystems: {sftp: x}", Subsystem("SFTP"), None),
        ("subsystems: {sftp: x}", Subsystem(""), None),
        ("subsystems: {sftp: x}", Subsystem("../sh"), None),
        ("pty: true", Pty("xterm"), PtyWay()),
        ("pty: true", Pty(""), PtyWay()),
        ("pty: true", Pty("xterm\n"), None),
        ("pty: true", Pty("../x"), None),
        ("pty: true", Pty("x" * 65), None),
        ("pty: true", Session(), None),
        ("exec: ls", Session(), SessionWay()),
        ("exec: ls", Session("x11"), None),
        ("exec: ls", Session("direct-tcpip"), None),
        ('env: {accept: ["LC_*", "?X"]}', Env("LC_TIME", b"C"), EnvWay()),
        ('env: {accept: ["LC_*", "?X"]}', Env("AX", b""), EnvWay()),
        ('env: {accept: ["LC_*", "?X"]}', Env("LANG", b"C"), None),
        ('env: {accept: "LC_*"}', Env("lc_all", b"C"), None),
    ],
)  # fmt: skip
@pytest.mark.security("S86", "S88")
def test_ways(permissions: str, request_: Request, expected: Way | None) -> None:
    assert way(permissions, request_) == expected


@pytest.mark.security("S85")
@pytest.mark.parametrize(
    "name",
    ["LD_PRELOAD", "BASH_ENV", "ENV", "IFS", "PATH", "PYTHONPATH", "SSH_AUTH_SOCK", "BASH_FUNC_x%%", "HOME", "", "A=B",
     "A\0", "1A", "é", "--split-string", "A" * 300, "PERL5LIB"],
)  # fmt: skip
def test_variables_that_no_policy_can_accept(name: str) -> None:
    assert not ask(load(allow('env: {accept: "*"}')), Env(name, b"x")).allowed


@pytest.mark.security("S85")
@pytest.mark.parametrize("value", [b"a\0b", b"() { :;}; id", b" () { x", b"x" * 40000])
def test_values_that_no_policy_can_accept(value: bytes) -> None:
    ruleset = load(allow('env: {accept: "*"}'))
    assert ask(ruleset, Env("LANG", b"C")).allowed
    assert not ask(ruleset, Env("LANG", value)).allowed


@pytest.mark.parametrize("name", ["keepalive@openssh.com", "no-more-sessions@openssh.com"])
def test_global_requests_that_are_always_answered(name: str) -> None:
    assert ask(load("grants: [{who: alice, deny: all}]"), Global(name)).way == GlobalWay()
    assert not ask(load(), Global(name + "x")).allowed
    assert not ask(load(), Global(name), person=None).allowed
    assert not ask(load(), Global("tcpip-forward")).allowed


@pytest.mark.security("S96")
def test_nobody_is_told_that_host_keys_were_proved() -> None:
    assert not ask(load(), Global("hostkeys-prove-00@openssh.com")).allowed


# Templates


def test_templates_fill_one_word() -> None:
    permissions = 'forced: [serve, "{user}/{account}/{key}", "{{user}}"]'
    for account in ("alice", "git"):
        found = way(permissions, Shell(), account=account)
        assert isinstance(found, Forced)
        assert found.argv == (b"serve", f"alice/{account}/laptop".encode(), b"{user}")


def test_a_key_without_a_name_is_its_fingerprint_as_one_path_part() -> None:
    unnamed = Step("publickey", FINGERPRINTS[1])
    found = way('forced: [serve, "{key}"]', Shell(), methods=(unnamed,))
    assert isinstance(found, Forced)
    assert found.argv[1].decode() == FINGERPRINTS[1].replace("/", "_").replace("+", "-")
    assert b"/" not in found.argv[1]


def test_without_a_key_a_word_with_a_key_can_not_be_filled() -> None:
    for permissions, request in (
        ('forced: [serve, "{key}"]', Exec(b"x")),
        ('shell: [serve, "{key}"]', Shell()),
        ('subsystems: {sftp: [serve, "{key}"]}', Subsystem("sftp")),
    ):
        assert way(permissions, request, methods=(PASSWORD,)) is None
        assert way(permissions, request) is not None


def test_what_the_policy_sets_goes_to_every_program() -> None:
    ruleset = load(
        allow(
            'shell: true, exec: [any, ls], env: {set: {B: "{user}", A: x, K: "{key}"}}',
            ", {who: alice, allow: {env: {set: {C: '{{'}}}}, {who: bob, allow: {env: {set: {D: d}}}}",
        )
    )
    expected = (("A", "x"), ("B", "alice"), ("C", "{"), ("K", "laptop"))
    for request in (Shell(), Exec(b"a;b"), Exec(b"ls")):
        found = ask(ruleset, request).way
        assert isinstance(found, LoginShell | ShellCommand | Words)
        assert found.env == expected
    by_password = ask(ruleset, Shell(), methods=(PASSWORD,)).way
    assert by_password == LoginShell(False, (("A", "x"), ("B", "alice"), ("C", "{")))


# Signals


@pytest.mark.parametrize("running", [Shell(), Exec(b"ls"), Exec(b"a;b")])
def test_all_signals_by_default(running: Run) -> None:
    ruleset = load(allow("shell: true, exec: any"))
    assert all(ask(ruleset, Signal(name, running)).allowed for name in SIGNALS)
    assert ask(ruleset, Break(running)).allowed
    assert not ask(ruleset, Signal("STOP", running)).allowed
    assert not ask(ruleset, Signal("BREAK", running)).allowed


def test_named_signals_alone() -> None:
    ruleset = load(allow("shell: true, exec: ls, signals: [INT, BREAK]"))
    assert ask(ruleset, Signal("INT", Shell())).allowed
    assert ask(ruleset, Break(Shell())).allowed
    assert not ask(ruleset, Signal("KILL", Shell())).allowed
    none = load(allow("shell: true, signals: none"))
    assert not ask(none, Signal("INT", Shell())).allowed


def test_signals_go_to_what_may_run() -> None:
    ruleset = load(
        allow("exec: ls, signals: [INT]", ", {who: alice, allow: {exec: pwd}}, {who: alice, allow: {signals: TERM}}")
    )
    assert not ask(ruleset, Signal("KILL", Exec(b"ls"))).allowed
    assert ask(ruleset, Signal("KILL", Exec(b"pwd"))).allowed
    assert ask(ruleset, Signal("TERM", Exec(b"ls"))).allowed
    assert not ask(ruleset, Signal("TERM", Exec(b"id"))).allowed
    assert not ask(ruleset, Signal("TERM", Shell())).allowed


@pytest.mark.security("S87")
def test_no_signals_under_forced_commands_and_subsystems() -> None:
    forced = load(allow("forced: [x]", ", {who: alice, allow: {signals: [INT]}}"))
    assert not any(ask(forced, Signal("INT", run)).allowed for run in (Shell(), Exec(b"ls"), Subsystem("sftp")))
    subsystem = load(allow("subsystems: {sftp: x}, signals: [INT]"))
    assert not ask(subsystem, Signal("INT", Subsystem("sftp"))).allowed


# Denies


@pytest.mark.parametrize("request_", EVERY_REQUEST)
def test_deny_all_touches_everything(request_: Request) -> None:
    everything = "shell: true, exec: any, pty: true, subsystems: {sftp: x}, env: {accept: LANG}"
    found = ask(load(allow(everything, ", {name: d, who: alice, deny: all}")), request_)
    assert (found.allowed, found.reason) == (False, "d denies it")


@pytest.mark.parametrize(
    ("deny", "request_", "denied"),
    [
        ("shell: true", Shell(), True),
        ("shell: true", Exec(b"ls"), False),
        ("shell: true", Session(), False),
        ("exec: any", Exec(b"ls"), True),
        ("exec: any", Shell(), False),
        ("pty: true", Pty("xterm"), True),
        ("subsystems: sftp", Subsystem("sftp"), True),
        ("subsystems: [x, sftp]", Subsystem("sftp"), True),
        ("subsystems: {sftp: [whatever]}", Subsystem("sftp"), True),
        ("subsystems: x", Subsystem("sftp"), False),
        ("forced: [x]", Subsystem("sftp"), True),
        ("forced: [x]", Pty("xterm"), False),
        ('env: {accept: "LA*"}', Env("LANG", b"C"), True),
        ("env: {accept: TZ}", Env("LANG", b"C"), False),
        ("signals: [TERM]", Signal("TERM", Shell()), True),
        ("signals: [TERM]", Signal("INT", Shell()), False),
        ("signals: [BREAK]", Break(Shell()), True),
    ],
)  # fmt: skip
def test_a_deny_touches_what_it_would_permit(deny: str, request_: Request, denied: bool) -> None:
    everything = "shell: true, exec: any, pty: true, subsystems: {sftp: x}, env: {accept: LANG}"
    ruleset = load(allow(everything, f", {{name: d, who: alice, deny: {{{deny}}}}}"))
    assert ask(ruleset, request_).allowed is not denied
    assert ask(load(allow(everything)), request_).allowed


def test_a_denied_pattern_beside_patterns() -> None:
    ruleset = load(allow('exec: ["git *", "ls *"]', ', {who: alice, from: 10.0.0.0/8, deny: {exec: "git push"}}'))
    assert not ask(ruleset, Exec(b"git push")).allowed
    assert ask(ruleset, Exec(b"git push"), source="192.0.2.1").allowed
    assert not ask(ruleset, Exec(b"git push"), source=UNKNOWN).allowed
    assert ask(ruleset, Exec(b"git pull")).allowed


# Decided by, reason, trace


def test_what_decided_is_named() -> None:
    ruleset = load(
        "server: {owner: alice}\n"
        "grants:\n"
        "  - {name: first, who: alice, from: 192.0.2.0/24, allow: {shell: true}}\n"
        "  - {name: second, who: group:ops, allow: {exec: ls, confined: true}}\n"
        "  - {who: bob, deny: {pty: true}}\n"
    )
    found = ask(ruleset, Exec(b"ls"), trace=True)
    assert (found.decided_by, found.reason) == ("p.yaml:11", "second permits it by exec: ls (confined)")
    assert [(tried.entry, tried.where, tried.matched, tried.failed) for tried in found.trace] == [
        ("first", "p.yaml:10", False, "from: 192.0.2.0/24"),
        ("second", "p.yaml:11", True, ""),
    ]
    shell = ask(ruleset, Shell(), trace=True)
    assert (shell.allowed, shell.decided_by) == (False, "no grant")
    assert shell.trace[1].failed == "it does not speak of this request"
    bob = ask(ruleset, Pty("xterm"), person="bob", trace=True)
    assert (bob.decided_by, bob.reason) == ("p.yaml:12", "grant 3 denies it")
    assert [tried.matched for tried in bob.trace] == [False, True]


def test_an_unknown_fact_is_in_the_trace() -> None:
    ruleset = load(allow("exec: ls", ", {name: d, who: alice, from: 10.0.0.0/8, deny: {exec: ls}}"))
    found = ask(ruleset, Exec(b"ls"), source=UNKNOWN, trace=True)
    assert (found.allowed, found.reason) == (False, "d denies it")
    assert [(tried.matched, tried.failed) for tried in found.trace] == [
        (True, ""),
        (True, "from: 10.0.0.0/8 (unknown)"),
    ]


def test_the_first_deny_of_the_file_is_named() -> None:
    ruleset = load("grants: [{name: a, deny: {pty: true}}, {name: b, who: alice, deny: all}]")
    assert ask(ruleset, Pty("xterm")).reason == "a denies it"


def test_people_share_no_grant_by_name_and_group_twice() -> None:
    ruleset = load("grants: [{name: a, who: [alice, group:ops], allow: {pty: true}}, {name: b, who: bob, deny: all}]")
    for person, names in (("alice", ["a"]), ("bob", ["a", "b"]), ("carol", [])):
        found = ask(ruleset, Pty("xterm"), person=person, methods=(key_step(person),), trace=True)
        assert [tried.entry for tried in found.trace] == names


@pytest.mark.parametrize("argument", ["/srv/secret/a", "/srv/secret/x/../a", "/srv/secret/.."])
def test_what_a_wildcard_does_not_take_is_denied_all_the_same(argument: str) -> None:
    ruleset = load(allow('exec: "cat *"', ', {who: alice, deny: {exec: "cat /srv/secret/*"}}'))
    assert not ask(ruleset, Exec(f"cat {argument}".encode())).allowed
    assert ask(ruleset, Exec(b"cat /srv/public/x")).allowed


@pytest.mark.security("S88")
@pytest.mark.parametrize("name", ["a b", "", "../x", "sftp\0"])
def test_a_subsystem_of_no_form_is_not_even_handed_to_a_forced_command(name: str) -> None:
    ruleset = load("grants: [{who: alice, allow: {forced: [serve], confined: true}}]")
    assert ask(ruleset, Subsystem("sftp")).allowed
    found = ask(ruleset, Subsystem(name))
    assert (found.allowed, found.decided_by) == (False, "the language")

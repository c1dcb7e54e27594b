"""Keys narrow what grants allow: their options in every place, and what they force (policy.md, Grants 5)."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest

from pysshd.patterns.key_options import parse_options
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing
from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.load import load_text
from pysshd.policy.narrow import PERMITTED_BY, Narrower, refusal
from pysshd.policy.query import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Facts,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Query,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
)
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate
from pysshd.policy.ways import Forced, Program, SftpWay, ShellCommand, Words
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON, PASSWORD

GRANTS = """\
roles:
  all: {shell: true, exec: any, pty: true, env: {accept: LANG}, agent: true, x11: true, subsystems: {sftp: [server]},
    forward: {local: ["*:*", "loopback:*"], remote: ["*:*", "loopback:*"], local_unix: "/**", remote_unix: "/**"}}
grants: [{name: everything, who: alice, roles: all}]
"""


def policy(options: str = "", more: str = GRANTS, server: str = "owner: alice", key: str = "") -> str:
    """Alice has a key named laptop with these options, as text in front of it, and another without any."""
    line = f"{options} {KEYS[0]}".strip().replace("'", "''")
    return (
        f"version: 1\nserver: {{{server}}}\n"
        f"users:\n  alice:\n    password: '{HASH}'\n    keys:\n"
        f"      - {{name: laptop, key: '{line}'{key}}}\n      - '{KEYS[1]}'\n"
    ) + more


def load(*args: str, **more: str) -> Ruleset:
    return load_text(policy(*args, **more), "p.yaml", language=True).ruleset


LAPTOP = Step("publickey", FINGERPRINTS[0], "laptop")
OTHER = Step("publickey", FINGERPRINTS[1])


def ask(ruleset: Ruleset, request: Request, *steps: Step, source: Any = "10.1.2.3", **more: Any) -> Decision:
    address = ip_address(source) if isinstance(source, str) else source
    now = more.pop("now", NOON)
    facts = Facts("alice", "alice", address, "127.0.0.1:2222", "SSH-2.0-x", now, steps or (LAPTOP,))
    facts = replace(facts, own_addresses=frozenset())
    return decide(ruleset, Query(facts, request), **more)


EVERY: dict[str, Request] = {
    "pty": Pty("xterm"),
    "agent": Agent(),
    "x11": X11(False, 0),
    "connect": Connect("db.corp", 5432),
    "listen": Listen("localhost", 9000),
    "connect-unix": ConnectUnix("/run/x"),
    "listen-unix": ListenUnix("/run/x"),
    "shell": Shell(),
    "exec": Exec(b"ls"),
    "subsystem": Subsystem("sftp"),
    "env": Env("LANG", b"C"),
    "signal": Signal("INT", Shell()),
    "break": Break(Shell()),
    "session": Session(),
}
PORTS = {"connect", "listen", "connect-unix", "listen-unix"}
REACHING = PORTS | {"pty", "agent", "x11"}


@pytest.mark.security("S63")
@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ("", set()),
        ("no-pty", {"pty"}),
        ("no-agent-forwarding", {"agent"}),
        ("no-X11-forwarding", {"x11"}),
        ("no-port-forwarding", PORTS),
        ('no-user-rc,user-rc,no-touch-required,tunnel="1"', set()),
        ("restrict", REACHING),
        ("restrict,pty", REACHING - {"pty"}),
        ("pty,restrict", REACHING),
        ("RESTRICT,Agent-Forwarding,x11-FORWARDING", REACHING - {"agent", "x11"}),
        ("restrict,port-forwarding", REACHING - PORTS),
        ("no-pty,pty", set()),
        ('command="id"', {"env", "signal", "break", "connect-unix", "listen-unix"}),
        ('permitopen="db.corp:5432"', {"connect-unix"}),
        ('permitopen="other:5432"', {"connect", "connect-unix"}),
        ('permitlisten="9000"', {"listen-unix"}),
        ('permitlisten="127.0.0.1:9000"', {"listen", "listen-unix"}),
    ],
)
def test_what_each_option_leaves(options: str, refused: set[str]) -> None:
    ruleset = load(options)
    assert {name for name, request in EVERY.items() if not ask(ruleset, request).allowed} == refused
    # It is the key that narrows, not the person.
    assert all(ask(ruleset, request, OTHER).allowed for request in EVERY.values())


def test_a_refusal_names_the_key_and_its_line() -> None:
    ruleset = load("no-pty")
    found = ask(ruleset, Pty("xterm"), trace=True)
    assert (found.reason, found.decided_by) == ("key laptop allows no pty", "p.yaml:7")
    assert [(one.entry, one.where, one.failed) for one in found.trace] == [
        ("key laptop", "p.yaml:7", "allows no pty"),
        ("everything", "p.yaml:12", ""),
    ]
    nameless = load_text(policy("no-pty").replace("name: laptop, ", ""), "p.yaml", language=True).ruleset
    step = Step("publickey", FINGERPRINTS[0])
    assert ask(nameless, Pty("xterm"), step).reason == f"key {FINGERPRINTS[0]} allows no pty"


def test_a_deny_is_told_after_what_the_key_says() -> None:
    denied = GRANTS.replace("roles: all}]", "roles: all}, {name: no, deny: {pty: true}}]")
    ruleset = load("no-pty", denied)
    assert ask(ruleset, Pty("xterm")).reason == "key laptop allows no pty"
    assert ask(ruleset, Pty("xterm"), OTHER).reason == "no denies it"


@pytest.mark.security("S64")
def test_every_factor_of_a_login_narrows() -> None:
    ruleset = load("no-pty", GRANTS + "login: [{methods: [publickey+publickey, publickey+password]}]\n")
    for steps in ((LAPTOP, OTHER), (OTHER, LAPTOP), (LAPTOP, PASSWORD)):
        assert ask(ruleset, Login(steps[:-1], steps[-1]), *steps).allowed
        assert ask(ruleset, Pty("xterm"), *steps).reason == "key laptop allows no pty"
        assert ask(ruleset, Agent(), *steps).allowed


def test_a_line_of_a_file_narrows_beside_its_entry() -> None:
    entry = ", options: no-pty}"
    text = policy().replace(f"key: '{KEYS[0]}'}}", f"file: a.pub{entry}")
    ruleset = load_text(text, "p.yaml", language=True).ruleset
    line = parse_options("no-agent-forwarding", UTC, "/keys/a.pub:3")
    step = Step("publickey", FINGERPRINTS[2], "laptop", narrowing=line)
    assert ask(ruleset, Pty("xterm"), step).decided_by == "p.yaml:7"
    found = ask(ruleset, Agent(), step)
    assert (found.reason, found.decided_by) == ("key laptop allows no agent-forwarding", "/keys/a.pub:3")
    assert ask(ruleset, X11(False, 0), step).allowed


def test_a_key_that_is_listed_again_elsewhere_is_narrowed_by_the_entry_too() -> None:
    text = policy("no-pty").replace(f"      - '{KEYS[1]}'\n", "      - {file: more.pub}\n")
    ruleset = load_text(text, "p.yaml", language=True).ruleset
    again = Step("publickey", FINGERPRINTS[0], "more.pub")
    assert ask(ruleset, Agent(), again).allowed
    assert ask(ruleset, Pty("xterm"), again).reason == "key laptop allows no pty"


# Where from, and until when


@pytest.mark.security("S59")
@pytest.mark.parametrize(
    ("options", "source", "admitted"),
    [
        ('from="10.0.0.0/8"', "10.1.2.3", True),
        ('from="10.0.0.0/8"', "::ffff:10.1.2.3", True),
        ('from="10.0.0.0/8"', "11.1.2.3", False),
        ('from="10.0.0.0/8"', None, False),
        ('from="!10.1.0.0/16,10.*"', "10.1.2.3", False),
        ('from="!10.1.0.0/16,10.*"', "10.2.2.3", True),
        ('from="10.*,!10.1.2.?"', "10.1.2.3", False),
        ('from="10.*,!10.1.2.?"', "10.1.2.33", True),
        ('from="2001:DB8::/32"', "2001:db8::1", True),
        ('from="2001:db8:*"', "2001:db8::1", True),
        ('from="2001:db8:*"', "2001:db9::1", False),
        ('from="gate.example,192.0.2.1"', "192.0.2.1", True),
        ('from="*"', "192.0.2.1", True),
        ('from="*"', None, False),
    ],
)
def test_from(options: str, source: str | None, admitted: bool) -> None:
    ruleset = load(options)
    login, found = (ask(ruleset, one, source=source) for one in (Login((), LAPTOP), Exec(b"ls")))
    assert (login.allowed, found.allowed) == (admitted, admitted)
    if not admitted:
        text = options.removeprefix('from="').removesuffix('"')
        assert (login.reason, login.decided_by) == (f"key laptop is good from {text} alone", "p.yaml:7")


@pytest.mark.security("S59")
def test_from_of_the_policy_and_in_the_options_must_both_hold() -> None:
    more = "networks: {office: [10.0.0.0/8, 'fd00::/8']}\n" + GRANTS
    ruleset = load('from="10.1.*,fd*:*"', more, key=", from: [office, 192.0.2.1]")
    for source, admitted in (("10.1.0.1", True), ("10.2.0.1", False), ("192.0.2.1", False), ("fd00::1", True)):
        assert ask(ruleset, Login((), LAPTOP), source=source).allowed is admitted
    assert "good from [office, 192.0.2.1/32] alone" in ask(load("", more, key=", from: [office, 192.0.2.1]"),
                                                        Exec(b"x"), source="1.2.3.4").reason  # fmt: skip


@pytest.mark.parametrize(
    ("stamp", "zone", "end"),
    [
        ("20261123Z", "Asia/Tokyo", datetime(2026, 11, 23, tzinfo=UTC)),
        ("20261124", "Asia/Tokyo", datetime(2026, 11, 23, 15, tzinfo=UTC)),
        ("202611231330", "UTC", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)),
        ("20261123133015Z", "Asia/Tokyo", datetime(2026, 11, 23, 13, 30, 15, tzinfo=UTC)),
    ],
)
def test_a_key_expires_in_the_zone_of_the_file_but_for_utc(stamp: str, zone: str, end: datetime) -> None:
    ruleset = load(f'expiry-time="{stamp}"', server=f"owner: alice, timezone: {zone}")
    before = end.replace(hour=0, minute=0, second=0) if end.hour else datetime(2026, 11, 22, tzinfo=UTC)
    found = ask(ruleset, Exec(b"ls"), now=before)
    assert (found.allowed, found.valid_until) == (True, end)
    assert ask(ruleset, Login((), LAPTOP), now=before).valid_until == end
    assert ask(ruleset, Exec(b"ls"), now=end).reason == "alice or a key of theirs is not valid at this time"
    assert not ask(ruleset, Login((), LAPTOP), now=end).allowed


@pytest.mark.parametrize("server", ["owner: alice", "owner: alice, worker_user: nobody"])
def test_without_a_zone_in_the_file_a_key_expires_where_each_hour_comes_first(server: str) -> None:
    ruleset = load('expiry-time="20261124"', server=server)
    assert ask(ruleset, Exec(b"ls"), now=datetime(2026, 11, 22, tzinfo=UTC)).valid_until == datetime(
        2026, 11, 23, 10, tzinfo=UTC
    )
    named = load('expiry-time="20261124"', server="owner: alice, timezone: UTC")
    assert ask(named, Exec(b"ls")).valid_until == datetime(2026, 11, 24, tzinfo=UTC)


def test_of_two_ends_the_first_counts() -> None:
    ruleset = load('expiry-time="20270101Z",expiry-time="20261224Z",expiry-time="20270102Z"')
    assert ask(ruleset, Exec(b"ls")).valid_until == datetime(2026, 12, 24, tzinfo=UTC)


# Destinations


@pytest.mark.parametrize(
    ("options", "host", "port", "allowed"),
    [
        ('permitopen="db.corp:5432"', "DB.corp.", 5432, True),
        ('permitopen="db.corp:5432"', "db.corp", 5433, False),
        ('permitopen="db.corp:*"', "db.corp", 1, True),
        ('permitopen="*:80"', "x.corp", 80, True),
        ('permitopen="*:80"', "x.corp", 81, False),
        ('permitopen="[2001:db8::1]:80"', "2001:DB8:0::1", 80, True),
        ('permitopen="10.0.0.1:80"', "::ffff:10.0.0.1", 80, True),
        ('permitopen="localhost:80"', "127.0.0.1", 80, False),
        ('permitopen="a:1",permitopen="b:2"', "b", 2, True),
        ('permitopen="a:1",permitopen="b:2"', "b", 1, False),
        ('permitopen="db*.corp:5432"', "db1.corp", 5432, None),
    ],
)
def test_permitopen(options: str, host: str, port: int, allowed: bool | None) -> None:
    if allowed is None:
        with pytest.raises(ValueError, match="no address and no name"):
            parse_options(options, UTC)
        return
    found = ask(load(options), Connect(host, port))
    assert found.allowed is allowed
    assert allowed or found.reason.startswith("key laptop opens ")


def test_a_name_that_is_permitted_is_judged_at_each_address_by_the_grants() -> None:
    ruleset = load('permitopen="db.corp:5432"')
    assert ask(ruleset, Connect("db.corp", 5432, ip_address("10.9.9.9"))).allowed
    assert not ask(ruleset, Connect("other.corp", 5432, ip_address("10.9.9.9"))).allowed


@pytest.mark.parametrize(
    ("options", "address", "port", "allowed"),
    [
        ('permitlisten="8080"', "localhost", 8080, True),
        ('permitlisten="8080"', "", 8080, True),
        ('permitlisten="8080"', "localhost", 8081, False),
        ('permitlisten="8080"', "localhost", 0, False),
        ('permitlisten="*:*"', "localhost", 0, True),
        ('permitlisten="local*:*"', "LOCALHOST", 1, True),
        ('permitlisten="localhost:*"', "127.0.0.1", 1, False),
        ('permitlisten="localhost:*"', "", 1, False),
        ('permitlisten="[::1]:80",permitlisten="81"', "::1", 80, True),
    ],
)
def test_permitlisten(options: str, address: str, port: int, allowed: bool) -> None:
    found = ask(load(options), Listen(address, port))
    assert found.allowed is allowed
    assert allowed or found.reason.startswith("key laptop listens at ")


def test_a_host_that_is_none_is_opened_by_no_key() -> None:
    narrower = Narrower("key k", "/k:1", parse_options('permitopen="a:1"', UTC))
    assert refusal(Connect("127.1", 1), (narrower,)) == ("key k opens no such host", "/k:1")


# Forced commands

FEW = """\
roles:
  few:
    exec: ["ls *", id, {literal: "a; b"}, {profile: borg, paths: /srv}]
    subsystems: {sftp: [server]}
    env: {set: {A: "1"}}
grants: [{name: few, who: alice, roles: few}]
"""
RUNS = [(Shell(), b""), (Exec(b"rm -rf /"), b"rm -rf /"), (Subsystem("sftp"), b"sftp"), (Subsystem("other"), b"other")]


@pytest.mark.security("S86")
@pytest.mark.parametrize(("request_", "original"), RUNS)
def test_what_is_forced_is_what_is_judged(request_: Request, original: bytes) -> None:
    env = (("A", "1"),)
    found = ask(load('command="ls x"', FEW), request_, trace=True)
    assert found.way == Words((b"ls", b"x"), False, env, asked=original)
    assert found.reason.startswith("key laptop forces 'ls x': few permits it by exec: ls *")
    assert found.trace[0].entry == "key laptop, which forces 'ls x'"
    assert found.trace[0].matched
    way = ask(load('command="a; b"', FEW), request_).way
    assert way == ShellCommand(b"a; b", False, env, asked=original)
    way = ask(load('command="borg serve"', FEW), request_).way
    assert isinstance(way, Program)
    assert (way.argv[0], way.asked) == (b"borg", original)
    way = ask(load('command="internal-sftp"', FEW), request_).way
    assert way == Program((b"server",), False, env, asked=original)
    found = ask(load('command="rm x"', FEW), request_)
    assert (found.allowed, found.decided_by) == (False, "no grant")
    assert found.reason == "key laptop forces 'rm x': no grant allows it"


@pytest.mark.security("S86")
def test_a_command_of_an_authorized_keys_file_goes_before_the_shell_that_a_grant_gives() -> None:
    shell = "grants: [{who: alice, allow: {shell: true}}]\n"
    assert not ask(load('command="id"', shell), Shell()).allowed
    assert ask(load('command="id"', GRANTS), Shell()).way == ShellCommand(b"id", False, asked=b"")


def test_a_command_that_begins_with_the_name_of_sftp_is_a_command() -> None:
    assert ask(load('command="internal-sftp -R"', FEW), Subsystem("sftp")).reason.endswith("no grant allows it")


@pytest.mark.security("S86")
@pytest.mark.parametrize(("request_", "original"), RUNS)
def test_a_grant_that_forces_the_same_is_fine_and_another_one_is_refused(request_: Request, original: bytes) -> None:
    forced = "grants: [{name: serve, who: alice, allow: {forced: [serve, '{user}', x y]}}]\n"
    same = ask(load("command=\"serve alice 'x y'\"", forced), request_)
    assert same.way == Forced((b"serve", b"alice", b"x y"), original, False)
    other = ask(load('command="serve bob x"', forced), request_, trace=True)
    assert (other.allowed, other.decided_by) == (False, "p.yaml:7")
    assert other.reason == "key laptop forces 'serve bob x', and another command is forced by p.yaml:9"
    assert other.trace[-1].entry == "serve"
    assert not ask(load('command="serve alice; id"', forced), request_).allowed


def test_a_deny_touches_what_is_forced() -> None:
    deny = FEW.replace("roles: few}]", 'roles: few}, {name: no, deny: {exec: "ls *"}}]')
    assert ask(load('command="ls x"', deny), Shell()).reason == "key laptop forces 'ls x': no denies it"
    deny = FEW.replace("roles: few}]", "roles: few}, {name: no, deny: {subsystems: sftp}}]")
    assert ask(load('command="ls x"', deny), Subsystem("sftp")).allowed


def test_two_keys_that_force_two_commands_are_no_login() -> None:
    text = policy('command="ls x"', FEW + "login: [{methods: publickey+publickey}]\n").replace(
        f"- '{KEYS[1]}'", f"""- 'command="id" {KEYS[1]}'"""
    )
    ruleset = load_text(text, "p.yaml").ruleset
    found = ask(ruleset, Login((LAPTOP,), OTHER))
    assert found.reason == f"key laptop and key {FINGERPRINTS[1]} force two commands"
    assert (found.allowed, found.decided_by) == (False, "p.yaml:8")
    both = load_text(text.replace('command="id"', 'command="ls x"'), "p.yaml").ruleset
    assert ask(both, Login((LAPTOP,), OTHER)).allowed
    assert ask(both, Shell(), LAPTOP, OTHER).way == Words((b"ls", b"x"), False, (("A", "1"),), asked=b"")


SFTP = "grants: [{who: alice, allow: {exec: id, sftp: {mounts: {/: /srv}, paths: {/: list, '/**': upload}}}}]\n"


def test_the_daemons_own_sftp_runs_where_it_is_forced_and_nowhere_else() -> None:
    for command, allowed in (("internal-sftp", True), ("scp -t /in", True), ("id", False)):
        ruleset = load(f'command="{command}"', SFTP)
        assert isinstance(ask(ruleset, Shell()).way, SftpWay) is allowed
        assert ask(ruleset, Sftp("upload", b"/x")).allowed is allowed
    assert ask(ruleset, Sftp("upload", b"/x")).reason == "key laptop forces 'id', which takes no files of SFTP"


# What widens


ACCEPTS = "login: [{from: 10.0.0.0/8, methods: publickey, set: {key_options: environment}}, {methods: publickey}]\n"


@pytest.mark.security("S85")
def test_variables_count_where_the_deciding_entry_accepts_them_above_the_fixed_list() -> None:
    ruleset = load('environment="B=2",environment="A=9",environment="B=3"', FEW + ACCEPTS)
    assert ask(ruleset, Exec(b"id")).way == Words((b"id",), False, (("A", "1"), ("B", "3")))
    assert ask(ruleset, Exec(b"id"), source="192.0.2.1").way == Words((b"id",), False, (("A", "1"),))
    assert ask(ruleset, Exec(b"id"), OTHER).way == Words((b"id",), False, (("A", "1"),))
    assert ask(load('environment="B=2"', FEW), Exec(b"id")).way == Words((b"id",), False, (("A", "1"),))
    line = parse_options('environment="PATH=/x",environment="LD_PRELOAD=x",environment="C=()"', UTC, "/k:1")
    assert ask(ruleset, Exec(b"id"), replace(OTHER, narrowing=line)).way == Words((b"id",), False, (("A", "1"),))


def test_what_an_entry_accepts_is_asked_again_when_it_may_change() -> None:
    timed = ACCEPTS.replace("from: 10.0.0.0/8", "not_after: 2026-11-23")
    ruleset = load('environment="B=2"', FEW + timed)
    found = ask(ruleset, Exec(b"id"))
    assert found.valid_until == datetime(2026, 11, 24, tzinfo=UTC)
    assert found.way == Words((b"id",), False, (("A", "1"), ("B", "2")))
    refusing = ACCEPTS.replace("methods: publickey, set: {key_options: environment}", "refuse: true")
    assert ask(load('environment="B=2"', FEW + refusing), Exec(b"id")).way == Words((b"id",), False, (("A", "1"),))
    nobody = "login: [{who: alice, from: 10.0.0.0/8, methods: publickey, set: {key_options: environment}}]\n"
    ruleset = load('environment="B=2"', FEW + nobody)
    assert ask(ruleset, Exec(b"id"), source="192.0.2.1").way == Words((b"id",), False, (("A", "1"),))


def test_a_key_of_an_authority_is_no_key_by_itself() -> None:
    line = parse_options("cert-authority", UTC, "/k:1")
    found = ask(load(), Login((), replace(OTHER, narrowing=line)), replace(OTHER, narrowing=line))
    assert (found.allowed, found.decided_by) == (False, "/k:1")
    assert "is that of an authority, and proves nothing by itself" in found.reason


def test_what_further_lines_say_narrows_as_well() -> None:
    lines = tuple(
        parse_options(options, UTC, "/k:1") if options else NO_NARROWING for options in ("no-pty", "", 'command="id"')
    )
    step = replace(OTHER, others=lines)
    assert ask(load(), Exec(b"ls"), step).way == ShellCommand(b"id", False, asked=b"ls")
    assert ask(load(), Pty("xterm"), step).reason == f"key {FINGERPRINTS[1]} allows no pty"
    assert ask(load(), Agent(), step).allowed
    away = replace(OTHER, narrowing=lines[2], others=(parse_options('command="ls"', UTC),))
    assert "force two commands" in ask(load(), Login((), away), away).reason


# Certificates of a line's key


def signed(*principals: str, line: str = "cert-authority", label: str | None = "laptop", **more: Any) -> Step:
    said = Certificate("", "whatever", frozenset(principals or ("alice",)), frozenset(["permit-pty"]), **more)
    said = replace(said, signer=more.get("signer", FINGERPRINTS[0]))
    narrowing = parse_options(line, UTC, "/k:1") if line else NO_NARROWING
    return Step("publickey", FINGERPRINTS[3], label, said, narrowing)


ACCEPTING = "login: [{methods: publickey, set: {key_options: cert-authority}}]\n"


@pytest.mark.security("S60")
@pytest.mark.parametrize(
    ("options", "step", "reason"),
    [
        ("cert-authority", signed(line=""), ""),
        ("", signed(), ""),
        (
            "cert-authority",
            signed("bob", line=""),
            "key laptop lets no principal of the certificate log in as this account",
        ),
        ('cert-authority,principals="web"', signed(line=""), "key laptop lets no principal of the certificate"),
        ('cert-authority,principals="db,web"', signed("web", line=""), ""),
        ("", signed("web", line='cert-authority,principals="web"'), ""),
        ('principals="db"', signed("web", line='cert-authority,principals="web"'), "key laptop lets no principal"),
        ("", signed(line="no-pty"), "key laptop is no authority"),
        ("", signed(line=""), "key laptop is no authority"),
        ("cert-authority", signed(label="other"), "a certificate is of no authority of the file"),
        ("cert-authority", signed(signer=FINGERPRINTS[2]), "a certificate is of no authority of the file"),
        ("cert-authority", signed(signer=""), "a certificate is of no authority of the file"),
        ("cert-authority", signed(options=frozenset(["new"])), "has the critical option 'new', which is not served"),
        ("cert-authority", signed(not_after=NOON), "alice or a key of theirs is not valid at this time"),
        ('cert-authority,from="11.0.0.0/8"', signed(line=""), "key laptop is good from 11.0.0.0/8 alone"),
        ('cert-authority,expiry-time="20200101"', signed(line=""), "not valid at this time"),
    ],
)
def test_certificates_of_a_key_that_is_an_authority(options: str, step: Step, reason: str) -> None:
    ruleset = load(options, GRANTS + ACCEPTING)
    found = ask(ruleset, Login((), step), step)
    assert found.allowed is (not reason)
    assert reason in found.reason
    assert ask(ruleset, Exec(b"ls"), step).allowed is (not reason)


def test_such_a_certificate_counts_where_the_deciding_entry_accepts_it() -> None:
    login = (
        "login: [{from: 10.0.0.0/8, methods: publickey, set: {key_options: cert-authority}}, {methods: publickey}]\n"
    )
    ruleset, step = load("cert-authority", GRANTS + login), signed(line="")
    assert ask(ruleset, Login((), step), step).allowed
    assert ask(ruleset, Exec(b"ls"), step).allowed
    away = ask(ruleset, Login((), step), step, source="11.0.0.1")
    assert away.reason == "login entry 2 does not accept the option cert-authority"
    found = ask(ruleset, Exec(b"ls"), step, source="11.0.0.1")
    assert (found.allowed, found.reason) == (False, "the login entry does not accept the option cert-authority")
    assert not ask(load("cert-authority"), Login((), step), step).allowed
    timed = login.replace("from: 10.0.0.0/8", "not_after: 2026-11-23")
    assert ask(load("cert-authority", GRANTS + timed), Exec(b"ls"), step).valid_until == datetime(
        2026, 11, 24, tzinfo=UTC
    )


def test_such_a_certificate_is_narrowed_by_the_line_and_by_itself() -> None:
    ruleset = load("cert-authority,no-agent-forwarding", GRANTS + ACCEPTING)
    step = signed(line='cert-authority,permitopen="a:1"', narrowing=Narrowing(b"id"))
    assert ask(ruleset, Pty("xterm"), step).allowed
    assert ask(ruleset, Shell(), step).way == ShellCommand(b"id", False, asked=b"")
    found = ask(ruleset, Agent(), step)
    assert found.reason == "the certificate of key laptop has no permit-agent-forwarding"
    full = replace(step, certificate=replace(step.certificate, extensions=frozenset(PERMITTED_BY.values())))  # type: ignore[type-var]
    assert ask(ruleset, Agent(), full).reason == "key laptop allows no agent-forwarding"
    assert ask(ruleset, Connect("b", 1), full).reason == "key laptop opens a:1 alone"
    assert ask(ruleset, Connect("a", 1), full).allowed


PROGRAM = "sources: [{command: [/bin/keys, '{user}']}]\n"


@pytest.mark.parametrize(
    ("options", "key", "reason"),
    [
        ("cert-authority", "", ""),
        ('cert-authority,from="11.0.0.0/8"', "", "key laptop is good from 11.0.0.0/8 alone"),
        ("cert-authority", ", not_after: 2020-01-01", "not valid at this time"),
        ("cert-authority", ", not_before: 2026-12-01", "not valid at this time"),
        ('cert-authority,principals="web"', "", "lets no principal of the certificate log in as this account"),
        ('principals="web"', "", ""),
    ],
)
@pytest.mark.parametrize("certified", [True, False])
def test_every_entry_that_lists_a_key_narrows_it(options: str, key: str, reason: str, certified: bool) -> None:
    ruleset = load(options, GRANTS + ACCEPTING + PROGRAM, key=key)
    assert ruleset.asked is not None
    label = ruleset.asked.command.label
    alice = ruleset.asked.person("alice", ruleset.people["alice"])
    step = signed(label=label) if certified else Step("publickey", FINGERPRINTS[0], label)
    facts = Facts("alice", "alice", ip_address("10.1.2.3"), "", "", NOON, (step,), alice)
    found = decide(ruleset, Query(facts, Login((), step)))
    if certified or "time" in reason:
        assert (found.allowed, reason in found.reason) == (not reason, True)
    else:
        assert found.allowed is ("cert-authority" not in options)
    if key == ", not_before: 2026-12-01":
        assert found.valid_until == datetime(2026, 12, 1, tzinfo=UTC)


def test_principals_of_every_line_that_makes_an_authority_count() -> None:
    ruleset = load("", GRANTS + ACCEPTING)
    web, plain = (parse_options(f"cert-authority{more}", UTC) for more in (',principals="web"', ""))
    unheard = parse_options('principals="db"', UTC)
    for line, others, principals, allowed in (
        (web, (web, unheard), ("web",), True),
        (web, (plain,), ("web",), False),
        (web, (plain,), ("web", "alice"), True),
        (plain, (web,), ("alice",), False),
    ):
        step = replace(signed(*principals), narrowing=line, others=others)
        assert ask(ruleset, Login((), step), step).allowed is allowed


@pytest.mark.parametrize("authority", ["staff", ""])
def test_a_certificate_does_not_rid_a_key_of_its_options(authority: str) -> None:
    login = ACCEPTING + f"authorities: {{staff: {{keys: ['{KEYS[3]}']}}}}\n"
    extensions = frozenset(PERMITTED_BY.values())
    signer = "" if authority else FINGERPRINTS[1]
    said = Certificate(authority, "alice", frozenset(["alice"]), extensions, signer=signer)
    line = NO_NARROWING if authority else parse_options("cert-authority", UTC)
    step = Step("publickey", FINGERPRINTS[0], FINGERPRINTS[1] if signer else None, said, line)
    ruleset = load('no-pty,command="id"', GRANTS + login)
    assert ask(ruleset, Pty("xterm"), step).reason == "key laptop allows no pty"
    assert ask(ruleset, Exec(b"ls"), step).way == ShellCommand(b"id", False, asked=b"ls")
    # That it is an authority itself is said of the bare key alone.
    ruleset = load("cert-authority,no-pty", GRANTS + login)
    assert ask(ruleset, Login((), step), step).allowed
    assert not ask(ruleset, Pty("xterm"), step).allowed
    for key, edge in (
        (", not_after: 2020-01-01", None),
        (", not_before: 2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
    ):
        found = ask(load("", GRANTS + login, key=key), Login((), step), step)
        assert (found.reason, found.valid_until) == ("alice or a key of theirs is not valid at this time", edge)
    lines = (parse_options("cert-authority,no-agent-forwarding", UTC, "/k:1"), parse_options("cert-authority", UTC))
    found = ask(load("", GRANTS + login), Agent(), replace(step, certified=lines))
    assert (found.reason, found.decided_by) == (f"key {FINGERPRINTS[0]} allows no agent-forwarding", "/k:1")
    assert ask(load("", GRANTS + login), Pty("xterm"), replace(step, certified=lines)).allowed
    assert ask(load("no-pty", GRANTS + login), Pty("xterm"), replace(step, key=FINGERPRINTS[2])).allowed
    assert ask(load("no-pty", GRANTS + login), Pty("xterm"), replace(step, key=None)).allowed


def test_certificate_as_a_method_of_keys_that_are_authorities() -> None:
    ruleset = load("cert-authority", GRANTS + ACCEPTING.replace("methods: publickey", "methods: certificate"))
    step = signed(line="")
    assert ask(ruleset, Login((), step), step).allowed
    assert not ask(ruleset, Login((), OTHER), OTHER).allowed
    assert ruleset.takes_certificates
    assert not load("cert-authority").takes_certificates

"""Requests that reach beyond the session: what permits each, what no grant can permit, and how each is answered."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from pysshd.patterns.ports import Ports
from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import (
    UNKNOWN,
    X11,
    Agent,
    Connect,
    ConnectUnix,
    Facts,
    Global,
    Listen,
    ListenUnix,
    Query,
    Request,
    Session,
    UnixFacts,
)
from pysshd.policy.ways import GlobalWay
from pysshd.policy.ways_net import AgentWay, ConnectUnixWay, ConnectWay, ListenUnixWay, ListenWay, LookUpWay, X11Way
from tests.policy.support import FINGERPRINTS, PASSWORD, PEOPLE, facts
from tests.policy.support_net import OWN, allowed, ask, language, policy

V4, V6 = ip_address("0.0.0.0"), ip_address("::")
LOCAL = (ip_address("127.0.0.1"), ip_address("::1"))


EVERY: tuple[Request, ...] = (
    Connect("db1.corp", 5432),
    Connect("db1.corp", 5432, ip_address("10.2.0.1")),
    Connect("10.2.0.1", 5432),
    Listen("localhost", 9000),
    ConnectUnix("/run/x"),
    ListenUnix("/run/x"),
    X11(False, 0),
    Agent(),
    Global("x@y"),
)
EVERYTHING = (
    'forward: {local: "*:*", remote: ["*:*", "loopback:*"], local_unix: "/**", remote_unix: "/**"}, agent: true, '
    "x11: true, global_requests: x@y"
)


@pytest.mark.parametrize("request_", EVERY)
def test_default_deny(request_: Request) -> None:
    for document in (
        "",
        "grants: [{who: alice, roles: login-shell}]",
        f"grants: [{{who: bob, allow: {{{EVERYTHING}}}}}]",
    ):
        found = ask(language(document), request_)
        assert (found.allowed, found.way, found.decided_by, found.reason) == (
            False, None, "no grant", "no grant allows it"
        )  # fmt: skip


@pytest.mark.parametrize("request_", EVERY)
def test_each_is_allowed_and_denied_by_its_own_key_alone(request_: Request) -> None:
    assert ask(policy(EVERYTHING), request_).allowed
    for deny in ("all", f"{{{EVERYTHING}}}"):
        denied = language(f"grants: [{{who: alice, allow: {{{EVERYTHING}}}}}, {{name: d, who: alice, deny: {deny}}}]")
        found = ask(denied, request_)
        assert (found.allowed, found.decided_by, found.reason) == (False, "p.yaml:8", "d denies it")
    keys = ["forward: {local: *:*}", "forward: {remote: [*:*, loopback:*]}", "forward: {local_unix: /**}",
            "forward: {remote_unix: /**}", "agent: true", "x11: true", "global_requests: x@y"]  # fmt: skip
    quoted = [key.replace("*:*", '"*:*"').replace("/**", '"/**"') for key in keys]
    permitting = [key for key in quoted if ask(policy(key), request_).allowed]
    denying = [key for key in quoted if not ask(policy(EVERYTHING, key), request_).allowed]
    assert len(permitting) == 1
    assert permitting == denying


def test_who_is_nobody_and_who_runs_nothing() -> None:
    ruleset = policy(EVERYTHING)
    for request in EVERY:
        assert not ask(ruleset, request, person="mallory").allowed
        assert not ask(ruleset, request, person=None).allowed
    assert not ask(ruleset, Session()).allowed


@pytest.mark.parametrize(
    ("request_", "way"),
    [
        (Connect("DB1.Corp.", 5432), LookUpWay("db1.corp", 5432, True)),
        (Connect("x.corp", 5432, ip_address("10.2.0.1")), ConnectWay(ip_address("10.2.0.1"), 5432)),
        (Connect("::ffff:10.2.0.1", 22), ConnectWay(ip_address("10.2.0.1"), 22)),
        (Connect("64:ff9b::a02:1", 22), ConnectWay(ip_address("64:ff9b::a02:1"), 22)),
        (Connect("10.2.0.1", 22, ip_address("::ffff:10.2.0.1")), ConnectWay(ip_address("10.2.0.1"), 22)),
        (Listen("", 9000), ListenWay((V4, V6), (Ports(9000, 9000),))),
        (Listen("0.0.0.0", 9000), ListenWay((V4,), (Ports(9000, 9000),))),
        (Listen("::", 9000), ListenWay((V6,), (Ports(9000, 9000),))),
        (Listen("LOCALHOST", 9000), ListenWay(LOCAL, (Ports(9000, 9000),))),
        (Listen("10.0.0.5", 0), ListenWay((ip_address("10.0.0.5"),), (Ports(1, 65535),))),
        (Listen("::ffff:10.0.0.5", 1), ListenWay((ip_address("10.0.0.5"),), (Ports(1, 1),))),
        (ConnectUnix("/run/x y"), ConnectUnixWay("/run/x y")),
        (ListenUnix("/run/x"), ListenUnixWay("/run/x")),
        (X11(True, 3), X11Way(True, 3)),
        (Agent(), AgentWay()),
        (Global("x@y"), GlobalWay()),
    ],
)
def test_how_each_is_answered(request_: Request, way: object) -> None:
    assert ask(policy(EVERYTHING), request_).way == way


@pytest.mark.security("S89")
@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Connect("db1.corp", 0), "the port is none from 1 to 65535"),
        (Connect("db1.corp", 65536), "the port is none from 1 to 65535"),
        (Connect("2130706433", 80), "the host is not served: it is a number, and not written as an address"),
        (Connect("127.1", 80), "the host is not served: it is a number"),
        (Connect("a b", 80), "the host is not served: it is no address and no name of a host"),
        (Connect("fe80::1%eth0", 80), "the host is not served: it has a zone id"),
        (Connect("x:y", 80), "the host is not served: it is no IPv6 address"),
        (Connect("0.0.0.0", 80), "the address is that of nothing, and would be this host"),
        (Connect("::", 80), "the address is that of nothing"),
        (Connect("::ffff:0.0.0.0", 80), "the address is that of nothing"),
        (Connect("64:ff9b::", 80), "the address is that of nothing"),
        (Connect("db1.corp", 80, ip_address("0.0.0.0")), "the address is that of nothing"),
        (Connect("10.0.0.1", 80, ip_address("10.0.0.2")), "the address is not that of the host"),
        (Listen("db1.corp", 80), "no name is looked up to listen on but localhost"),
        (Listen("127.1", 80), "the address is not served: it is a number"),
        (Listen("", 65536), "the port is none from 0 to 65535"),
        (Listen("", -1), "the port is none from 0 to 65535"),
        (ConnectUnix("run/x"), "the socket's path is not served: it is not absolute"),
        (ListenUnix("/run/../x"), "the socket's path is not served: it has a part that is empty, '.' or '..'"),
        (Global("a b"), "the request's name is of no form that is served"),
        (Global("tcpip-forward"), "no bare success answers it"),
    ],
)
def test_what_is_refused_whatever_is_granted(request_: Request, reason: str) -> None:
    found = ask(policy(EVERYTHING), request_)
    assert (found.allowed, found.decided_by) == (False, "the language")
    assert found.reason.startswith(reason)


@pytest.mark.security("S89")
@pytest.mark.parametrize(
    ("local", "yes", "no"),
    [
        ("db*.corp:5432", "forward db1.corp:5432, forward DB.corp.:5432, forward db1.corp:5432 192.0.2.1, "
         "forward db1.corp:5432 64:ff9b::a02:1",
         "forward db1.corp:22, forward x.corp:5432, forward 192.0.2.1:5432, forward db1.corp:5432 127.0.0.1, "
         "forward db1.corp:5432 ::1, forward db1.corp:5432 169.254.169.254, forward db1.corp:5432 10.0.0.5, "
         "forward db1.corp:5432 fd00::5, forward db1.corp:5432 ::ffff:127.0.0.1"),
        # what a name has is looked up where an address of it could be permitted
        ("10.2.0.0/16:443", "forward 10.2.0.1:443, forward [::ffff:10.2.0.1]:443, forward any.name:443, "
         "forward any.name:443 10.2.0.1, forward any.name:443 64:ff9b::a02:1",
         "forward any.name:22, forward any.name:443 10.3.0.1, forward 10.2.0.1:22"),
        ("loopback:8000-8010", "forward localhost:8000, forward localhost:8000 127.0.0.1, forward 127.0.0.1:8010, "
         "forward [::1]:8005, forward [::ffff:127.0.0.1]:8005",
         "forward localhost:8011, forward 127.0.0.1:7999, forward localhost:8000 10.2.0.1"),
        ("localhost:22", "forward localhost:22, forward localhost:22 ::1, forward 127.0.0.1:22",
         "forward localhost:22 10.2.0.1, forward 10.2.0.1:22"),
        ("'*:*'", "forward any.name:1, forward any.name:65535 10.2.0.1, forward 10.2.0.1:80, forward localhost:80",
         "forward localhost:80 127.0.0.1, forward 10.0.0.5:80, forward 169.254.169.254:80, forward [fe80::1]:80"),
        ("10.0.0.5:80", "forward 10.0.0.5:80, forward me.corp:80 10.0.0.5", "forward 10.0.0.6:80"),
        ("169.254.1.1:80", "forward 169.254.1.1:80", "forward 169.254.169.254:80"),
        ("metadata:80", "forward 169.254.169.254:80, forward [fd00:ec2::254]:80", "forward 169.254.1.1:80"),
        ("office:443", "forward 10.9.0.1:443, forward [fd00:9::1]:443, forward any.name:443",
         "forward 10.8.0.1:443, forward office:443 10.8.0.1, forward office:80"),
    ],
)  # fmt: skip
def test_connections(local: str, yes: str, no: str) -> None:
    ruleset = policy(f"forward: {{local: {local}}}", more='networks: {office: [10.9.0.0/16, "fd00:9::/32"]}\n')
    assert allowed(ruleset, yes) == yes.split(", ")
    assert allowed(ruleset, no) == []


def test_a_name_that_only_an_address_could_permit() -> None:
    ruleset = policy("forward: {local: [10.2.0.0/16:443, db1.corp:22]}")
    assert ask(ruleset, Connect("db1.corp", 443)).way == LookUpWay("db1.corp", 443, named=False)
    assert ask(ruleset, Connect("db1.corp", 22)).way == LookUpWay("db1.corp", 22, named=True)


def test_where_own_addresses_are_not_known_any_might_be_one() -> None:
    ruleset = policy("forward: {local: [10.0.0.0/8:80, 192.0.2.1:80, loopback:80, db1.corp:80]}")
    asked = "forward 10.1.1.1:80, forward 192.0.2.1:80, forward 127.0.0.1:80, forward db1.corp:80 192.0.2.9"
    assert allowed(ruleset, asked, UNKNOWN) == ["forward 192.0.2.1:80", "forward 127.0.0.1:80"]
    assert allowed(ruleset, asked, frozenset()) == asked.split(", ")
    assert Facts("a", None, None, "", "", facts().now).own_addresses is UNKNOWN


@pytest.mark.parametrize(
    ("deny", "yes", "no"),
    [
        ("db9.corp:*", "forward db1.corp:5432, forward db9.corp.x:5432",
         "forward db9.corp:5432, forward db9.corp:5432 10.2.0.1, forward DB9.corp.:1"),
        # an address is denied whatever name it has, and a name whatever address
        ("10.2.3.0/24:443", "forward any.name:443, forward 10.2.4.1:443, forward 10.2.3.1:80",
         "forward 10.2.3.1:443, forward any.name:443 10.2.3.1, forward any.name:443 ::ffff:10.2.3.1, "
         "forward [64:ff9b::a02:301]:443"),
        ("'*:22'", "forward 10.2.0.1:23", "forward x.corp:22, forward 10.2.0.1:22, forward localhost:22 127.0.0.1"),
        # what is special is there to permit less, not to deny less
        ("0.0.0.0/0:*", "forward [2001:db8::1]:1, forward x.corp:1", "forward 127.0.0.1:1, forward 10.0.0.5:1"),
        ("loopback:*", "forward 10.2.0.1:1", "forward 127.0.0.1:1, forward localhost:1 ::1"),
    ],
)  # fmt: skip
def test_denied_connections(deny: str, yes: str, no: str) -> None:
    ruleset = policy("forward: {local: ['*:*', loopback:*, 10.0.0.5:*]}", f"forward: {{local: {deny}}}")
    assert allowed(ruleset, yes) == yes.split(", ")
    assert allowed(ruleset, no) == []
    without = policy("forward: {local: ['*:*', loopback:*, 10.0.0.5:*]}")
    assert allowed(without, no) == no.split(", ")


@pytest.mark.security("S90")
@pytest.mark.parametrize(
    ("remote", "yes", "no"),
    [
        ("loopback:9000-9100", "listen localhost:9000, listen 127.0.0.1:9100, listen [::1]:9050, listen localhost:0, "
         "listen 127.9.9.9:9001",
         "listen localhost:8999, listen localhost:9101, listen :9000, listen :0, listen 0.0.0.0:9000, "
         "listen 10.0.0.5:9000, listen [::]:9000"),
        ("localhost:9000", "listen localhost:9000, listen [::1]:9000", "listen :9000"),
        # of localhost it permits one half, and no permission is pieced together
        ("127.0.0.1:9000", "listen 127.0.0.1:9000", "listen localhost:9000, listen [::1]:9000"),
        ("[127.0.0.1:9000, '[::1]:9000']", "listen 127.0.0.1:9000, listen [::1]:9000", "listen localhost:9000"),
        ("'*:9000'", "listen :9000, listen 0.0.0.0:9000, listen [::]:9000, listen 10.0.0.5:9000, listen [fd00::5]:9000",
         "listen localhost:9000, listen 127.0.0.1:9000, listen 169.254.1.1:9000, listen :9001"),
        ("0.0.0.0:9000", "listen 0.0.0.0:9000", "listen :9000, listen [::]:9000, listen 10.0.0.5:9000"),
        ("'[::]:9000'", "listen [::]:9000", "listen :9000, listen 0.0.0.0:9000, listen [fd00::5]:9000"),
        ("0.0.0.0/0:9000", "listen 10.0.0.5:9000",
         "listen 0.0.0.0:9000, listen [::ffff:0.0.0.0]:9000, listen :9000, listen 127.0.0.1:9000"),
        ("10.0.0.0/8:1024-65535", "listen 10.0.0.5:1024, listen 10.0.0.6:2000",
         "listen 10.0.0.5:80, listen 11.0.0.1:2000"),
        ("office:80", "listen 10.9.0.1:80", "listen 10.8.0.1:80"),
    ],
)  # fmt: skip
def test_listeners(remote: str, yes: str, no: str) -> None:
    ruleset = policy(f"forward: {{remote: {remote}}}", more="networks: {office: 10.9.0.0/16}\n")
    for own in (OWN, UNKNOWN):
        assert allowed(ruleset, yes, own) == yes.split(", ")
        assert allowed(ruleset, no, own) == []


@pytest.mark.parametrize(
    ("deny", "yes", "no"),
    [
        ("loopback:9000", "listen :9001, listen localhost:9001, listen 10.0.0.5:9000, listen :0",
         "listen localhost:9000, listen :9000, listen 0.0.0.0:9000, listen [::]:9000, listen [::1]:9000"),
        ("127.0.0.1:9000", "listen [::1]:9000, listen [::]:9000",
         "listen localhost:9000, listen :9000, listen 0.0.0.0:9000"),
        ("0.0.0.0:*", "listen localhost:9000, listen 10.0.0.5:9000, listen [::]:1",
         "listen 0.0.0.0:1, listen :1, listen :0"),
        ("'*:*'", "forward x.corp:1", "listen localhost:1, listen :0, listen 10.0.0.5:0"),
    ],
)  # fmt: skip
def test_denied_listeners(deny: str, yes: str, no: str) -> None:
    ruleset = policy("forward: {local: '*:*', remote: ['*:*', loopback:*]}", f"forward: {{remote: {deny}}}")
    assert allowed(ruleset, yes) == yes.split(", ")
    assert allowed(ruleset, no) == []


def test_any_free_port_is_one_of_those_that_are_permitted_and_not_denied() -> None:
    def ports(more: str) -> object:
        way = ask(language(f"grants: [{more}]"), Listen("localhost", 0)).way
        return way.ports if isinstance(way, ListenWay) else None

    def grant(effect: str, remote: str, who: str = "alice") -> str:
        return f"{{who: {who}, {effect}: {{forward: {{remote: {remote}}}}}}}"

    one, two = grant("allow", "loopback:9000-9100"), grant("allow", "[loopback:9050-9200, 10.0.0.5:1]")
    assert ports(one) == (Ports(9000, 9100),)
    assert ports(f"{one}, {two}") == ports(f"{two}, {one}") == (Ports(9000, 9200),)
    assert ports(f"{one}, {grant('deny', 'loopback:9010-9020')}") == (Ports(9000, 9009), Ports(9021, 9100))
    assert ports(f"{one}, {grant('deny', '[127.0.0.1:9000, 10.0.0.5:9001]')}") == (Ports(9001, 9100),)
    assert ports(f"{one}, {grant('deny', 'loopback:9010', 'bob')}") == (Ports(9000, 9100),)
    assert ports(f"{one}, {{deny: all}}") is None
    all_gone = language(
        f"grants: [{one}, {{name: d, who: alice, deny: {{forward: "
        f"{{remote: [loopback:9000-9050, loopback:9051-9100]}}}}}}, "
        f"{{name: e, deny: {{forward: {{remote: 'loopback:*'}}}}}}]"
    )
    found = ask(all_gone, Listen("localhost", 0), trace=True)
    assert (found.allowed, found.decided_by, found.reason) == (False, "p.yaml:8", "d denies it")
    assert [tried.matched for tried in found.trace] == [True, True, True]


def test_a_deny_that_hangs_on_an_unknown_fact_denies_ports_too() -> None:
    ruleset = language(
        "grants: [{who: alice, allow: {forward: {remote: 'loopback:9000-9001'}}}, "
        "{from: 192.0.2.0/24, deny: {forward: {remote: 'loopback:9000'}}}]"
    )
    assert ask(ruleset, Listen("localhost", 0), source=UNKNOWN).way == ListenWay(LOCAL, (Ports(9001, 9001),))
    assert ask(ruleset, Listen("localhost", 0)).way == ListenWay(LOCAL, (Ports(9000, 9001),))


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("/run/user/{user}/*.sock", "/run/user/alice/a.sock /run/user/alice/.sock",
         "/run/user/bob/a.sock /run/user/alice/x/a.sock /run/user/alice/a /run/user/alice/a.sock/x"),
        ("/run/{account}-?/x", "/run/git-1/x", "/run/git-/x /run/alice-1/x"),
        ("/run/{key}", "/run/laptop", "/run/laptop/x /run/key"),
        ("/srv/**", "/srv/a /srv/a/b", "/srv"),
        ("/srv/**/x", "/srv/a/x /srv/a/b/x", "/srv/x"),
        ("/srv/{{x}}", "/srv/{x}", "/srv/x"),
        ("{home}/**", "/home/a/x /home/a/x/y", "/home/a /home/alice/x"),
        ("{home}/.ssh/{user}.sock", "/home/a/.ssh/alice.sock", "/home/a/.ssh/bob.sock"),
    ],
)  # fmt: skip
def test_sockets(pattern: str, yes: str, no: str) -> None:
    people = PEOPLE.replace("alice: {", "alice: {home: /home/a/, ")
    connect = language(f"grants: [{{who: alice, allow: {{forward: {{local_unix: '{pattern}'}}}}}}]", people)
    listen = language(f"grants: [{{who: alice, allow: {{forward: {{remote_unix: '{pattern}'}}}}}}]", people)
    for ruleset, kind, other in ((connect, ConnectUnix, ListenUnix), (listen, ListenUnix, ConnectUnix)):
        assert [path for path in yes.split() if not ask(ruleset, kind(path), account="git").allowed] == []
        assert [path for path in no.split() if ask(ruleset, kind(path), account="git").allowed] == []
        assert [path for path in yes.split() if ask(ruleset, other(path), account="git").allowed] == []


def test_what_fills_a_slot_is_never_a_pattern_and_one_part() -> None:
    ruleset = policy("forward: {local_unix: '/run/{key}/x'}")
    [fingerprint] = [step.key for step in facts().methods]
    assert fingerprint is not None
    assert ask(ruleset, ConnectUnix("/run/laptop/x")).allowed
    for path in ("/run/a/b/x", "/run/*/x"):
        assert not ask(ruleset, ConnectUnix(path)).allowed
    unnamed = ask(ruleset, ConnectUnix(f"/run/{FINGERPRINTS[1].replace('/', '_').replace('+', '-')}/x"),
                  methods=(replace(facts().methods[0], key=FINGERPRINTS[1]),))  # fmt: skip
    assert unnamed.allowed


def test_a_slot_without_a_value_permits_nothing_and_denies_all() -> None:
    ruleset = policy("forward: {local_unix: ['/run/{key}', /srv/x]}", "forward: {remote_unix: '/run/{key}'}")
    assert ask(ruleset, ConnectUnix("/srv/x"), methods=(PASSWORD,)).allowed
    for path in ("/run/laptop", "/run/{key}", "/run/"):
        assert not ask(ruleset, ConnectUnix(path), methods=(PASSWORD,)).allowed
    ruleset = policy("forward: {local_unix: '/**'}", "forward: {local_unix: '/run/{key}'}")
    assert ask(ruleset, ConnectUnix("/srv/x")).allowed
    assert not ask(ruleset, ConnectUnix("/srv/x"), methods=(PASSWORD,)).allowed


@pytest.mark.parametrize(
    ("unix", "home", "permitted"),
    [
        (None, "/home/a", True),
        (None, None, False),
        (UnixFacts("alice", 1000, home="/home/a"), "/elsewhere", True),
        (UnixFacts("alice", 1000), "/home/a", False),
        (UnixFacts("alice", 1000, home="relative"), None, False),
        (UnixFacts("alice", 1000, home=""), None, False),
    ],
)
def test_the_home_is_the_account_s_and_without_one_nothing_is_permitted_and_all_denied(
    unix: UnixFacts | None, home: str | None, permitted: bool
) -> None:
    people = PEOPLE.replace("alice: {", f"alice: {{home: {home}, ") if home else PEOPLE
    known = replace(facts(), unix=unix)
    allow = "{who: alice, allow: {forward: {local_unix: '{home}/x'}}}"
    request = ConnectUnix("/home/a/x")
    assert decide(language(f"grants: [{allow}]", people), Query(known, request)).allowed is permitted
    wide = (
        "{who: alice, allow: {forward: {local_unix: '/**'}}}, {who: alice, deny: {forward: {local_unix: '{home}/x'}}}"
    )
    assert not decide(language(f"grants: [{wide}]", people), Query(known, request)).allowed
    other = decide(language(f"grants: [{wide}]", people), Query(known, ConnectUnix("/y")))
    assert other.allowed is permitted


@pytest.mark.parametrize(("length", "good"), [(1024, True), (1025, False)])
def test_a_pattern_of_a_path_has_a_length(length: int, good: bool) -> None:
    pattern = "/" + "x" * (length - 2) + "*"
    if good:
        assert policy(f"forward: {{local_unix: '{pattern}'}}").grants
    else:
        with pytest.raises(PolicyError, match="it has more than 1024 bytes"):
            policy(f"forward: {{local_unix: '{pattern}'}}")


def test_global_requests_lie_above_those_that_are_always_answered() -> None:
    ruleset = policy("global_requests: [ping@example.com, x]", "global_requests: x")
    assert allowed(ruleset, "global ping@example.com, global x, global y, global keepalive@openssh.com") == [
        "global ping@example.com", "global keepalive@openssh.com"
    ]  # fmt: skip
    assert not ask(ruleset, Global("tcpip-forward")).allowed


def test_global_requests_are_served_and_the_rest_is_judged_alone() -> None:
    document = PEOPLE + "grants: [{who: alice, allow: {%s}}]"
    assert load_text(document % "global_requests: x").ruleset.grants
    for permission in ("forward: {local: 'x:1'}", "agent: true", "x11: true"):
        key = permission.partition(":")[0]
        for effect in ("allow", "deny"):
            text = (document % permission).replace("allow", effect)
            with pytest.raises(PolicyError) as caught:
                load_text(text)
            [problem] = [one for one in caught.value.problems if one.severity != "warning"]
            assert (problem.severity, problem.message) == (
                "unserved", f"key '{key}' is not served yet by this version"
            )  # fmt: skip
            assert load_text(text, language=True).ruleset.grants


def test_the_reason_names_the_permission_and_the_trace_every_grant() -> None:
    ruleset = language(
        "roles:\n  db: {forward: {local: ['db*.corp:5432', '[2001:db8::/32]:1-9']}, x11: true}\n"
        "grants:\n  - {name: a, who: bob, roles: db}\n  - {name: b, who: alice, roles: db}\n"
        "  - {name: c, who: alice, deny: {agent: true}}\n"
    )
    found = ask(ruleset, Connect("db1.corp", 5432), trace=True)
    assert found.reason == "b permits it by forward: {local: db*.corp:5432} (p.yaml:9)"
    assert found.decided_by == "p.yaml:12"
    assert [(tried.entry, tried.matched, tried.failed) for tried in found.trace] == [
        ("b", True, ""), ("c", False, "it does not speak of this request")
    ]  # fmt: skip
    assert ask(ruleset, X11(False, 0)).reason == "b permits it by x11: true (p.yaml:9)"
    six = ask(ruleset, Connect("2001:db8::1", 9))
    assert six.reason == "b permits it by forward: {local: [2001:db8::/32]:1-9} (p.yaml:9)"


def test_how_each_permission_is_told() -> None:
    ruleset = policy(
        "forward: {local: 'x.y:1', remote: 'loopback:*', local_unix: '/{user}', remote_unix: '{home}/x'}, "
        "agent: true, global_requests: p"
    )
    assert [str(right) for right in ruleset.grants[0].rights.net] == [
        "forward: {local: x.y:1}",
        "forward: {remote: loopback:*}",
        "forward: {local_unix: /{user}}",
        "forward: {remote_unix: {home}/x}",
        "agent: true",
        "global_requests: p",
    ]


def test_a_window_of_a_grant_is_the_edge_of_what_it_permits() -> None:
    ruleset = language(
        "grants: [{who: alice, not_after: 2026-11-25, allow: {agent: true}}, "
        "{not_before: 2026-11-24, deny: {forward: {remote: 'loopback:9000'}}}, "
        "{who: alice, allow: {forward: {remote: 'loopback:9000-9001'}}}]"
    )
    assert str(ask(ruleset, Agent()).valid_until) == "2026-11-26 00:00:00+00:00"
    assert str(ask(ruleset, Listen("localhost", 0)).valid_until) == "2026-11-24 00:00:00+00:00"
    assert ask(ruleset, X11(False, 0)).valid_until is None

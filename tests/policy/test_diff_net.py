"""Permissions that reach beyond the session, of two policies: what one gives of the other."""

from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysshd.policy.decide_net import asked_of
from pysshd.policy.diff import Difference
from pysshd.policy.diff_net import net_denied, net_meets, net_touched, net_within, requests_of
from pysshd.policy.load import load_text
from pysshd.policy.query import X11, Connect, Listen, ListenUnix, Request
from pysshd.policy.rights_net import NetRight
from tests.policy.documents import FORWARDS, NET_REQUESTS
from tests.policy.support import PEOPLE
from tests.policy.test_diff import compared

FORWARD = "grants: [{name: g, who: alice, allow: {forward: {%s}}}]\n"
OWN = "where it is an address of the host of the daemon itself"


@pytest.mark.parametrize(
    ("old", "new", "example"),
    [
        ("local: db1.corp:5432", 'local: "db*.corp:5432"', "alice: forward dbx.corp:5432 198.51.100.7"),
        ('local: "db*.corp:5432"', "local: db1.corp:5432", None),
        ("local: 10.2.0.0/16:443", "local: 10.2.0.0/24:443", None),
        ("local: 10.2.0.0/24:443", "local: 10.2.0.0/16:443", "alice: forward 10.2.255.255:443"),
        ("local: db1.corp:5000-5999", "local: db1.corp:5432", None),
        ("local: db1.corp:5432", "local: db1.corp:5432-5433", "alice: forward db1.corp:5433 198.51.100.7"),
        ("local: db1.corp:5432", "local: '*:*'", "alice: forward some-host.example:1 198.51.100.7"),
        ("local: '*:*'", "local: 10.0.0.0/8:22", None),
        ("local: '*:*'", "local: loopback:22", "alice: forward 127.0.0.1:22"),
        ("local: db1.corp:22", "remote: loopback:22", "alice: listen 127.0.0.1:22"),
        ("remote: loopback:9000-9100", "remote: loopback:9000-9101", "alice: listen 127.0.0.1:9101"),
        ("remote: loopback:9000-9101", "remote: loopback:9000-9100", None),
        ("remote: loopback:9000", "remote: '*:9000'", "alice: listen :9000"),
        ("remote: '*:9000'", "remote: 10.0.0.5:9000", None),
        ('local_unix: "/run/{user}/*.sock"', 'local_unix: "/run/*/*.sock"', "alice: forward-unix /run/x/x.sock"),
        ('local_unix: "/run/*/*.sock"', 'local_unix: "/run/{user}/*.sock"', None),
        ('local_unix: "/run/*/x"', 'remote_unix: "/run/*/x"', "alice: listen-unix /run/x/x"),
        ('local_unix: "/run/x"', 'local_unix: "{home}/x"', "alice"),
    ],
)
def test_forwarding(old: str, new: str, example: str | None) -> None:
    found = compared(FORWARD % old, FORWARD % new)
    assert [change.example for change in found.gained] == ([example] if example is not None else [])
    assert all(change.sure is (example != "alice") for change in found.gained)
    assert found.gained or found.lost


def test_a_single_address_may_be_this_host_s_own() -> None:
    found = compared(FORWARD % "local: 10.2.0.0/16:443", FORWARD % "local: 10.2.0.5:443")
    (change,) = found.gained
    assert change.what == f"forward: {{local: 10.2.0.5:443}}, {OWN}"
    assert (change.sure, change.old) == (False, "old.yaml:8")


@pytest.mark.parametrize(("permission", "example"), [
    ("agent: true", "alice: agent"), ("x11: true", "alice: x11"), ("global_requests: x@y.z", "alice: global x@y.z"),
])  # fmt: skip
def test_what_has_no_pattern(permission: str, example: str) -> None:
    both = [f"grants: [{{who: alice, allow: {{{one}}}}}]\n" for one in ("pty: true", f"pty: true, {permission}")]
    (change,) = compared(*both).gained
    assert (change.sure, change.example) == (True, example)
    assert compared(both[1], both[0]).gained == ()
    assert compared(both[1], both[1]) == Difference((), ())


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("local: 'db*.corp:*'", "local: '**.corp:*'", False),
        ("local: '**.corp:*'", "local: 'db*.corp:*'", True),
        ("local: 10.2.0.0/16:22", "local: 10.0.0.0/8:22", False),
        ("local: 10.0.0.0/8:22", "local: 10.2.0.0/16:22", True),
        ("local: 10.0.0.0/8:1-100", "local: 10.0.0.0/8:22", True),
        ("remote: '*:22'", "remote: '*:*'", False),
        ("remote: '*:*'", "remote: '*:22'", True),
        ("local_unix: /run/x", "local_unix: /run/*", False),
        ("local_unix: /run/*", "local_unix: /run/x", True),
        ("local_unix: '/run/{key}'", "local_unix: /run/*", True),
        ("local_unix: '/run/{user}'", "local_unix: '/run/{user}'", False),
    ],
)
def test_denies(old: str, new: str, more: bool) -> None:
    allow = "{who: alice, allow: {forward: {local: '*:*', remote: '*:*', local_unix: '/run/**'}, pty: true}}"
    texts = (f"grants: [{allow}, {{name: d, who: '*', deny: {{forward: {{{one}}}}}}}]\n" for one in (old, new))
    assert bool(compared(*texts).gained) is more


def test_what_is_denied_wholly_is_no_gain() -> None:
    deny = "{name: d, who: '*', deny: {forward: {local: '**.corp:*'}}}"
    new = FORWARD % "local: db1.corp:22"
    assert compared("", new).gained
    assert compared("", new.replace("}}}]", f"}}}}}}, {deny}]")).gained == ()
    # Of an address the name is not known, and to look it up is permitted: that remains.
    by_address = FORWARD % "local: 10.0.0.0/8:22"
    deny = deny.replace("'**.corp:*'", "10.0.0.0/8:*")
    assert compared("", by_address.replace("}}}]", f"}}}}}}, {deny}]")).gained


def right(text: str) -> NetRight:
    """The first permission of some."""
    (grant,) = load_text(f"{PEOPLE}grants: [{{who: alice, allow: {{{text}}}}}]\n", language=True).ruleset.grants
    return grant.rights.net[0]


RIGHTS_BY_NAME = {
    **{text: f"forward: {{{text}}}" for text in (
        "local: a.b:5-9", "local: '*.b:5-9'", "local: '*:5-9'", "local: '*:5'", "local: '*:9'", "local: '*:1-4'",
        "local: 10.0.0.0/8:5-9", "local: 10.1.0.0/16:5-9", "local: 11.0.0.0/8:5-9", "remote: loopback:5-9",
        "remote: loopback:9", "remote: loopback:10", "remote: 10.0.0.5:5-9", "local_unix: /x/*", "local_unix: /x/y",
        "local_unix: '/x/{user}'", "local_unix: '/x/{key}'", "local_unix: '{home}/y'", "remote_unix: /x/y",
    )},
    "agent": "agent: true", "x11": "x11: true", "global x": "global_requests: x", "global y": "global_requests: y",
}  # fmt: skip
EACH = {name: right(text) for name, text in RIGHTS_BY_NAME.items()}
WITHIN = """\
local: a.b:5-9 | local: '*.b:5-9'
local: a.b:5-9 | local: '*:5-9'
local: '*.b:5-9' | local: '*:5-9'
local: '*:5' | local: '*:5-9'
local: '*:9' | local: '*:5-9'
local: 10.0.0.0/8:5-9 | local: '*:5-9'
local: 10.1.0.0/16:5-9 | local: '*:5-9'
local: 11.0.0.0/8:5-9 | local: '*:5-9'
local: 10.1.0.0/16:5-9 | local: 10.0.0.0/8:5-9
remote: loopback:9 | remote: loopback:5-9
local_unix: /x/y | local_unix: /x/*
local_unix: '/x/{user}' | local_unix: /x/*
local_unix: '/x/{key}' | local_unix: /x/*
"""


def pairs(text: str) -> set[tuple[str, ...]]:
    return {tuple(line.split(" | ")) for line in text.splitlines()}


def those(told: Callable[[NetRight, NetRight], bool]) -> set[tuple[str, ...]]:
    found = {(a, b): told(one, other) for a, one in EACH.items() for b, other in EACH.items() if a != b}
    assert {type(answer) for answer in found.values()} == {bool}
    return {pair for pair, answer in found.items() if answer}


def test_what_is_within_what() -> None:
    assert those(net_within) == pairs(WITHIN)


def test_what_a_deny_touches() -> None:
    """To look a name up is permitted with its addresses, and a deny of addresses alone does not touch that."""
    looked_up = ("local: 10.1.0.0/16:5-9", "local: 10.0.0.0/8:5-9")
    assert those(net_touched) == pairs(WITHIN) - {looked_up}
    with_slots = {(f"local_unix: '/x/{{{slot}}}'", "local_unix: /x/*") for slot in ("user", "key")}
    # A deny with a slot that has no value touches every path.
    assert those(net_denied) == pairs(WITHIN) - with_slots


APART = [
    {"local: '*:5'", "local: '*:9'"},
    {"local: 10.0.0.0/8:5-9", "local: 11.0.0.0/8:5-9"},
    {"local: 10.1.0.0/16:5-9", "local: 11.0.0.0/8:5-9"},
]
BESIDE = {"local: '*:1-4'", "remote: loopback:10"}
"""No port of these is one of the others."""


def test_what_a_deny_may_touch() -> None:
    def may(a: str, b: str) -> bool:
        family = a.partition(":")[0]
        return ":" in a and family == b.partition(":")[0] and not {a, b} & BESIDE and {a, b} not in APART

    assert those(net_meets) == {(a, b) for a in EACH for b in EACH if a != b and may(a, b)}


@pytest.mark.parametrize("name", EACH)
def test_everything_is_within_itself(name: str) -> None:
    one = EACH[name]
    assert net_within(one, one)
    assert net_denied(one, one)
    assert net_meets(one, one)
    # Of an address the name may be looked up too.
    assert net_touched(one, one) is not name.startswith("local: 1")


def test_requests_that_show_a_range_of_ports() -> None:
    found = list(requests_of(right("forward: {local: '10.0.0.0/30:5-9'}")))
    assert found == [Connect(host, port, None) for port in (5, 9, 7) for host in ("10.0.0.1", "10.0.0.3", "10.0.0.0")]
    assert list(requests_of(right("forward: {local: '10.0.0.7:5'}"))) == [Connect("10.0.0.7", 5, None)]
    assert list(requests_of(right("forward: {remote: 'loopback:5'}")))[:2] == [Listen("", 5), Listen("127.0.0.1", 5)]
    anywhere = list(requests_of(right("forward: {local: '*:5'}")))
    somewhere = ip_address("198.51.100.7")
    assert Connect("some-host.example", 5, somewhere) in anywhere
    assert Connect("some-host.example", 5, None) in anywhere
    assert Connect("198.51.100.7", 5, None) in anywhere
    named = [one.host for one in requests_of(right("forward: {local: '**.a?.*b:5'}")) if isinstance(one, Connect)]
    assert list(dict.fromkeys(named)) == ["x.ax.xb", "x.ax.b", "zz9.ax.zz9b", "x.x.ax.xxb"]
    assert list(requests_of(right("forward: {local_unix: '/x/{user}'}"))) == []
    assert list(requests_of(right("forward: {remote_unix: '{home}/x'}"))) == []
    assert next(requests_of(right("forward: {remote_unix: '/x'}"))) == ListenUnix("/x")
    assert list(requests_of(right("x11: true"))) == [X11(single=False, screen=0)]


RIGHTS = (
    st.sampled_from(["local", "remote", "local_unix", "remote_unix"])
    .flatmap(lambda key: FORWARDS[key].map(lambda value: f"{key}: {value}"))
    .map(lambda text: load_text(PEOPLE + FORWARD % text, language=True).ruleset.grants[0].rights.net[0])
)
VALUES = st.sampled_from([{"user": "alice", "account": "git", "key": "laptop", "home": "/home/a"}, {"user": "alice"}])


@settings(max_examples=200)
@given(RIGHTS, RIGHTS, st.lists(NET_REQUESTS, min_size=20, max_size=20), VALUES)
def test_a_yes_is_true(small: NetRight, big: NetRight, asked: list[Request], values: dict[str, str]) -> None:
    assert net_within(small, small)
    assert net_denied(small, small)
    assert net_meets(small, small)
    for request in (*asked, *requests_of(small)):
        found = asked_of(request, frozenset(), values)
        if found is None or isinstance(found, str):
            continue
        permitted, touched = found.permits(small), found.touches(big)
        assert not (net_within(small, big) and permitted) or found.permits(big)
        assert not (net_touched(small, big) and permitted) or touched
        assert not (net_denied(small, big) and found.touches(small)) or touched
        assert not (permitted and touched) or net_meets(small, big) or found.divisible

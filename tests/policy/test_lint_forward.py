"""Warnings about forwarding: rules beside a shell, denies of names alone, and IPv4 alone where IPv6 comes in too."""

import pytest

from pysshd.policy.load import load_text
from tests.policy.support import PEOPLE


def warnings(more: str) -> list[str]:
    found = load_text(PEOPLE + "server: {owner: alice}\n" + more, "p.yaml", language=True).warnings
    return [f"{one.line}: {one.message}" for one in found if one.severity == "warning"]


@pytest.mark.parametrize("shell", ["shell: true", "exec: any", "roles", "exec: any, confined: true"])
@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("local: 'db*.corp:5432'", "local: db*.corp:5432"),
        ("local: '*:22'", "local: *:22"),
        ("remote: 'loopback:*'", "remote: loopback:*"),
        ("local_unix: '/**'", "local_unix: /**"),
        ("remote_unix: '/run/{user}'", "remote_unix: /run/{user}"),
    ],
)
def test_a_rule_beside_a_shell(shell: str, rule: str, shown: str) -> None:
    given = "roles: login-shell" if shell == "roles" else f"allow: {{{shell}}}"
    found = warnings(
        f"grants:\n  - {{who: alice, allow: {{forward: {{{rule}}}}}}}\n  - {{name: s, who: alice, {given}}}\n"
    )
    told = "shell: true" if shell in ("shell: true", "roles") else "exec: any"
    confined = " (confined)" if "confined" in shell else ""
    no_shell = f"11: {told}{confined} is a shell, for it runs sh: alice is given no shell, and has one all the same"
    assert found == [
        f"10: forward: {{{shown}}} bounds nothing: alice has {told}{confined} by p.yaml:11, and a shell can forward",
        *([no_shell] if told == "exec: any" else []),
    ]


@pytest.mark.parametrize(
    "grants",
    [
        # what is no bound, who is another, what is no shell, and what the file excludes
        "{who: alice, allow: {shell: true, forward: {local: '*:*'}}}",
        "{who: alice, allow: {shell: true, forward: {local: ['*:*', loopback:22], remote: '*:*'}}}",
        "{who: alice, allow: {shell: true}}, {who: bob, allow: {forward: {local: 'x.y:1'}}}",
        "{who: alice, allow: {shell: [menu], exec: ls, agent: true, x11: true, forward: {local: 'x.y:1'}}}",
        "{who: alice, from: 10.0.0.1, roles: login-shell}, "
        "{who: alice, unless: {from: 10.0.0.1}, allow: {forward: {local: 'x.y:1'}}}",
        "{who: alice, roles: login-shell}, {who: alice, allow: {agent: true}}, {who: alice, deny: {agent: true}}",
    ],
)
def test_rules_that_bound_something(grants: str) -> None:
    assert warnings(f"grants: [{grants}]") == []


@pytest.mark.parametrize("shell", ["shell: true", "exec: any"])
def test_a_shell_that_is_denied_forwards_nothing(shell: str) -> None:
    found = warnings(
        f"grants: [{{who: alice, deny: {{{shell}}}}}, {{who: alice, allow: {{exec: id, forward: {{local: 'x.y:1'}}}}}}]"
    )
    assert not [one for one in found if "bounds nothing" in one]


def test_a_denied_destination_beside_a_shell_and_each_kind_once() -> None:
    found = warnings(
        "grants:\n  - {who: alice, roles: login-shell}\n"
        "  - {who: alice, deny: {forward: {local: ['*:22', '*:23']}}}\n"
        "  - {from: 10.0.0.0/8, allow: {forward: {local: [a.b:1, c.d:2], remote: 'loopback:*'}}}\n"
    )
    assert found == [
        "11: forward: {local: *:22} bounds nothing: alice has shell: true by p.yaml:10, and a shell can forward",
        "12: forward: {local: a.b:1} bounds nothing: alice from 10.0.0.0 has shell: true by p.yaml:10, and a shell "
        "can forward",
    ]


@pytest.mark.parametrize(
    ("local", "denied"),
    [
        ("db9.corp:5432", ["db9.corp"]),
        ("['*.corp:*', a.b:1]", ["*.corp", "a.b"]),
        ("[db9.corp:5432, 10.2.0.9:5432]", []),
        ("'*:22'", []),
        ("10.0.0.0/8:*", []),
        ("localhost:*", []),
    ],
)
def test_a_deny_of_a_name_without_its_address(local: str, denied: list[str]) -> None:
    anywhere = "{who: bob, allow: {forward: {local: '*:*'}}}"
    found = warnings(f"grants: [{anywhere}, {{who: bob, deny: {{forward: {{local: {local}}}}}}}]")
    assert found == [
        f"9: a deny of {name} without its address: who names the address is not stopped" for name in denied
    ]
    assert warnings(f"grants: [{{who: bob, allow: {{forward: {{local: {local}}}}}}}]") == []


def test_what_looks_like_the_name_of_a_network_or_of_a_range() -> None:
    found = warnings(
        "networks: {office: 10.0.0.0/8}\n"
        "grants: [{who: bob, allow: {forward: "
        "{local: [ofice:1, Loopback:1, office:1, loopback:1, db:1, office.corp:1]}}}]"
    )
    assert found == [
        "10: 'ofice' in forward is taken for the name of a host",
        "10: 'Loopback' in forward is taken for the name of a host",
    ]


def test_a_role_that_nobody_has_is_looked_at_all_the_same() -> None:
    assert warnings("networks: {office: 10.0.0.0/8}\nroles: {r: {forward: {local: 'ofice:1'}}}") == [
        "10: no grant gives the role r",
        "10: 'ofice' in forward is taken for the name of a host",
    ]


@pytest.mark.parametrize(
    ("wide", "narrow", "shadowed"),
    [
        ("forward: {local: ['a.b:1', loopback:2]}, agent: true", "forward: {local: a.b:1}", True),
        ("forward: {local: ['a.b:1', 'a.d:1']}", "forward: {local: ['a.b:1', 'a.c:1']}", False),
        ("forward: {local: a.b:1}", "forward: {local: a.b:2}", False),
        ("forward: {local: loopback:1}", "forward: {remote: loopback:1}", False),
        ("forward: {local_unix: /x}", "forward: {remote_unix: /x}", False),
        ("agent: true", "x11: true", False),
        ("global_requests: [x, y]", "global_requests: x", True),
    ],
)
def test_a_grant_that_gives_nothing_new(wide: str, narrow: str, shadowed: bool) -> None:
    found = warnings(f"grants: [{{name: w, who: bob, allow: {{{wide}}}}}, {{name: n, who: bob, allow: {{{narrow}}}}}]")
    assert found == (["9: n gives nothing that w at p.yaml:9 does not give to the same people"] if shadowed else [])


@pytest.mark.parametrize(
    ("listen", "ipv6"),
    [('"*:22"', True), ('["0.0.0.0:22", "[2001:db8::1]:22"]', True), ('"[::]:22"', True),
     ('"0.0.0.0:22"', False), ('["10.0.0.1:22", "[::1]:22"]', False)],
)  # fmt: skip
def test_destinations_of_ipv4_alone_denied_while_a_listener_takes_ipv6(listen: str, ipv6: bool) -> None:
    people = PEOPLE + f"server: {{listen: {listen}}}\n"
    anywhere = "{who: bob, allow: {forward: {local: '*:*'}}}"
    grants = f"grants: [{anywhere}, {{who: bob, deny: {{forward: {{local: ['10.1.0.0/16:1', a.b:1]}}}}}}]"
    found = [one for one in load_text(people + grants, "p.yaml", language=True).warnings if one.severity == "warning"]
    told = "a deny of 10.1.0.0/16 names IPv4 alone, and"
    assert [one.message.startswith(told) for one in found] == ([True] if ipv6 else [])


@pytest.mark.parametrize(
    "grant",
    [
        "deny: {forward: {local: ['10.0.0.0/8:*', '[fd00::/8]:*']}}",
        "deny: {forward: {local: office:1}}",
        "deny: {forward: {local: '*:25'}}",
        "deny: {forward: {remote: 10.0.0.0/8:1}}",
        "allow: {forward: {local: 10.0.0.0/8:1}}",
    ],
)
def test_what_is_denied_of_both_and_what_is_no_destination(grant: str) -> None:
    places = 'server: {listen: "*:22"}\nnetworks: {office: [10.0.0.0/8, "fd00::/8"]}\n'
    anywhere = "{who: bob, account: bob, allow: {forward: {local: '*:*', remote: '*:*'}}}"
    text = PEOPLE + places + f"grants: [{anywhere}, {{who: bob, {grant}}}]\n"
    assert [one.message for one in load_text(text, language=True).warnings if one.severity == "warning"] == []

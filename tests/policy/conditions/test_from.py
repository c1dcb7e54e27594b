"""`from`: addresses, prefixes, networks; no address, and an address that is not known."""

import pytest

from pysshd.policy.query import UNKNOWN, Pty, Unknown
from tests.policy.support import ask, load

NETWORKS = 'networks: {office: [10.0.0.0/8, "fd00:1::/32"], mapped: "::ffff:192.0.2.0/120"}\n'


@pytest.mark.parametrize(
    ("place", "inside", "outside"),
    [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "::1"]),
        ("office", ["10.1.1.1", "fd00:1::1"], ["fd00:2::", "192.0.2.1"]),
        ("mapped", ["192.0.2.255", "::ffff:192.0.2.1"], ["192.0.3.0"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "2001:db8::1"]),
        ('"::/0"', ["::1", "2001:db8::1"], ["10.0.0.1", "::ffff:10.0.0.1"]),
        ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
        ("[office, 192.0.2.7]", ["192.0.2.7", "10.0.0.1"], ["192.0.2.8"]),
    ],
)
def test_addresses(place: str, inside: list[str], outside: list[str]) -> None:
    ruleset = load(f"{NETWORKS}grants: [{{who: alice, from: {place}, allow: {{pty: true}}}}]")
    assert [source for source in inside if not ask(ruleset, Pty("xterm"), source=source).allowed] == []
    assert [source for source in outside if ask(ruleset, Pty("xterm"), source=source).allowed] == []


@pytest.mark.security("S59")
def test_a_peer_without_an_address_is_nowhere() -> None:
    ruleset = load('grants: [{who: alice, from: [0.0.0.0/0, "::/0"], allow: {pty: true}}]')
    assert not ask(ruleset, Pty("xterm"), source=None).allowed


@pytest.mark.parametrize(
    ("source", "plain", "unless_office", "denied", "denied_unless_office"),
    [
        ("10.0.0.1", True, False, False, True),
        ("192.0.2.1", False, True, True, False),
        (None, False, True, True, False),
        (UNKNOWN, False, False, False, False),
    ],
)
def test_unknown_never_widens(
    source: str | Unknown | None, plain: bool, unless_office: bool, denied: bool, denied_unless_office: bool
) -> None:
    def allowed(grants: str) -> bool:
        return ask(load(NETWORKS + grants), Pty("xterm"), source=source).allowed

    everything = "grants: [{who: alice, allow: {pty: true}}, "
    assert allowed("grants: [{who: alice, from: office, allow: {pty: true}}]") is plain
    assert allowed("grants: [{who: alice, unless: {from: office}, allow: {pty: true}}]") is unless_office
    assert allowed(everything + "{who: alice, from: office, deny: {pty: true}}]") is denied
    assert allowed(everything + "{who: alice, unless: {from: office}, deny: {pty: true}}]") is denied_unless_office

"""`client`: the version that the client claims."""

import pytest

from pysshd.policy.decide import decide, first_methods
from pysshd.policy.query import UNKNOWN, Facts, Pty, Query, Unknown
from tests.policy.support import NOON, key_step, load, messages, warnings


def facts(client: str | Unknown) -> Facts:
    return Facts("alice", "alice", None, "127.0.0.1:2222", client, NOON, (key_step(),))


@pytest.mark.parametrize(
    ("pattern", "client", "holds"),
    [
        ('"OpenSSH_*"', "SSH-2.0-OpenSSH_9.6", True),
        ('"OpenSSH_*"', "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", True),
        ('"OpenSSH_*"', "SSH-1.99-OpenSSH_3.4", True),
        ('"OpenSSH_*"', "SSH-2.0-PuTTY_Release_0.80", False),
        ('"OpenSSH_*"', "OpenSSH_9.6", True),
        ('"OpenSSH_*"', "SSH-2.0-My-OpenSSH_9", False),
        ("OpenSSH_9.6", "SSH-2.0-OpenSSH_9.6p1", False),
        ('"OpenSSH_9.?"', "SSH-2.0-OpenSSH_9.6", True),
        ('[PuTTY, "*-x*"]', "SSH-2.0-a-x", True),
        ('"*"', "SSH-2.0-", True),
        # What does not begin as RFC 4253 has it is taken as a whole.
        ('"X-2.0-*"', "X-2.0-OpenSSH", True),
        ("OpenSSH", "X-2.0-OpenSSH", False),
        ('"S*2.0"', "SSH-2.0", True),
        ('"SSH"', "SSH", True),
    ],
)
def test_a_pattern_of_what_follows_the_protocol(pattern: str, client: str, holds: bool) -> None:
    ruleset = load(f"grants: [{{who: alice, client: {pattern}, allow: {{pty: true}}}}]")
    assert decide(ruleset, Query(facts(client), Pty("xterm"))).allowed is holds


def test_a_client_that_is_unknown() -> None:
    allow = load('grants: [{who: alice, client: "OpenSSH_*", allow: {pty: true}}]')
    assert not decide(allow, Query(facts(UNKNOWN), Pty("xterm"))).allowed
    deny = load('grants: [{allow: {pty: true}}, {name: d, client: "PuTTY*", deny: {pty: true}}]')
    assert decide(deny, Query(facts("SSH-2.0-x"), Pty("xterm"))).allowed
    found = decide(deny, Query(facts(UNKNOWN), Pty("xterm")), trace=True)
    assert not found.allowed
    assert found.trace[1].failed == "client: PuTTY* (unknown)"


def test_what_is_offered_follows_from_the_client() -> None:
    ruleset = load('login: [{client: "PuTTY*", methods: password}, {methods: publickey}]')
    assert first_methods(ruleset, facts("SSH-2.0-PuTTY_x")) == ("password",)
    assert first_methods(ruleset, facts("SSH-2.0-OpenSSH_x")) == ("publickey",)
    assert first_methods(ruleset, facts(UNKNOWN)) == ("password", "publickey")


CLAIMS = "it is what the client claims"


@pytest.mark.parametrize(
    ("section", "warned"),
    [
        ("login: [{client: x, methods: publickey}]", True),
        ("login: [{client: x, refuse: true}, {methods: publickey}]", False),
        ("login: [{unless: {client: x}, refuse: true}, {methods: publickey}]", True),
        ("grants: [{client: x, allow: {pty: true}}]", True),
        ("grants: [{client: x, deny: {pty: true}}, {allow: {pty: true}}]", False),
        ("grants: [{unless: {client: x}, deny: {pty: true}}, {allow: {pty: true}}]", True),
        ("grants: [{unless: {client: x}, allow: {pty: true}}]", False),
    ],
)
def test_a_client_that_gains_by_its_claim_is_warned_of(section: str, warned: bool) -> None:
    assert (CLAIMS in warnings(section)) is warned


def test_in_the_checks_of_a_document() -> None:
    clash = (
        "grants:\n"
        "  - {{who: bob, client: {}, allow: {{forced: [a], confined: true}}}}\n"
        "  - {{who: bob, client: {}, allow: {{forced: [b], confined: true}}}}\n"
    )
    load(clash.format('"OpenSSH_*"', '"PuTTY*"'))
    assert "bob with the client 'OpenSSH_9'" in messages(clash.format('"OpenSSH_*"', '"*9"'))
    login = "login: [{{client: {}, refuse: true}}, {{client: {}, methods: publickey}}, {{methods: password}}]"
    assert "never reached" in messages(login.format('"OpenSSH_*"', '"OpenSSH_9*"'))
    load(login.format('"OpenSSH_9*"', '"OpenSSH_*"'))
    load(login.format("OpenSSH_", '"OpenSSH_*"'))
    fall = 'login: [{who: alice, client: "PuTTY*", methods: publickey+password}, {methods: publickey}]'
    assert "alice is held to publickey+password by" in messages(fall)

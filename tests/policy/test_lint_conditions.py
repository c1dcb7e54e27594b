"""Warnings about conditions: listeners that nobody asks for, keys that nobody has."""

import pytest

from pysshd.policy.load import load_text
from tests.policy.support import FINGERPRINTS, PEOPLE, warnings

LISTEN = 'server: {listen: [{address: "127.0.0.1:2222", name: inside}, "[::1]:2222"]}\n'
NOBODYS = "key:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def test_a_named_listener_that_no_condition_uses() -> None:
    assert "no condition asks for the listener inside" in warnings(LISTEN)


@pytest.mark.parametrize(
    "section",
    [
        "login: [{listener: inside, methods: publickey}]",
        "grants: [{listener: inside, allow: {pty: true}}]",
        "grants: [{unless: {listener: inside}, deny: all}]",
    ],
)
def test_a_listener_that_a_condition_uses(section: str) -> None:
    assert "listener" not in warnings(LISTEN + section)


def test_a_key_that_nobody_has() -> None:
    grant = "grants: [{{who: [carol, '{}'], allow: {{pty: true}}}}]"
    assert f"nobody has the {NOBODYS.replace(':', ' ', 1)}" in warnings(grant.format(NOBODYS))
    assert "nobody has" not in warnings(grant.format(f"key:{FINGERPRINTS[0]}"))
    unless = f"grants: [{{unless: {{who: '{NOBODYS}'}}, allow: {{pty: true}}}}]"
    assert "nobody has the key" in warnings(unless)


def test_a_file_that_was_not_read_may_hold_any_key() -> None:
    people = f"{PEOPLE}  dave: {{keys: [{{file: dave.pub}}]}}\n"
    assert "nobody has" not in warnings(f"grants: [{{who: '{NOBODYS}', allow: {{pty: true}}}}]", people)


def test_the_host_may_know_somebody_with_that_key() -> None:
    text = (
        "version: 1\nserver: {accounts: system}\n"
        "sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]\n"
        f"grants: [{{who: '{NOBODYS}', allow: {{pty: true}}}}]\n"
    )
    assert not [problem for problem in load_text(text).warnings if "nobody has" in problem.message]


@pytest.mark.parametrize(
    ("listen", "places", "warned"),
    [
        ('"*:2222"', "10.0.0.0/8", True),
        ('"[2001:db8::1]:2222"', "[10.0.0.0/8, 192.0.2.1]", True),
        ('["127.0.0.1:1", "[::]:2222"]', "four", True),
        ('"*:2222"', '[10.0.0.0/8, "fd00::/8"]', False),
        ('"*:2222"', "both", False),
        ('"*:2222"', '"2001:db8::/32"', False),
        ('"0.0.0.0:2222"', "10.0.0.0/8", False),
        ('["127.0.0.1:1", "[::1]:2222"]', "10.0.0.0/8", False),
    ],
)
@pytest.mark.parametrize(
    "entry",
    [
        "grants: [{{from: {0}, allow: {{pty: true}}}}]",
        "grants: [{{from: {0}, deny: all}}]",
        "grants: [{{unless: {{from: {0}}}, deny: all}}]",
        "login: [{{from: {0}, refuse: true}}, {{methods: publickey}}]",
    ],
)
def test_ipv4_alone_where_peers_come_by_ipv6(listen: str, places: str, warned: bool, entry: str) -> None:
    text = f'server: {{listen: {listen}}}\nnetworks: {{four: 10.0.0.0/8, both: [10.0.0.0/8, "fd00::/8"]}}\n'
    assert ("from names IPv4 alone" in warnings(text + entry.format(places))) is warned


def test_the_listeners_that_are_there_without_a_word_are_the_hosts_own() -> None:
    assert "IPv4" not in warnings("grants: [{from: 10.0.0.0/8, allow: {pty: true}}]")

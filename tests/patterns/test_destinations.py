"""Hosts as clients name them, and the patterns of policies."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.destinations import (
    HostError,
    is_nowhere,
    networks_pattern,
    parse_host,
    parse_host_pattern,
    split_destination,
)
from pysshd.patterns.hosts import parse_network

NONE: frozenset[IPv4Address | IPv6Address] = frozenset()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("10.0.0.1", ip_address("10.0.0.1")),
        ("::1", ip_address("::1")),
        ("2001:DB8:0:0::1", ip_address("2001:db8::1")),
        ("::ffff:10.0.0.1", ip_address("::ffff:10.0.0.1")),
        ("db1.corp", "db1.corp"),
        ("DB1.Corp.", "db1.corp"),
        ("localhost", "localhost"),
        ("_srv.x-y.corp", "_srv.x-y.corp"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1.2.3.4.example", "1.2.3.4.example"),
        ("0x7f.corp", "0x7f.corp"),
        ("a." * 126 + "a", "a." * 126 + "a"),
        ("x" * 63, "x" * 63),
    ],
)
def test_hosts(text: str, host: object) -> None:
    assert parse_host(text) == host


@pytest.mark.security("S89")
@pytest.mark.parametrize(
    "text",
    ["127.1", "127.0.1", "0x7f000001", "0X7F.0.0.1", "2130706433", "017700000001", "010.0.0.1", "127.0.0.1.",
     "1.2.3.4.5", "256.1.1.1", "0x", "0", "x.127", "a.0x7f", "", ".", "a..b", ".a", "a.b..", "-a.corp", "a-.corp",
     "a b", "a/b", "[::1]", "fe80::1%eth0", ":::", "1:2", "::1.2.3", "x" * 64, "a." * 127 + "a",
     "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "10.0.0.1 ", "a\n", "a\0",
     "\N{ARABIC-INDIC DIGIT ONE}0.0.0.1", "*", "db*.corp", "127.0.0.1:80"],
)  # fmt: skip
def test_no_hosts(text: str) -> None:
    with pytest.raises(HostError):
        parse_host(text)


@given(st.ip_addresses())
def test_every_form_of_an_address_is_that_address(address: IPv4Address | IPv6Address) -> None:
    assert parse_host(str(address)) == address
    if isinstance(address, IPv6Address):
        assert parse_host(address.exploded) == parse_host(str(address).upper()) == address
    else:
        assert parse_host_pattern(str(address)).networks == (parse_network(str(address)),)


@given(st.text(max_size=12))
def test_no_text_does_anything_else(text: str) -> None:
    for read in (parse_host, parse_host_pattern, split_destination):
        with suppress(HostError):
            read(text)


@pytest.mark.parametrize(
    ("pattern", "permitted", "others"),
    [
        ("db1.corp", "db1.corp", "db2.corp x.db1.corp"),
        ("DB1.Corp.", "db1.corp", "corp"),
        ("db*.corp", "db.corp db1.corp", "a.db1.corp db1.x.corp"),
        ("*.corp", "a.corp", "corp a.b.corp"),
        ("**.corp", "a.corp a.b.corp", "corp"),
        ("*", "corp a.b.corp localhost", ""),
        ("**", "corp a.b.corp", ""),
        ("?a.corp", "xa.corp", "a.corp"),
        ("localhost", "", "localhost"),
        ("loopback", "", "loopback localhost"),
        ("10.0.0.0/8", "", "a.corp"),
    ],
)
def test_names(pattern: str, permitted: str, others: str) -> None:
    found = parse_host_pattern(pattern)
    assert [name for name in permitted.split() if not found.permits_name(name)] == []
    assert [name for name in others.split() if found.permits_name(name)] == []


@pytest.mark.security("S89")
@pytest.mark.parametrize(
    ("pattern", "permitted", "others"),
    [
        ("*", "10.0.0.1 2001:db8::1 64:ff9b::a00:1", "127.0.0.1 ::1 ::ffff:127.0.0.1 169.254.1.1 64:ff9b::7f00:1"),
        ("10.0.0.0/8", "10.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1", "11.0.0.1 fd00::1"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("[2001:db8::/32]", "2001:db8::1", "2001:db9::1"),
        ("[::ffff:10.0.0.0/104]", "10.0.0.1 ::ffff:10.0.0.1", "11.0.0.1"),
        ("[64:ff9b::/96]", "10.0.0.1", "127.0.0.1 2001:db8::1"),
        ("[::/0]", "2001:db8::1", "::1 10.0.0.1 64:ff9b::a00:1 fe80::1"),
        ("loopback", "127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1", "10.0.0.1 ::"),
        ("localhost", "127.0.0.1 ::1", "10.0.0.1"),
        ("link-local", "169.254.1.1 fe80::1", "169.254.169.254 10.0.0.1"),
        ("metadata", "169.254.169.254 fd00:ec2::254 100.100.100.200", "169.254.1.1"),
        ("multicast", "224.0.0.1 ff02::1", "10.0.0.1"),
        ("db1.corp", "", "10.0.0.1"),
        ("**", "", "10.0.0.1"),
    ],
)  # fmt: skip
def test_addresses_without_a_name(pattern: str, permitted: str, others: str) -> None:
    found = parse_host_pattern(pattern)
    assert [text for text in permitted.split() if not found.permits(None, ip_address(text), NONE)] == []
    assert [text for text in others.split() if found.permits(None, ip_address(text), NONE)] == []


@pytest.mark.security("S89")
def test_a_name_that_is_permitted_carries_no_special_address() -> None:
    for pattern in ("db1.corp", "*.corp", "**", "*"):
        found = parse_host_pattern(pattern)
        assert found.permits("db1.corp", ip_address("10.0.0.1"), NONE)
        for text in ("127.0.0.1", "::1", "169.254.169.254", "fe80::1", "10.0.0.5", "64:ff9b::7f00:1"):
            assert not found.permits("db1.corp", ip_address(text), frozenset([ip_address("10.0.0.5")]))
        assert not found.permits("db1.corp", ip_address("10.0.0.1"), None)
    assert not parse_host_pattern("*.corp").permits("db1.other", ip_address("10.0.0.1"), NONE)


def test_a_deny_knows_no_exceptions() -> None:
    for text in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "::1"):
        assert parse_host_pattern("*").touches(None, ip_address(text))
        assert parse_host_pattern("*.corp").touches("db1.corp", ip_address(text))
        assert not parse_host_pattern("*.corp").touches(None, ip_address(text))
    assert parse_host_pattern("0.0.0.0/0").touches("x", ip_address("127.0.0.1"))
    assert not parse_host_pattern("0.0.0.0/0").touches("x", ip_address("::1"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("127.1", "it is a number"),
        ("0x7f000001", "it is a number"),
        ("10.0.0.1/8", "write 10.0.0.0/8 for the network"),
        ("10.2.*.*", "expected a prefix such as 10.2.0.0/16"),
        ("10.2.3.?", "expected a prefix"),
        ("2001:db8::1", "between brackets"),
        ("[10.0.0.1]", "between brackets"),
        ("[db1.corp]", "between brackets"),
        ("[fe80::1%eth0]", "zone id"),
        ("a*.127", "no name ends in a number"),
        ("*.b c", "no pattern"),
        ("*..b", "no pattern"),
        ("-*.b", "no pattern"),
        ("b\N{LATIN SMALL LETTER U WITH DIAERESIS}*.de", "not ASCII"),
        ("\N{KELVIN SIGN}*.de", "not ASCII"),
        ("\N{KELVIN SIGN}.de", "not ASCII"),
        ("a**.b", "expected it as a whole part"),
        ("db1/corp", "no IPv4 or IPv6 address"),
        ("a_b@c", "no address and no name"),
    ],
)
def test_no_patterns(text: str, message: str) -> None:
    with pytest.raises(HostError, match=message.replace("?", "\\?")):
        parse_host_pattern(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("db1.corp:5432", ("db1.corp", "5432")),
        ("*:*", ("*", "*")),
        ("[2001:db8::/32]:443", ("[2001:db8::/32]", "443")),
        ("10.0.0.0/8:1-2", ("10.0.0.0/8", "1-2")),
    ],
)
def test_a_destination_is_a_host_and_ports(text: str, parts: tuple[str, str]) -> None:
    assert split_destination(text) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("db1.corp", "no port"),
        ("[::1]", "no port"),
        (":80", "no host"),
        ("::1:80", "between brackets"),
    ],
)
def test_no_destinations(text: str, message: str) -> None:
    with pytest.raises(HostError, match=message):
        split_destination(text)


def test_how_a_pattern_is_shown() -> None:
    texts = ("*", "DB*.corp", "10.0.0.0/8", "[2001:db8::/32]", "loopback", "LocalHost.")
    shown = {text: str(parse_host_pattern(text)) for text in texts}
    assert shown == {
        "*": "*", "DB*.corp": "db*.corp", "10.0.0.0/8": "10.0.0.0/8", "[2001:db8::/32]": "[2001:db8::/32]",
        "loopback": "loopback", "LocalHost.": "localhost",
    }  # fmt: skip


def test_small_questions() -> None:
    office = networks_pattern("office", (parse_network("10.0.0.0/8"), parse_network("192.0.2.1")))
    assert (str(office), office.only_ipv4, office.has_addresses) == ("office", True, True)
    assert not networks_pattern("x", (parse_network("10.0.0.0/8"), parse_network("fd00::/8"))).only_ipv4
    assert not parse_host_pattern("a.b").only_ipv4
    assert not parse_host_pattern("a.b").has_addresses
    assert parse_host_pattern("*").has_addresses
    assert (is_nowhere(parse_host_pattern("0.0.0.0")), is_nowhere(parse_host_pattern("[::]"))) == (True, True)
    assert not is_nowhere(parse_host_pattern("0.0.0.0/0"))
    assert not is_nowhere(parse_host_pattern("a.b"))
    assert not is_nowhere(networks_pattern("x", (parse_network("0.0.0.0"), parse_network("10.0.0.0/8"))))
    assert office.is_just(ip_address("192.0.2.1"))
    assert not office.is_just(ip_address("10.0.0.0"))
    assert office.meets(ip_address("1.1.1.1"))
    assert not office.meets(ip_address("::1"))
    assert parse_host_pattern("*").meets(ip_address("::1"))

"""What is special about addresses, and what a prefix permits of it."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.hosts import parse_network
from pysshd.patterns.special import (
    SPECIAL,
    OwnAddresses,
    bars_of,
    is_unspecified,
    judged,
    judged_network,
    reaches,
)

OWN = frozenset([ip_address("10.0.0.4"), ip_address("10.0.0.5"), ip_address("fd00::5"), ip_address("::ffff:10.0.0.9")])


@pytest.mark.parametrize(
    ("text", "as_"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"),
        ("64:ff9b::7f00:1", "127.0.0.1"),
        ("64:ff9b:1::10.0.0.1", "64:ff9b:1::a00:1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_as_which_an_address_is_judged(text: str, as_: str) -> None:
    assert judged(ip_address(text)) == ip_address(as_)
    assert judged_network(parse_network(text)) == parse_network(as_)


def test_as_which_a_prefix_is_judged() -> None:
    assert judged_network(parse_network("64:ff9b::a00:0/104")) == parse_network("10.0.0.0/8")
    assert judged_network(parse_network("64:ff9b::/95")) == parse_network("64:ff9b::/95")


@pytest.mark.security("S89")
@pytest.mark.parametrize(
    ("network", "address", "own", "permitted"),
    [
        ("10.0.0.0/8", "10.1.2.3", OWN, True),
        ("10.0.0.0/8", "11.1.2.3", OWN, False),
        ("10.0.0.0/8", "fd00::1", OWN, False),
        # loopback, link-local, multicast, metadata: by a prefix inside them alone
        ("0.0.0.0/0", "127.0.0.1", OWN, False),
        ("126.0.0.0/7", "127.0.0.1", OWN, False),
        ("127.0.0.0/8", "127.0.0.1", OWN, True),
        ("127.0.0.0/16", "127.0.0.1", None, True),
        ("127.0.0.1", "127.0.0.1", None, True),
        ("::/0", "::1", OWN, False),
        ("::1", "::1", OWN, True),
        ("169.254.0.0/15", "169.254.1.1", OWN, False),
        ("169.254.0.0/16", "169.254.1.1", OWN, True),
        ("fe80::/10", "fe80::1", OWN, True),
        ("fe00::/9", "fe80::1", OWN, False),
        ("224.0.0.0/4", "224.0.0.1", OWN, True),
        ("224.0.0.0/3", "224.0.0.1", OWN, False),
        ("ff00::/8", "ff02::1", OWN, True),
        # a service of metadata is link-local too, and no pattern of the neighbours reaches it
        ("169.254.0.0/16", "169.254.169.254", OWN, False),
        ("169.254.169.254", "169.254.169.254", OWN, True),
        ("100.64.0.0/10", "100.100.100.200", OWN, False),
        ("fd00::/8", "fd00:ec2::254", OWN, False),
        # NAT64 of a network's own: what lies in it is that network's secret
        ("64:ff9b::/32", "64:ff9b:1::7f00:1", OWN, False),
        ("64:ff9b:1::/64", "64:ff9b:1::7f00:1", OWN, True),
        # this host's own addresses
        ("10.0.0.0/8", "10.0.0.5", OWN, False),
        ("10.0.0.5", "10.0.0.5", OWN, True),
        ("10.0.0.4/31", "10.0.0.5", OWN, True),
        ("10.0.0.4/30", "10.0.0.5", OWN, False),
        ("10.0.0.0/8", "10.0.0.9", OWN, False),
        ("fd00::/8", "fd00::5", OWN, False),
        ("fd00::/8", "fd00::6", OWN, True),
        # which are not known: only what names the address is sure to lie inside them
        ("10.0.0.0/8", "10.1.2.3", None, False),
        ("10.1.2.2/31", "10.1.2.3", None, False),
        ("10.1.2.3", "10.1.2.3", None, True),
        ("10.0.0.0/8", "10.1.2.3", frozenset(), True),
    ],
)
def test_what_a_prefix_permits(network: str, address: str, own: OwnAddresses, permitted: bool) -> None:
    assert reaches(parse_network(network), ip_address(address), own) is permitted


def test_every_special_address_is_barred_to_the_world() -> None:
    for networks in SPECIAL.values():
        for network in networks:
            for address in (network.network_address, network.broadcast_address):
                assert network in bars_of(address)
                assert not reaches(parse_network("0.0.0.0/0" if address.version == 4 else "::/0"), address, frozenset())
                assert reaches(network, address, frozenset())


@given(st.ip_addresses(), st.integers(0, 128), st.integers(0, 128), st.booleans())
def test_a_wider_prefix_reaches_no_more_of_what_is_special(
    address: IPv4Address | IPv6Address, one: int, other: int, known: bool
) -> None:
    address, bits = judged(address), judged(address).max_prefixlen
    own = OWN if known else None
    networks = [parse_network(str(_prefix(address, min(length, bits)))) for length in sorted((one, other))]
    networks = [judged_network(network) for network in networks]
    if all(network.version == address.version for network in networks) and reaches(networks[0], address, own):
        assert reaches(networks[1], address, own)


def _prefix(address: IPv4Address | IPv6Address, length: int) -> str:
    shift = address.max_prefixlen - length
    return f"{type(address)(int(address) >> shift << shift)}/{length}"


def test_nothing() -> None:
    assert [is_unspecified(ip_address(text)) for text in ("0.0.0.0", "0.1.2.3", "::", "::1", "1.0.0.0")] == [
        True, True, True, False, False
    ]  # fmt: skip

"""Addresses and prefixes."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.hosts import AddressError, address_set, parse_network, unmapped

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.ip_addresses(v=6, network="::ffff:0:0/96"))


@st.composite
def networks(draw: st.DrawFn) -> str:
    address = draw(st.ip_addresses())
    return str(ip_network((address, draw(st.integers(0, address.max_prefixlen))), strict=False))


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::ffff:a00:0/104", "10.0.0.0/8"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_read(text: str, network: str) -> None:
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize(
    "text",
    ["", "x", "10.0.0.1/8", "2001:db8::1/32", "fe80::1%eth0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/08",
     "10.0.0.0/-1", "10.0.0.0/255.0.0.0", "10.0.0", "127.1", "0x7f000001", "2130706433", "010.0.0.1", "10.0.0.1 ",
     "[::1]", "10.0.0.0/8/8", "localhost", "١٠.0.0.1", "10.0.0.0/٨"],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_network(text)


@given(st.lists(networks(), max_size=4), ADDRESSES)
def test_a_set_holds_what_its_networks_hold(texts: list[str], address: IPv4Address | IPv6Address) -> None:
    parsed = [parse_network(text) for text in texts]
    plain = unmapped(address)
    assert (address in address_set(parsed)) is any(
        plain in network for network in parsed if network.version == plain.version
    )


@given(st.lists(st.tuples(st.integers(0, 31), st.integers(27, 32)), max_size=6))
def test_neighbours_overlaps_and_holes(parts: list[tuple[int, int]]) -> None:
    parsed = [ip_network((f"10.0.0.{last}", length), strict=False) for last, length in parts]
    parsed += [ip_network("::/64")]
    found = address_set(parsed)
    for number in range(-1, 33):
        address = IPv4Address("10.0.0.0") + number
        assert (address in found) is any(address in network for network in parsed if network.version == 4)
    inside = list(found.edges())
    assert [edge in found for edge in inside] == [index % 2 == 0 for index in range(len(inside))]


@given(st.lists(networks(), max_size=4), ADDRESSES)
def test_between_its_edges_nothing_changes(texts: list[str], address: IPv4Address | IPv6Address) -> None:
    found = address_set([parse_network(text) for text in texts])
    plain = unmapped(address)
    first = IPv4Address(0) if plain.version == 4 else IPv6Address(0)
    below = [edge for edge in (*found.edges(), first) if edge.version == plain.version and int(edge) <= int(plain)]
    edge = max(below, key=int)
    if unmapped(edge) == edge:
        assert (edge in found) is (plain in found)


def test_mapped() -> None:
    assert unmapped(ip_address("::ffff:1.2.3.4")) == ip_address("1.2.3.4")
    assert unmapped(ip_address("::1")) == ip_address("::1")

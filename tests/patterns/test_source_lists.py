"""Lists of where a peer may come from, as OpenSSH writes them."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.source_lists import SourceListError, parse_prefixes, parse_source_list


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("10.0.0.1", "10.0.0.1 ::ffff:10.0.0.1", "10.0.0.2 ::1"),
        ("10.0.0.0/8,2001:db8::/32", "10.9.9.9 2001:db8::1", "11.0.0.1 2001:db9::1"),
        ("10.*", "10.1.2.3", "110.1.2.3"),
        ("192.0.2.?", "192.0.2.7", "192.0.2.77"),
        ("*", "192.0.2.7 ::1", ""),
        ("*,!10.0.0.0/8", "11.0.0.1 ::1", "10.0.0.1 ::ffff:10.0.0.1"),
        ("!10.0.0.0/8,10.*", "", "10.0.0.1"),
        ("!10.1.*,10.0.0.0/8", "10.2.0.1", "10.1.0.1 11.0.0.1"),
        ("FD00:*:1", "fd00::1", "fd00::2"),
        ("*.example.org,gate,10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("dead*,1.2.3.4", "1.2.3.4", "dead::1"),
    ],
)
def test_lists(text: str, inside: str, outside: str) -> None:
    found = parse_source_list(text)
    assert [found.holds(ip_address(one)) for one in inside.split()] == [True] * len(inside.split())
    assert [found.holds(ip_address(one)) for one in outside.split()] == [False] * len(outside.split())
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no pattern"),
        ("10.0.0.1,", "is no pattern"),
        ("!", "is no pattern"),
        ("!!10.0.0.1", "is no pattern"),
        ("10.0.0.1, 10.0.0.2", "is no pattern"),
        ("10.0.0.1/8", "bits set behind its prefix"),
        ("10.0.0.0/33", "over 32"),
        ("x/8", "no IPv4 or IPv6 address"),
        ("gate.example", "holds for no address"),
        ("!10.0.0.1", "holds for no address"),
        ("*,!gate.example", "leaves out a name"),
        ("*,!bad*", "leaves out a name"),
    ],
)
def test_what_is_no_list(text: str, message: str) -> None:
    with pytest.raises(SourceListError, match=message):
        parse_source_list(text)


@pytest.mark.parametrize("text", ["", "10.*", "!10.0.0.1", "gate", "10.0.0.1,", "10.0.0.1, 10.0.0.2", "*"])
def test_of_prefixes_nothing_else_is_taken(text: str) -> None:
    with pytest.raises(SourceListError, match="is no address or prefix"):
        parse_prefixes(text)


def test_prefixes() -> None:
    found = parse_prefixes("10.0.0.0/8,::1")
    assert [found.holds(ip_address(one)) for one in ("10.1.1.1", "::1", "::2", "11.1.1.1")] == [
        True,
        True,
        False,
        False,
    ]


@given(st.text(alphabet="0123456789abf.:/*?!,x", max_size=40), st.ip_addresses())
def test_whatever_stands_there_it_is_a_list_or_an_error(text: str, address: object) -> None:
    try:
        found = parse_source_list(text)
    except SourceListError:
        return
    assert found.holds(address) in (True, False)  # type: ignore[arg-type]

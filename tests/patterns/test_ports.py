"""Ports and ranges of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.ports import EVERY_PORT, Ports, PortsError, parse_ports, ports_left

RANGES = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)).map(lambda p: Ports(p[0], p[0] + p[1])), max_size=5)


@pytest.mark.parametrize(
    ("text", "ports", "shown"),
    [
        ("5432", Ports(5432, 5432), "5432"),
        ("1-65535", EVERY_PORT, "*"),
        ("*", EVERY_PORT, "*"),
        ("1024-2000", Ports(1024, 2000), "1024-2000"),
        ("7-7", Ports(7, 7), "7"),
    ],
)
def test_read(text: str, ports: Ports, shown: str) -> None:
    assert parse_ports(text) == ports
    assert str(ports) == shown
    assert ports.all is (shown == "*")
    assert [edge in ports for edge in (ports.first - 1, ports.first, ports.last, ports.last + 1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "080", "1-", "-1", "1-2-3", "1-0", "9-1", "+5", " 5", "٥", "http", "0x50", "1-70000"]
)
def test_refused(text: str) -> None:
    with pytest.raises(PortsError):
        parse_ports(text)


def test_a_range_that_ends_before_it_begins_is_turned() -> None:
    with pytest.raises(PortsError, match="before it ends: 80-90"):
        parse_ports("90-80")


@given(RANGES, RANGES)
def test_what_is_left_is_what_is_given_and_not_taken(given_: list[Ports], taken: list[Ports]) -> None:
    left = ports_left(given_, taken)
    for port in range(20):
        wanted = any(port in one for one in given_) and not any(port in one for one in taken)
        assert any(port in one for one in left) is wanted
    assert list(left) == sorted(left)
    assert all(one.last + 1 < other.first for one, other in pairwise(left)) or taken

"""One pattern of hosts inside another: a yes is never wrong, and neither is a no to whether they meet."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.destinations import HostPattern, parse_host_pattern
from pysshd.patterns.host_inclusion import hosts_denied, hosts_meet, hosts_within, listening_within
from pysshd.patterns.hosts import IPAddress

PATTERNS = st.sampled_from(
    ["*", "**.corp", "*.corp", "db*.corp", "db1.corp", "a.b.corp", "10.0.0.0/8", "10.2.0.0/16", "10.2.0.5",
     "10.2.0.4/31", "0.0.0.0/0", "0.0.0.0/8", "0.0.0.0", "[::]", "[::/0]", "loopback", "127.0.0.1", "[::1]",
     "localhost", "link-local", "metadata", "169.254.169.254", "169.254.0.0/24", "[fd00::/8]", "[fd00:ec2::254]",
     "multicast",
     "[::ffff:10.2.0.0/112]", "[64:ff9b::a02:5]"]
).map(parse_host_pattern)  # fmt: skip
NAMES = st.sampled_from([None, "db1.corp", "dbx.corp", "a.b.corp", "a.corp", "corp", "localhost"])
ADDRESSES: tuple[IPAddress, ...] = tuple(
    ip_address(text)
    for text in ("10.2.0.5", "10.2.0.4", "10.2.9.9", "10.9.9.9", "127.0.0.1", "127.9.9.9", "::1", "169.254.169.254",
                 "169.254.0.7", "fd00::1", "fd00:ec2::254", "192.0.2.1", "224.0.0.1", "64:ff9b::a02:5", "2001:db8::1")
)  # fmt: skip
OWN = st.none() | st.frozensets(st.sampled_from(ADDRESSES), max_size=3)


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        ("db1.corp", "db*.corp", True),
        ("db*.corp", "db1.corp", False),
        ("db1.corp", "*", True),
        ("*", "**.corp", False),
        ("10.2.0.0/24", "10.2.0.0/16", True),
        ("10.2.0.0/16", "10.2.0.0/24", False),
        ("10.0.0.0/8", "*", True),
        ("10.2.0.0/16", "db1.corp", False),
        # The address itself may be this host's, and nothing wider reaches that.
        ("10.2.0.5", "10.2.0.0/16", False),
        ("10.2.0.5", "*", False),
        ("10.2.0.5", "10.2.0.5", True),
        ("127.0.0.1", "loopback", True),
        ("loopback", "127.0.0.0/8", False),
        ("loopback", "*", False),
        ("169.254.169.254", "link-local", False),
        ("metadata", "metadata", True),
    ],
)
def test_what_may_be_connected_to(small: str, big: str, expected: bool) -> None:
    assert hosts_within(parse_host_pattern(small), parse_host_pattern(big)) is expected


def test_what_may_be_connected_to_but_for_this_host() -> None:
    for big in ("10.2.0.0/16", "*"):
        assert hosts_within(parse_host_pattern("10.2.0.5"), parse_host_pattern(big), own=False)
    assert not hosts_within(parse_host_pattern("127.0.0.1"), parse_host_pattern("*"), own=False)


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        ("10.2.0.5", "10.2.0.0/16", True),
        ("10.2.0.5", "*", True),
        ("127.0.0.1", "loopback", True),
        # The addresses of nothing stand for every address.
        ("0.0.0.0", "0.0.0.0/8", False),
        ("0.0.0.0", "0.0.0.0", True),
        ("0.0.0.0", "*", True),
        ("*", "0.0.0.0", False),
    ],
)
def test_what_may_be_listened_on(small: str, big: str, expected: bool) -> None:
    assert listening_within(parse_host_pattern(small), parse_host_pattern(big)) is expected


@given(PATTERNS, PATTERNS, NAMES, st.sampled_from(ADDRESSES), OWN)
def test_a_yes_is_true(
    small: HostPattern, big: HostPattern, name: str | None, address: IPAddress, own: frozenset[IPAddress] | None
) -> None:
    assert hosts_within(small, small)
    assert listening_within(small, small)
    assert hosts_denied(small, small)
    assert hosts_meet(small, small)
    if hosts_within(small, big) and small.permits(name, address, own):
        assert big.permits(name, address, own)
    if hosts_within(small, big, own=False) and small.permits(name, address, frozenset()):
        assert big.permits(name, address, frozenset())
    if listening_within(small, big) and small.permits(None, address, frozenset()):
        assert big.permits(None, address, frozenset())
    if hosts_denied(small, big) and small.touches(name, address):
        assert big.touches(name, address)
    if small.permits(name, address, own) and big.touches(name, address):
        assert hosts_meet(small, big)

"""The bucket that slows a peer down."""

import pytest

from pysshd.ssh.transport.pace import RekeyBucket


def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    bucket = RekeyBucket(burst=3, rate=2.0, now=10.0)
    assert [bucket.spend(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.spend(10.5) == pytest.approx(0.5)
    assert bucket.spend(100.0) == 0.0

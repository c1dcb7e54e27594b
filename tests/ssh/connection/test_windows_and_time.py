"""Windows against models, and deadlines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import ProtocolError
from pysshd.ssh.connection.settings import ConnectionSettings
from pysshd.ssh.connection.windows import WINDOW_MAX, ReceiveWindow, SendWindow
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.events.transport import ConnectionFailed
from pysshd.ssh.wire.messages.connection import GlobalRequest, RequestFailure
from tests.ssh.connection.driver import CLOSE, EOF, Driver, adjust, session

# --- windows ----------------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 1 << 22),
    st.integers(1, 1 << 16),
    st.lists(st.tuples(st.booleans(), st.integers(0, 1 << 17)), max_size=100),
)
@pytest.mark.security("S76")
def test_receive_window_against_a_model(size: int, packet: int, steps: list[tuple[bool, int]]) -> None:
    """The model is the peer's: what it was given in all, what it sent, what was passed on."""
    window = ReceiveWindow(size, packet)
    given_, sent, passed = size, 0, 0
    for charge, amount in steps:
        if charge:
            if amount > packet or sent + amount > given_:
                with pytest.raises(ProtocolError):
                    window.charge(amount)
                continue
            window.charge(amount)
            sent += amount
        elif amount > sent - passed:
            with pytest.raises(ValueError):
                window.consume(amount)
        else:
            passed += amount
            given_ += window.consume(amount)
        assert given_ - sent + window.unread + window.credit == size
        assert window.left == given_ - sent
        assert window.credit < max(size // 4, 1)  # so a peer that waits is never left waiting once all is passed on


@given(st.integers(0, WINDOW_MAX), st.integers(1, 1 << 16), st.lists(st.integers(-(1 << 33), 1 << 33), max_size=50))
@pytest.mark.security("S77")
def test_send_window_against_a_model(size: int, packet: int, steps: list[int]) -> None:
    window = SendWindow(size, packet)
    left = size
    for step in steps:
        if step >= 0:
            if left + step > WINDOW_MAX:
                with pytest.raises(ProtocolError):
                    window.widen(step)
                continue
            window.widen(step)
            left += step
        else:
            amount = -step % (1 << 17)
            if not 0 < amount <= min(left, packet):
                with pytest.raises(ValueError):
                    window.charge(amount)
                continue
            window.charge(amount)
            left -= amount
        assert window.left == left
        assert window.writable == min(left, packet)


# --- time -------------------------------------------------------------------------------------------------------------

PROBE = GlobalRequest("keepalive@openssh.com", True).encode()


def test_nothing_is_due_unless_asked_for() -> None:
    driver = Driver()
    assert driver.deadline() is None
    assert driver.machine.tick(1e9) == []
    assert driver.machine.take_payloads() == []


@pytest.mark.security("S97")
def test_dead_peer_is_found() -> None:
    driver = Driver(ConnectionSettings(keepalive_interval=15, keepalive_count=3))
    assert driver.machine.tick(14.9) == []
    assert driver.machine.take_payloads() == []
    for now in (15, 30, 45):
        assert driver.deadline() == now
        assert driver.machine.tick(now) == []
        assert driver.machine.take_payloads() == [PROBE]
        assert driver.machine.tick(now + 14) == []
    (failed,) = driver.machine.tick(60)
    assert isinstance(failed, ConnectionFailed)
    assert driver.machine.take_payloads() == []


@pytest.mark.security("S97")
@pytest.mark.parametrize("sign", [RequestFailure().encode(), b"\x51", b"\x63\0\0\0\0", adjust(1), EOF])
def test_any_message_is_a_sign_of_life(sign: bytes) -> None:
    driver = Driver(ConnectionSettings(keepalive_interval=15, keepalive_count=1))
    now = 0.0
    for _ in range(10):
        deadline = driver.deadline()
        assert deadline is not None
        now = deadline
        assert driver.machine.tick(now) == []
        assert driver.machine.take_payloads() == [PROBE]
        assert driver.receive(sign) == ([], [])
        assert driver.machine.tick(now + 1) == []
        now += 1


@pytest.mark.security("S97")
def test_late_look_at_the_clock_kills_nobody() -> None:
    driver = Driver(ConnectionSettings(keepalive_interval=15, keepalive_count=1))
    assert driver.machine.tick(1000) == []
    assert driver.deadline() == 1015
    assert driver.machine.tick(1001) == []


@pytest.mark.security("S97")
def test_connection_without_a_channel_ends() -> None:
    driver = Driver(ConnectionSettings(unused_timeout=60))
    assert driver.deadline() == 60
    assert driver.machine.tick(59) == []
    (failed,) = driver.machine.tick(60)
    assert isinstance(failed, ConnectionFailed)


@pytest.mark.security("S97")
def test_channel_is_a_use() -> None:
    driver = Driver(ConnectionSettings(unused_timeout=60))
    driver.open()
    assert driver.deadline() is None
    assert driver.machine.tick(1000) == []
    driver.receive(CLOSE)
    assert driver.machine.tick(1001) == []
    assert driver.deadline() == 1061
    driver.receive(session())  # a question that nobody answers is a channel, too
    assert driver.deadline() is None
    assert driver.machine.tick(2000) == []


@pytest.mark.security("S97")
def test_use_between_two_looks_at_the_clock_counts() -> None:
    driver = Driver(ConnectionSettings(unused_timeout=60))
    driver.open()
    driver.machine.close(ChannelId(0))
    driver.receive(CLOSE)
    assert driver.machine.tick(60) == []
    assert driver.deadline() == 120

"""A refusal's time shows a step, never the time of the work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.server.padding import padded_delay


@pytest.mark.security("S70")
@given(st.floats(0, 1e6), st.floats(0, 100), st.floats(0.001, 10))
def test_the_whole_is_the_floor_or_a_power_of_two_of_it(started: float, spent: float, floor: float) -> None:
    delay = padded_delay(started, started + spent, floor)
    assert delay >= 0
    steps = (started + spent - started + delay) / floor
    power = 1.0
    while power < steps * (1 - 1e-6):
        power *= 2
    assert steps == pytest.approx(power)


@pytest.mark.parametrize(
    ("spent", "floor", "delay"), [(0.0, 0.25, 0.25), (0.25, 0.25, 0.0), (0.25, 0.0, 0.0), (0.3, 0.25, 0.2), (-1, 1, 1)]
)
def test_examples(spent: float, floor: float, delay: float) -> None:
    assert padded_delay(10.0, 10.0 + spent, floor) == pytest.approx(delay)

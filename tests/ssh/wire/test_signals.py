"""Names of signals (RFC 4254 §6.9, §6.10), against what the running kernel's are called."""

import signal

import pytest

from pysshd.ssh.wire.signals import NUMBER_OF_SIGNAL, name_of_signal


def test_signals_have_the_names_of_the_rfc_or_our_own() -> None:
    for number in signal.valid_signals():
        name = name_of_signal(number)
        try:
            kernel = signal.Signals(number).name.removeprefix("SIG")
        except ValueError:
            kernel = f"SIG{number}"
        if kernel in NUMBER_OF_SIGNAL:
            assert name == kernel
        elif kernel in ("RTMIN", "RTMAX"):
            assert name == f"SIG{number}@pysshd"
        else:
            assert name == f"{kernel}@pysshd"


def test_every_signal_of_the_rfc_can_be_told() -> None:
    assert {name_of_signal(getattr(signal, f"SIG{name}")) for name in NUMBER_OF_SIGNAL} == set(NUMBER_OF_SIGNAL)


@pytest.mark.parametrize("number", [0, -1, 128])
def test_what_is_no_signal(number: int) -> None:
    with pytest.raises(ValueError):
        name_of_signal(number)


def test_numbers_are_the_kernels() -> None:
    assert {name: getattr(signal, f"SIG{name}") for name in NUMBER_OF_SIGNAL} == dict(NUMBER_OF_SIGNAL)

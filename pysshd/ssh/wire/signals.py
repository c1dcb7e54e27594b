"""The names of signals: those that a peer may send (RFC 4254 §6.9), and that of the one which ended a program (§6.10).

Numbers are Linux's, the same on x86_64 and aarch64 (signal(7)).
"""

from collections.abc import Mapping

NUMBER_OF_SIGNAL: Mapping[str, int] = {
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ILL": 4,
    "ABRT": 6,
    "FPE": 8,
    "KILL": 9,
    "USR1": 10,
    "SEGV": 11,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
}
"""The names that the RFC defines, without SIG."""

_LOCAL_NAMES: Mapping[int, str] = {
    5: "TRAP",
    7: "BUS",
    16: "STKFLT",
    17: "CHLD",
    18: "CONT",
    19: "STOP",
    20: "TSTP",
    21: "TTIN",
    22: "TTOU",
    23: "URG",
    24: "XCPU",
    25: "XFSZ",
    26: "VTALRM",
    27: "PROF",
    28: "WINCH",
    29: "IO",
    30: "PWR",
    31: "SYS",
}

_NAMES = {number: name for name, number in NUMBER_OF_SIGNAL.items()}
_LOCAL_DOMAIN = "pysshd"


def name_of_signal(number: int) -> str:
    """The name that exit-signal gives to a signal number.

    A signal that the RFC does not name has the form `name@domain` that the RFC asks of others; for a number without a
    name, as those of real-time signals, the name is `SIG` and the number. `ValueError` for what is no signal number.
    """
    if not 0 < number < 128:
        raise ValueError(f"signal number is {number}, expected 1 to 127")
    name = _NAMES.get(number)
    if name is not None:
        return name
    return f"{_LOCAL_NAMES.get(number, f'SIG{number}')}@{_LOCAL_DOMAIN}"

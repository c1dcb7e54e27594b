"""Encoded terminal modes (RFC 4254 §8): read in form here, applied to a terminal elsewhere."""

from pysshd.errors import DecodeError

OPERATIONS_MAX = 128
"""Modes in one request; the RFC and its successors define fewer than sixty."""

TTY_OP_END = 0
TTY_OP_ISPEED = 128
TTY_OP_OSPEED = 129
IUTF8 = 42
"""The terminal's input is UTF-8 (RFC 8160)."""

_LAST_WITH_ARGUMENT = 159
_ARGUMENT_SIZE = 4


def decode_modes(encoded: bytes) -> tuple[tuple[int, int], ...]:
    """The `(opcode, value)` pairs in their order, as far as they can be understood.

    Opcodes 1 to 159 have a uint32 argument. TTY_OP_END ends the list, and so does the first opcode from 160 on, whose
    size nobody defined: "cause parsing to stop". A list that ends without TTY_OP_END is taken for ended. Opcodes may
    repeat, the later one counts, and may be unknown: whoever applies them skips these. `DecodeError` for an argument
    that is cut off and for more than `OPERATIONS_MAX` modes.
    """
    pairs: list[tuple[int, int]] = []
    at = 0
    while at < len(encoded):
        opcode = encoded[at]
        if opcode == TTY_OP_END or opcode > _LAST_WITH_ARGUMENT:
            break
        if len(pairs) == OPERATIONS_MAX:
            raise DecodeError(f"terminal modes are more than {OPERATIONS_MAX}")
        argument = encoded[at + 1 : at + 1 + _ARGUMENT_SIZE]
        if len(argument) < _ARGUMENT_SIZE:
            raise DecodeError(f"terminal mode {opcode} at offset {at} has {len(argument)} of 4 bytes of its argument")
        pairs.append((opcode, int.from_bytes(argument, "big")))
        at += 1 + _ARGUMENT_SIZE
    return tuple(pairs)


def encode_modes(modes: tuple[tuple[int, int], ...]) -> bytes:
    """The encoded form of what `decode_modes` gave: nothing behind TTY_OP_END, nothing that was not understood."""
    return b"".join(bytes([opcode]) + value.to_bytes(_ARGUMENT_SIZE, "big") for opcode, value in modes) + b"\0"

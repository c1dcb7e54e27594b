"""The data types of RFC 4251 §5: a `Reader` that trusts nothing, and one encoding function per type.

Every length that a peer sends is checked against what is really there before anything is made of it, and every fault
is a `DecodeError`. Encoders take our own values, so their faults are `ValueError` or `OverflowError`: our defects.
"""

from collections.abc import Iterable

from pysshd.errors import DecodeError

NAME_LENGTH_MAX = 64
"""Characters in one name (RFC 4251 §6)."""

NAMES_MAX = 512
"""Names in one name-list: far above what any client offers, and little work to go through."""

MPINT_SIZE_MAX = 2049
"""Bytes of one mpint: the modulus of a 16384-bit RSA key and its sign byte, the largest number that we accept."""

_NAME_OCTETS = bytes(octet for octet in range(0x21, 0x7F) if octet != ord(","))
_COMMA = b","


class Reader:
    """Reads RFC 4251 values from the front of `data` to its end.

    The data is neither copied nor kept in step: a `memoryview` must not change while it is being read.
    Every method raises `DecodeError` where the data do not hold what is asked for.
    """

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = data
        self._at = 0
        self._end = len(data)

    @property
    def remaining(self) -> int:
        """How many bytes have not been read yet."""
        return self._end - self._at

    def _take(self, size: int, what: str) -> bytes | memoryview:
        start = self._at
        if size > self._end - start:
            raise DecodeError(
                f"{what} of {size} bytes at offset {start} is longer than the {self._end - start} that remain"
            )
        self._at = start + size
        return self._data[start : self._at]

    def raw(self, size: int) -> bytes:
        """Exactly `size` bytes without a length in front (`byte[n]`)."""
        return bytes(self._take(size, "byte array"))

    def byte(self) -> int:
        """One byte as a number."""
        return self._take(1, "byte")[0]

    def boolean(self) -> bool:
        """One byte: 0 is false, and all non-zero values are true."""
        return self._take(1, "boolean")[0] != 0

    def uint32(self) -> int:
        """Four bytes, most significant first."""
        return int.from_bytes(self._take(4, "uint32"), "big")

    def uint64(self) -> int:
        """Eight bytes, most significant first."""
        return int.from_bytes(self._take(8, "uint64"), "big")

    def string(self) -> bytes:
        """A uint32 length and that many arbitrary bytes."""
        return bytes(self._take(self.uint32(), "string"))

    def view(self) -> memoryview:
        """As `string`, but a view on the data that were given, so that bulk data need no copy."""
        return memoryview(self._take(self.uint32(), "string"))

    def text(self) -> str:
        """A string that is valid UTF-8."""
        start = self._at
        try:
            return str(self._take(self.uint32(), "text"), "utf-8")
        except UnicodeDecodeError as error:
            raise DecodeError(f"text at offset {start} is not utf-8: {error.reason} at byte {error.start}") from None

    def name_list(self) -> tuple[str, ...]:
        """Names that are separated by commas (RFC 4251 §5, §6): printable ASCII, none empty, none too long."""
        start = self._at
        data = bytes(self._take(self.uint32(), "name-list"))
        if not data:
            return ()
        if data.count(_COMMA) >= NAMES_MAX:
            raise DecodeError(f"name-list at offset {start} has more than {NAMES_MAX} names")
        if data.translate(None, _NAME_OCTETS + _COMMA):
            raise DecodeError(f"name-list at offset {start} has a byte that is not printable ascii")
        names = tuple(data.decode("ascii").split(","))
        for name in names:
            if not 0 < len(name) <= NAME_LENGTH_MAX:
                raise DecodeError(f"name-list at offset {start} has a name of {len(name)} characters, expected 1 to 64")
        return names

    def mpint(self) -> int:
        """A non-negative integer in its one shortest form.

        RFC 4251 §5 also has negative ones; nothing in SSH uses them, so they are refused.
        """
        start = self._at
        size = self.uint32()
        if size > MPINT_SIZE_MAX:
            raise DecodeError(f"mpint of {size} bytes at offset {start} is longer than {MPINT_SIZE_MAX}")
        data = self._take(size, "mpint")
        if size and data[0] & 0x80:
            raise DecodeError(f"mpint at offset {start} is negative")
        if size and data[0] == 0 and (size == 1 or not data[1] & 0x80):
            raise DecodeError(f"mpint at offset {start} has a needless leading zero byte")
        return int.from_bytes(data, "big")

    def rest(self) -> bytes:
        """All bytes that have not been read yet."""
        return bytes(self._take(self._end - self._at, "rest"))

    def end(self) -> None:
        """Refuse bytes behind the last value."""
        if self._at != self._end:
            raise DecodeError(f"{self._end - self._at} bytes follow the last field at offset {self._at}")


def byte(value: int) -> bytes:
    """One byte; `OverflowError` outside 0 to 255."""
    return value.to_bytes(1, "big")


def boolean(value: bool) -> bytes:
    """One byte, 1 or 0 (no other value may be sent)."""
    return b"\x01" if value else b"\x00"


def uint32(value: int) -> bytes:
    """Four bytes, most significant first; `OverflowError` where the value does not fit."""
    return value.to_bytes(4, "big")


def uint64(value: int) -> bytes:
    """Eight bytes, most significant first; `OverflowError` where the value does not fit."""
    return value.to_bytes(8, "big")


def string(value: bytes | memoryview) -> bytes:
    """The length as a uint32, then the bytes."""
    return len(value).to_bytes(4, "big") + value


def text(value: str) -> bytes:
    """A string of the UTF-8 form of `value`."""
    return string(value.encode("utf-8"))


def name_list(names: Iterable[str]) -> bytes:
    """A string of the names with commas between them; `ValueError` for what may not be a name."""
    encoded = [name.encode("ascii") for name in names]
    for name in encoded:
        if not 0 < len(name) <= NAME_LENGTH_MAX or name.translate(None, _NAME_OCTETS):
            raise ValueError(f"name {name!r} is not 1 to 64 printable ascii characters without a comma")
    return string(_COMMA.join(encoded))


def mpint(value: int) -> bytes:
    """The shortest two's complement form of a non-negative integer; zero is the empty string."""
    if value < 0:
        raise ValueError("mpint is negative, expected zero or more")
    size = value.bit_length() // 8 + 1 if value else 0
    return size.to_bytes(4, "big") + value.to_bytes(size, "big")

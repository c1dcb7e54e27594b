"""The arguments of a global request, as a hook reads them: the data types of RFC 4251 §5, one after the other."""

from collections.abc import Iterable

from pysshd.errors import DecodeError
from pysshd.ssh.wire import codec

_ADAPTIVE_MARK = 0xFF
_ADAPTIVE_LIMIT = 0xFF000000
MPINT_SIZE_MAX = codec.MPINT_SIZE_MAX


class Message:
    """A string of bytes with a place in it: `get_` reads on from the place, `add_` writes at the end.

    Unlike its model, which pads with zeros, every `get_` raises `DecodeError` where the bytes do not hold what is read;
    a hook that lets it pass has refused.
    """

    def __init__(self, content: bytes | None = None) -> None:
        self._data = bytearray(content or b"")
        self._at = 0

    def __bytes__(self) -> bytes:
        return self.asbytes()

    def __repr__(self) -> str:
        return f"Message({len(self._data)} bytes)"

    def asbytes(self) -> bytes:
        """The whole message."""
        return bytes(self._data)

    def rewind(self) -> None:
        """Go back to the beginning."""
        self._at = 0

    def get_remainder(self) -> bytes:
        """The bytes that have not been read; the place stays."""
        return bytes(self._data[self._at :])

    def get_so_far(self) -> bytes:
        """The bytes that have been read; the place stays."""
        return bytes(self._data[: self._at])

    # --- reading ----------------------------------------------------------------------------------------------------

    def get_bytes(self, n: int) -> bytes:
        """Exactly `n` bytes."""
        left = len(self._data) - self._at
        if not 0 <= n <= left:
            raise DecodeError(f"message has {left} bytes left, expected {n}")
        self._at += n
        return bytes(self._data[self._at - n : self._at])

    def get_byte(self) -> bytes:
        """One byte, as bytes of length one."""
        return self.get_bytes(1)

    def get_boolean(self) -> bool:
        """One byte; any but zero is True."""
        return self.get_bytes(1) != b"\0"

    def get_int(self) -> int:
        """A uint32."""
        return int.from_bytes(self.get_bytes(4), "big")

    def get_int64(self) -> int:
        """A uint64."""
        return int.from_bytes(self.get_bytes(8), "big")

    def get_adaptive_int(self) -> int:
        """A uint32, or, behind a byte 0xff, an mpint."""
        first = self.get_bytes(1)
        if first[0] == _ADAPTIVE_MARK:
            return self.get_mpint()
        return int.from_bytes(first + self.get_bytes(3), "big")

    def get_mpint(self) -> int:
        """A signed integer of any size up to a cap."""
        data = self.get_string()
        if len(data) > MPINT_SIZE_MAX:
            raise DecodeError(f"mpint has {len(data)} bytes, expected {MPINT_SIZE_MAX} at most")
        return int.from_bytes(data, "big", signed=True)

    def get_string(self) -> bytes:
        """A uint32 length and as many bytes."""
        start = self._at
        try:
            return self.get_bytes(self.get_int())
        except DecodeError:
            self._at = start
            raise

    def get_binary(self) -> bytes:
        """The same as `get_string`."""
        return self.get_string()

    def get_text(self) -> str:
        """A string that is UTF-8."""
        try:
            return self.get_string().decode("utf-8")
        except UnicodeDecodeError:
            raise DecodeError("message has a text that is no utf-8") from None

    def get_list(self) -> list[str]:
        """A string of names with commas between them; the empty string is no name at all."""
        text = self.get_text()
        return text.split(",") if text else []

    # --- writing ----------------------------------------------------------------------------------------------------

    def add_bytes(self, b: bytes) -> "Message":
        """The bytes as they are."""
        self._data += b
        return self

    def add_byte(self, b: bytes) -> "Message":
        """One byte, given as bytes of length one."""
        if len(b) != 1:
            raise ValueError(f"a byte was given as {len(b)} bytes")
        return self.add_bytes(b)

    def add_boolean(self, b: bool) -> "Message":
        """One byte, 1 or 0."""
        return self.add_bytes(codec.boolean(b))

    def add_int(self, n: int) -> "Message":
        """A uint32."""
        return self.add_bytes(codec.uint32(n))

    def add_int64(self, n: int) -> "Message":
        """A uint64."""
        return self.add_bytes(codec.uint64(n))

    def add_adaptive_int(self, n: int) -> "Message":
        """A uint32 while that is no mark of an mpint, else the mark and an mpint."""
        if 0 <= n < _ADAPTIVE_LIMIT:
            return self.add_int(n)
        return self.add_bytes(bytes([_ADAPTIVE_MARK])).add_mpint(n)

    def add_mpint(self, z: int) -> "Message":
        """A signed integer in its shortest form; zero is the empty string."""
        if z == 0:
            return self.add_string(b"")
        bits = (z if z > 0 else -z - 1).bit_length()
        return self.add_string(z.to_bytes(bits // 8 + 1, "big", signed=True))

    def add_string(self, s: str | bytes) -> "Message":
        """A uint32 length and the bytes; a str in UTF-8."""
        return self.add_bytes(codec.string(s.encode("utf-8") if isinstance(s, str) else s))

    def add_list(self, names: Iterable[str]) -> "Message":
        """Names, joined by commas, as a string."""
        return self.add_string(",".join(names))

    def add(self, *seq: str | bytes | bool | int | list[str]) -> "Message":
        """Each value by its type: boolean, adaptive int, string or list."""
        for value in seq:
            match value:
                case bool():
                    self.add_boolean(value)
                case int():
                    self.add_adaptive_int(value)
                case str() | bytes():
                    self.add_string(value)
                case list():
                    self.add_list(value)
                case _:
                    raise TypeError(f"a message cannot hold a {type(value).__name__}")
        return self

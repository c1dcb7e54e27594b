"""Paths of Unix sockets, and patterns of them."""

from typing import Final

MAX_SOCKET_PATH: Final = 107
"""Bytes of a path: what `sun_path` of unix(7) holds before its NUL."""


class SocketPathError(ValueError):
    """A text is no path of a socket: the message says why."""


def check_socket_path(path: str, *, most: int = MAX_SOCKET_PATH) -> None:
    """Raise SocketPathError where a path is not absolute, or could be written in another way."""
    if not path.startswith("/"):
        raise SocketPathError("it is not absolute")
    if "\0" in path:
        raise SocketPathError("it has a NUL")
    if any(part in ("", ".", "..") for part in path.split("/")[1:]):
        raise SocketPathError("it has a part that is empty, '.' or '..'")
    try:
        length = len(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise SocketPathError("it is no text") from None
    if length > most:
        raise SocketPathError(f"it has more than {most} bytes")

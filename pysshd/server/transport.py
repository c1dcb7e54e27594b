"""What a channel can say of the connection that it belongs to, under the names that server programs know."""

from collections.abc import Callable


def _nothing() -> None:
    """Nothing to end."""


class Transport:
    """One client's connection, as `Channel.get_transport` hands it out: facts, and its end.

    remote_version: the client's identification string (RFC 4253 §4.2): what it claims.
    """

    def __init__(
        self,
        peername: tuple[str, int] | None = None,
        username: str = "",
        remote_version: str = "",
        end: Callable[[], None] = _nothing,
    ) -> None:
        self.active = True
        self.remote_version = remote_version
        self._peername = peername
        self._username = username
        self._end = end

    def __repr__(self) -> str:
        return f"Transport({self._peername}, active={self.active})"

    def getpeername(self) -> tuple[str, int] | None:
        """The client's address and port."""
        return self._peername

    def get_username(self) -> str:
        """The name that the client logged in with."""
        return self._username

    def is_active(self) -> bool:
        """Whether the connection is still there."""
        return self.active

    def is_authenticated(self) -> bool:
        """Whether it is there and logged in: there is no channel before."""
        return self.active

    def close(self) -> None:
        """End the connection, all its channels included; returns at once, from any thread."""
        self._end()

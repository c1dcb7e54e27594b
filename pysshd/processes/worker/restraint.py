"""How much of a channel's output may lie unread at a client that has other channels on the same connection.

A client's window is there for long ways. Where the way is short, a program that is faster than its client fills the
window with what the client's socket holds, and a keystroke's echo has to wait behind all of it. So there is a limit
below the window. Some clients widen their window late, and on a long way much is under way: whoever is held back for a
moment gets a higher limit, which sinks again as the client keeps up.
"""

LIMIT = 192 << 10
"""Bytes: OpenSSH's client widens its window by a good half of that."""

LEAST = 32 << 10
"""Bytes for which it is worth to read a program."""

STEP = 128 << 10
MOMENT = 0.002
"""Seconds after which a limit that is in the way is raised by a step."""


class Restraint:
    """The limit of one channel."""

    __slots__ = ("held", "limit")

    def __init__(self) -> None:
        self.limit = LIMIT
        self.held = False
        """The limit was in the way when it was last asked for."""

    def room(self, room: int, unread: int) -> int:
        """What may be sent of the `room` in the window, while `unread` bytes were not made up for by the client."""
        allowed = self.limit - unread
        self.held = allowed < min(room, LEAST)
        if self.held:
            return 0
        return min(room, allowed)

    def kept_up(self) -> None:
        """The client made room before a moment was over."""
        self.limit = max(LIMIT, self.limit - STEP // 2)

    def waited(self) -> None:
        """It did not."""
        self.limit += STEP

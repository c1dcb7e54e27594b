"""What a connection has one of: `set` of the login entry that decides."""

from typing import Final

from pysshd.records import dataclass

LOG_LEVELS: Final = ("debug", "info", "notice", "warning", "error")
"""Of what is said of a connection, from everything to the least."""

KEY_OPTIONS: Final = ("environment", "no-touch-required", "cert-authority")
"""Options of authorized_keys files that widen what a key may do, and that count only where an entry accepts them."""

SERVED_KEY_OPTIONS: Final = frozenset(["environment", "cert-authority"])
"""Of these, what the daemon can do. Where it can not, the option gives nothing, whatever the key says."""

TOUCH: Final = ("required", "verified")
"""What a security key has to say of its owner: that somebody touched it, and that it checked who that was."""


@dataclass(frozen=True, slots=True)
class Keepalive:
    """A question to a client from whom nothing came for `interval` seconds; after `count` without an answer it ends."""

    interval: float
    count: int = 3


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """None, or empty: the entry says nothing of it, and what the daemon does otherwise holds.

    rekey_bytes, rekey_seconds: new keys after so much in one direction, or so long, whichever is first.
    sessions: how many channels with a session at a time.
    log_level: one of LOG_LEVELS.
    key_files: in place of those of the source; absolute, or below the person's home where they begin with `~/`.
    key_options: of KEY_OPTIONS, those that are accepted. touch: of TOUCH, what every key of a device has to say.
    """

    keepalive: Keepalive | None = None
    rekey_bytes: int | None = None
    rekey_seconds: float | None = None
    sessions: int | None = None
    log_level: str | None = None
    key_files: tuple[str, ...] = ()
    key_options: frozenset[str] = frozenset()
    touch: frozenset[str] = frozenset()


NO_SETTINGS: Final = LoginSettings()

"""What a peer at fault is told: a reason code and a few words, which tell nothing that it does not know."""

from pysshd.errors import (
    DecodeError,
    DisconnectReason,
    IntegrityError,
    KeyExchangeError,
    ProtocolError,
    PysshdError,
)

FAULTS = (ProtocolError, DecodeError, IntegrityError, KeyExchangeError)
"""The errors that are a peer's own."""

_WORDS = {
    DisconnectReason.PROTOCOL_ERROR: "protocol error",
    DisconnectReason.KEY_EXCHANGE_FAILED: "key exchange failed",
    DisconnectReason.MAC_ERROR: "corrupted packet",
    DisconnectReason.SERVICE_NOT_AVAILABLE: "service not available",
    DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED: "protocol version not supported",
    DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE: "too many authentication attempts",
    DisconnectReason.ILLEGAL_USER_NAME: "illegal user name",
    DisconnectReason.CONNECTION_LOST: "no sign of life",
}
"""The rest is told "closed"."""


def told(error: PysshdError) -> tuple[DisconnectReason, str]:
    """The reason code and the text of the SSH_MSG_DISCONNECT (RFC 4253 §11.1) that answers a fault."""
    note = ""
    if isinstance(error, ProtocolError):
        reason, note = error.reason, error.note
    elif isinstance(error, IntegrityError):
        reason = DisconnectReason.MAC_ERROR
    elif isinstance(error, KeyExchangeError):
        reason = DisconnectReason.KEY_EXCHANGE_FAILED
    else:
        reason = DisconnectReason.PROTOCOL_ERROR
    return reason, f"{_WORDS.get(reason, 'closed')}{': ' if note else ''}{note}"

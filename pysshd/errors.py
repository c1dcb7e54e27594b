"""The exceptions that cross rooms.

Every message is written for the log: lower case, subject first, what was found, what was expected. What a peer may
read of a failure is never taken from here; the protocol machines send a generic text of their own.
"""

from enum import IntEnum


class PysshdError(Exception):
    """The base of every exception that this package raises on purpose."""


class DisconnectReason(IntEnum):
    """Reason codes of SSH_MSG_DISCONNECT (RFC 4253 §11.1)."""

    HOST_NOT_ALLOWED_TO_CONNECT = 1
    PROTOCOL_ERROR = 2
    KEY_EXCHANGE_FAILED = 3
    RESERVED = 4
    MAC_ERROR = 5
    COMPRESSION_ERROR = 6
    SERVICE_NOT_AVAILABLE = 7
    PROTOCOL_VERSION_NOT_SUPPORTED = 8
    HOST_KEY_NOT_VERIFIABLE = 9
    CONNECTION_LOST = 10
    BY_APPLICATION = 11
    TOO_MANY_CONNECTIONS = 12
    AUTH_CANCELLED_BY_USER = 13
    NO_MORE_AUTH_METHODS_AVAILABLE = 14
    ILLEGAL_USER_NAME = 15


class DecodeError(PysshdError):
    """Bytes from another process or the network are not what the format says."""


class ProtocolError(PysshdError):
    """The peer broke the protocol: the connection ends with `reason`.

    The text is for the log; the peer is sent a generic one, with `note` behind it where there is one.
    """

    def __init__(self, reason: DisconnectReason, message: str, note: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.note = note


class IntegrityError(PysshdError):
    """A packet's authentication tag or MAC does not verify (RFC 4253 §6.4)."""


class KeyExchangeError(PysshdError):
    """A peer's key exchange value is malformed or of small order (RFC 8731 §3)."""


class InvalidKeyError(PysshdError):
    """A public or private key is malformed, weak, or of a type that is not accepted."""


class InvalidSignatureError(PysshdError):
    """A signature does not verify, or names an algorithm that does not fit its key."""


class SandboxError(PysshdError):
    """The kernel refused a confinement that this process must not run without."""


class BoundaryError(PysshdError):
    """Another of our own processes broke the rules of the call table, or its socket failed."""


class PeerGoneError(BoundaryError):
    """The process at the other end of a socket has closed it."""


class StartupError(PysshdError):
    """The daemon can not start: the message is the one clear line for the administrator (exit status 2)."""

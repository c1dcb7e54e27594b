"""The messages of the connection protocol (RFC 4254): global requests and channels.

The bodies of requests by name are in `requests`.
"""

from dataclasses import field

from pysshd.ssh.wire.messages.fields import Boolean, Message, Rest, String, Text, Uint32, structure
from pysshd.ssh.wire.numbers import MessageNumber


@structure
class GlobalRequest(Message):
    """SSH_MSG_GLOBAL_REQUEST (RFC 4254 §4)."""

    NUMBER = MessageNumber.GLOBAL_REQUEST
    name: Text
    want_reply: Boolean
    data: Rest = b""


@structure
class RequestSuccess(Message):
    """SSH_MSG_REQUEST_SUCCESS (RFC 4254 §4)."""

    NUMBER = MessageNumber.REQUEST_SUCCESS
    data: Rest = b""


@structure
class RequestFailure(Message):
    """SSH_MSG_REQUEST_FAILURE (RFC 4254 §4)."""

    NUMBER = MessageNumber.REQUEST_FAILURE


@structure
class ChannelOpen(Message):
    """SSH_MSG_CHANNEL_OPEN (RFC 4254 §5.1): window and packet sizes in bytes are what the sender will take."""

    NUMBER = MessageNumber.CHANNEL_OPEN
    kind: Text
    sender: Uint32
    window: Uint32
    max_packet: Uint32
    data: Rest = b""


@structure
class ChannelOpenConfirmation(Message):
    """SSH_MSG_CHANNEL_OPEN_CONFIRMATION (RFC 4254 §5.1)."""

    NUMBER = MessageNumber.CHANNEL_OPEN_CONFIRMATION
    recipient: Uint32
    sender: Uint32
    window: Uint32
    max_packet: Uint32
    data: Rest = b""


@structure
class ChannelOpenFailure(Message):
    """SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254 §5.1); `reason` is a number of `OpenFailureReason`."""

    NUMBER = MessageNumber.CHANNEL_OPEN_FAILURE
    recipient: Uint32
    reason: Uint32
    description: String = b""
    language: String = b""


@structure
class ChannelWindowAdjust(Message):
    """SSH_MSG_CHANNEL_WINDOW_ADJUST (RFC 4254 §5.2)."""

    NUMBER = MessageNumber.CHANNEL_WINDOW_ADJUST
    recipient: Uint32
    bytes_to_add: Uint32


@structure
class ChannelData(Message):
    """SSH_MSG_CHANNEL_DATA (RFC 4254 §5.2)."""

    NUMBER = MessageNumber.CHANNEL_DATA
    recipient: Uint32
    data: String = field(repr=False)


@structure
class ChannelExtendedData(Message):
    """SSH_MSG_CHANNEL_EXTENDED_DATA (RFC 4254 §5.2); `kind` is a number of `ExtendedDataType`."""

    NUMBER = MessageNumber.CHANNEL_EXTENDED_DATA
    recipient: Uint32
    kind: Uint32
    data: String = field(repr=False)


@structure
class ChannelEof(Message):
    """SSH_MSG_CHANNEL_EOF (RFC 4254 §5.3)."""

    NUMBER = MessageNumber.CHANNEL_EOF
    recipient: Uint32


@structure
class ChannelClose(Message):
    """SSH_MSG_CHANNEL_CLOSE (RFC 4254 §5.3)."""

    NUMBER = MessageNumber.CHANNEL_CLOSE
    recipient: Uint32


@structure
class ChannelRequest(Message):
    """SSH_MSG_CHANNEL_REQUEST (RFC 4254 §5.4)."""

    NUMBER = MessageNumber.CHANNEL_REQUEST
    recipient: Uint32
    kind: Text
    want_reply: Boolean
    data: Rest = field(default=b"", repr=False)


@structure
class ChannelSuccess(Message):
    """SSH_MSG_CHANNEL_SUCCESS (RFC 4254 §5.4)."""

    NUMBER = MessageNumber.CHANNEL_SUCCESS
    recipient: Uint32


@structure
class ChannelFailure(Message):
    """SSH_MSG_CHANNEL_FAILURE (RFC 4254 §5.4)."""

    NUMBER = MessageNumber.CHANNEL_FAILURE
    recipient: Uint32

"""The messages of user authentication (RFC 4252, RFC 4256) and the bodies of its methods.

Who logs in stays bytes: whether a name is acceptable is the caller's decision, not a question of the format.
Whatever can hold a secret is left out of `repr`.
"""

from dataclasses import field
from typing import Annotated, Final

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.fields import (
    Boolean,
    Message,
    NameList,
    Rest,
    String,
    Structure,
    Text,
    Wire,
    counted,
    structure,
)
from pysshd.ssh.wire.numbers import MessageNumber

HOSTBOUND: Final = "publickey-hostbound-v00@openssh.com"
"""Method `publickey`, with the server's host key among what is signed (OpenSSH's PROTOCOL §3.1)."""

PROMPTS_MAX = 32
"""Prompts in one round of keyboard-interactive, and so answers to them."""

Prompts = Annotated[
    tuple[tuple[str, bool], ...],
    counted(
        lambda reader: (reader.text(), reader.boolean()),
        lambda prompt: codec.text(prompt[0]) + codec.boolean(prompt[1]),
        item_size=5,
        most=PROMPTS_MAX,
    ),
]
Responses = Annotated[tuple[bytes, ...], counted(Reader.string, codec.string, item_size=4, most=PROMPTS_MAX)]
Signature = Annotated[bytes | None, Wire(Reader.string, codec.string, when="has_signature")]
NewPassword = Annotated[bytes | None, Wire(Reader.string, codec.string, when="is_change")]


@structure
class UserauthRequest(Message):
    """SSH_MSG_USERAUTH_REQUEST (RFC 4252 §5); `body` is what the method defines, its secrets included."""

    NUMBER = MessageNumber.USERAUTH_REQUEST
    user: String
    service: Text
    method: Text
    body: Rest = field(default=b"", repr=False)


@structure
class UserauthFailure(Message):
    """SSH_MSG_USERAUTH_FAILURE (RFC 4252 §5.1): the methods that can continue, and whether this step succeeded."""

    NUMBER = MessageNumber.USERAUTH_FAILURE
    methods: NameList
    partial_success: Boolean = False


@structure
class UserauthSuccess(Message):
    """SSH_MSG_USERAUTH_SUCCESS (RFC 4252 §5.1)."""

    NUMBER = MessageNumber.USERAUTH_SUCCESS


@structure
class UserauthBanner(Message):
    """SSH_MSG_USERAUTH_BANNER (RFC 4252 §5.4)."""

    NUMBER = MessageNumber.USERAUTH_BANNER
    message: Text
    language: String = b""


@structure
class UserauthPkOk(Message):
    """SSH_MSG_USERAUTH_PK_OK (RFC 4252 §7): a signature by this key would be looked at."""

    NUMBER = MessageNumber.USERAUTH_PK_OK
    algorithm: Text
    blob: String


@structure
class UserauthPasswdChangereq(Message):
    """SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252 §8)."""

    NUMBER = MessageNumber.USERAUTH_PASSWD_CHANGEREQ
    prompt: Text
    language: String = b""


@structure
class UserauthInfoRequest(Message):
    """SSH_MSG_USERAUTH_INFO_REQUEST (RFC 4256 §3.2); each prompt is its text and whether the answer may be echoed."""

    NUMBER = MessageNumber.USERAUTH_INFO_REQUEST
    name: Text
    instruction: Text
    language: String = b""
    prompts: Prompts = ()


@structure
class UserauthInfoResponse(Message):
    """SSH_MSG_USERAUTH_INFO_RESPONSE (RFC 4256 §3.4), at most `PROMPTS_MAX` answers."""

    NUMBER = MessageNumber.USERAUTH_INFO_RESPONSE
    responses: Responses = field(repr=False)


@structure
class PublickeyBody(Structure):
    """The body of method `publickey` (RFC 4252 §7); without a signature it is a probe."""

    has_signature: Boolean
    algorithm: Text
    blob: String
    signature: Signature = None


@structure
class HostboundBody(Structure):
    """The body of method `publickey-hostbound-v00@openssh.com` (OpenSSH's PROTOCOL §3.1)."""

    has_signature: Boolean
    algorithm: Text
    blob: String
    host_key: String
    signature: Signature = None


@structure
class PasswordBody(Structure):
    """The body of method `password` (RFC 4252 §8); `new_password` is there only where `is_change` is true."""

    is_change: Boolean
    password: String = field(repr=False)
    new_password: NewPassword = field(default=None, repr=False)


@structure
class KeyboardInteractiveBody(Structure):
    """The body of method `keyboard-interactive` (RFC 4256 §3.1)."""

    language: String
    submethods: String


@structure
class PublickeySignedData(Structure):
    """What a `publickey` signature is over (RFC 4252 §7): rebuilt by whoever verifies, never taken from the peer."""

    session_id: String
    number: Annotated[int, Wire(Reader.byte, codec.byte)]
    user: String
    service: Text
    method: Text
    has_signature: Boolean
    algorithm: Text
    blob: String

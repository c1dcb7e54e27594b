"""The messages of the transport layer (RFC 4253, RFC 4419, RFC 5656, RFC 8308) and the ping of OpenSSH's PROTOCOL §1.9.

Texts for people stay bytes: a peer's may hold anything, and only the log, which escapes them, ever sees them.
"""

from dataclasses import field
from typing import Annotated

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.fields import (
    Boolean,
    Cookie,
    Message,
    Mpint,
    NameList,
    String,
    Text,
    Uint32,
    counted,
    structure,
)
from pysshd.ssh.wire.numbers import MessageNumber

EXTENSIONS_MAX = 64
"""Extensions in one EXT_INFO: four times what is defined anywhere."""

Extensions = Annotated[
    tuple[tuple[str, bytes], ...],
    counted(
        lambda reader: (reader.text(), reader.string()),
        lambda item: codec.text(item[0]) + codec.string(item[1]),
        item_size=8,
        most=EXTENSIONS_MAX,
    ),
]


@structure
class Disconnect(Message):
    """SSH_MSG_DISCONNECT (RFC 4253 §11.1): the connection ends; `reason` is a number of `errors.DisconnectReason`."""

    NUMBER = MessageNumber.DISCONNECT
    reason: Uint32
    description: String = b""
    language: String = b""


@structure
class Ignore(Message):
    """SSH_MSG_IGNORE (RFC 4253 §11.2)."""

    NUMBER = MessageNumber.IGNORE
    data: String = field(default=b"", repr=False)


@structure
class Unimplemented(Message):
    """SSH_MSG_UNIMPLEMENTED (RFC 4253 §11.4): `sequence` is the packet number of the message that was refused."""

    NUMBER = MessageNumber.UNIMPLEMENTED
    sequence: Uint32


@structure
class Debug(Message):
    """SSH_MSG_DEBUG (RFC 4253 §11.3)."""

    NUMBER = MessageNumber.DEBUG
    always_display: Boolean
    message: String
    language: String = b""


@structure
class ServiceRequest(Message):
    """SSH_MSG_SERVICE_REQUEST (RFC 4253 §10)."""

    NUMBER = MessageNumber.SERVICE_REQUEST
    service: Text


@structure
class ServiceAccept(Message):
    """SSH_MSG_SERVICE_ACCEPT (RFC 4253 §10)."""

    NUMBER = MessageNumber.SERVICE_ACCEPT
    service: Text


@structure
class ExtInfo(Message):
    """SSH_MSG_EXT_INFO (RFC 8308 §2.3): pairs of an extension's name and its value."""

    NUMBER = MessageNumber.EXT_INFO
    extensions: Extensions


@structure
class KexInit(Message):
    """SSH_MSG_KEXINIT (RFC 4253 §7.1): what one side offers, in its order of preference."""

    NUMBER = MessageNumber.KEXINIT
    cookie: Cookie
    kex_algorithms: NameList
    server_host_key_algorithms: NameList
    encryption_client_to_server: NameList
    encryption_server_to_client: NameList
    mac_client_to_server: NameList
    mac_server_to_client: NameList
    compression_client_to_server: NameList
    compression_server_to_client: NameList
    languages_client_to_server: NameList = ()
    languages_server_to_client: NameList = ()
    first_kex_packet_follows: Boolean = False
    reserved: Uint32 = 0


@structure
class NewKeys(Message):
    """SSH_MSG_NEWKEYS (RFC 4253 §7.3)."""

    NUMBER = MessageNumber.NEWKEYS


@structure
class KexEcdhInit(Message):
    """SSH_MSG_KEX_ECDH_INIT (RFC 5656 §7.1), also the hybrid methods' C_INIT: the client's ephemeral public value.

    SSH_MSG_KEXDH_INIT (RFC 4253 §8) has the same form, its mpint read as a string.
    """

    NUMBER = MessageNumber.KEX_ECDH_INIT
    client_public: String


@structure
class KexEcdhReply(Message):
    """SSH_MSG_KEX_ECDH_REPLY (RFC 5656 §7.1): host key blob, the server's public value, signature blob over H."""

    NUMBER = MessageNumber.KEX_ECDH_REPLY
    host_key: String
    server_public: String
    signature: String


@structure
class KexDhGexRequest(Message):
    """SSH_MSG_KEX_DH_GEX_REQUEST (RFC 4419 §3): the bits of the group's prime that the client takes and wants."""

    NUMBER = MessageNumber.KEX_DH_GEX_REQUEST
    least: Uint32
    wanted: Uint32
    most: Uint32


@structure
class KexDhGexGroup(Message):
    """SSH_MSG_KEX_DH_GEX_GROUP (RFC 4419 §3): the group that the server chose."""

    NUMBER = MessageNumber.KEX_DH_GEX_GROUP
    prime: Mpint
    generator: Mpint


@structure
class KexDhGexInit(Message):
    """SSH_MSG_KEX_DH_GEX_INIT (RFC 4419 §3): the client's public value, its mpint read as a string."""

    NUMBER = MessageNumber.KEX_DH_GEX_INIT
    client_public: String


@structure
class KexDhGexReply(Message):
    """SSH_MSG_KEX_DH_GEX_REPLY (RFC 4419 §3): as `KexEcdhReply`."""

    NUMBER = MessageNumber.KEX_DH_GEX_REPLY
    host_key: String
    server_public: String
    signature: String


@structure
class Ping(Message):
    """SSH2_MSG_PING: asks for a PONG with the same data."""

    NUMBER = MessageNumber.PING
    data: String


@structure
class Pong(Message):
    """SSH2_MSG_PONG: answers a PING."""

    NUMBER = MessageNumber.PONG
    data: String

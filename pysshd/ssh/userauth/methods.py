"""The authentication methods as a table: what a request's body says, and which event asks for a verdict on it.

A body is read wholly before anybody is asked about its user (S70). One that is malformed, too long or never acceptable
makes an attempt that fails here: this depends on nothing but the body, so it tells nothing about the user.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

from pysshd.errors import DecodeError
from pysshd.records import dataclass
from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.events.userauth import InteractiveBegun, KeyProbed, KeySigned, NoneOffered, PasswordOffered
from pysshd.ssh.userauth.settings import UserauthSettings
from pysshd.ssh.wire.messages.userauth import (
    HOSTBOUND,
    HostboundBody,
    KeyboardInteractiveBody,
    PasswordBody,
    PublickeyBody,
    UserauthPkOk,
)

METHOD_NAME_MAX = 64
"""Characters of a method's name that anybody is shown (RFC 4250 §4.6.1)."""

_NOT_A_NAME = re.compile(r"[^!-+\--~]")


class Nature(Enum):
    """What verdicts an attempt can have."""

    PROOF = auto()
    """Any outcome."""

    PROBE = auto()
    """Any outcome, but none of them authenticates (S53)."""

    INTERACTIVE = auto()
    """Any outcome, or a challenge."""

    HOPELESS = auto()
    """Shown to the identity side, but only failure is possible (S69, S72)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request, read: how to ask about it (None: it fails at once) and what answers an accepted probe.

    counts: its failure is one of those that end the connection.
    """

    nature: Nature
    ask: Callable[[Ticket], Event] | None
    accepted: bytes = b""
    counts: bool = True


MALFORMED = Attempt(Nature.HOPELESS, None)
"""Fails at once."""


def _none(body: bytes, settings: UserauthSettings) -> Attempt:
    if body:
        return MALFORMED
    return Attempt(Nature.PROOF, lambda ticket: NoneOffered(ticket, "none"))


def _password(body: bytes, settings: UserauthSettings) -> Attempt:
    """RFC 4252 §8. A change request is not looked at: nobody is asked, so nothing can succeed by it (S68)."""
    read = PasswordBody.decode(body)
    password = read.password
    if read.is_change or len(password) > settings.max_password or b"\0" in password:
        return MALFORMED
    return Attempt(Nature.PROOF, lambda ticket: PasswordOffered(ticket, password))


def _publickey(body: bytes, settings: UserauthSettings) -> Attempt:
    """RFC 4252 §7. Whether blob and signature are what they should be is for those who verify them (S56)."""
    return _key(PublickeyBody.decode(body), b"", settings)


def _hostbound(body: bytes, settings: UserauthSettings) -> Attempt:
    """OpenSSH's PROTOCOL §3.1. Whether the host key is ours is for those who verify; without one it is no request."""
    read = HostboundBody.decode(body)
    if not read.host_key or len(read.host_key) > settings.max_blob:
        return MALFORMED
    return _key(read, read.host_key, settings)


def _key(read: PublickeyBody | HostboundBody, host_key: bytes, settings: UserauthSettings) -> Attempt:
    algorithm, blob, signature = read.algorithm, read.blob, read.signature
    if algorithm not in settings.key_algorithms or len(blob) > settings.max_blob:
        return MALFORMED
    if signature is None:
        accepted = UserauthPkOk(algorithm, blob).encode()
        return Attempt(Nature.PROBE, lambda ticket: KeyProbed(ticket, algorithm, blob, host_key), accepted)
    if len(signature) > settings.max_signature:
        return MALFORMED
    return Attempt(Nature.PROOF, lambda ticket: KeySigned(ticket, algorithm, blob, signature, host_key))


def _interactive(body: bytes, settings: UserauthSettings) -> Attempt:
    """RFC 4256 §3.1; the language tag is deprecated there and not looked at."""
    submethods = KeyboardInteractiveBody.decode(body).submethods
    if len(submethods) > settings.max_submethods:
        return MALFORMED
    return Attempt(Nature.INTERACTIVE, lambda ticket: InteractiveBegun(ticket, submethods))


_METHODS: dict[str, Callable[[bytes, UserauthSettings], Attempt]] = {
    "none": _none,
    "password": _password,
    "publickey": _publickey,
    HOSTBOUND: _hostbound,
    "keyboard-interactive": _interactive,
}


def read_attempt(method: str, body: bytes, settings: UserauthSettings) -> Attempt:
    """The attempt that a request's method and body make; never raises, for a malformed body is a failed attempt (S19).

    The body of a method that is not in the table (hostbased and the GSSAPI ones among them) is not read at all.
    """
    read = _METHODS.get(method)
    if read is None:
        shown = _NOT_A_NAME.sub("?", method[:METHOD_NAME_MAX])
        return Attempt(Nature.HOPELESS, lambda ticket: NoneOffered(ticket, shown))
    try:
        return read(body, settings)
    except DecodeError:
        return MALFORMED

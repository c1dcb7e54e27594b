"""Which message is legal when: one row of 256 rulings for each phase of a connection, with and without strict kex.

Default deny: a number that no line below names is unknown where anything at all may come, and forbidden elsewhere.
Strict kex is what OpenSSH's PROTOCOL §1.10 says: until the first NEWKEYS nothing but the next expected message.
"""

from enum import IntEnum

from pysshd.ssh.wire.numbers import MessageNumber as N


class Phase(IntEnum):
    """What the peer may say next."""

    KEXINIT = 0
    """Its identification has come; its first KEXINIT has not."""

    KEX = 1
    """The first key exchange: its half is awaited."""

    NEWKEYS = 2
    """The first key exchange: its NEWKEYS is awaited."""

    FRESH = 3
    """Its first NEWKEYS was the last message, so EXT_INFO may follow (RFC 8308 §2.4)."""

    SERVICE = 4
    """The request for ssh-userauth is awaited."""

    AUTH = 5
    """User authentication goes on."""

    OPEN = 6
    """It is authenticated. Our own KEXINIT changes nothing here: what was under way when it was sent is legal."""

    REKEY_KEX = 7
    """Its later KEXINIT came: as `KEX`."""

    REKEY_NEWKEYS = 8
    """As `NEWKEYS`, later."""

    GEX_REQUEST = 9
    """The first key exchange: what group the client wants is awaited (RFC 4419)."""

    GEX_INIT = 10
    """The first key exchange: its half in that group is awaited."""

    REKEY_GEX_REQUEST = 11
    """As `GEX_REQUEST`, later."""

    REKEY_GEX_INIT = 12
    """As `GEX_INIT`, later."""


class Ruling(IntEnum):
    """What becomes of a message."""

    FORBIDDEN = 0
    """A protocol error."""

    UNKNOWN = 1
    """Answered with SSH_MSG_UNIMPLEMENTED (RFC 4253 §11.4)."""

    IGNORED = 2
    TRANSPORT = 3
    USERAUTH = 4
    CONNECTION = 5


_ALWAYS: dict[int, Ruling] = {N.DISCONNECT: Ruling.TRANSPORT}
_CHATTER: dict[int, Ruling] = _ALWAYS | dict.fromkeys((N.IGNORE, N.UNIMPLEMENTED, N.DEBUG), Ruling.IGNORED)
_SERVER_ONLY = (
    N.SERVICE_ACCEPT,
    N.KEX_ECDH_REPLY,
    N.KEX_DH_GEX_REPLY,
    N.USERAUTH_FAILURE,
    N.USERAUTH_SUCCESS,
    N.USERAUTH_BANNER,
    N.USERAUTH_PK_OK,
    N.PONG,  # we never ask
)
_NEVER = dict.fromkeys((*_SERVER_ONLY, N.EXT_INFO, N.NEWKEYS, *range(30, 50)), Ruling.FORBIDDEN)
_CONNECTION = dict.fromkeys(
    (N.GLOBAL_REQUEST, N.REQUEST_SUCCESS, N.REQUEST_FAILURE, *range(N.CHANNEL_OPEN, N.CHANNEL_FAILURE + 1)),
    Ruling.CONNECTION,
)
_REKEY = {N.KEXINIT: Ruling.TRANSPORT}

_EARLY = _CHATTER | _NEVER | _REKEY | dict.fromkeys((N.PING, *range(50, 128)), Ruling.FORBIDDEN)
_SERVICE = _EARLY | {N.SERVICE_REQUEST: Ruling.TRANSPORT}
_KNOWN: dict[Phase, dict[int, Ruling]] = {
    Phase.FRESH: _SERVICE | {N.EXT_INFO: Ruling.TRANSPORT},
    Phase.SERVICE: _SERVICE,
    # Some clients ask for the service again before each attempt.
    Phase.AUTH: _SERVICE
    | dict.fromkeys((*range(54, 60), *range(62, 80)), Ruling.UNKNOWN)
    | {N.USERAUTH_REQUEST: Ruling.USERAUTH, N.USERAUTH_INFO_RESPONSE: Ruling.USERAUTH},
    # Further requests are ignored (RFC 4252 §5.1), and cannot change who this is (S49).
    Phase.OPEN: _CHATTER
    | _NEVER
    | _REKEY
    | _CONNECTION
    | {
        N.SERVICE_REQUEST: Ruling.FORBIDDEN,
        N.USERAUTH_REQUEST: Ruling.IGNORED,
        N.USERAUTH_INFO_RESPONSE: Ruling.FORBIDDEN,
        N.PING: Ruling.TRANSPORT,
    },
}
"""Phases where any unknown number may come."""

_EXPECTED: dict[Phase, int] = {
    Phase.KEXINIT: N.KEXINIT,
    Phase.KEX: N.KEX_ECDH_INIT,
    Phase.NEWKEYS: N.NEWKEYS,
    Phase.REKEY_KEX: N.KEX_ECDH_INIT,
    Phase.REKEY_NEWKEYS: N.NEWKEYS,
    Phase.GEX_REQUEST: N.KEX_DH_GEX_REQUEST,
    Phase.GEX_INIT: N.KEX_DH_GEX_INIT,
    Phase.REKEY_GEX_REQUEST: N.KEX_DH_GEX_REQUEST,
    Phase.REKEY_GEX_INIT: N.KEX_DH_GEX_INIT,
}
"""Phases with one message that moves on."""

_UNASSIGNED_IN_KEX = (0, *range(8, 20), *range(22, 30))
"""Numbers that RFC 4253 §7.1 leaves legal between the two KEXINITs and NEWKEYS, and that nobody has defined."""

_UNASSIGNED_BEFORE = (*_UNASSIGNED_IN_KEX, *range(128, N.PING), *range(N.PONG + 1, 256))
"""Numbers that a peer may try before its first KEXINIT."""

_INITIAL = frozenset({Phase.KEX, Phase.NEWKEYS, Phase.GEX_REQUEST, Phase.GEX_INIT})
_LATER = {
    Phase.KEX: Phase.REKEY_KEX,
    Phase.NEWKEYS: Phase.REKEY_NEWKEYS,
    Phase.GEX_REQUEST: Phase.REKEY_GEX_REQUEST,
    Phase.GEX_INIT: Phase.REKEY_GEX_INIT,
}
REKEYING = frozenset(_LATER.values())
"""Phases of a key exchange that is not the first: what is legal after it is what was legal before."""


def awaiting(number: int, first: bool) -> Phase:
    """The phase of a key exchange in which the client's message of this number is the next."""
    phase = next(phase for phase in _INITIAL if _EXPECTED[phase] == number)
    return phase if first else _LATER[phase]


def _row(phase: Phase, strict: bool) -> bytes:
    if phase in _KNOWN:
        return bytes(_KNOWN[phase].get(number, Ruling.UNKNOWN) for number in range(256))
    rulings: dict[int, Ruling] = {_EXPECTED[phase]: Ruling.TRANSPORT}
    if strict and phase in _INITIAL:
        rulings |= _ALWAYS
    else:
        unassigned = _UNASSIGNED_BEFORE if phase is Phase.KEXINIT else _UNASSIGNED_IN_KEX
        rulings |= _CHATTER | dict.fromkeys(unassigned, Ruling.UNKNOWN)
    return bytes(rulings.get(number, Ruling.FORBIDDEN) for number in range(256))


RULINGS: dict[tuple[Phase, bool], bytes] = {
    (phase, strict): _row(phase, strict) for phase in Phase for strict in (False, True)
}
"""By phase and strictness: at the place of each message number its `Ruling`."""

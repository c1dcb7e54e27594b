"""The environment of a session: what the daemon says, what the client may add, what the policy sets, in this order.

Whatever the policy accepts, some names and values never come from a client (security.md S85): `patterns.names` says
which, here as to the engine.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pysshd.patterns.names import is_variable, variable_fault
from pysshd.policy.ways import RunWay, original_of
from pysshd.records import dataclass
from pysshd.server.plan import Account

PATH: Final = "/usr/local/bin:/usr/bin:/bin"
PATH_OF_ROOT: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

VARIABLES_MAX = 64
"""Variables that one channel's client may set."""

WHOLE_SIZE_MAX = 32_768
"""Bytes of all names and values that one channel's client may set."""


def refusal_of(name: bytes, value: bytes) -> str | None:
    """Why a client may not set this variable, whatever a policy says; None where nothing speaks against it."""
    try:
        text = name.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    fault = variable_fault(text, value)
    if not fault:
        return None
    return f"variable {text} {fault}" if is_variable(text) else f"variable {fault}"


def no_room_for(name: bytes, value: bytes, held: Mapping[bytes, bytes]) -> str | None:
    """Why a channel that holds these variables cannot take one more; None where it can."""
    if name not in held and len(held) >= VARIABLES_MAX:
        return f"channel has {VARIABLES_MAX} variables already"
    whole = sum(len(key) + len(text) for key, text in held.items() if key != name)
    if whole + len(name) + len(value) > WHOLE_SIZE_MAX:
        return f"channel's variables have more than {WHOLE_SIZE_MAX} bytes"
    return None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a session's environment says of its connection.

    client, server: address and port of both ends; None for a connection without IP addresses.
    tty, term: the terminal's path and type; None without one.
    timezone: TZ of the daemon's own environment, or None.
    """

    client: tuple[str, int] | None = None
    server: tuple[str, int] | None = None
    tty: str | None = None
    term: str | None = None
    timezone: str | None = None


def session_environment(
    account: Account, way: RunWay, around: Surroundings, accepted: Iterable[tuple[bytes, bytes]]
) -> dict[bytes, bytes]:
    """The whole environment of what `way` runs as `account`.

    `accepted` is what the client asked for and a hook allowed; what may never be is dropped here again, and under a
    forced command all of it is. What the policy sets wins over everything.
    """
    said: dict[str, str] = {
        "USER": account.name,
        "LOGNAME": account.name,
        "HOME": account.home,
        "PATH": PATH_OF_ROOT if account.uid == 0 else PATH,
        "SHELL": account.shell,
    }
    if account.uid is not None:
        said["MAIL"] = f"/var/mail/{account.name}"
    if around.timezone:
        said["TZ"] = around.timezone
    if around.client and around.server:
        said["SSH_CLIENT"] = f"{around.client[0]} {around.client[1]} {around.server[1]}"
        said["SSH_CONNECTION"] = f"{around.client[0]} {around.client[1]} {around.server[0]} {around.server[1]}"
    if around.tty is not None:
        said["SSH_TTY"] = around.tty
        said["TERM"] = around.term or "dumb"
    # The host may choose where programs lie; who somebody is, and from where they come, it does not say.
    of_host = {name: value for name, value in account.environment if not name.startswith(b"SSH_")}
    environment = {**_encoded({"PATH": said.pop("PATH")}.items()), **of_host, **_encoded(said.items())}
    environment.update(_from_client(way, accepted))
    original = original_of(way)
    if original and b"\0" not in original:
        environment[b"SSH_ORIGINAL_COMMAND"] = original
    environment.update(_encoded(way.env))
    return environment


def _from_client(way: RunWay, accepted: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    held: dict[bytes, bytes] = {}
    if original_of(way) is not None:
        return held
    for name, value in accepted:
        if refusal_of(name, value) is None and no_room_for(name, value, held) is None:
            held[name] = value
    return held


def _encoded(pairs: Iterable[tuple[str, str]]) -> dict[bytes, bytes]:
    return {name.encode("utf-8"): value.encode("utf-8", "surrogateescape") for name, value in pairs}

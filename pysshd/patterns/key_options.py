"""The options in front of a key, as OpenSSH has them (AUTHORIZED_KEYS FILE FORMAT in sshd(8)).

An option that is not known, or that could not be kept, is an error: a key that can not be honoured is no key. They are
read in their order, for `restrict` takes what stood before it and leaves what follows.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from pysshd.patterns.destinations import HostError, parse_host
from pysshd.patterns.globs import parse_glob
from pysshd.patterns.hosts import unmapped
from pysshd.patterns.names import is_variable
from pysshd.patterns.narrowing import NO_NARROWING, Listening, Narrowing, Opening
from pysshd.patterns.source_lists import SourceListError, parse_source_list

_CONTROL: Final = re.compile("[\0-\x08\x0a-\x1f\x7f-\x9f]")
_PLACE: Final = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<host>[^\[\]:/]+)):(?P<port>\*|[0-9]{1,5})")
_TUNNEL: Final = re.compile(r"any|[0-9]{1,9}")
_STAMPS: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_WORD: Final = re.compile(r"[a-z0-9-]{0,32}")
_SHOWN: Final = 64


class KeyOptionsError(ValueError):
    """Options are none, or can not be kept: the message says which and why, `hint` what to do.

    unknown: a word that is none of them.
    """

    def __init__(self, message: str, hint: str = "", unknown: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.unknown = unknown


def split_options(line: str) -> tuple[str, str]:
    """The first word of a line, and what follows: blanks between double quotes belong to the word."""
    quoted, at = False, 0
    while at < len(line) and (quoted or line[at] not in " \t"):
        if line.startswith('\\"', at):
            at += 1
        elif line[at] == '"':
            quoted = not quoted
        at += 1
    if quoted:
        raise KeyOptionsError("a quote opens in the options and is not closed")
    return line[:at], line[at:].lstrip(" \t")


def split_key_line(line: str, types: Collection[str]) -> tuple[str, str]:
    """The options in front of a key, or "", and the key itself. types: the words with which keys begin.

    KeyOptionsError where options are not closed. What is neither is left as it is, for whoever reads the key.
    """
    text = line.removesuffix("\n").removesuffix("\r").strip(" \t")
    first, _, rest = text.replace("\t", " ").partition(" ")
    name = first.partition("=")[0].partition(",")[0].lower()
    if first in types:
        return "", text
    if name in OPTIONS or '="' in first or "," in first or rest.lstrip(" ").partition(" ")[0] in types:
        return split_options(text)
    return "", text


def parse_options(text: str, zone: tzinfo, where: str = "") -> Narrowing:
    """What options with commas between them leave. zone: of times that say none. Raises KeyOptionsError."""
    if _CONTROL.search(text):
        raise KeyOptionsError("the options have a control character")
    found, seen = NO_NARROWING, set[str]()
    for name, raw in _items(text):
        option = _VALUED.get(name)
        if option is None:
            found = _flag(found, name, raw)
            continue
        if raw is None:
            raise KeyOptionsError(f"option {name} has no value", f'write {name}="…"')
        if name in _ONCE and name in seen:
            raise KeyOptionsError(f"option {name} stands twice")
        seen.add(name)
        found = option(found, _unquoted(name, raw), zone)
    return replace(found, where=where)


def _items(text: str) -> list[tuple[str, str | None]]:
    """Each option's name in small letters, and its value with its quotes; None where it has none."""
    found, quoted, at = [""], False, 0
    while at < len(text):
        size = 2 if text.startswith('\\"', at) else 1
        quoted = quoted != (text[at] == '"')
        if text[at] == "," and not quoted:
            found.append("")
        else:
            found[-1] += text[at : at + size]
        at += size
    pairs = [item.partition("=") for item in found]
    return [(name.lower(), value if equals else None) for name, equals, value in pairs]


def _unquoted(name: str, raw: str) -> str:
    value = raw[1:-1]
    if len(raw) < 2 or raw[0] != '"' or raw[-1] != '"' or '"' in value.replace('\\"', "") or value.endswith("\\"):
        raise KeyOptionsError(f"option {name} has no value between double quotes", f'write {name}="…"')
    if not value:
        raise KeyOptionsError(f"option {name} is empty")
    return value.replace('\\"', '"')


def _flag(found: Narrowing, name: str, raw: str | None) -> Narrowing:
    changes = _FLAGS.get(name)
    if name in _REFUSED:
        raise KeyOptionsError(f"option {name} {_REFUSED[name]}")
    if changes is None:
        hint = "between options stand commas, and no blanks" if name.strip() != name or " " in name else ""
        raise KeyOptionsError(f"option {_named(name)} is not known", hint, name)
    if raw is not None:
        raise KeyOptionsError(f"option {name} has a value, and takes none")
    return replace(found, **changes)  # type: ignore[arg-type]


def _named(name: str) -> str:
    """A word that is no option, where it could be meant for one: else it may be anything, a part of a secret too."""
    return repr(name) if _WORD.fullmatch(name) else "of another form"


def _command(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    return replace(found, command=value.encode("utf-8", "surrogateescape"))


def _from(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    try:
        return replace(found, sources=(*found.sources, parse_source_list(value)))
    except SourceListError as error:
        raise KeyOptionsError(f"option from: {error}") from None


def _expiry(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    """A bare date ends where it begins. Of several times the first counts."""
    bare = value.removesuffix("Z")
    form = _STAMPS.get(len(bare)) if bare.isascii() and bare.isdigit() else None
    try:
        if form is None:
            raise ValueError
        at = datetime.strptime(bare, form).replace(tzinfo=UTC if value.endswith("Z") else zone)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise KeyOptionsError(
            f"option expiry-time has {value[:_SHOWN]!r}, expected YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS",
            "with Z behind it, it is UTC",
        ) from None
    return replace(found, expires=at if found.expires is None else min(at, found.expires))


def _place(option: str, value: str) -> tuple[str, int | None]:
    read = _PLACE.fullmatch(value)
    port = None if read is None or read["port"] == "*" else int(read["port"])
    if read is None or (port is not None and not 0 < port < 65536):
        raise KeyOptionsError(
            f"option {option} has {value[:_SHOWN]!r}, expected a host and a port", "write host:port, or host:*"
        )
    return read["bracketed"] or read["host"], port


def _permitopen(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    host, port = _place("permitopen", value)
    try:
        opening = Opening(None if host == "*" else host_text(host), port)
    except HostError as error:
        raise KeyOptionsError(f"option permitopen has host {host[:_SHOWN]!r}: {error}") from None
    return replace(found, opens=(*(found.opens or ()), opening))


def host_text(host: str) -> str:
    """A host as it is compared with what `permitopen` says; raises HostError for what can be none."""
    parsed = parse_host(host)
    return parsed if isinstance(parsed, str) else str(unmapped(parsed))


def _permitlisten(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    host, port = _place("permitlisten", value if ":" in value else f"*:{value}")
    return replace(found, listens=(*(found.listens or ()), Listening(parse_glob(host.lower()), port)))


def _environment(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    """A variable. Which ones are never set, and where any is, is for whoever sets them."""
    name, equals, content = value.partition("=")
    if not equals:
        raise KeyOptionsError("option environment sets no variable", 'write environment="NAME=value"')
    if not is_variable(name):
        raise KeyOptionsError(f"option environment has {name[:_SHOWN]!r}, which is no name of a variable")
    others = tuple(pair for pair in found.environment if pair[0] != name)
    return replace(found, environment=(*others, (name, content)))


def _principals(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    names = value.split(",")
    if not all(names):
        raise KeyOptionsError("option principals has an empty name")
    return replace(found, principals=frozenset(names))


def _tunnel(found: Narrowing, value: str, zone: tzinfo) -> Narrowing:
    """There are no tunnels, so that there is none less."""
    if _TUNNEL.fullmatch(value) is None:
        raise KeyOptionsError("option tunnel names no device, expected a number or any")
    return found


_NOTHING: Final[dict[str, object]] = {}
SWITCHES: Final[dict[str, dict[str, object]]] = {
    "restrict": {"pty": False, "agent": False, "x11": False, "ports": False},
    "pty": {"pty": True},
    "no-pty": {"pty": False},
    "agent-forwarding": {"agent": True},
    "no-agent-forwarding": {"agent": False},
    "x11-forwarding": {"x11": True},
    "no-x11-forwarding": {"x11": False},
    "port-forwarding": {"ports": True},
    "no-port-forwarding": {"ports": False},
}
"""Options without a value, each with what is left then and what is not."""

_FLAGS: Final[dict[str, dict[str, object]]] = {
    **SWITCHES,
    "cert-authority": {"authority": True},
    # No ~/.ssh/rc is ever run.
    "user-rc": _NOTHING,
    "no-user-rc": _NOTHING,
    # Keys on devices are none of the types that are served, so these say nothing of the keys that are.
    "no-touch-required": _NOTHING,
    "touch-required": _NOTHING,
    "no-verify-required": _NOTHING,
}
_REFUSED: Final = {
    "verify-required": "can not be kept: keys on devices, which alone could verify their user, are not served",
}
_VALUED: Final[dict[str, Callable[[Narrowing, str, tzinfo], Narrowing]]] = {
    "command": _command,
    "from": _from,
    "expiry-time": _expiry,
    "permitopen": _permitopen,
    "permitlisten": _permitlisten,
    "environment": _environment,
    "principals": _principals,
    "tunnel": _tunnel,
}
_ONCE: Final = frozenset(["command", "from", "principals"])
OPTIONS: Final = frozenset([*_FLAGS, *_VALUED, *_REFUSED])
"""Every option, in small letters."""

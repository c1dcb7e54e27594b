"""Lines of authorized keys with their options (AUTHORIZED_KEYS FILE FORMAT in sshd(8)): each narrows, or is named.

What would widen is left out. A key whose option can not be kept is left out as a whole.
"""

import re
from collections.abc import Callable
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from ipaddress import IPv4Address
from typing import Final
from zoneinfo import ZoneInfo

from pysshd.errors import InvalidKeyError
from pysshd.importing.globbing import address_in
from pysshd.importing.matching import Connection, host_matches
from pysshd.importing.notes import Remarks
from pysshd.patterns.hosts import AddressError
from pysshd.patterns.key_options import SWITCHES
from pysshd.policy.problems import Mark
from pysshd.records import dataclass
from pysshd.ssh.crypto.keys import KEY_TYPES, PublicKey, parse_public_key_line

_TYPES: Final = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")
_PLACE: Final = re.compile(r"(?:\[[^\]]*\]|[^\[:/]*):(\*|[0-9]+)")
_TUNNEL: Final = re.compile(r"any|[0-9]{1,9}")
_VARIABLE: Final = re.compile(r"[A-Za-z0-9_]+")
_STAMPS: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """One key of somebody, and what its options leave of what it might do.

    command: what it forces. sources: patterns of `from`, each list of which must hold. expires: the instant from which
    it is refused. opens, listens: destinations and places to listen, None: no limit.
    """

    user: str
    key: PublicKey
    line: str
    mark: Mark
    command: str | None = None
    sources: tuple[tuple[str, ...], ...] = ()
    expires: datetime | None = None
    opens: tuple[str, ...] | None = None
    listens: tuple[str, ...] | None = None
    pty: bool = True
    agent: bool = True
    x11: bool = True
    ports: bool = True

    @property
    def is_special(self) -> bool:
        """Whether it may do less than its owner's other keys; that it expires is said of the key itself."""
        plain = (self.pty, self.agent, self.x11, self.ports) == (True,) * 4
        return not plain or self.command is not None or bool(self.sources) or (self.opens, self.listens) != (None, None)

    def comes_from(self, connection: Connection) -> bool | None:
        """Whether its `from` holds; None where that can not be known."""
        found: bool | None = True
        for patterns in self.sources:
            by_address = address_in(connection.address, patterns, connection.exact)
            by_name = host_matches(patterns, connection)
            if by_address == -1 or (by_address == 0 and by_name is False):
                return False
            hidden = connection.host is None and any(one.startswith("!") for one in patterns)
            if hidden or (by_address != 1 and by_name is not True):
                found = None
        return found


@dataclass(slots=True)
class _Options:
    """What the options of one line come to."""

    mark: Mark
    zone: tzinfo
    remarks: Remarks
    fault: str = ""
    refused: bool = False
    seen: set[str] = field(default_factory=set)
    values: dict[str, object] = field(default_factory=dict)


def read_authorized_keys(content: str, file: str, user: str, zone: str, remarks: Remarks) -> tuple[ImportedKey, ...]:
    """The keys of a file; every line that gives none is named."""
    found: dict[bytes, ImportedKey] = {}
    refused: dict[bytes, Mark] = {}
    for number, line in enumerate(content.split("\n"), 1):
        mark = Mark(file, number, 1)
        text = line.strip(" \t\r")
        if not text or text.startswith("#"):
            continue
        one = _line(text, user, mark, _zone(zone), remarks, refused)
        if one is None:
            continue
        if one.key.blob in refused:
            first = refused[one.key.blob].line
            remarks.note(mark, f"the key stands before, in line {first}, which is left out, and so is this one")
            continue
        if one.key.blob in found:
            remarks.note(mark, f"the key stands before, in line {found[one.key.blob].mark.line}, and that one counts")
            continue
        found[one.key.blob] = one
    return tuple(found.values())


def _zone(name: str) -> tzinfo:
    """The zone of a name; without one, that in which every hour comes first."""
    return ZoneInfo(name) if name else timezone(timedelta(hours=14))


def _line(
    text: str, user: str, mark: Mark, zone: tzinfo, remarks: Remarks, refused: dict[bytes, Mark]
) -> ImportedKey | None:
    """The key of a line, or None. refused: takes the keys of lines by which sshd narrows and that are left out."""
    options, rest = ("", text) if text.startswith(_TYPES) else _cut(text)
    read = _Options(mark, zone, remarks)
    authority = False
    for name, value in _split(options) if options else ():
        authority = authority or name == "cert-authority"
        _take(name, value, read)
    if read.fault:
        remarks.warn(mark, f"{read.fault}: sshd refuses the line too, and the key is left out")
        return None
    if authority:
        remarks.warn(mark, "cert-authority: the authority's certificates are not imported",
                     "name it in authorities")  # fmt: skip
        return None
    try:
        key = parse_public_key_line(rest)
    except InvalidKeyError as error:
        kinds = ", ".join(KEY_TYPES)
        remarks.warn(mark, f"the line gives no key that is served ({error}), and is left out",
                     f"served are {kinds}")  # fmt: skip
        return None
    if read.refused:
        refused.setdefault(key.blob, mark)
        return None
    line = " ".join(rest.split()[:2])
    return replace(ImportedKey(user, key, line, mark), **read.values)  # type: ignore[arg-type]


def _cut(text: str) -> tuple[str, str]:
    """The options, and what follows: blanks count outside quotes alone."""
    quoted = False
    at = 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] == '"':
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] in " \t" and not quoted:
            return text[:at], text[at:].strip(" \t")
        at += 1
    return text, ""


def _split(options: str) -> list[tuple[str, str | None]]:
    """Each option's name in small letters and its value with its quotes, None where it has none."""
    found: list[str] = [""]
    quoted = False
    at = 0
    while at < len(options):
        pair = options[at : at + 2]
        if pair == '\\"':
            found[-1] += pair
            at += 2
            continue
        quoted = quoted != (options[at] == '"')
        if options[at] == "," and not quoted:
            found.append("")
        else:
            found[-1] += options[at]
        at += 1
    pairs = [one.partition("=") for one in found]
    return [(name.lower(), value if equals else None) for name, equals, value in pairs]


def _unquoted(value: str | None) -> str | None:
    if value is None or len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return None
    if '"' in value[1:-1].replace('\\"', ""):
        return None
    return value[1:-1].replace('\\"', '"')


def _take(name: str, raw: str | None, read: _Options) -> None:
    if name not in _VALUED and raw is not None:
        read.fault = f"option {name} has a value, and takes none"
    elif name in SWITCHES:
        read.values.update(SWITCHES[name])
    elif name in _VALUED:
        value = _unquoted(raw)
        if value is None:
            read.fault = f"option {name} has no value between quotes"
        elif name in _ONCE and name in read.seen:
            read.fault = f"{name} stands twice"
        else:
            read.seen.add(name)
            _VALUED[name](value, read)
    elif name in _WORDS:
        kind, text = _WORDS[name]
        if kind == "note":
            read.remarks.note(read.mark, text)
        else:
            read.remarks.warn(read.mark, text)
    elif name == "verify-required":
        read.refused = True
        read.remarks.refuse(read.mark, "verify-required has no equivalent, and the key is left out")
    elif name != "cert-authority":
        read.fault = f"option {name!r} is none of sshd's"


def _command(value: str, read: _Options) -> None:
    read.values["command"] = value


def _from(value: str, read: _Options) -> None:
    patterns = tuple(value.split(","))
    if not {"", "!"}.isdisjoint(patterns):
        read.fault = "from has an empty pattern"
        return
    try:
        for pattern in patterns:
            address_in(_SOME, (pattern,), False)
    except AddressError as error:
        read.fault = f"from: {error}"
        return
    read.values["sources"] = (patterns,)


def _expiry(value: str, read: _Options) -> None:
    bare = value.removesuffix("Z")
    form = _STAMPS.get(len(bare)) if bare.isascii() and bare.isdigit() else None
    try:
        if form is None:
            raise ValueError
        found = datetime.strptime(bare, form).replace(tzinfo=UTC if value.endswith("Z") else read.zone)
    except ValueError:
        read.fault = "expiry-time is no date, expected YYYYMMDD or YYYYMMDDHHMM"
        return
    held = read.values.get("expires")
    read.values["expires"] = min(found, held) if isinstance(held, datetime) else found


def _places(option: str, name: str) -> Callable[[str, _Options], None]:
    """Destinations or places to listen. sshd refuses a line with one that is none."""

    def take(value: str, read: _Options) -> None:
        whole = f"*:{value}" if option == "permitlisten" and ":" not in value else value
        found = _PLACE.fullmatch(whole)
        if found is None or (found[1] != "*" and not 0 < int(found[1]) < 65536):
            read.refused = True
            read.remarks.refuse(read.mark, f"{option} {value!r}: it is no host and port, and the key is left out",
                                "write host:port, the port as a number or *")  # fmt: skip
            return
        held = read.values.get(name, ())
        assert isinstance(held, tuple)
        read.values[name] = (*held, value)

    return take


def _environment(value: str, read: _Options) -> None:
    name, equals, _ = value.partition("=")
    if not equals or _VARIABLE.fullmatch(name) is None:
        read.fault = "environment sets no variable, expected NAME=value"
        return
    read.remarks.warn(read.mark, f"environment: the variable {name} is not set",
                      "env: {set: …} of a role sets variables")  # fmt: skip


def _principals(value: str, read: _Options) -> None:
    if not value:
        read.fault = "principals is empty"
        return
    read.remarks.note(read.mark, "principals says nothing without cert-authority, to sshd neither")


def _tunnel(value: str, read: _Options) -> None:
    if _TUNNEL.fullmatch(value) is None:
        read.fault = "tunnel is no device, expected a number or any"
        return
    read.remarks.note(read.mark, "tunnel: there are no tunnels here")


_SOME: Final = IPv4Address("192.0.2.1")
_VALUED: Final = {
    "command": _command,
    "from": _from,
    "expiry-time": _expiry,
    "permitopen": _places("permitopen", "opens"),
    "permitlisten": _places("permitlisten", "listens"),
    "environment": _environment,
    "principals": _principals,
    "tunnel": _tunnel,
}
_ONCE: Final = frozenset(["command", "from", "principals"])
_WORDS: Final = {
    "no-user-rc": ("note", "no-user-rc: ~/.ssh/rc is never run here"),
    "user-rc": ("note", "user-rc: ~/.ssh/rc is never run here"),
    "touch-required": ("note", "touch-required: a touch is always required"),
    "no-touch-required": ("warning", "no-touch-required: a touch is always required"),
    "no-verify-required": ("note", "no-verify-required says what is so without it"),
}

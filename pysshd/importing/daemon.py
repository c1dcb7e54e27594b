"""What an `sshd_config` says of the daemon itself: listeners, host keys, algorithms and limits."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Final, TypeAlias

from pysshd.importing.algorithms import ALGORITHMS, served
from pysshd.importing.effective import Effective, Value
from pysshd.importing.login import MOST_RSA_BITS, mark_of
from pysshd.importing.notes import Remarks
from pysshd.importing.sshd_config import SshdConfig
from pysshd.patterns.hosts import IPAddress
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

Tree: TypeAlias = Mapping[str, object]
"""A part of a policy, as texts, lists and mappings."""

_MOST_STARTUPS: Final = 100_000
_KEPT_SIZE: Final = (1 << 20, 1 << 36)


@dataclass(frozen=True, slots=True)
class Listener:
    """One place to listen. address: None for every address of the family (`text` says which)."""

    text: str
    address: IPAddress | None
    port: int


def listeners_of(found: Effective, file: str, remarks: Remarks) -> tuple[Listener, ...]:
    """Where sshd listens: each ListenAddress without a port on every Port, and without one on all addresses."""
    ports = [int(word) for word in found["port"].words] or [22]
    family = found["addressfamily"].first
    lines = found["listenaddress"].lines
    if not lines:
        every = {"any": "*", "inet": "0.0.0.0", "inet6": "[::]"}[family]
        return tuple(Listener(f"{every}:{port}", None, port) for port in dict.fromkeys(ports))
    made: dict[str, Listener] = {}
    for line in lines:
        if len(line.value) > 1:
            remarks.refuse(line.mark, f"ListenAddress {' '.join(line.value)}: there are no routing domains here, and "
                           "nothing listens there")  # fmt: skip
            continue
        for one in _addresses(line.value[0], ports, line.mark, remarks):
            is_ipv6 = "[" in one.text
            if family == "any" or is_ipv6 == (family == "inet6"):
                made.setdefault(one.text, one)
    return tuple(made.values())


def moved(listeners: tuple[Listener, ...], port: int, mark: Mark, remarks: Remarks) -> tuple[Listener, ...]:
    """The same listeners on other ports: the first of sshd's ports becomes `port`, the next ones follow it.

    What sshd does on a listener is still that of the port that it has there.
    """
    ports = {number: port + place for place, number in enumerate(dict.fromkeys(one.port for one in listeners))}
    shown = ", ".join(f"{new} instead of {old}" for old, new in ports.items())
    remarks.note(mark, f"Port: the policy listens on {shown}", "edit listen before it takes the place of sshd")
    return tuple(replace(one, text=f"{one.text.rpartition(':')[0]}:{ports[one.port]}") for one in listeners)


def _addresses(text: str, ports: list[int], mark: Mark, remarks: Remarks) -> list[Listener]:
    host, port = text, ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = ip_address(host)
    except ValueError:
        if host != "*":
            remarks.refuse(mark, f"ListenAddress {text}: names are not looked up, and nothing listens there",
                           "write the address")  # fmt: skip
            return []
        return [Listener(f"*:{one}", None, one) for one in ([int(port)] if port else ports)]
    shown = f"[{address}]" if address.version == 6 else str(address)
    own = None if address.is_unspecified else address
    return [Listener(f"{shown}:{one}", own, one) for one in ([int(port)] if port.isdigit() else ports)]


def server_of(config: SshdConfig, found: Effective, banner: str | None, remarks: Remarks) -> dict[str, object]:
    """`server`, but for listeners."""
    file = config.file
    for line in config.of("banner"):
        if line.scope:
            remarks.warn(line.mark, "Banner behind Match: the banner comes before any name is known, and is the same "
                         "for everybody", "listen: {banner: …} has one for each listener")  # fmt: skip
    made: dict[str, object] = {"host_keys": _host_keys(found), "accounts": "system"}
    if found["banner"].first.lower() != "none":
        if banner:
            made["banner"] = banner
        else:
            text = f"Banner {found['banner'].first}: the file is not there, or is no text that could be shown"
            remarks.warn(mark_of(found["banner"], file), text)
    addendum = found["versionaddendum"].first
    if addendum.lower() != "none":
        if all(" " <= char <= "~" for char in addendum) and len(addendum) <= 200:
            made["version_addendum"] = addendum
        else:
            remarks.warn(mark_of(found["versionaddendum"], file), "VersionAddendum: it is no short text of ASCII")
    return made


def _host_keys(found: Effective) -> dict[str, object]:
    files, certificates = found["hostkey"].words, found["hostcertificate"].words
    made: dict[str, object] = {"files": list(files)} if files else {"directory": "/etc/ssh"}
    return made | ({"certificates": list(certificates)} if certificates else {})


def crypto_of(found: Effective, file: str, remarks: Remarks) -> dict[str, object]:
    """`crypto`: only what the file says."""
    made: dict[str, object] = {}
    for keyword, key in ALGORITHMS.items():
        if found[keyword].lines:
            names = served(found[keyword], key, remarks)
            if names:
                made[key] = names
    if found["compression"].lines and found["compression"].is_on:
        made["compression"] = "+zlib@openssh.com"
    size = found["requiredrsasize"]
    if size.lines and int(size.first) > 2048:
        made["min_rsa_bits"] = str(min(int(size.first), MOST_RSA_BITS))
    elif size.lines and int(size.first) < 2048:
        remarks.warn(mark_of(size, file), f"RequiredRSASize {size.first}: RSA keys below 2048 bits are never accepted")
    rekey = _rekey(found["rekeylimit"], file, remarks)
    return made | ({"rekey": rekey} if rekey else {})


def _rekey(value: Value, file: str, remarks: Remarks) -> dict[str, object]:
    amount, interval = (int(word) for word in value.words)
    made: dict[str, object] = {}
    least, most = _KEPT_SIZE
    if amount:
        made["bytes"] = f"{min(max(amount, least), most)}B"
    if interval:
        made["interval"] = f"{min(max(interval, 60), 86400)}s"
    if (amount and not least <= amount <= most) or (interval and not 60 <= interval <= 86400):
        remarks.note(mark_of(value, file), "RekeyLimit: new keys come after 1MiB to 64GiB, and 60s to a day")
    return made


def limits_of(config: SshdConfig, found: Effective, file: str, remarks: Remarks) -> dict[str, object]:
    """`limits`: where Match says another one, the smallest counts for everybody."""
    made: dict[str, object] = {}
    grace = found["logingracetime"]
    seconds = int(grace.first) if grace.first != "none" else 0
    if not 1 <= seconds <= 3600:
        remarks.note(mark_of(grace, file), "LoginGraceTime: a login takes an hour at most")
    made["login_grace"] = f"{seconds if 1 <= seconds <= 3600 else 3600}s"
    made["auth_attempts"] = str(min(max(_smallest(config, found, "maxauthtries", remarks), 1), 100))
    sessions = _smallest(config, found, "maxsessions", remarks)
    made["sessions_per_connection"] = str(min(max(sessions, 1), 1000))
    start, rate, full = (min(int(part), _MOST_STARTUPS) for part in found["maxstartups"].first.split(":"))
    startups: dict[str, object] = {"start": str(start), "rate": f"{rate}%", "full": str(full)}
    per_source = found["persourcemaxstartups"].first
    if per_source.isdigit() and int(per_source) > 0:
        startups["per_source"] = str(min(int(per_source), _MOST_STARTUPS))
    return made | {"startups": startups}


def _smallest(config: SshdConfig, found: Effective, keyword: str, remarks: Remarks) -> int:
    """The smallest value but nought, which is said where it holds."""
    values = {int(found[keyword].first)}
    for line in config.of(keyword):
        if line.scope and int(line.value[0]) > 0:
            if int(line.value[0]) != int(found[keyword].first):
                remarks.warn(line.mark, f"{line.keyword.name} {line.value[0]} behind Match: the limit is the same for "
                             "everybody, and the smallest counts")  # fmt: skip
            values.add(int(line.value[0]))
    return min(value for value in values if value or len(values) == 1)

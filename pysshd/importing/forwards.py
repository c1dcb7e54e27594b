"""What sshd forwards for somebody: destinations, listeners, sockets, the agent and X11."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.effective import Effective, Value
from pysshd.importing.language import Language
from pysshd.importing.login import mark_of
from pysshd.importing.notes import Remarks
from pysshd.importing.rights import Rights

_EVERYWHERE: Final = ("*:*", "loopback:*", "link-local:*", "multicast:*", "metadata:*")
"""sshd bars no address; a star alone leaves the special ranges out."""

_OPEN_PORTS: Final = "1024-65535"
"""Only root may listen on the ports below."""


def with_forwards(
    rights: Rights,
    found: Effective,
    file: str,
    uid0: bool,
    key: ImportedKey | None,
    language: Language,
    remarks: Remarks,
) -> Rights:
    """The rights, and what may be forwarded beside them."""
    if found["disableforwarding"].is_on:
        return rights
    ports = key is None or key.ports
    tcp = found["allowtcpforwarding"].first if ports else "no"
    unix = found["allowstreamlocalforwarding"].first if ports else "no"
    local, remote = tcp in ("yes", "local"), tcp in ("yes", "remote")
    agent = found["allowagentforwarding"].is_on and (key is None or key.agent)
    x11 = found["x11forwarding"].is_on and (key is None or key.x11)
    _tell_absent(found, file, {"forward": local or remote or unix != "no", "agent": agent, "x11": x11}, language,
                 remarks)  # fmt: skip
    if not language.has_right("forward"):
        local, remote, unix = False, False, "no"
    return replace(
        rights,
        local=_opens(found["permitopen"], file, key, remarks) if local else (),
        remote=_listens(found, file, uid0, key, remarks) if remote else (),
        local_unix=unix in ("yes", "local"),
        remote_unix=unix in ("yes", "remote"),
        agent=agent and language.has_right("agent"),
        x11=x11 and language.has_right("x11"),
    )


_KEYWORDS: Final = {"forward": "allowtcpforwarding", "agent": "allowagentforwarding", "x11": "x11forwarding"}


def _tell_absent(found: Effective, file: str, wanted: dict[str, bool], language: Language, remarks: Remarks) -> None:
    for right, is_wanted in wanted.items():
        if is_wanted and not language.has_right(right):
            value = found[_KEYWORDS[right]]
            name = {"forward": "forwarding", "agent": "agent forwarding", "x11": "X11 forwarding"}[right]
            remarks.warn(mark_of(value, file), f"{name} is allowed, and this version does not serve it: it is left out")


def _opens(value: Value, file: str, key: ImportedKey | None, remarks: Remarks) -> tuple[str, ...]:
    """The destinations that both the configuration and the key permit."""
    own = None if value.words == ("any",) else () if value.words == ("none",) else value.words
    limits = [one for one in (own, key.opens if key is not None else None) if one is not None]
    if not limits:
        return _EVERYWHERE
    mark = key.mark if own is None and key is not None else mark_of(value, file)
    made: dict[str, None] = {}
    for text in limits[0]:
        if len(limits) > 1 and text not in limits[1]:
            continue
        host, port = _split(text)
        if not port or (host != "*" and ("*" in host or "?" in host)):
            remarks.warn(mark, f"PermitOpen {text}: it is no destination that is served")
            continue
        made.update(dict.fromkeys([f"{one}:{port}" for one in _hosts(host)]))
    return tuple(made)


def _hosts(host: str) -> list[str]:
    if host == "*":
        return [one.removesuffix(":*") for one in _EVERYWHERE]
    return [f"[{host}]" if ":" in host else host]


def _split(text: str) -> tuple[str, str]:
    """Host and port of `host:port`, IPv6 addresses between brackets; no port where it is none that is good."""
    host, _, port = text.rpartition(":")
    good = port == "*" or (port.isascii() and port.isdigit() and 0 < int(port) < 65536)
    return host.removeprefix("[").removesuffix("]"), port if good and host else ""


def _listens(found: Effective, file: str, uid0: bool, key: ImportedKey | None, remarks: Remarks) -> tuple[str, ...]:
    """The places to listen: GatewayPorts says on which addresses, PermitListen and the key on which ports."""
    value, gateway = found["permitlisten"], found["gatewayports"].first
    own = None if value.words == ("any",) else () if value.words == ("none",) else value.words
    limits = [one for one in (own, key.listens if key is not None else None) if one is not None]
    every = "*" if uid0 else _OPEN_PORTS
    hosts = {"no": ("loopback",), "yes": ("*", "loopback"), "clientspecified": ("*", "loopback")}[gateway]
    if not limits:
        return tuple(f"{host}:{every}" for host in hosts)
    mark = key.mark if own is None and key is not None else mark_of(value, file)
    made: dict[str, None] = {}
    for text in limits[0]:
        if len(limits) > 1 and text not in limits[1]:
            continue
        host, port = _split(text if ":" in text else f"*:{text}")
        if not port or (port != "*" and int(port) < 1024 and not uid0):
            remarks.warn(mark, f"PermitListen {text}: nobody but root listens there, or it is no place to listen")
            continue
        made.update({f"{one}:{every if port == '*' else port}": None for one in _addresses(host, hosts, gateway)})
    return tuple(made)


def _addresses(host: str, hosts: tuple[str, ...], gateway: str) -> tuple[str, ...]:
    """Where a permitted place lies: sshd listens on loopback whatever the name, unless GatewayPorts says otherwise."""
    if gateway != "clientspecified" or host == "*":
        return hosts
    if host == "localhost":
        return ("loopback",)
    try:
        address = ip_address(host)
    except ValueError:
        return ()
    return (f"[{address}]" if address.version == 6 else str(address),)

"""Why a request that reaches beyond the session is not one that a permission permits."""

from typing import TypeAlias

from pysshd.patterns.destinations import HostPattern
from pysshd.patterns.hosts import IPAddress
from pysshd.patterns.parts import PartsError, parse_parts
from pysshd.patterns.ports import Ports
from pysshd.patterns.special import LOCALHOST, LOCALHOST_ADDRESSES, SPECIAL, bars_of, judged, lies_in
from pysshd.policy.decide_net import AskedAddress, AskedListener, AskedName, AskedSocket, Values, asked_of
from pysshd.policy.query import Request
from pysshd.policy.rights_net import ConnectRight, ListenRight, NetRight, SocketRight

Fault: TypeAlias = tuple[int, str, str]
"""How near it comes, why it is not permitted, and what may be done."""

_HOST, _PORT = 2, 1


def net_fault(right: NetRight, request: Request, values: Values) -> Fault | None:
    """Why a permission does not permit a request; None where it is of another kind."""
    asked = asked_of(request, frozenset(), values)
    if isinstance(right, ConnectRight) and isinstance(asked, AskedName | AskedAddress):
        return _connect_fault(right, asked)
    if isinstance(right, ListenRight) and isinstance(asked, AskedListener):
        return _listen_fault(right, asked)
    if isinstance(right, SocketRight) and isinstance(asked, AskedSocket) and right.listens is asked.listens:
        crossing = "a '*' stays inside one part of a path" if "*" in str(right.path) else ""
        return (0, f"{asked.path} is not of the form {right.path}", crossing)
    return None


def _connect_fault(right: ConnectRight, asked: AskedName | AskedAddress) -> Fault:
    host = right.host
    if isinstance(asked, AskedName) and asked.name == LOCALHOST:
        address = LOCALHOST_ADDRESSES[0]
        fits, said = host.permits(LOCALHOST, address, frozenset()), _address_fault(host, LOCALHOST, address)
    elif isinstance(asked, AskedName):
        fits = host.permits_name(asked.name)
        said = (0, *_name_fault(host, asked.name))
    else:
        fits = host.permits(asked.name, asked.address, asked.own)
        said = _address_fault(host, asked.name, asked.address)
    return _with_port(fits, said, right, asked.port)


def _with_port(fits: bool, said: Fault, right: ConnectRight | ListenRight, port: int) -> Fault:
    ports = right.ports
    if fits:
        return (0 if right.host.anything else _HOST, _port_fault(ports, port), "")
    score, why, hint = said
    return (score + _PORT, why, hint) if port in ports else (score, f"{why}, and {_port_fault(ports, port)}", hint)


def _port_fault(ports: Ports, port: int) -> str:
    return f"port {port} is not {'among ' if ports.first != ports.last else ''}{ports}"


def _address_fault(host: HostPattern, name: str | None, address: IPAddress) -> Fault:
    special, bars = _special(judged(address)), bars_of(judged(address))
    if special and not any(all(lies_in(network, bar) for bar in bars) for network in host.networks):
        hint = f"only a pattern that lies inside reaches it: {special}:PORT, or the address itself"
        covered = host.holds(address) or (name is not None and host.permits_name(name))
        return (_HOST if covered else 0, f"{address} is special, being {special}, and {host} is wider than that", hint)
    if name is not None:
        why, hint = _name_fault(host, name)
        return (0, f"{why}, nor is its address {address}" if host.names is not None else
                f"{address}, the address of {name}, is not in {host}", hint)  # fmt: skip
    if host.names is not None:
        return (0, f"{address} was asked for, and {host} is of names: what name an address has is not looked up",
                "a client that asks for the name is judged by it")  # fmt: skip
    return (0, f"{address} is not in {host}", "")


def _special(address: IPAddress) -> str:
    """The word of the narrowest special range that an address is in; empty for any other."""
    found = [name for name, networks in SPECIAL.items() if set(networks) & set(bars_of(address))]
    return found[-1] if found else ""


def _name_fault(host: HostPattern, name: str) -> tuple[str, str]:
    if host.names is None:
        return f"{name} is a name, and {host} is of addresses: its address is asked for by itself", ""
    wide = str(host).replace("*", "**")
    try:
        deep = "**" not in str(host) and parse_parts(wide, ".").matches(name)
    except PartsError:
        deep = False
    return f"{name} is not of the form {host}", f"a '*' stays inside a label: {wide} takes several" if deep else ""


def _listen_fault(right: ListenRight, asked: AskedListener) -> Fault:
    fits = _listens(right, asked)
    shown = " and ".join(map(str, asked.addresses))
    if asked.wide:
        said = (0, f"every address ({shown}) is asked for, and {right.host} is not that",
                "a client that names localhost asks for loopback alone")  # fmt: skip
    else:
        said = (0, f"{shown} is not in {right.host}", "")
    return _with_port(fits, said, right, asked.port)


def _listens(right: ListenRight, asked: AskedListener) -> bool:
    """Whether the addresses alone are permitted."""
    return AskedListener(asked.addresses, asked.wide, 0).permits(right)

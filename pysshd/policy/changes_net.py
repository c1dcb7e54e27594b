"""Changes for one request that reaches beyond the session: the narrowest permission for it."""

from ipaddress import ip_address
from typing import Final

from pysshd.patterns.destinations import HostPattern, parse_host, parse_host_pattern
from pysshd.patterns.ports import LAST_PORT, Ports
from pysshd.patterns.special import LOCALHOST, bars_of, judged
from pysshd.policy.flow import quoted
from pysshd.policy.query import X11, Agent, Connect, ConnectUnix, Global, Listen, ListenUnix, Request
from pysshd.policy.rights import Rights
from pysshd.policy.rights_net import ConnectRight, ListenRight, NetRight, PlainRight, SocketPattern, SocketRight
from pysshd.policy.templates import parse_template

_ANY_FREE: Final = Ports(1024, LAST_PORT)
"""For whoever lets the daemon choose a port."""


def net_permission(request: Request, where: str) -> tuple[str, Rights] | None:
    """The permission as a role would write it, for a request of a form that is served; None for another kind."""
    found = _permission(request, where)
    return (found[0], Rights(net=(found[1],))) if found is not None else None


def _permission(request: Request, where: str) -> tuple[str, NetRight] | None:
    if isinstance(request, Connect):
        host, ports = _destination(request), Ports(request.port, request.port)
        return _forward("local", f"{host}:{ports}"), ConnectRight(host, ports, where)
    if isinstance(request, Listen):
        host = _listener(request.address)
        ports = Ports(request.port, request.port) if request.port else _ANY_FREE
        return _forward("remote", f"{host}:{ports}"), ListenRight(host, ports, where)
    if isinstance(request, ConnectUnix | ListenUnix):
        return _socket(request, where)
    if isinstance(request, Global):
        return f"global_requests: {quoted(request.name)}", PlainRight("global_requests", where, request.name)
    if isinstance(request, Agent | X11):
        key = "agent" if isinstance(request, Agent) else "x11"
        return f"{key}: true", PlainRight(key, where)
    return None


def _forward(key: str, item: str) -> str:
    return f"forward: {{{key}: {quoted(item)}}}"


def _destination(request: Connect) -> HostPattern:
    """The name; or the address, where that is special and no name is enough."""
    host = parse_host(request.host)
    address = request.address if isinstance(host, str) else host
    if isinstance(host, str) and (address is None or not bars_of(judged(address))):
        return parse_host_pattern(host)
    return parse_host_pattern(f"[{address}]" if address is not None and address.version == 6 else str(address))


def _listener(address: str) -> HostPattern:
    if address in ("", LOCALHOST):
        return parse_host_pattern("loopback" if address else "*")
    return parse_host_pattern(f"[{address}]" if ip_address(address).version == 6 else address)


def _socket(request: ConnectUnix | ListenUnix, where: str) -> tuple[str, NetRight]:
    # What a pattern would read otherwise stands for any one character.
    path = "".join("?" if char in "*?" else char * 2 if char in "{}" else char for char in request.path)
    listens = isinstance(request, ListenUnix)
    right = SocketRight(SocketPattern(parse_template(path)), listens, where)
    return _forward("remote_unix" if listens else "local_unix", path), right

"""From `forward`, `agent`, `x11` and `global_requests` of a role to permissions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pysshd.patterns.destinations import HostPattern, networks_pattern
from pysshd.patterns.special import LOCALHOST, SPECIAL
from pysshd.policy.fields_forward import Destination
from pysshd.policy.fields_places import Place
from pysshd.policy.model_entries import RoleModel
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report, meant, show
from pysshd.policy.rights_net import ConnectRight, ListenRight, NetRight, PlainRight, SocketRight

Networks = Mapping[str, tuple[Mark, tuple[Place, ...] | None]]
_WORDS: Final = (*SPECIAL, LOCALHOST)


def net_rights(
    model: RoleModel, networks: Networks, where: Callable[[Mark], str], report: Report
) -> Iterator[NetRight]:
    """What a role permits beyond the session; hosts that are nothing are reported."""
    forward = model.forward
    if forward is not None:
        for item in forward.local or ():
            yield ConnectRight(_host(item, networks, report), item.ports, where(item.mark))
        for item in forward.remote or ():
            yield ListenRight(_host(item, networks, report), item.ports, where(item.mark))
        for listens, sockets in ((False, forward.local_unix), (True, forward.remote_unix)):
            for socket in sockets or ():
                yield SocketRight(socket.pattern, listens, where(socket.mark))
    for key in ("agent", "x11"):
        if getattr(model, key):
            yield PlainRight(key, where(model.mark_of(key)))
    for name in model.global_requests or ():
        yield PlainRight("global_requests", where(name.mark), name.text)


def _host(item: Destination, networks: Networks, report: Report) -> HostPattern:
    """The pattern of an item: the network of that name, else what is written."""
    if item.name in networks:
        mark, places = networks[item.name]
        if item.name in _WORDS:
            report.error(mark, f"network {show(item.name)} has the name of a special range, which forward means by it",
                         "give it another name")  # fmt: skip
        found = tuple(place.network for place in places or () if place.network is not None)
        return networks_pattern(item.name, found)
    if item.host is None:
        hint = meant(item.name, [*networks, *_WORDS]) or "write addresses, or name them in networks"
        report.error(item.mark, f"found host {show(item.name)}: {item.fault}", hint)
        return HostPattern(item.name)
    near = meant(item.name, [*networks, *_WORDS]) if item.host.names is not None and "." not in item.name else ""
    if near and item.name not in _WORDS:
        report.warning(item.mark, f"{show(item.name)} in forward is taken for the name of a host", near)
    return item.host

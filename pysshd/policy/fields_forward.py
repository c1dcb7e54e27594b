"""The types of fields of `forward` and `global_requests`: destinations, listeners, paths of sockets, names."""

from typing import Annotated, Final, TypeAlias

from pysshd.patterns import names
from pysshd.patterns.destinations import HostError, HostPattern, is_nowhere, parse_host_pattern, split_destination
from pysshd.patterns.parts import PartsError, parts_tokens
from pysshd.patterns.ports import Ports, PortsError, parse_ports
from pysshd.patterns.slots import HOME
from pysshd.patterns.socket_paths import SocketPathError, check_socket_path
from pysshd.policy.nodes import Mapping
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text, bad, text
from pysshd.policy.report import show
from pysshd.policy.rights_net import ALWAYS_ANSWERED, FORWARDING, SocketPattern
from pysshd.policy.templates import SLOTS, TemplateError, parse_template
from pysshd.policy.validators import PlainValidator
from pysshd.records import dataclass

_HOME_SLOT: Final = f"{{{HOME}}}"


@dataclass(frozen=True, slots=True)
class Destination:
    """One item of `forward.local` or `forward.remote`.

    name: what stands before the port, which may be the name of a network.
    host: the pattern that it is where it is none; None: it is no pattern, and `fault` says why.
    """

    name: str
    host: HostPattern | None
    ports: Ports
    mark: Mark
    fault: str = ""


def _destination(node: object, expected: str) -> Destination:
    if isinstance(node, Mapping):
        raise bad(f"found a mapping, expected {expected}", "write it without a blank behind the colon")
    found = text(node)
    try:
        host, written = split_destination(found.text)
    except HostError as error:
        raise bad(f"found {show(found.text)}: {error}") from None
    try:
        ports = parse_ports(written)
    except PortsError as error:
        raise bad(f"found port {show(written)}, {error}") from None
    try:
        return Destination(host, parse_host_pattern(host), ports, found.mark)
    except HostError as error:
        if names.is_name(host):
            return Destination(host, None, ports, found.mark, str(error))
        raise bad(f"found host {show(host)}: {error}") from None


def destination(node: object) -> Destination:
    """`host:ports`, to which clients may connect."""
    found = _destination(node, "host:port such as db1.corp:5432")
    if found.host is not None and is_nowhere(found.host):
        raise bad(f"found host {show(found.name)}: nothing has this address, and nobody connects to it",
                  "for this host itself write loopback")  # fmt: skip
    return found


def listener(node: object) -> Destination:
    """`address:ports`, on which clients may listen."""
    found = _destination(node, "address:port such as loopback:9000-9100")
    host = found.host
    if host is not None and not host.has_addresses:
        # It may still be the name of a network.
        fault = "no name is looked up to listen on, expected loopback, an address, a prefix, a network, or '*'"
        if not names.is_name(found.name):
            raise bad(f"found host {show(found.name)}: {fault}")
        return Destination(found.name, None, found.ports, found.mark, fault)
    return found


@dataclass(frozen=True, slots=True)
class SocketItem:
    """One item of `forward.local_unix` or `forward.remote_unix`."""

    pattern: SocketPattern
    mark: Mark


def socket_path(node: object) -> SocketItem:
    """An absolute path, or one that begins with `{home}/`, with wildcards and slots."""
    found = text(node)
    in_home = found.text.startswith(f"{_HOME_SLOT}/")
    path = found.text.removeprefix(_HOME_SLOT) if in_home else found.text
    if _HOME_SLOT in path:
        raise bad(f"found {show(found.text)}: {_HOME_SLOT} may only begin a path, as in {_HOME_SLOT}/agent.sock")
    try:
        template = parse_template(path)
        shape = template.fill(dict.fromkeys(SLOTS, "x"))
        assert shape is not None
        check_socket_path(shape, most=1024)
        parts_tokens(shape, "/")
    except (TemplateError, SocketPathError, PartsError) as error:
        hint = f"write {_HOME_SLOT}/…" if path.startswith("~/") else ""
        raise bad(f"found {show(found.text)}: {error}", hint) from None
    return SocketItem(SocketPattern(template, in_home), found.mark)


def global_request(node: object) -> Text:
    """The name of a global request that a bare success answers."""
    found = text(node)
    if not names.is_global_request(found.text):
        raise bad(f"found {show(found.text)}, expected the name of a global request such as ping@example.com")
    if found.text in ALWAYS_ANSWERED:
        raise bad(f"global request {show(found.text)} is always answered", "leave it out")
    if found.text in FORWARDING:
        raise bad(f"global request {show(found.text)} is no bare success",
                  f"write forward: {{{FORWARDING[found.text]}: …}}")  # fmt: skip
    return found


ConnectItem: TypeAlias = Annotated[Destination, PlainValidator(destination)]
ListenerItem: TypeAlias = Annotated[Destination, PlainValidator(listener)]
SocketPathItem: TypeAlias = Annotated[SocketItem, PlainValidator(socket_path)]
GlobalItem: TypeAlias = Annotated[Text, PlainValidator(global_request)]

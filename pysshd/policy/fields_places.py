"""The types of fields of where from and where to: addresses, networks, clients, and where to listen."""

from typing import Annotated, Final, TypeAlias

from pysshd.patterns import names
from pysshd.patterns.hosts import AddressError, Network, parse_network
from pysshd.policy import values
from pysshd.policy.other_words import instead_of_address
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text, bad, text
from pysshd.policy.report import show
from pysshd.policy.settings import Listen
from pysshd.policy.validators import PlainValidator
from pysshd.records import dataclass

_CLIENT_MAX: Final = 253
"""An identification string has no more characters (RFC 4253 §4.2)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One item of `from` or of a network: a prefix, or the name of a network."""

    network: Network | None
    name: str
    mark: Mark


def place(node: object) -> Place:
    """An address, a prefix, or a name of `networks`."""
    found = text(node)
    if names.is_name(found.text) and not _like_address(found.text):
        return Place(None, found.text, found.mark)
    return address(node)


def address(node: object) -> Place:
    """An address or a prefix."""
    found = text(node)
    try:
        return Place(parse_network(found.text), "", found.mark)
    except AddressError as error:
        raise bad(f"{show(found.text)} is no address or prefix: {error}", instead_of_address(found.text)) from None


def _like_address(word: str) -> bool:
    return all(char in "0123456789." for char in word)


_HOSTS: Final = {
    "": 'for every address write "*:{0}"',
    "localhost": 'write its addresses: ["127.0.0.1:{0}", "[::1]:{0}"]',
}
"""What is written instead of words that are no address."""


def listen(node: object) -> Listen:
    """`address:port`, `[address]:port` or `*:port`."""
    item = text(node)
    found = item.text
    host, colon, port = found.rpartition(":")
    if not colon or found.endswith("]"):
        hint = f'for every address write "*:{found}"' if found.isdigit() else ""
        raise bad(f'found {show(found)}, expected an address and a port such as "*:2222" or "[::1]:2222"', hint)
    try:
        number = values.count(port, 0, 65535)
    except ValueError as error:
        raise bad(f"found port {show(port)}, {error}") from None
    if host == "*":
        return Listen(found, "*", number, str(item.mark))
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        network = parse_network(bare)
    except AddressError as error:
        hint = _HOSTS.get(host.lower(), "").format(port)
        raise bad(f"found {show(host)}, expected an address, [IPv6 address] or *: {error}", hint) from None
    if "/" in bare or (bare == host) == (":" in bare):
        hint = f'write "[{host}]:{port}"' if "/" not in bare and bare == host else ""
        raise bad(f"found {show(host)}, expected an address, [IPv6 address] or *", hint)
    return Listen(found, str(network.network_address), number, str(item.mark))


def client(node: object) -> Text:
    """A pattern of the client's version string, as in `OpenSSH_*`."""
    found = text(node)
    if not (found.text.isascii() and found.text.isprintable()) or len(found.text) > _CLIENT_MAX:
        raise bad(f"found {show(found.text)}, expected up to {_CLIENT_MAX} printable letters of ASCII")
    if found.text.startswith("SSH-"):
        raise bad(f"found {show(found.text)}, expected what follows the protocol's version, such as OpenSSH_*",
                  "leave out SSH-2.0-")  # fmt: skip
    return found


FromItem: TypeAlias = Annotated[Place, PlainValidator(place)]
ListenItem: TypeAlias = Annotated[Listen, PlainValidator(listen)]
ClientItem: TypeAlias = Annotated[Text, PlainValidator(client)]

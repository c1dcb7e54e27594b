"""The model of `tests`: cases, each a login and what it may and may not do."""

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from pysshd.patterns.destinations import HostError, parse_host
from pysshd.patterns.hosts import AddressError, parse_network, unmapped
from pysshd.policy import values
from pysshd.policy.fields import AnyText, Name, name
from pysshd.policy.fields_login import Methods, MethodsItem, methods
from pysshd.policy.nodes import Mapping, Scalar
from pysshd.policy.problems import Mark
from pysshd.policy.query import IPAddress, Request
from pysshd.policy.reading import Many, Record, Text, bad, items, mapped, scalar, text
from pysshd.policy.report import show
from pysshd.policy.validators import PlainValidator
from pysshd.policy.verbs import VerbError, read_request, request_of
from pysshd.records import dataclass

_REQUEST_FORM: Final = "a request such as shell, {exec: ls -l} or env LANG=C"

_EVERY: Final = frozenset(["all", "every", "*", "true"])
"""What somebody may write for `any`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a case."""

    request: Request
    mark: Mark


def _request(node: object) -> Asked:
    """A verb and the rest verbatim, as one text or as `{verb: rest}`."""
    try:
        if isinstance(node, Mapping):
            return _pair(mapped(node))
        found = scalar(node, _REQUEST_FORM)
        return Asked(read_request(found.text), found.mark)
    except VerbError as error:
        raise bad(str(error), error.hint) from None


def _pair(node: Mapping) -> Asked:
    if len(node.entries) > 1:
        raise bad(f"found {len(node.entries)} keys, expected one request", "each request is an item of the list")
    [(verb, rest)] = node.entries
    return Asked(request_of(verb.text, scalar(rest, f"what follows {verb.text}").text), verb.mark)


def _address(node: object) -> IPAddress:
    """One address, as clients have it."""
    found = text(node)
    try:
        parse_network(found.text)
        return unmapped(ip_address(found.text))
    except AddressError as error:
        reason = str(error)
    except ValueError:
        reason = "a client has one address"
    raise bad(f"found {show(found.text)}, expected an address such as 10.1.2.3: {reason}")


def _resolve(node: object) -> tuple[tuple[Text, tuple[IPAddress, ...]], ...]:
    """Names of hosts, and the addresses that each has."""
    return tuple(
        (_host(key), tuple(_address(item) for item in items(value)))
        for key, value in mapped(node, "names of hosts and their addresses").entries
    )


def _host(key: Scalar) -> Text:
    """A name that could be looked up, as it is compared."""
    try:
        found = parse_host(key.text)
    except HostError as error:
        raise bad(f"{show(key.text)} is no name of a host: {error}", mark=key.mark) from None
    if not isinstance(found, str):
        raise bad(f"{show(key.text)} is an address, expected a name", mark=key.mark)
    return Text(found, key.mark)


def _instant(node: object) -> datetime:
    """An instant with its offset; a bare date is a whole day."""
    found = text(node)
    try:
        return values.exact_instant(found.text)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}") from None


def _system_groups(node: object) -> tuple[Text, ...]:
    """Names of groups of the host, or `none`."""
    if isinstance(node, Scalar) and node.text == "none":
        return ()
    return tuple(name(item) for item in items(node))


def _refused(node: object) -> Methods | Literal["any"]:
    """A chain, or `any`."""
    if isinstance(node, Scalar) and node.text == "any":
        return "any"
    if isinstance(node, Scalar) and node.text in _EVERY:
        raise bad(f"found {show(node.text)}, expected a chain or any", "refused: any is by every chain")
    return methods(node)


def _critical(node: object) -> tuple[tuple[Text, Text], ...]:
    """Names of critical options and their values."""
    return tuple(
        (Text(key.text, key.mark), text(value)) for key, value in mapped(node, "critical options and values").entries
    )


class CertificateModel(Record):
    """`certificate` of a case: what the certificate of the login says."""

    example: ClassVar[str] = "{authority: staff}"
    authority: Name
    key_id: AnyText | None = None
    principals: Many[AnyText] | None = None
    extensions: Many[AnyText] | None = None
    options: Annotated[tuple[tuple[Text, Text], ...] | None, PlainValidator(_critical)] = None


class CaseModel(Record):
    """A case of `tests`."""

    example: ClassVar[str] = "{as: alice, from: 10.1.2.3, login: publickey, allow: shell}"
    name: Name | None = None
    as_: Name = Field(alias="as")
    account: Name | None = None
    key: Many[AnyText] | None = None
    certificate: CertificateModel | None = None
    from_: Annotated[IPAddress, PlainValidator(_address)] = Field(alias="from")
    listener: AnyText | None = None
    client: AnyText | None = None
    at: Annotated[datetime | None, PlainValidator(_instant)] = None
    resolve: Annotated[tuple[tuple[Text, tuple[IPAddress, ...]], ...] | None, PlainValidator(_resolve)] = None
    system_groups: Annotated[tuple[Text, ...] | None, PlainValidator(_system_groups)] = None
    login: MethodsItem | None = None
    refused: Annotated[Methods | Literal["any"] | None, PlainValidator(_refused)] = None
    allow: Many[Annotated[Asked, PlainValidator(_request)]] | None = None
    deny: Many[Annotated[Asked, PlainValidator(_request)]] | None = None
    runs: Many[AnyText] | None = None

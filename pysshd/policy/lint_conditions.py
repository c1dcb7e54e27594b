"""What is odd about conditions, though nothing is wrong: warnings."""

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address

from pysshd.policy.fields_places import Place
from pysshd.policy.model import Document
from pysshd.policy.model_entries import Conditions
from pysshd.policy.report import Report
from pysshd.policy.settings import Listen


def conditions_of(document: Document) -> Iterator[Conditions]:
    """The conditions of every entry, those of each `unless` among them."""
    for entry in (*(document.login or ()), *document.grants):
        yield entry
        if entry.unless is not None:
            yield entry.unless


def warn_unused_listeners(document: Document, report: Report) -> None:
    """Listeners that have a name for conditions, and no condition that asks for it."""
    used = {name.text for entry in conditions_of(document) for name in entry.listener or ()}
    for listener in (document.server.listen or ()) if document.server is not None else ():
        if listener.name is not None and listener.name.text not in used:
            report.warning(
                listener.name.mark,
                f"no condition asks for the listener {listener.name.text}",
                "leave the name out, or say in login or grants what holds there",
            )


def warn_keys_of_nobody(document: Document, held: Collection[str] | None, report: Report) -> None:
    """Fingerprints that are of nobody's key. held: every fingerprint there is; None where not all are known."""
    if held is None:
        return
    for entry in conditions_of(document):
        for item in entry.who or ():
            if item.kind == "fingerprint" and item.value not in held:
                report.warning(item.mark, f"nobody has the key {item.value}")


def warn_groups_of_one_name(document: Document, report: Report) -> None:
    """Groups of the host that conditions name, and that are called as a group of the file is."""
    told: set[str] = set()
    for entry in conditions_of(document):
        for item in entry.who or ():
            if item.kind == "system-group" and item.value in document.groups and item.value not in told:
                told.add(item.value)
                where = document.groups[item.value].where
                report.warning(
                    item.mark,
                    f"system-group:{item.value} is the group of the host, and another one than the {item.value} of "
                    f"groups at {where}",
                    f"write group:{item.value} where that is meant, or give it another name",
                )


def warn_ipv4_only(document: Document, listening: Iterable[Listen], report: Report) -> None:
    """Addresses of IPv4 alone where a listener also has peers by IPv6, to whom the entry says nothing."""
    other = next((listener for listener in listening if takes_ipv6(listener.host)), None)
    if other is None:
        return
    for entry in conditions_of(document):
        versions = {version for place in entry.from_ or () for version in _versions(place, document)}
        if entry.from_ is not None and versions == {4}:
            report.warning(
                entry.mark_of("from"),
                f"from names IPv4 alone, and {other.name} also has peers by IPv6",
                "name their prefixes too, or listen on IPv4 alone",
            )


def takes_ipv6(host: str) -> bool:
    """Whether peers of other hosts come by IPv6."""
    return host == "*" or (":" in host and not ip_address(host).is_loopback)


def _versions(place: Place, document: Document) -> set[int]:
    if place.network is not None:
        return {place.network.version}
    _, places = document.networks.get(place.name, (None, None))
    return {found.network.version for found in places or () if found.network is not None}

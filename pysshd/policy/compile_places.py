"""From the items of `from` to addresses: names of networks resolved, and those of none reported."""

from collections.abc import Iterable, Sequence

from pysshd.patterns.hosts import Network
from pysshd.policy.fields_places import Place
from pysshd.policy.model import Document
from pysshd.policy.other_words import instead_of_address
from pysshd.policy.reading import Text
from pysshd.policy.report import Report, meant, show


def networks_of(places: Sequence[Place], document: Document, report: Report) -> list[Network]:
    """The prefixes that the items of a `from` are."""
    found: list[Network] = []
    for place in places:
        if place.network is not None:
            found.append(place.network)
        elif place.name in document.networks:
            named = document.networks[place.name][1] or ()
            found += [one.network for one in named if one.network is not None]
        else:
            hint = meant(place.name, document.networks) or instead_of_address(place.name)
            hint = hint or "write addresses, or name them in networks"
            report.error(place.mark, f"unknown network {show(place.name)} in from", hint)
    return found


def from_clause(places: Sequence[Place]) -> str:
    """A `from` as it stands in the file."""
    return clause("from", [place.name or place.network for place in places])


def clause(key: str, items: Iterable[object]) -> str:
    """A condition as it stands in the file."""
    shown = [item.text if isinstance(item, Text) else str(item) for item in items]
    return f"{key}: {shown[0]}" if len(shown) == 1 else f"{key}: [{', '.join(shown)}]"

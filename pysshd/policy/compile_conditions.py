"""From the models of conditions to what the engine tests: references to nothing are reported."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from pysshd.patterns.globs import parse_glob
from pysshd.patterns.hosts import AddressSet, Network, address_set
from pysshd.policy import conditions as c
from pysshd.policy.compile_methods import check_methods
from pysshd.policy.compile_people import window_of
from pysshd.policy.compile_when import when_of
from pysshd.policy.compile_who import WhoCompiler
from pysshd.policy.fields_places import Place
from pysshd.policy.model import Document
from pysshd.policy.model_entries import Conditions, GrantConditions, GrantModel, LoginModel
from pysshd.policy.other_words import instead_of_address
from pysshd.policy.people import ALWAYS, Person
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Record, Text
from pysshd.policy.report import Report, meant, show
from pysshd.policy.settings import DEFAULT_LISTEN


class ConditionsCompiler:
    """Makes the conditions of entries."""

    def __init__(self, document: Document, people: Sequence[Person], zone: tzinfo, report: Report) -> None:
        self._document = document
        self._zone = zone
        self._report = report
        self.who = WhoCompiler(document, people, report)
        listen = document.server.listen if document.server is not None else None
        named = [listener for entry in listen for listener in entry.listeners] if listen else DEFAULT_LISTEN
        self._listeners = {listener.name for listener in named}

    def check_references(self, record: Record) -> None:
        """Look up what the conditions of a record with errors refer to."""
        if isinstance(record, Conditions):
            self._keys(record)
        if isinstance(record, LoginModel | GrantModel) and record.unless is not None:
            self._keys(record.unless)

    def of(self, model: LoginModel | GrantModel, unless: Conditions | None, *, admits: bool) -> c.Conditions:
        """`admits`: who matches gains something, so that `*` and a missing `who` leave out those who must be named."""
        own = self._keys(model, gains=admits)
        # Inside `unless` of what refuses, a client gains by what it claims just so.
        claims = model.client if admits else unless.client if unless is not None else None
        if claims is not None:
            self._report.warning(
                claims[0].mark, "client lets somebody in or through here: it is what the client claims"
            )
        not_before, not_after = model.not_before, model.not_after
        window = window_of(not_before, not_after, self._zone, self._report)
        if window is not ALWAYS:
            bounds = (("not_before", not_before), ("not_after", not_after))
            clause = ", ".join(f"{key}: {moment.text}" for key, moment in bounds if moment is not None)
            own = (*own, c.Within(clause, window))
        return c.Conditions(own, self._keys(unless, gains=not admits, inside=True) if unless is not None else ())

    def _keys(self, model: Conditions, *, gains: bool = False, inside: bool = False) -> tuple[c.Condition, ...]:
        """The conditions that a mapping holds, the cheapest first.

        gains: who matches gains something; inside: it is that of an `unless`.
        """
        found: list[c.Condition] = []
        account = model.account is not None
        if model.who is not None:
            found.append(self.who.who(model.who, _clause("who", model.who), gains=gains, account=account))
        elif gains and not inside and (anyone := self.who.absent(account=account)) is not None:
            found.append(anyone)
        if model.account is not None:
            found.append(c.Account(_clause("account", model.account), frozenset(one.text for one in model.account)))
            if self._document.sources:
                # Whoever has an account of that name is a person of the source.
                self.who.people_of_source |= {one.text for one in model.account} - self._document.users.keys()
        if model.listener is not None:
            found.append(self._listener(model.listener))
        if isinstance(model, GrantConditions) and model.with_ is not None:
            check_methods(model.with_, self._document, self._report)
            found.append(c.With(_clause("with", model.with_), tuple(method.chain for method in model.with_)))
        if model.from_ is not None:
            clause = _clause("from", [place.name or place.network for place in model.from_])
            found.append(c.From(clause, self._addresses(model.from_)))
        if model.client is not None:
            patterns = tuple(parse_glob(pattern.text) for pattern in model.client)
            found.append(c.Client(_clause("client", model.client), patterns))
        if model.when is not None:
            found.append(when_of(model.when, self._zone))
        return tuple(found)

    def _listener(self, items: Sequence[Text]) -> c.Listener:
        for item in items:
            if item.text not in self._listeners and "server" not in self._document.broken:
                hint = meant(item.text, self._listeners)
                self._report.error(item.mark, f"listener {show(item.text)} is not in server.listen", hint)
        return c.Listener(_clause("listener", items), frozenset(item.text for item in items))

    def _addresses(self, places: Sequence[Place]) -> AddressSet:
        networks: list[Network] = []
        for place in places:
            networks += [place.network] if place.network is not None else self._network(place.name, place.mark)
        return address_set(networks)

    def _network(self, name: str, mark: Mark) -> list[Network]:
        known = self._document.networks
        if name not in known:
            hint = meant(name, known) or instead_of_address(name) or "write addresses, or name them in networks"
            self._report.error(mark, f"unknown network {show(name)} in from", hint)
            return []
        return [place.network for place in known[name][1] or () if place.network is not None]


def _clause(key: str, items: Iterable[object]) -> str:
    shown = [item.text if isinstance(item, Text) else str(item) for item in items]
    return f"{key}: {shown[0]}" if len(shown) == 1 else f"{key}: [{', '.join(shown)}]"

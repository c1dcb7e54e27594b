"""From the models of conditions to what the engine tests: references to nothing are reported."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from pysshd.patterns.globs import parse_glob
from pysshd.patterns.hosts import address_set
from pysshd.policy import conditions as c
from pysshd.policy.compile_methods import check_methods
from pysshd.policy.compile_people import window_of
from pysshd.policy.compile_places import clause, from_clause, networks_of
from pysshd.policy.compile_when import when_of
from pysshd.policy.compile_who import WhoCompiler
from pysshd.policy.model import Document
from pysshd.policy.model_entries import Conditions, GrantConditions, GrantModel, LoginModel
from pysshd.policy.people import ALWAYS, Person
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
        self._same: dict[c.Condition, c.Condition] = {}

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
        others = self._keys(unless, gains=not admits, inside=True) if unless is not None else ()
        return c.Conditions(self._once(own), self._once(others))

    def _once(self, conditions: Iterable[c.Condition]) -> tuple[c.Condition, ...]:
        """Those that are written alike become one, which takes less room and is tested once for a request."""
        return tuple([self._same.setdefault(condition, condition) for condition in conditions])

    def _keys(self, model: Conditions, *, gains: bool = False, inside: bool = False) -> tuple[c.Condition, ...]:
        """The conditions that a mapping holds, the cheapest first.

        gains: who matches gains something; inside: it is that of an `unless`.
        """
        found: list[c.Condition] = []
        account = model.account is not None
        if model.who is not None:
            found.append(self.who.who(model.who, clause("who", model.who), gains=gains, account=account))
        elif gains and not inside and (anyone := self.who.absent(account=account)) is not None:
            found.append(anyone)
        if model.account is not None:
            found.append(c.Account(clause("account", model.account), frozenset(one.text for one in model.account)))
            if self._document.sources:
                # Whoever has an account of that name is a person of the source.
                self.who.people_of_source |= {one.text for one in model.account} - self._document.users.keys()
        if model.listener is not None:
            found.append(self._listener(model.listener))
        if isinstance(model, GrantConditions) and model.with_ is not None:
            check_methods(model.with_, self._document, self._report)
            found.append(c.With(clause("with", model.with_), tuple(method.chain for method in model.with_)))
        if model.from_ is not None:
            addresses = address_set(networks_of(model.from_, self._document, self._report))
            found.append(c.From(from_clause(model.from_), addresses))
        if model.client is not None:
            patterns = tuple(parse_glob(pattern.text) for pattern in model.client)
            found.append(c.Client(clause("client", model.client), patterns))
        if model.when is not None:
            found.append(when_of(model.when, self._zone))
        return tuple(found)

    def _listener(self, items: Sequence[Text]) -> c.Listener:
        for item in items:
            if item.text not in self._listeners and "server" not in self._document.broken:
                hint = meant(item.text, self._listeners)
                self._report.error(item.mark, f"listener {show(item.text)} is not in server.listen", hint)
        return c.Listener(clause("listener", items), frozenset(item.text for item in items))

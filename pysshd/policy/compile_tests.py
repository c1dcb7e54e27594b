"""From the models of `tests` to cases: references resolved, and what can be no case said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pysshd.patterns.destinations import HostError, parse_host
from pysshd.patterns.narrowing import CRITICAL_OPTIONS, NO_NARROWING, Narrowing, critical_option
from pysshd.patterns.source_lists import SourceListError
from pysshd.policy.casebook import Case, Expected, Verdict, judge
from pysshd.policy.decide import settled
from pysshd.policy.keyfiles import KeyFiles
from pysshd.policy.model import Document
from pysshd.policy.model_tests import Asked, CaseModel, CertificateModel
from pysshd.policy.people import Person
from pysshd.policy.query import Connect, Request, Run, Step
from pysshd.policy.reading import Text
from pysshd.policy.report import Report, meant, show
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.scene import certificates_of, chains_of, held_steps, holder_of, listeners_of, named_step
from pysshd.policy.steps import Certificate
from pysshd.policy.verbs import say_request

_MISSING: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "at": ("the time", "add at: 2027-03-01T09:00+01:00"),
    "listener": ("the listener", "add listener: with its name"),
    "system_groups": ("the groups of the host", "add system_groups: with names of groups, or system_groups: none"),
    "client": ("the client", "add client: with its version, as SSH-2.0-OpenSSH_9.9"),
    "certificate": ("the certificate", "add certificate: {authority: NAME}"),
    "resolve": ("what a name is resolved to", "add resolve: {NAME: ADDRESS}"),
    "key": ("the key", "add key: with the name or the fingerprint of the key"),
})  # fmt: skip
"""Facts that a case need not say where the answer does not depend on them, and what to do where it does."""

_REFERRED_TO: Final = frozenset(["server", "users", "user_defaults", "sources", "authorities", "login", "grants"])
"""Sections that cases refer to."""


def run_tests(document: Document, ruleset: Ruleset, key_files: KeyFiles | None, report: Report) -> tuple[Verdict, ...]:
    """Judge the `tests` of a document; what is decided otherwise is reported, and told apart from what is no test.

    Cases are looked at as soon as the sections that they refer to could be read, and judged where nothing is refused.
    """
    if not document.broken.isdisjoint(_REFERRED_TO):
        return ()
    cases = CasesCompiler(document, ruleset, key_files, report).cases()
    verdicts = tuple(judge(ruleset, case) for case in cases) if not report.refused else ()
    for verdict in verdicts:
        if verdict.missing:
            what, hint = _MISSING[verdict.missing]
            name = verdict.case.name
            report.error(verdict.case.mark, f"{name}: the answer depends on {what}, which the case does not say", hint)
        for failure in verdict.failures:
            report.failed(failure.mark, failure.message)
    return verdicts


class CasesCompiler:
    """Makes the cases of a document."""

    def __init__(self, document: Document, ruleset: Ruleset, key_files: KeyFiles | None, report: Report) -> None:
        self._document = document
        self._ruleset = ruleset
        self._key_files = key_files or {}
        self._report = report
        self._names: dict[str, str] = {}

    def cases(self) -> tuple[Case, ...]:
        """The cases, in the order of the file; one with an error is left out."""
        found = [self._case(number, model) for number, model in enumerate(self._document.tests, 1)]
        return tuple(case for case in found if case is not None)

    def _case(self, number: int, model: CaseModel) -> Case | None:
        before = self._report.errors
        name = model.name.text if model.name is not None else f"case {number}"
        if model.name is not None and self._names.setdefault(name, model.mark.where) != model.mark.where:
            self._report.error(model.name.mark, f"case {show(name)} stands twice, the first time at "
                                                f"{self._names[name]}")  # fmt: skip
        person = self._person(model.as_)
        self._check(model)
        expected = (*self._expected(model.allow, allowed=True), *self._expected(model.deny, allowed=False))
        self._check_expected(expected)
        if person is None:
            return None
        held = held_steps(person, self._key_files)
        self._check_certificate(model)
        keys = self._keys(person, model.key, held) if model.key is not None else None
        if self._report.errors > before:
            return None
        return Case(
            name=name,
            mark=model.mark,
            person=person,
            account=model.account.text if model.account is not None else person.name,
            source=model.from_,
            listener=model.listener.text if model.listener is not None else None,
            client=model.client.text if model.client is not None else None,
            at=model.at,
            system_groups=_group_names(model.system_groups),
            held=held,
            keys=keys,
            certificate=self._certificate(model, person),
            resolve={host.text: addresses for host, addresses in model.resolve or ()},
            admitted=model.login is not None,
            chains=self._chains(model),
            login_mark=model.mark_of("login" if model.login is not None else "refused"),
            expected=expected,
            runs=tuple(word.text for word in model.runs) if model.runs is not None else None,
            runs_mark=model.mark_of("runs"),
        )

    def _person(self, name: Text) -> Person | None:
        found = holder_of(self._ruleset, name.text)
        if found is None and name.text not in self._document.users:
            self._report.error(name.mark, f"unknown person {show(name.text)} in as",
                               meant(name.text, self._ruleset.people))  # fmt: skip
        return found

    def _chains(self, model: CaseModel) -> tuple[tuple[str, ...], ...]:
        if model.login is not None:
            return (model.login.chain,)
        assert model.refused is not None
        return chains_of(self._ruleset) if model.refused == "any" else (model.refused.chain,)

    def _check(self, model: CaseModel) -> None:
        report = self._report
        if (model.login is None) == (model.refused is None):
            report.error(model.mark, "a case needs either login or refused, and not both",
                         "login: publickey, or refused: any")  # fmt: skip
        for key in ("allow", "deny", "runs"):
            if model.login is None and model.refused is not None and getattr(model, key) is not None:
                report.error(model.mark_of(key), f"{key} beside refused: whoever is not let in asks for nothing")
        if model.runs is not None and not any(isinstance(one.request, Run) for one in model.allow or ()):
            report.error(model.mark_of("runs"), "runs beside no allow of shell, exec or subsystem tests nothing")
        known = listeners_of(self._ruleset)
        if model.listener is not None and model.listener.text not in known:
            report.error(model.listener.mark, f"listener {show(model.listener.text)} is not in server.listen",
                         meant(model.listener.text, known))  # fmt: skip
        if model.system_groups is not None and self._ruleset.settings.server.accounts != "system":
            report.error(model.mark_of("system_groups"), "system_groups needs accounts: system: else no session has an "
                                                         "account of the host")  # fmt: skip
        for group in model.system_groups or ():
            if group.text not in self._ruleset.system_groups:
                report.error(group.mark, f"system_groups names {group.text}, and no condition does: it tests nothing",
                             meant(group.text, self._ruleset.system_groups))  # fmt: skip

        names = {_looked_up(one.request) for one in (*(model.allow or ()), *(model.deny or ()))}
        for host, _ in model.resolve or ():
            if host.text not in names:
                report.error(host.mark, f"resolve names {host.text}, and no forward of the case does: it tests nothing",
                             meant(host.text, [name for name in names if name is not None]))  # fmt: skip

    def _expected(self, asked: Sequence[Asked] | None, *, allowed: bool) -> tuple[Expected, ...]:
        return tuple(Expected(one.request, allowed, one.mark) for one in asked or ())

    def _check_expected(self, expected: Sequence[Expected]) -> None:
        seen: dict[object, Expected] = {}
        for one in expected:
            always = settled(one.request)
            if always is not None:
                self._report.error(one.mark, f"{show(say_request(one.request))} tests nothing: no policy changes it, "
                                             f"for {always.reason}")  # fmt: skip
            first = seen.setdefault(one.request, one)
            if first is not one:
                text = "both allowed and denied" if first.allowed != one.allowed else "here twice"
                self._report.error(one.mark, f"{show(say_request(one.request))} is {text}, the first time at "
                                             f"{first.mark.where}")  # fmt: skip

    def _check_certificate(self, model: CaseModel) -> None:
        found, known = model.certificate, self._ruleset.authorities
        if found is None:
            return
        if found.authority.text not in known:
            self._report.error(found.authority.mark, f"unknown authority {show(found.authority.text)}",
                               meant(found.authority.text, known))  # fmt: skip
        chain = model.login or model.refused
        if chain is not None and chain != "any" and "certificate" not in chain.chain:
            self._report.error(model.mark_of("certificate"), f"certificate beside {chain}, which has none: it tests "
                                                             "nothing")  # fmt: skip

    def _certificate(self, model: CaseModel, person: Person) -> Certificate | None:
        """What is said of it; the rest as the authority would have it for this person and account."""
        said = model.certificate
        if said is None:
            return None
        account = model.account.text if model.account is not None else person.name
        name = said.authority.text
        usual = next((one for one in certificates_of(self._ruleset, person, account) if one.authority == name), None)
        usual = usual or Certificate(name, person.name)
        return replace(
            usual,
            key_id=said.key_id.text if said.key_id is not None else usual.key_id,
            principals=_group_names(said.principals) or usual.principals,
            extensions=_group_names(said.extensions) or usual.extensions,
            narrowing=self._narrowing(said),
            options=frozenset(key.text for key, _ in said.options or ()) - CRITICAL_OPTIONS,
        )

    def _narrowing(self, said: CertificateModel) -> Narrowing:
        """What critical options leave that are known."""
        found = NO_NARROWING
        for key, value in said.options or ():
            try:
                found = critical_option(found, key.text, value.text)
            except SourceListError as error:
                self._report.error(value.mark, f"{key.text}: {error}")
        return found

    def _keys(self, person: Person, names: Sequence[Text], held: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(step for name in names if (step := self._key(person, name, held)) is not None)

    def _key(self, person: Person, name: Text, held: tuple[Step, ...]) -> Step | None:
        found = named_step(person, name.text, held, self._key_files)
        if found is None:
            labels = [step.label or "" for step in held]
            self._report.error(name.mark, f"{person.name} has no key {show(name.text)}", meant(name.text, labels))
        return found


def _looked_up(request: Request) -> str | None:
    """The name that a request has looked up."""
    if not isinstance(request, Connect) or request.address is not None:
        return None
    try:
        found = parse_host(request.host)
    except HostError:
        return None
    return found if isinstance(found, str) else None


def _group_names(groups: Sequence[Text] | None) -> frozenset[str] | None:
    return frozenset(group.text for group in groups) if groups is not None else None

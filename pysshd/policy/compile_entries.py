"""From the models of `networks`, `roles`, `login` and `grants` to what the engine reads."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

from pysshd.patterns.globs import Glob, parse_glob
from pysshd.patterns.hosts import AddressSet, Network, address_set
from pysshd.policy import conditions as c
from pysshd.policy.compile_people import window_of
from pysshd.policy.compile_sftp import BUILT_IN_SFTP, sftp_rights
from pysshd.policy.compile_when import when_of
from pysshd.policy.fields_login import Who
from pysshd.policy.fields_places import Place
from pysshd.policy.fields_programs import Argv, ExecItem
from pysshd.policy.model import BUILT_IN, Document
from pysshd.policy.model_entries import (
    DENY_ALL,
    Conditions,
    EnvModel,
    GrantConditions,
    GrantModel,
    LoginModel,
    RoleModel,
)
from pysshd.policy.people import ALWAYS, Person
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Record, Text
from pysshd.policy.report import Report, meant, show
from pysshd.policy.rights import ExecRight, ForcedRight, Rights, RunRight, SetRight, ShellRight, SubsystemRight
from pysshd.policy.ruleset import Effect, Grant, LoginEntry
from pysshd.policy.settings import DEFAULT_LISTEN
from pysshd.policy.templates import Template

_BUILT_IN_WHERE: Final = "built-in role login-shell"
LOGIN_SHELL: Final = Rights(
    runs=(ShellRight(None, False, _BUILT_IN_WHERE), ExecRight("any", False, _BUILT_IN_WHERE)),
    pty=True,
    accept=(parse_glob("LANG"), parse_glob("LC_*")),
)
"""The permissions of the built-in role `login-shell`."""

NO_LOGIN_SECTION: Final = LoginEntry(
    1, "built-in login", c.Conditions((c.Who('who: "*"', anyone=True),)), (("publickey",),)
)
"""What holds where the document has no `login:`."""

NO_LOGIN_SECTION_BUT_ROOT: Final = LoginEntry(
    1, "built-in login", c.Conditions((c.Who('who: "*"', anyone=True, but_root=True),)), (("publickey",),)
)
"""The same under `accounts: system`."""


class EntriesCompiler:
    """Makes conditions, permissions, login entries and grants; references to nothing are reported."""

    def __init__(self, document: Document, people: Sequence[Person], zone: tzinfo, report: Report) -> None:
        self._document = document
        self._people = {person.name: person for person in people}
        self._zone = zone
        self._report = report
        self._key_names: dict[str, list[str]] = {}
        for person in people:
            for key in person.keys:
                if key.name is not None:
                    self._key_names.setdefault(key.name, []).append(person.name)
        listen = document.server.listen if document.server is not None else None
        named = [listener for entry in listen for listener in entry.listeners] if listen else DEFAULT_LISTEN
        self._listeners = {listener.name for listener in named}
        self.roles_used: set[str] = set()
        self.people_of_source: set[str] = set()
        self._system = document.server is not None and document.server.accounts == "system"
        self._roles: dict[str, Rights] = {}
        self.marks: dict[str, Mark] = {}

    def _where(self, mark: Mark) -> str:
        """`file:line` for the engine, and the way back for reports."""
        self.marks.setdefault(mark.where, mark)
        return mark.where

    # Login entries and grants

    def login(self) -> tuple[LoginEntry, ...]:
        """The entries of `login`, or the one that holds without it."""
        if self._document.login is None:
            return (NO_LOGIN_SECTION if not self._system else NO_LOGIN_SECTION_BUT_ROOT,)
        return tuple(self._login_entry(number, model) for number, model in enumerate(self._document.login, 1))

    def _login_entry(self, number: int, model: LoginModel) -> LoginEntry:
        conditions = self._conditions(model, model.unless, admits=model.refuse is None)
        chains = tuple(dict.fromkeys(method.chain for method in model.methods or ()))
        for shorter in model.methods or ():
            for longer in model.methods or ():
                if shorter is not longer and longer.chain[: len(shorter.chain)] == shorter.chain:
                    self._report.error(longer.mark, f"chain {longer} begins with {shorter}, which is enough alone",
                                       "leave one of them out")  # fmt: skip
        return LoginEntry(number, self._where(model.mark), conditions, chains)

    def grants(self) -> tuple[Grant, ...]:
        """The grants, in the order of the file."""
        names = self._document.grant_names
        return tuple(
            self._grant(number, name, model)
            for number, (name, model) in enumerate(zip(names, self._document.grants, strict=True), 1)
        )

    def _grant(self, number: int, name: str, model: GrantModel) -> Grant:
        conditions = self._conditions(model, model.unless, admits=model.deny is None and model.bound is None)
        effect, rights, everything = Effect.ALLOW, Rights(), False
        for role in model.roles or ():
            rights = rights | self._role(role)
        if model.allow is not None:
            rights = rights | self.rights(model.allow)
        if model.bound is not None:
            effect = Effect.BOUND
        elif model.deny is DENY_ALL:
            effect, everything = Effect.DENY, True
        elif model.deny is not None:
            effect, rights = Effect.DENY, self.rights(model.deny)
        return Grant(name, self._where(model.mark), number, conditions, effect, rights, everything)

    def check_references(self, record: Record) -> None:
        """Look up what a record with errors refers to."""
        if isinstance(record, Conditions):
            self._keys(record)
        if isinstance(record, LoginModel | GrantModel) and record.unless is not None:
            self._keys(record.unless)
        for role in (record.roles or ()) if isinstance(record, GrantModel) else ():
            self._role(role)

    # Roles

    def _role(self, name: Text) -> Rights:
        self.roles_used.add(name.text)
        if name.text in BUILT_IN_SFTP:
            return self._sftp_role(name)
        if name.text in BUILT_IN:
            return LOGIN_SHELL
        known = self._document.roles
        if name.text not in known:
            self._report.error(name.mark, f"unknown role {show(name.text)}", meant(name.text, [*known, *BUILT_IN]))
            return Rights()
        _, model = known[name.text]
        if name.text not in self._roles:
            self._roles[name.text] = self.rights(model) if model is not None else Rights()
        return self._roles[name.text]

    def _sftp_role(self, name: Text) -> Rights:
        self._report.unserved(name.mark, f"built-in role {show(name.text)}")
        if not self._system:
            self._report.error(name.mark, f"built-in role {show(name.text)} shows the whole host, and needs accounts: "
                               "system, where the account's own rights bound it",
                               "write a role with the folders that are meant: sftp: {mounts: {/: /srv/files}, "
                               "paths: {/: list, \"/**\": all}}")  # fmt: skip
        return Rights(sftp=(BUILT_IN_SFTP[name.text],))

    def rights(self, model: RoleModel) -> Rights:
        """The permissions of a role, of an `allow` or of a `deny`."""
        accept, sets = self._env(model.env)
        return Rights(
            runs=tuple(self._runs(model)),
            pty=bool(model.pty),
            accept=accept,
            sets=sets,
            signals=frozenset(signal.text for signal in model.signals or ()),
            sftp=sftp_rights(model.sftp, model.mark_of("sftp"), self._where),
        )

    def _runs(self, model: RoleModel) -> Iterable[RunRight]:
        confined, free = bool(model.confined), model.signals is None
        if model.shell is not None:
            program = None if model.shell is True else model.shell.words
            yield ShellRight(program, confined, self._where(model.mark_of("shell")), free)
        for item in model.exec_ or ():
            yield self._exec(item, confined, free)
        if model.forced is not None:
            yield ForcedRight(model.forced.words, confined, self._where(model.mark_of("forced")))
        for name, argv in model.subsystems or ():
            yield SubsystemRight(name.text, _words(argv), confined, self._where(name.mark))

    def _exec(self, item: ExecItem, confined: bool, free: bool) -> ExecRight:
        literal = item.source.encode("utf-8") if item.kind == "literal" else None
        return ExecRight(item.source, confined, self._where(item.mark), item.words, literal, free)

    def _env(self, env: EnvModel | None) -> tuple[tuple[Glob, ...], tuple[SetRight, ...]]:
        if env is None:
            return (), ()
        accept = tuple(parse_glob(pattern.text) for pattern in env.accept or ())
        return accept, tuple(SetRight(name.text, value, self._where(name.mark)) for name, value in env.set_ or ())

    # Conditions

    def _conditions(self, model: LoginModel | GrantModel, unless: Conditions | None, *, admits: bool) -> c.Conditions:
        """`admits`: what matches gains something, so that `*` and a missing `who` do not mean whoever is uid 0."""
        own = self._keys(model, but_root=admits)
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
        return c.Conditions(own, self._keys(unless, but_root=not admits, inside=True) if unless is not None else ())

    def _keys(self, model: Conditions, *, but_root: bool = False, inside: bool = False) -> tuple[c.Condition, ...]:
        """The conditions that a mapping holds, the cheapest first; `inside`: it is that of an `unless`."""
        found: list[c.Condition] = []
        # An account that is named is meant, whoever that is.
        but_root = but_root and self._system and model.account is None
        if model.who is not None:
            found.append(self._who(model.who, but_root))
        elif but_root and not inside:
            found.append(c.Who("who: absent, so uid 0 is not meant", anyone=True, but_root=True))
        if model.account is not None:
            found.append(c.Account(_clause("account", model.account), frozenset(one.text for one in model.account)))
        if model.listener is not None:
            found.append(self._listener(model.listener))
        if isinstance(model, GrantConditions) and model.with_ is not None:
            chains = [method.chain for method in model.with_]
            counts = tuple(tuple((step, chain.count(step)) for step in dict.fromkeys(chain)) for chain in chains)
            found.append(c.With(_clause("with", model.with_), counts))
        if model.from_ is not None:
            clause = _clause("from", [place.name or place.network for place in model.from_])
            found.append(c.From(clause, self._addresses(model.from_)))
        if model.client is not None:
            patterns = tuple(parse_glob(pattern.text) for pattern in model.client)
            found.append(c.Client(_clause("client", model.client), patterns))
        if model.when is not None:
            found.append(when_of(model.when, self._zone))
        return tuple(found)

    def _who(self, items: Sequence[Who], but_root: bool) -> c.Who:
        for item in items:
            self._check_who(item)
        by_kind: dict[str, frozenset[str]] = {
            kind: frozenset(item.value for item in items if item.kind == kind)
            for kind in ("person", "group", "key", "fingerprint", "system-group")
        }
        anyone = any(item.kind == "*" for item in items)
        return c.Who(
            _clause("who", items),
            anyone,
            by_kind["person"],
            by_kind["group"],
            by_kind["key"],
            by_kind["fingerprint"],
            by_kind["system-group"],
            anyone and but_root,
        )

    def _check_who(self, item: Who) -> None:
        document, report = self._document, self._report
        if item.kind == "system-group" and not self._system:
            report.error(item.mark, f"{item} in who needs accounts: system: else no session has an account of the host")
        elif item.kind == "person" and item.value not in document.users:
            hint = meant(item.value, document.users)
            if document.sources and item.value not in document.groups:
                # Whom the host knows is not known here; one letter off a person of the file is odd all the same.
                if hint:
                    report.warning(item.mark, f"{item.value} in who is no person of users", hint)
                self.people_of_source.add(item.value)
                return
            if item.value in document.groups:
                hint = f"for the group write group:{item.value}"
            report.error(item.mark, f"unknown person {show(item.value)} in who", hint)
        elif item.kind == "group" and item.value not in document.groups and "groups" not in document.broken:
            report.error(item.mark, f"unknown group {show(item.value)} in who", meant(item.value, document.groups))
        elif item.kind == "key":
            holders = self._key_names.get(item.value, [])
            if not holders and "users" not in document.broken:
                report.error(item.mark, f"no key has the name {show(item.value)}", meant(item.value, self._key_names))
            elif len(holders) > 1:
                report.error(item.mark, f"key name {show(item.value)} is that of a key of {holders[0]} and of one of "
                                        f"{holders[1]}", "name the key by its fingerprint: key:SHA256:…")  # fmt: skip

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
            hint = meant(name, known) or "write addresses, or name them in networks"
            self._report.error(mark, f"unknown network {show(name)} in from", hint)
            return []
        return [place.network for place in known[name][1] or () if place.network is not None]


def _words(argv: Argv | None) -> tuple[Template, ...]:
    return argv.words if argv is not None else ()


def _clause(key: str, items: Iterable[object]) -> str:
    shown = [item.text if isinstance(item, Text) else str(item) for item in items]
    return f"{key}: {shown[0]}" if len(shown) == 1 else f"{key}: [{', '.join(shown)}]"

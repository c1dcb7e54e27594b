"""From the models of `networks`, `roles`, `login` and `grants` to what the engine reads."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import reduce
from operator import or_
from typing import Final

from pysshd.patterns.globs import Glob, parse_glob
from pysshd.policy import conditions as c
from pysshd.policy.compile_conditions import ConditionsCompiler
from pysshd.policy.compile_forward import net_rights
from pysshd.policy.compile_methods import check_chains, check_methods
from pysshd.policy.compile_sftp import BUILT_IN_SFTP, sftp_rights
from pysshd.policy.fields_commands import ExecItem
from pysshd.policy.fields_programs import Argv
from pysshd.policy.login_settings import NO_SETTINGS, SERVED_KEY_OPTIONS
from pysshd.policy.model import BUILT_IN, Document
from pysshd.policy.model_bounds import bounds_of
from pysshd.policy.model_entries import (
    DENY_ALL,
    EnvModel,
    GrantModel,
    LoginModel,
    RoleModel,
)
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Record, Text
from pysshd.policy.report import Report, meant, show
from pysshd.policy.rights import (
    NO_RIGHTS,
    ExecRight,
    ForcedRight,
    Rights,
    RunRight,
    SetRight,
    ShellRight,
    SubsystemRight,
)
from pysshd.policy.ruleset import BUILT_IN_LOGIN, Effect, Grant, LoginEntry
from pysshd.policy.templates import Template

_BUILT_IN_WHERE: Final = "built-in role login-shell"
LOGIN_SHELL: Final = Rights(
    runs=(ShellRight(None, False, _BUILT_IN_WHERE), ExecRight("any", False, _BUILT_IN_WHERE)),
    pty=True,
    accept=(parse_glob("LANG"), parse_glob("LC_*")),
)
"""The permissions of the built-in role `login-shell`."""

NO_LOGIN_SECTION: Final = LoginEntry(
    1, BUILT_IN_LOGIN, c.Conditions((c.Who('who: "*"', anyone=True),)), (("publickey",),)
)
"""What holds where the document has no `login:`."""


class EntriesCompiler:
    """Makes conditions, permissions, login entries and grants; references to nothing are reported."""

    def __init__(self, document: Document, people: Sequence[Person], zone: tzinfo, report: Report) -> None:
        self._document = document
        self._report = report
        self._system = document.server is not None and document.server.accounts == "system"
        self.conditions = ConditionsCompiler(document, people, zone, report)
        self.roles_used: set[str] = set()
        self._roles: dict[str, Rights] = {}
        self._joined: dict[tuple[str, ...], Rights] = {}
        self.marks: dict[str, Mark] = {}

    def _where(self, mark: Mark) -> str:
        """`file:line` for the engine, and the way back for reports."""
        self.marks.setdefault(mark.where, mark)
        return mark.where

    # Login entries and grants

    def login(self) -> tuple[LoginEntry, ...]:
        """The entries of `login`, or the one that holds without it."""
        if self._document.login is None:
            who = self.conditions.who.absent(account=False)
            return (NO_LOGIN_SECTION if who is None else replace(NO_LOGIN_SECTION, conditions=c.Conditions((who,))),)
        return tuple(self._login_entry(number, model) for number, model in enumerate(self._document.login, 1))

    def _login_entry(self, number: int, model: LoginModel) -> LoginEntry:
        conditions = self.conditions.of(model, model.unless, admits=model.refuse is None)
        chains = tuple(dict.fromkeys(method.chain for method in model.methods or ()))
        check_methods(model.methods or (), self._document, self._report)
        check_chains(model, conditions, self._report)
        if model.set_ is not None and model.refuse:
            self._report.error(model.mark_of("set"), "set beside refuse: there is no connection to set anything for")
        settings = model.set_.settings if model.set_ is not None else NO_SETTINGS
        for option in sorted(settings.key_options - SERVED_KEY_OPTIONS):
            assert model.set_ is not None
            self._report.unserved(model.set_.mark_of("key_options"), f"key option {option!r}")
        return LoginEntry(number, self._where(model.mark), conditions, chains, settings)

    def grants(self) -> tuple[Grant, ...]:
        """The grants, in the order of the file."""
        names = self._document.grant_names
        return tuple(
            self._grant(number, name, model)
            for number, (name, model) in enumerate(zip(names, self._document.grants, strict=True), 1)
        )

    def _grant(self, number: int, name: str, model: GrantModel) -> Grant:
        conditions = self.conditions.of(model, model.unless, admits=model.deny is None and model.bound is None)
        effect, rights, everything = Effect.ALLOW, self._of_roles(model.roles or ()), False
        if model.allow is not None:
            rights = rights | self.rights(model.allow)
        if model.bound is not None:
            effect = Effect.BOUND
        elif model.deny is DENY_ALL:
            effect, everything = Effect.DENY, True
        elif model.deny is not None:
            effect, rights = Effect.DENY, self.rights(model.deny)
        source = model.bound or model
        bounds = bounds_of(source.limits, source.record, name)
        return Grant(name, self._where(model.mark), number, conditions, effect, rights, everything, bounds)

    def check_references(self, record: Record) -> None:
        """Look up what a record with errors refers to."""
        self.conditions.check_references(record)
        for role in (record.roles or ()) if isinstance(record, GrantModel) else ():
            self._role(role)

    # Roles

    def _of_roles(self, names: Sequence[Text]) -> Rights:
        """The permissions of some roles together: the same ones for each grant of the same roles."""
        each = [self._role(name) for name in names]
        key = tuple(name.text for name in names)
        if key not in self._joined:
            self._joined[key] = reduce(or_, each) if each else NO_RIGHTS
        return self._joined[key]

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

    def check_unused_roles(self) -> None:
        """Look up what roles refer to that nobody has."""
        for name, (_, model) in self._document.roles.items():
            if model is not None and name not in self._roles:
                self.rights(model)

    def rights(self, model: RoleModel) -> Rights:
        """The permissions of a role, of an `allow` or of a `deny`."""
        accept, sets = self._env(model.env)
        sets += tuple(self._settings(model))
        return Rights(
            runs=tuple(self._runs(model)),
            pty=bool(model.pty),
            accept=accept,
            sets=sets,
            signals=frozenset(signal.text for signal in model.signals or ()),
            sftp=sftp_rights(model.sftp, model.mark_of("sftp"), self._where),
            net=tuple(net_rights(model, self._document.networks, self._where, self._report)),
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
        return ExecRight(item.source, confined, self._where(item.mark), item.words, literal, free,
                         item.profile)  # fmt: skip

    def _settings(self, model: RoleModel) -> Iterable[SetRight]:
        if model.umask is not None:
            yield SetRight("umask", model.umask, self._where(model.mark_of("umask")), "umask")
        if model.working_folder is not None:
            where = self._where(model.mark_of("working_folder"))
            yield SetRight("working_folder", model.working_folder, where, "working_folder")

    def _env(self, env: EnvModel | None) -> tuple[tuple[Glob, ...], tuple[SetRight, ...]]:
        if env is None:
            return (), ()
        accept = tuple(parse_glob(pattern.text) for pattern in env.accept or ())
        return accept, tuple(SetRight(name.text, value, self._where(name.mark)) for name, value in env.set_ or ())


def _words(argv: Argv | None) -> tuple[Template, ...]:
    return argv.words if argv is not None else ()

"""From the models of `server`, `crypto`, `limits` and `users` to settings and people."""

from collections.abc import Iterable
from datetime import tzinfo

from pysshd.policy import values
from pysshd.policy.compile_crypto import crypto_of
from pysshd.policy.compile_folders import join_folders
from pysshd.policy.compile_guests import guests_of
from pysshd.policy.compile_narrow import narrowing_of, options_timezone, texts, warn_unaccepted
from pysshd.policy.fields_login import InlineKey
from pysshd.policy.keyfiles import KeyFiles, KeyFolders, read_of
from pysshd.policy.model import Document
from pysshd.policy.model_settings import KeyModel, StartupsModel, UserDefaultsModel, UserModel
from pysshd.policy.model_sources import SourceModel
from pysshd.policy.people import ALWAYS, PasswordHash, Person, PersonKey, UserDefaults, Window
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Record, Text
from pysshd.policy.report import Report, meant, show
from pysshd.policy.settings import DEFAULT_MIN_UID, Limits, Server, Settings, Startups

_NAMED = ("user", "worker_user", "state", "interface")


def settings_of(document: Document, report: Report) -> Settings:
    """What the daemon itself is told, with the defaults."""
    server, limits = document.server, document.limits
    found = Settings()
    if server is not None:
        found = Settings(
            Server(
                listen=tuple(listener for entry in server.listen or () for listener in entry.listeners),
                host_keys=server.host_keys,
                accounts=server.accounts,
                min_uid=server.min_uid or DEFAULT_MIN_UID,
                owner=_text(server.owner),
                user=_text(server.user),
                worker_user=_text(server.worker_user),
                state=_text(server.state),
                sandbox=server.sandbox,
                timezone=server.timezone,
                options_timezone=options_timezone(document),
                banner=server.banner,
                version_addendum=server.version_addendum,
                interface=_text(server.interface),
                isolation=server.isolation,
                where={name: str(text.mark) for name in _NAMED if (text := getattr(server, name)) is not None},
            )
        )
    crypto = crypto_of(document.crypto, report)
    return Settings(found.server, crypto, _limits(document) if limits is not None else Limits())


def _limits(document: Document) -> Limits:
    limits, default = document.limits, Limits()
    assert limits is not None
    startups = limits.startups
    return Limits(
        login_grace=limits.login_grace or default.login_grace,
        auth_attempts=limits.auth_attempts or default.auth_attempts,
        startups=_startups(startups) if startups is not None else default.startups,
        sessions_per_connection=limits.sessions_per_connection or default.sessions_per_connection,
        connections=limits.connections or default.connections,
    )


def _startups(found: StartupsModel) -> Startups:
    """One source alone does not bring it to the point from which others are dropped, unless the file says so."""
    start = found.start
    return Startups(
        start, found.rate, found.full, found.per_source or max(1, start - 1), found.per_source_rate or start
    )


def _text(found: Text | None) -> str | None:
    return found.text if found is not None else None


def window_of(not_before: Text | None, not_after: Text | None, zone: tzinfo, report: Report) -> Window:
    """The time between two moments of the file; a bare date is meant in `zone` and covers its day."""
    if not_before is None and not_after is None:
        return ALWAYS
    start = values.instant(not_before.text, zone, end=False) if not_before is not None else None
    end = values.instant(not_after.text, zone, end=True) if not_after is not None else None
    if not_before is not None and start is not None and end is not None and start >= end:
        report.error(not_before.mark, "not_before is not before not_after: the time between them is empty")
    return Window(start, end)


def key_of(model: KeyModel, document: Document, zone: tzinfo, report: Report) -> PersonKey:
    """One item of `keys`."""
    name = _text(model.name)
    window = window_of(model.not_before, model.not_after, zone, report)
    inline: InlineKey | None = model.key
    mark = model.place
    options = [*([inline.options] if inline is not None and inline.options else []), *texts(model.options)]
    narrowing = narrowing_of(options, model.from_ or (), mark, document, report)
    if inline is not None:
        key = inline.key
        return PersonKey(name or key.fingerprint, name, key.blob, key.fingerprint, None, window, mark.where, narrowing)
    assert model.file is not None
    return PersonKey(name or model.file.text, name, None, None, model.file.text, window, mark.where, narrowing)


def key_problem(model: KeyModel, key_files: KeyFiles | None, report: Report) -> None:
    """Report a file of keys that is of no use."""
    known = key_files.get(model.file.text) if key_files is not None and model.file is not None else None
    if model.file is not None and known is not None and known.problem:
        report.error(model.file.mark, f"key file {model.file.text}: {known.problem}")


def defaults_of(document: Document, zone: tzinfo, report: Report) -> UserDefaults:
    """What holds for whoever does not say otherwise."""
    model = document.user_defaults
    if model is None:
        return UserDefaults()
    return UserDefaults(
        frozenset(group.text for group in model.groups or ()),
        tuple(account.text for account in model.accounts or ()) or UserDefaults().accounts,
        _text(model.home),
        window_of(model.not_before, model.not_after, zone, report),
        _text(model.run_as),
    )


class PeopleCompiler:
    """Makes the people of a document; a person whose record has an error is known by name alone."""

    def __init__(
        self,
        document: Document,
        key_files: KeyFiles | None,
        zone: tzinfo,
        report: Report,
        folders: KeyFolders | None = None,
    ) -> None:
        self._document = document
        self._key_files = key_files
        self._folders = folders
        self._zone = zone
        self._report = report
        self._groups_of: dict[frozenset[str], frozenset[str]] = {}
        self.defaults = defaults_of(document, zone, report)
        self.places = {name: mark for name, (mark, _) in document.users.items()}
        """Where the people stand, or the folder that has them."""
        for source in document.sources:
            self._groups(source.groups or ())
        if document.user_defaults is not None:
            self.check_references(document.user_defaults)

    def people(self) -> tuple[Person, ...]:
        """Everyone who could be compiled."""
        found = [
            self._person(name, mark, user) for name, (mark, user) in self._document.users.items() if user is not None
        ]
        folders = self._folders or {}
        joined = join_folders(self._document, found, folders, self.defaults, self._report, self.fingerprints)
        self.places |= joined.places
        found = guests_of(self._document, joined.people, self._report)
        self._check_shared_keys(found)
        self._check_costs(found)
        return tuple(found)

    def _person(self, name: str, mark: Mark, user: UserModel) -> Person:
        common = self.defaults.person(name)
        groups = self._groups(user.groups) if user.groups is not None else common.groups
        accounts = tuple(dict.fromkeys(account.text for account in user.accounts or ())) or common.accounts
        keys = tuple(key_of(key, self._document, self._zone, self._report) for key in user.keys or ())
        settings = [entry.set_.settings for entry in self._document.login or () if entry.set_ is not None]
        for key, made in zip(user.keys or (), keys, strict=True):
            key_problem(key, self._key_files, self._report)
            warn_unaccepted(made.narrowing, key.place, settings, self._report)
        self._check_labels(user, keys)
        document = self._document
        elsewhere = document.open_ended or document.authorities or self._has_file(name) or user.names is not None
        if not keys and user.password is None and user.totp is None and not elsewhere:
            self._report.warning(mark, f"{name} has neither keys nor a password, and can not log in")
        return Person(
            name,
            groups,
            accounts,
            keys,
            user.password,
            _text(user.home) or common.home,
            self._window(user),
            mark.where,
            _text(user.run_as) or common.run_as,
            totp=user.totp.secret_file.text if user.totp is not None else None,
            by_default=user.groups is None,
        )

    def _has_file(self, name: str) -> bool:
        """Whether a folder has keys of this person, or may have some, for it was not read."""
        patterns = self._document.key_folders()
        folders = self._folders or {}
        return any(one not in folders or name in dict(folders[one].files) for one in patterns)

    def _window(self, user: UserModel) -> Window:
        common = self._document.user_defaults
        start = user.not_before or (common.not_before if common is not None else None)
        end = user.not_after or (common.not_after if common is not None else None)
        return window_of(start, end, self._zone, self._report)

    def check_references(self, record: Record) -> None:
        """Look up what a person with errors refers to."""
        if isinstance(record, UserModel | UserDefaultsModel | SourceModel):
            self._groups(record.groups or ())

    def _groups(self, groups: Iterable[Text]) -> frozenset[str]:
        known = self._document.groups
        for group in groups:
            if group.text not in known and "groups" not in self._document.broken:
                hint = meant(group.text, known) or f"add it to the section: groups: [{group.text}]"
                self._report.error(group.mark, f"group {show(group.text)} is not declared in groups", hint)
        found = frozenset(group.text for group in groups)
        return self._groups_of.setdefault(found, found)  # many people are in the same ones

    def _check_labels(self, user: UserModel, keys: tuple[PersonKey, ...]) -> None:
        seen: dict[str, PersonKey] = {}
        fingerprints: dict[str, PersonKey] = {}
        for model, key in zip(user.keys or (), keys, strict=True):
            if seen.setdefault(key.label, key) is not key:
                what = f"name {show(key.name)}" if key.name else "key"
                self._report.error(model.place, f"{what} stands twice for one person, the first time at "
                                                f"{seen[key.label].where}")  # fmt: skip
                continue
            for fingerprint in self.fingerprints(key):
                if fingerprints.setdefault(fingerprint, key) is not key:
                    self._report.error(model.place, f"key {fingerprint} stands twice for one person, the first time at "
                                                    f"{fingerprints[fingerprint].where}")  # fmt: skip

    def fingerprints(self, key: PersonKey) -> tuple[str, ...]:
        """The keys of an entry, as far as they are known."""
        if key.fingerprint is not None:
            return (key.fingerprint,)
        known = read_of(self._key_files, key.file)
        return known.fingerprints if known is not None else ()

    def _check_shared_keys(self, people: list[Person]) -> None:
        """A key of two people of one account means nobody; of two people at all it is odd."""
        holders: dict[str, list[Person]] = {}
        for person in people:
            for fingerprint in {found for key in person.keys for found in self.fingerprints(key)}:
                for other in holders.get(fingerprint, ()):
                    self._shared(fingerprint, other, person)
                holders.setdefault(fingerprint, []).append(person)

    def _check_costs(self, people: list[Person]) -> None:
        """Hashes of different costs take different times, which tells strangers who is here (security.md S70)."""
        first: Person | None = None
        for person in people:
            if person.password is None:
                continue
            first = first or person
            assert first.password is not None
            if _costs(person.password) != _costs(first.password):
                self._report.warning(
                    self.places[person.name],
                    f"the password hash of {person.name} has {_costs(person.password)}, that of {first.name} at "
                    f"{first.where} {_costs(first.password)}: the time that a login takes may tell who exists",
                    "make them of one cost, with 'pysshd hash-password'",
                )

    def _shared(self, fingerprint: str, first: Person, second: Person) -> None:
        mark = self.places[second.name]
        common = sorted(set(first.accounts) & set(second.accounts))
        text = f"key {fingerprint} of {second.name} is also a key of {first.name} at {first.where}"
        if common:
            self._report.error(mark, f"{text}, and both may log in as {common[0]}", "a key means one person")
        else:
            self._report.warning(mark, text)


def _costs(password: PasswordHash) -> str:
    return f"m={password.memory},t={password.iterations},p={password.lanes}"

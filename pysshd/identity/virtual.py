"""The people of the policy file: whose a key is, whether a password is right, and as whom they run."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from datetime import datetime

from pysshd.errors import InvalidKeyError
from pysshd.identity.accounts import Accounts
from pysshd.identity.certificates import authority_of, said_by
from pysshd.identity.hashing import Entropy, acceptable, decoy_hash
from pysshd.identity.key_files import KeyFiles
from pysshd.identity.passwords import PasswordQueue
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing, narrows
from pysshd.policy.people import Person, PersonKey
from pysshd.policy.query import Step
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate as Said
from pysshd.records import dataclass
from pysshd.server.known import NOTHING_KNOWN, Known
from pysshd.server.plan import Account
from pysshd.server.ports import KeyHolder
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey

_STAND_IN = b"stand-in for a password that is never right"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the policy lists a key: in an entry itself, or in a line of its file."""

    person: Person
    entry: PersonKey
    line: Narrowing = NO_NARROWING

    @property
    def lines(self) -> tuple[Narrowing, ...]:
        """What it says. Of an entry with the key itself the policy knows that; of a file only where a step names it."""
        known = self.entry.file is None or not narrows(self.entry.narrowing)
        return (self.line,) if known else (self.line, self.entry.narrowing)


class VirtualPeople:
    """`Identity` over `users:` of one compiled policy.

    complain: takes a line for the log, about a file or a helper that could not be used.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        files: KeyFiles,
        passwords: PasswordQueue,
        accounts: Accounts,
        entropy: Entropy,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ruleset = ruleset
        self._files = files
        self._passwords = passwords
        self._accounts = accounts
        self._complain = complain
        people = ruleset.people.values()
        self._decoy = decoy_hash((p.password.phc.reveal() for p in people if p.password is not None), entropy)
        self._decoy_files = _commonest_files(ruleset)

    async def look_up(self, account: str, peer: Hashable) -> Known:
        """Nothing: the host plays no part."""
        return NOTHING_KNOWN

    async def key_holder(
        self, account: str, key: PublicKey, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | None:
        """The one person who may have `account` by this key now. A key that two have lets neither in.

        The policy's own word comes first: a source gives no key that stands there, for it would give it without its
        name and beyond its time.
        """
        candidates = self._ruleset.person_of_key(account, key.fingerprint)
        places = [_Place(person, entry) for person, entry in candidates.found if entry.blob in (None, key.blob)]
        for person, entry in candidates.files:
            line = self._line_of(entry.file, key.fingerprint)
            if line is not None:
                places.append(_Place(person, entry, line))
        said: dict[str, dict[str, tuple[Narrowing, ...]]] = {}
        for place in places:
            if _counts(place.person, place.entry, now):
                said.setdefault(place.person.name, {}).setdefault(place.entry.label, place.lines)
        listed = {place.person.name for place in places} - said.keys()
        for name, label, of_source in known.keys.get(key.fingerprint, ()):
            found = known.people.get(name)
            if found is not None and found.window.holds(now) and name not in listed:
                # Of a key that stands twice in one file the first line counts; those of several files all narrow.
                said.setdefault(name, {}).setdefault(label, (of_source,))
        holders = {name: KeyHolder(name, _step(key.fingerprint, lines)) for name, lines in said.items()}
        if not candidates.files:
            for path in self._decoy_files:  # whoever has no files costs as much as whoever has (S55, S70)
                self._line_of(path, key.fingerprint, quiet=True)
        if len(holders) > 1:
            self._complain(
                f"key {key.fingerprint} is of {len(holders)} people under one account; it lets none of them in"
            )
            return None
        return next(iter(holders.values()), None)

    async def certificate_holder(
        self, account: str, certificate: Certificate, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | str:
        """The person whom a certificate of an authority names, or why it names nobody."""
        signing = authority_of(self._ruleset, certificate, now, self._has_plain)
        authority, by = signing or (None, None)
        try:
            said = said_by(certificate, authority.name if authority is not None else "")
        except InvalidKeyError as error:
            return str(error)
        if authority is None or by is None:
            return await self._by_line(account, certificate, said, now, known)
        name = authority.names(said)
        found = known.people.get(name) if name is not None else None
        found = found or self._ruleset.holder_of(said)
        if found is None:
            return f"the certificate of {authority.name} names nobody by its {authority.person}"
        fingerprint = certificate.key.fingerprint
        lines = self._lines_of(found.name, fingerprint, known)
        return KeyHolder(found.name, Step("publickey", fingerprint, by.label, said, certified=lines))

    async def _by_line(
        self, account: str, certificate: Certificate, said: Said, now: datetime, known: Known
    ) -> KeyHolder | str:
        """Whose key signed a certificate, of the keys that may: those of lines with `cert-authority`."""
        holder = await self.key_holder(account, certificate.authority, now, known)
        none = f"its authority {certificate.authority.fingerprint} is none of the policy"
        person = None if holder is None else known.people.get(holder.person) or self._ruleset.people.get(holder.person)
        if holder is None or person is None:
            return none
        said = replace(said, signer=certificate.authority.fingerprint)
        fingerprint = certificate.key.fingerprint
        lines = self._lines_of(holder.person, fingerprint, known)
        step = replace(holder.step, key=fingerprint, certificate=said, certified=lines)
        key = person.signer_of(step)
        # Where lines of several sources have it, one that does not say so takes it back.
        by_lines = all(line.authority for line in (step.narrowing, *step.others))
        if not (by_lines or (key is not None and key.narrowing.authority)):
            return none
        return KeyHolder(holder.person, step)

    async def password_matches(
        self, person: str, password: bytes, now: datetime, peer: Hashable, known: Known = NOTHING_KNOWN
    ) -> bool:
        """Whether it is right. Who has none, may not now, or gives what no password can be, costs the same (S70)."""
        entry = self._ruleset.people.get(person)
        real = entry is not None and entry.password is not None and entry.window.holds(now) and acceptable(password)
        if not real or entry is None or entry.password is None:
            await self._passwords.check(self._decoy, _STAND_IN, peer)
            return False
        return await self._passwords.check(entry.password.phc.reveal(), password, peer)

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """As whom `person` runs."""
        return self._accounts.account(person, name, confined, known)

    def _lines_of(self, name: str, fingerprint: str, known: Known) -> tuple[Narrowing, ...]:
        """What files and sources say of a key of this person, as far as it narrows."""
        said: dict[str, tuple[Narrowing, ...]] = {}
        entry = self._ruleset.people.get(name)
        for key in entry.keys if entry is not None else ():
            line = self._line_of(key.file, fingerprint)
            if entry is not None and line is not None:
                said[key.label] = _Place(entry, key, line).lines
        for person, label, of_source in known.keys.get(fingerprint, ()):
            if person == name:
                said.setdefault(label, (of_source,))
        return tuple(line for lines in said.values() for line in lines if narrows(line))

    def _has_plain(self, path: str, fingerprint: str) -> bool:
        """Whether a file has a key with nothing in front of it."""
        return self._line_of(path, fingerprint) == NO_NARROWING

    def _line_of(self, path: str | None, fingerprint: str, quiet: bool = False) -> Narrowing | None:
        """What the file says of the key; None where it has it not, and a file that can not be read or understood has
        none.
        """
        if path is None:
            return None
        try:
            return self._files.keys(path).get(fingerprint)
        except (OSError, InvalidKeyError) as error:
            if not quiet:
                self._complain(f"key file is ignored: {error}")
            return None


def _step(fingerprint: str, said: Mapping[str, tuple[Narrowing, ...]]) -> Step:
    """The step that a login with a key is. said: by the labels of the entries that have it, the first of which counts
    and the others narrow.
    """
    (label, (line, *_)), *others = said.items()
    more = [line for _, lines in others for line in lines]
    return Step("publickey", fingerprint, label, narrowing=line, others=tuple(more))


def _counts(person: Person, entry: PersonKey, now: datetime) -> bool:
    return person.window.holds(now) and entry.window.holds(now)


def _commonest_files(ruleset: Ruleset) -> tuple[str, ...]:
    """The files of the first person who has any: what a look-up of a typical account reads."""
    for person in ruleset.people.values():
        files = tuple(key.file for key in person.keys if key.file is not None)
        if files:
            return files
    return ()

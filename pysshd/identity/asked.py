"""People of whom a program of the administrator's has keys, beside whoever is known without it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

from pysshd.errors import DecodeError
from pysshd.identity.fingerprints import fingerprint_of
from pysshd.identity.host.calls import AskProgram, ProgramSaid
from pysshd.identity.lines import narrowing_of
from pysshd.identity.queue import HelperQueue
from pysshd.patterns.names import is_name
from pysshd.patterns.narrowing import Narrowing
from pysshd.policy.people import KeyCommand, Person
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.values import timezone
from pysshd.records import dataclass
from pysshd.server.known import NOTHING_KNOWN, Known
from pysshd.server.plan import Account
from pysshd.server.ports import Identity, KeyHolder
from pysshd.ssh.crypto.certs import Certificate
from pysshd.ssh.crypto.keys import PublicKey

PROGRAMS: Final = 16
"""Programs at once."""

PROGRAM_WITHIN: Final = 45.0
"""Seconds that one helper may take: the most that a policy gives to a program, and what goes on around it."""

NAMES_MAX: Final = 32
"""People who share one account, as far as a program is asked for each of them."""

_UNANSWERED: Final = "it could not be asked"

Said: TypeAlias = tuple[tuple[str, Narrowing], ...] | str | None
"""What a program said of one person: keys, by fingerprint, with what their lines leave; or why that is not known; or
None, where it has keys for them of which none is of use."""


@dataclass(frozen=True, slots=True)
class _Question:
    """About whom a program is asked."""

    command: KeyCommand
    name: str


class AskedPeople:
    """`Identity` over another one, and what programs say.

    A program is asked once for each connection and each person who may have the account, whoever that is: it costs the
    same for a name that nobody has. What it does not say is unknown, and lets nobody in.
    inner: who is known without them. owners: uids of whom the programs may be.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        inner: Identity,
        queue: HelperQueue,
        owners: frozenset[int],
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ruleset = ruleset
        self._zone = timezone(ruleset.settings.server.options_timezone)
        self._inner = inner
        self._queue = queue
        self._owners = tuple(sorted(owners))
        self._complain = complain

    async def look_up(self, account: str, peer: Hashable) -> Known:
        """What the inner one knows, and what the programs say of everyone who may log in as this."""
        commands = dict.fromkeys(self._ruleset.commands)
        asked = [_Question(command, name) for name in self._names(account) for command in commands]
        known, said = await asyncio.gather(
            self._inner.look_up(account, peer),
            asyncio.gather(*(self._ask(question, account, peer) for question in asked)),
        )
        return self._joined(known, dict(zip(asked, said, strict=True)))

    def _names(self, account: str) -> list[str]:
        """Whom a program is asked about; nobody where the name is of no form that anybody's could have."""
        if not is_name(account):
            return []
        names = [person.name for person in self._ruleset.people_of(account)]
        if account not in self._ruleset.people:
            names.append(account)
        if len(names) > NAMES_MAX:
            self._complain(f"account {account} is shared by {len(names)} people, of whom programs that know keys are "
                           f"asked about {NAMES_MAX}")  # fmt: skip
        return names[:NAMES_MAX]

    async def _ask(self, question: _Question, account: str, peer: Hashable) -> Said:
        command = question.command
        argv = command.words_for(question.name, account)
        milliseconds = round(command.timeout * 1000)
        names = (question.name, account)
        asked = AskProgram(argv, names, command.run_as or "", milliseconds, self._owners)
        answered = await self._queue.ask(asked.encode(), peer)
        said = ProgramSaid((), _UNANSWERED, ())
        if answered is not None:
            try:
                said = ProgramSaid.decode(answered)
            except DecodeError as error:
                said = ProgramSaid((), f"helper answered what can not be read: {error}", ())
        for note in said.notes:
            self._complain(f"program {command.program} ({command.where}): {note}")
        if said.fault:
            self._complain(f"program {command.program} ({command.where}) says no keys: {said.fault}")
            return said.fault
        keys = tuple([held async for held in self._keys_in(said, command, question.name)])
        return keys if keys or not (said.keys or said.notes) else None

    async def _keys_in(self, said: ProgramSaid, command: KeyCommand, name: str) -> AsyncIterator[tuple[str, Narrowing]]:
        for digest, number, options in said.keys:
            where = f"line {number} of what {command.program} printed for {name}"
            narrowing = narrowing_of(options, self._zone, where, self._complain)
            if narrowing is not None:
                yield fingerprint_of(digest), narrowing
            if options:
                await asyncio.sleep(0)  # reading them takes a while, and others are waiting

    def _joined(self, known: Known, said: Mapping[_Question, Said]) -> Known:
        """`known`, with what was said."""
        ruleset, source = self._ruleset, self._ruleset.asked
        people: dict[str, Person] = dict(known.people)
        keys = {key: list(held) for key, held in known.keys.items()}
        elsewhere: set[str] = set()
        by_program: set[str] = set()
        unobtained = ""
        for question, answer in said.items():
            command, name = question.command, question.name
            of_source = source is not None and command == source.command
            if isinstance(answer, str):
                unobtained = unobtained or f"the keys that {command.program} has are not known, for {answer}"
            if source is not None and of_source:
                entry = people.get(name) or ruleset.people.get(name)
                if name not in known.people:
                    elsewhere.add(name)
                if not isinstance(answer, tuple):
                    people |= {name: source.perhaps(entry)} if entry is not None else {}
                    continue
                by_program.add(name)
                if answer:
                    people[name] = source.person(name, entry)
            if name not in people or not isinstance(answer, tuple):
                continue
            if of_source or name in known.people:
                for fingerprint, narrowing in answer:
                    keys.setdefault(fingerprint, []).append((name, command.label, narrowing))
        held = {key: tuple(found) for key, found in keys.items()}
        not_of_host = frozenset(elsewhere & people.keys())
        return replace(known, people=people, keys=held, unobtained=unobtained, not_of_host=not_of_host,
                       by_program=frozenset(by_program))  # fmt: skip

    async def key_holder(
        self, account: str, key: PublicKey, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | None:
        """The one person who may have `account` by this key now."""
        return await self._inner.key_holder(account, key, now, known)

    async def certificate_holder(
        self, account: str, certificate: Certificate, now: datetime, known: Known = NOTHING_KNOWN
    ) -> KeyHolder | str:
        """The person whom a certificate names, or why it names nobody."""
        return await self._inner.certificate_holder(account, certificate, now, known)

    async def password_matches(
        self, person: str, password: bytes, now: datetime, peer: Hashable, known: Known = NOTHING_KNOWN
    ) -> bool:
        """Whether it is right; programs know no passwords."""
        return await self._inner.password_matches(person, password, now, peer, known)

    def account(self, person: str, name: str, confined: bool, known: Known = NOTHING_KNOWN) -> Account:
        """As whom `person` runs."""
        return self._inner.account(person, name, confined, known)

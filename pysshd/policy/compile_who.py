"""From the items of `who` to what the engine tests."""

from collections.abc import Sequence

from pysshd.policy import conditions as c
from pysshd.policy.fields_login import Who
from pysshd.policy.model import Document
from pysshd.policy.people import Person
from pysshd.policy.report import Report, meant, show

_OF_AUTHORITIES = frozenset(["authority", "principal", "extension"])
_EVERYBODY = frozenset(["all", "any", "anybody", "anyone", "everybody", "everyone"])
"""Words for what a star says here."""


class WhoCompiler:
    """Makes `who`, and looks up whom it names.

    people_of_source: names that the file itself has no entry for; the host or a certificate may know them.
    """

    def __init__(self, document: Document, people: Sequence[Person], report: Report) -> None:
        self._document = document
        self._report = report
        self._system = document.server is not None and document.server.accounts == "system"
        self._guests = any(person.guests is not None for person in people)
        self._people = dict.fromkeys((*document.users, *(person.name for person in people)))
        self._key_names: dict[str, list[str]] = {}
        for person in people:
            for key in person.keys:
                if key.name is not None:
                    self._key_names.setdefault(key.name, []).append(person.name)
        self.people_of_source: set[str] = set()

    def absent(self, *, account: bool) -> c.Who | None:
        """What a missing `who` leaves out where something is gained, or None where it leaves out nobody.

        account: whether the entry names accounts: then whoever is uid 0 under them is meant.
        """
        left_out = [*(["uid 0"] if self._system and not account else []), *(["guests"] if self._guests else [])]
        if not left_out:
            return None
        clause = f"who: absent, so {' and '.join(left_out)} {'is' if left_out == ['uid 0'] else 'are'} not meant"
        return c.Who(clause, anyone=True, but_root="uid 0" in left_out, but_guests=self._guests)

    def who(self, items: Sequence[Who], clause: str, *, gains: bool, account: bool) -> c.Who:
        """`gains`: who matches gains something, so that `*` leaves out those who must be named."""
        for item in items:
            self._check(item)
        by_kind: dict[str, frozenset[str]] = {
            kind: frozenset(item.value for item in items if item.kind == kind)
            for kind in ("person", "group", "key", "fingerprint", "system-group", "authority")
        }
        pairs: dict[str, frozenset[tuple[str, str]]] = {
            kind: frozenset((item.value, item.of) for item in items if item.kind == kind)
            for kind in ("principal", "extension")
        }
        anyone = any(item.kind == "*" for item in items)
        return c.Who(
            clause,
            anyone,
            by_kind["person"],
            by_kind["group"],
            by_kind["key"],
            by_kind["fingerprint"],
            by_kind["system-group"],
            anyone and gains and self._system and not account,
            anyone and gains and self._guests,
            by_kind["authority"],
            pairs["principal"],
            pairs["extension"],
        )

    def _check(self, item: Who) -> None:
        document, report = self._document, self._report
        if item.kind == "system-group" and not self._system:
            report.error(item.mark, f"{item} in who needs accounts: system: else no session has an account of the host")
        elif item.kind == "person" and item.value not in self._people:
            self._check_person(item)
        elif item.kind == "group" and item.value not in document.groups and "groups" not in document.broken:
            report.error(item.mark, f"unknown group {show(item.value)} in who", meant(item.value, document.groups))
        elif item.kind in _OF_AUTHORITIES and item.value not in document.authorities:
            hint = meant(item.value, document.authorities) or "name its keys in the section authorities"
            report.error(item.mark, f"unknown authority {show(item.value)} in who", hint)
        elif item.kind == "key":
            self._check_key(item)

    def _check_person(self, item: Who) -> None:
        document = self._document
        hint = meant(item.value, self._people)
        if (document.sources or document.authorities) and item.value not in document.groups:
            # Whom the host or a certificate knows is not known here; one letter off a person of the file is odd all
            # the same.
            if hint or document.all_known:
                beside = ", and no file of a folder has the name" if document.all_known else ""
                self._report.warning(item.mark, f"{item.value} in who is no person of users{beside}", hint)
            self.people_of_source.add(item.value)
            return
        if item.value in document.groups:
            hint = f"for the group write group:{item.value}"
        elif item.value in _EVERYBODY:
            hint = 'for everybody write "*"'
        self._report.error(item.mark, f"unknown person {show(item.value)} in who", hint)

    def _check_key(self, item: Who) -> None:
        holders = self._key_names.get(item.value, [])
        if not holders and "users" not in self._document.broken:
            self._report.error(item.mark, f"no key has the name {show(item.value)}", meant(item.value, self._key_names))
        elif len(holders) > 1:
            self._report.error(item.mark, f"key name {show(item.value)} is that of a key of {holders[0]} and of one of "
                                          f"{holders[1]}", "name the key by its fingerprint: key:SHA256:…")  # fmt: skip

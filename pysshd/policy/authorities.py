"""Certificate authorities: whom their certificates name, and which accounts they open."""

from dataclasses import field, replace
from datetime import datetime
from typing import Final, Literal

from pysshd.patterns.names import is_name
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing
from pysshd.policy.people import PersonKey
from pysshd.policy.steps import Certificate
from pysshd.records import dataclass

ANY: Final = "*"
"""In the place of principals: whichever a certificate has."""

SAME: Final = "{principal}"
"""In the place of an account: the one that is named like a principal."""


@dataclass(frozen=True, slots=True)
class Authority:
    """One entry of `authorities:`.

    keys: the keys with which it signs.
    person: the field of a certificate that names the person; of its principals only where it has one alone.
    accounts: which principals may use which account; SAME and ANY stand among them.
    where: `file:line`. narrowing: what its options say of every certificate.
    """

    name: str
    keys: tuple[PersonKey, ...] = ()
    person: Literal["key_id", "principal"] = "key_id"
    accounts: tuple[tuple[str, frozenset[str]], ...] = ((SAME, frozenset([ANY])),)
    where: str = field(default="", compare=False)
    narrowing: Narrowing = NO_NARROWING

    def signing(self, label: str, now: datetime) -> PersonKey | None:
        """The entry of a key with which it signs; where two are called so, one that counts now. None: it has none."""
        found = [key for key in self.keys if key.label == label]
        return next((key for key in found if key.window.holds(now)), found[0] if found else None)

    def names(self, certificate: Certificate) -> str | None:
        """The person whose certificate it is, or None where it names nobody in a form that is served."""
        named = certificate.key_id
        if self.person == "principal":
            named = next(iter(certificate.principals)) if len(certificate.principals) == 1 else ""
        return named if is_name(named) else None

    def admits(self, account: str, principals: frozenset[str]) -> bool:
        """Whether one of the principals may use the account; a certificate without any opens none."""
        return any(
            (ANY in wanted and bool(principals)) or not principals.isdisjoint(wanted)
            for wanted in self._wanted(account, principals)
        )

    def writes(self, account: str, principals: frozenset[str]) -> bool:
        """Whether the account stands in `accounts` by its own name, and one of the principals may use it by that."""
        by_name = replace(self, accounts=tuple(one for one in self.accounts if one[0] == account != SAME))
        return by_name.admits(account, principals)

    def opening(self, account: str, principals: frozenset[str]) -> tuple[str, ...]:
        """The principals by each of which the account is opened."""
        return tuple(one for one in sorted(principals) if self.admits(account, frozenset([one])))

    def principal_for(self, account: str) -> str | None:
        """A principal that may use the account, or None where none may; for cases that show something."""
        for named, wanted in self.accounts:
            if named == SAME and (ANY in wanted or account in wanted):
                return account
            if named == account:
                return next(iter(sorted(wanted - {ANY})), account)
        return None

    def _wanted(self, account: str, principals: frozenset[str]) -> list[frozenset[str]]:
        found = [wanted for named, wanted in self.accounts if named == account]
        same = [wanted for named, wanted in self.accounts if named == SAME and account in principals]
        # There the principal that counts is the one of the account's name, and no other.
        return found + [wanted for wanted in same if ANY in wanted or account in wanted]

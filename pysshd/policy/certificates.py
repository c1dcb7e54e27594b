"""The certificates that conditions can tell apart, for the checks of a document."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from pysshd.policy.authorities import SAME, Authority
from pysshd.policy.conditions import Who
from pysshd.policy.steps import Certificate

_TOGETHER = 2
"""Of what conditions name as much on one certificate: to make two entries match at once it is enough."""

_STRANGER = "somebody"
"""An account that is named like a principal, and like nothing else."""


class Certificates:
    """Makes certificates of the authorities of a document, such as conditions ask for, and no more."""

    def __init__(self, authorities: Iterable[Authority]) -> None:
        self._authorities = {authority.name: authority for authority in authorities}

    def kinds(self, whos: Sequence[Who]) -> list[Certificate]:
        """One of each kind, with nothing on it that no condition names; which account it opens is not said yet."""
        found: list[Certificate] = []
        for name in self._authorities:
            principals = {one for who in whos for authority, one in who.principals if authority == name}
            extensions = {one for who in whos for authority, one in who.extensions if authority == name}
            said = [*((one, True) for one in sorted(principals)), *((one, False) for one in sorted(extensions))]
            for count in range(_TOGETHER + 1):
                found += [_certificate(name, some) for some in combinations(said, count)]
        return found

    def opening(self, account: str, certificates: Iterable[Certificate]) -> tuple[Certificate, ...] | None:
        """The certificates with principals that may use the account, or None where the file excludes it."""
        found = []
        for certificate in certificates:
            authority = self._authorities[certificate.authority]
            if not authority.admits(account, certificate.principals):
                principal = authority.principal_for(account)
                if principal is None:
                    return None
                certificate = replace(certificate, principals=certificate.principals | {principal})
            found.append(certificate)
        return tuple(found)

    def accounts(self, named: Iterable[str]) -> tuple[str, ...]:
        """Of these accounts those that some certificate opens, those that an authority lists, and one that is named
        like a principal: each may take other principals."""
        listed = [account for one in self._authorities.values() for account, _ in one.accounts if account != SAME]
        return tuple(dict.fromkeys(filter(self._opens, (*named, *listed, _STRANGER))))

    def _opens(self, account: str) -> bool:
        return any(authority.principal_for(account) is not None for authority in self._authorities.values())


def _certificate(authority: str, said: Iterable[tuple[str, bool]]) -> Certificate:
    """A certificate that says so much; with each word whether it is a principal."""
    said = tuple(said)
    return Certificate(
        authority,
        "",
        frozenset(word for word, principal in said if principal),
        frozenset(word for word, principal in said if not principal),
    )

"""One step of a login, as both the people of the policy and the questions to it speak of it."""

from datetime import datetime
from typing import Final, TypeAlias

from pysshd.patterns.narrowing import NO_NARROWING, Narrowing, narrows
from pysshd.records import dataclass

Chain: TypeAlias = tuple[str, ...]
"""Steps of a login in their order, each by the method of `methods:`."""

METHODS: Final = ("publickey", "certificate", "password", "totp", "pam", "none")
"""The steps that a chain may have. A certificate is a key too; `none` proves nothing."""

BY_KEY: Final = frozenset(["publickey", "certificate"])
"""The methods that tell whose they are; where another one is first, it is that of the person of the account's name."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a user's certificate says, once its signature was found to be of an authority's key.

    authority: the name in `authorities:`; empty where the key of a line with `cert-authority` signed it.
    extensions: their names. options: names of the critical options that nothing here can keep; with one it is refused.
    not_before, not_after: half-open, aware; None: no end on that side.
    narrowing: what its other critical options say; what its extensions do not permit is not in it.
    signer: fingerprint of the key that signed it, where `authority` is empty.
    """

    authority: str
    key_id: str
    principals: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()
    serial: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None
    options: frozenset[str] = frozenset()
    narrowing: Narrowing = NO_NARROWING
    signer: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a login. Make those of a key with `Person.step(key, fingerprint)`.

    method: as on the wire: a certificate is `publickey`.
    key: fingerprint (`SHA256:…`) of the key, for publickey; of the key that is certified, for a certificate.
    label: `PersonKey.label` of the entry of `users:` that lists the key; for a key out of a file it is what ties
        the key to its entry, without it the key counts for nothing. For a certificate it is the
        entry of the key that signed it: one of the authority's, where the file has that.
    narrowing: what the line of a file says in front of the key; what the entry says is known of the entry.
    others: what is said of the key in the further places where it stands: it narrows too, and gives nothing. For a
        certificate of no authority of the file both are said of the key that signed it.
    certified: what lines say of the key that is certified, for a certificate.
    """

    method: str
    key: str | None = None
    label: str | None = None
    certificate: Certificate | None = None
    narrowing: Narrowing = NO_NARROWING
    others: tuple[Narrowing, ...] = ()
    certified: tuple[Narrowing, ...] = ()

    @property
    def lines(self) -> tuple[Narrowing, ...]:
        """What lines say of the key, as far as they say anything."""
        return tuple([line for line in (self.narrowing, *self.others) if narrows(line)])

    @property
    def kind(self) -> str:
        """The method as in `methods:` of the policy, which tells a certificate from a bare key."""
        return self.method if self.certificate is None else "certificate"


def fits(used: str, wanted: str) -> bool:
    """Whether a step counts where a chain asks for another one: a certificate counts as a key."""
    return used == wanted or (used == "certificate" and wanted == "publickey")


def begins(used: Chain, chain: Chain) -> bool:
    """Whether steps are the first ones of a chain, or all."""
    return len(used) <= len(chain) and all(fits(step, wanted) for step, wanted in zip(used, chain, strict=False))


def includes(used: Chain, chain: Chain) -> bool:
    """Whether among steps there is one for each of a chain, in whatever order; `none` asks for nothing."""
    if used == chain:
        return True
    left = list(used)
    # Certificates first, for they have less choice.
    for wanted in sorted((step for step in chain if step != "none"), key=lambda step: step != "certificate"):
        found = next((step for step in sorted(left, key=lambda step: step != wanted) if fits(step, wanted)), None)
        if found is None:
            return False
        left.remove(found)
    return True

"""One step of a login, as both the people of the policy and the questions to it speak of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a login. Make those of a key with `Person.step(key, fingerprint)`.

    method: as in `methods:` of the policy.
    key: fingerprint (`SHA256:…`) of the key, for publickey.
    label: `PersonKey.label` of the entry of `users:` that lists the key; for a key out of a file it is what ties
        the key to its entry, without it the key counts for nothing.
    """

    method: str
    key: str | None = None
    label: str | None = None

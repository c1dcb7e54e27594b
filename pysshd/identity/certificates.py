"""Certificates of users in the terms of the policy: what one says, and by whose key it has to be signed.

What it says is the authority's word (PROTOCOL.certkeys). A critical option that is not known here, or that can not be
kept, is handed on by its name, and refuses the whole certificate.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from pysshd.errors import DecodeError, InvalidKeyError
from pysshd.patterns.narrowing import CRITICAL_OPTIONS, NO_NARROWING, Narrowing, critical_option
from pysshd.patterns.source_lists import SourceListError
from pysshd.policy.authorities import Authority
from pysshd.policy.people import PersonKey
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate
from pysshd.ssh.crypto.certs import FOREVER, CertificateKind
from pysshd.ssh.crypto.certs import Certificate as Signed
from pysshd.ssh.wire.codec import Reader

_LATEST: Final = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since 1970 beyond which there is no date to say it with."""

HasKey = Callable[[str, str], bool]
"""Whether a file (by its path) has a key (by its fingerprint) in a line without options."""


def authority_of(
    ruleset: Ruleset, signed: Signed, now: datetime, has_key: HasKey
) -> tuple[Authority, PersonKey] | None:
    """The authority of the policy whose key signed it, at a time at which that key counts, and the entry of the key;
    None: nobody's.
    """
    for authority in ruleset.authorities.values():
        for key in authority.keys:
            if not key.window.holds(now):
                continue
            if key.blob == signed.authority.blob:
                return authority, key
            if key.file is not None and has_key(key.file, signed.authority.fingerprint):
                return authority, key
    return None


def said_by(signed: Signed, authority: str) -> Certificate:
    """What a certificate of an authority says. Raises InvalidKeyError for what can mean nothing."""
    if signed.kind is not CertificateKind.USER:
        raise InvalidKeyError("the certificate is of a host, expected one of a user")
    if signed.valid_after >= _LATEST:
        raise InvalidKeyError("the certificate is not valid before the year 9999")
    narrowing, others = _critical(signed)
    ends = signed.valid_before != FOREVER and signed.valid_before < _LATEST
    return Certificate(
        authority,
        signed.key_id,
        frozenset(signed.principals),
        frozenset(name for name, _ in signed.extensions),
        signed.serial,
        datetime.fromtimestamp(signed.valid_after, UTC) if signed.valid_after else None,
        datetime.fromtimestamp(signed.valid_before, UTC) if ends else None,
        others,
        narrowing,
    )


def _critical(signed: Signed) -> tuple[Narrowing, frozenset[str]]:
    """What the critical options leave, and the names of those that can not be kept."""
    found, others = NO_NARROWING, set[str]()
    for name, data in signed.critical_options:
        if name not in CRITICAL_OPTIONS:
            others.add(name)
            continue
        try:
            found = critical_option(found, name, _text(data))
        except (DecodeError, SourceListError) as error:
            raise InvalidKeyError(f"the critical option {name} is malformed: {error}") from None
    return found, frozenset(others)


def _text(data: bytes) -> str:
    reader = Reader(data)
    found = reader.string()
    reader.end()
    if not found or b"\0" in found:
        raise DecodeError("it is empty, or has a NUL")
    return found.decode("utf-8", "surrogateescape")

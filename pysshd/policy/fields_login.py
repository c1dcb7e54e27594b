"""The types of fields of who may log in, and how: people, methods, keys, passwords."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import PlainValidator

from pysshd.errors import InvalidKeyError
from pysshd.patterns import names
from pysshd.policy import values
from pysshd.policy.fields import NAME_FORM
from pysshd.policy.nodes import Scalar
from pysshd.policy.other_words import instead_of_methods, instead_of_who
from pysshd.policy.passwords import PasswordError, parse_password
from pysshd.policy.people import PasswordHash
from pysshd.policy.problems import Mark
from pysshd.policy.reading import bad, scalar
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.steps import BY_KEY, METHODS, Chain
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key_line

_UID_MAX: Final = 999_999_999
_WHO_PREFIXES: Final = ("group", "key", "system-group", "authority", "principal", "extension")
_OF_AUTHORITIES: Final = ("principal", "extension")
_WHO_FORM: Final = (
    "a name, group:NAME, system-group:NAME, key:NAME, key:SHA256:…, authority:CA, principal:CA/NAME, extension:CA/NAME"
)
_CHAIN_MAX: Final = 4
_WORD_MAX: Final = 128
_FINGERPRINT: Final = "SHA256:"


@dataclass(frozen=True, slots=True)
class Who:
    """One item of `who`.

    kind: `*`, `person`, `group`, `system-group`, `key` (by name), `fingerprint`, `authority`, `principal`, `extension`.
    of: of the latter two, what a certificate of the authority `value` has.
    """

    kind: str
    value: str
    mark: Mark
    of: str = ""

    def __str__(self) -> str:
        bare = {"*": "*", "person": self.value}
        kind = "key" if self.kind == "fingerprint" else self.kind
        return bare.get(self.kind) or f"{kind}:{self.value}{'/' if self.of else ''}{self.of}"


def who(node: object) -> Who:
    """One of whom an entry speaks."""
    found = scalar(node, f'{_WHO_FORM} or "*"')
    prefix, colon, rest = found.text.partition(":")
    if found.text == "*":
        return Who("*", "", found.mark)
    if colon and prefix not in _WHO_PREFIXES:
        raise bad(f'found {show(found.text)}, expected {_WHO_FORM} or "*"', meant(prefix, _WHO_PREFIXES))
    if prefix == "key" and rest.startswith(_FINGERPRINT):
        return Who("fingerprint", rest, found.mark)
    if colon and prefix in _OF_AUTHORITIES:
        return _of_authority(found, prefix, rest)
    if not names.is_name(rest if colon else found.text):
        blank = f"write it without a blank: {prefix}:{rest.strip()}" if colon and rest.strip() != rest else ""
        raise bad(f"found {show(found.text)}, expected {NAME_FORM}", blank or instead_of_who(found.text))
    if not colon:
        return Who("person", found.text, found.mark)
    return Who(prefix, rest, found.mark)


def _of_authority(found: Scalar, kind: str, rest: str) -> Who:
    """`CA/NAME`: a principal or an extension of a certificate."""
    authority, slash, name = rest.partition("/")
    if not slash or not names.is_name(authority) or not is_word(name):
        raise bad(f"found {show(found.text)}, expected {kind}:CA/NAME, the authority and what its certificate has")
    return Who(kind, authority, found.mark, name)


def is_word(text: str) -> bool:
    """Whether a text could be a principal or the name of an extension: printable ASCII without spaces."""
    return 0 < len(text) <= _WORD_MAX and text.isascii() and text.isprintable() and " " not in text


@dataclass(frozen=True, slots=True)
class Methods:
    """One alternative of `methods` or `with`: a chain of steps."""

    chain: Chain
    mark: Mark

    def __str__(self) -> str:
        return "+".join(self.chain)


def methods(node: object) -> Methods:
    """A chain such as `publickey` or `publickey+password`."""
    found = scalar(node, "a method, or a chain such as publickey+password")
    chain = tuple(found.text.split("+"))
    for step in chain:
        if step not in METHODS:
            hint = instead_of_methods(step) or meant(step, METHODS)
            raise bad(f"unknown method {show(step)}, expected {one_of(METHODS)}", hint)
        if chain.count(step) > 1 and step not in BY_KEY:
            raise bad(f"{step} stands twice in one chain: no secret counts twice")
    if "none" in chain and len(chain) > 1:
        raise bad("none stands beside other steps: it asks for nothing", "leave it out")
    if len(chain) > _CHAIN_MAX:
        raise bad(f"the chain has {len(chain)} steps, expected at most {_CHAIN_MAX}")
    return Methods(chain, found.mark)


def password(node: object) -> PasswordHash:
    """An argon2id hash."""
    found = scalar(node, "an argon2id hash")
    try:
        return parse_password(found.text)
    except PasswordError as error:
        raise bad(str(error), error.hint) from None


@dataclass(frozen=True, slots=True)
class InlineKey:
    """A public key in the policy itself."""

    key: PublicKey
    mark: Mark


def public_key(node: object) -> InlineKey:
    """A line `type base64 comment`."""
    found = scalar(node, "a public key 'type base64 comment'")
    try:
        return InlineKey(parse_public_key_line(found.text), found.mark)
    except InvalidKeyError as error:
        first = found.text.split(" ")[0].split("=")[0].lower()
        hint = ""
        if first in _KEY_OPTIONS or "=" in found.text.split(" ")[0]:
            hint = "options of authorized_keys have no place here: what may be done is said by roles and grants"
        elif "-----begin" in found.text.lower():
            hint = "that is no public key but a file, perhaps the secret half; write the one line of the .pub file"
        elif "\n" in found.text.strip("\n"):
            hint = "each key is a text of its own: write a list of them"
        elif first.endswith(".pub") or "/" in first:
            hint = "for a file write {file: …}"
        elif "malformed" in str(error) or "base64" in str(error):
            hint = "it is not whole: copy the line of the .pub file as it is, into one line between quotes"
        elif first == "ssh-dss":
            hint = "no version serves DSA; make another one with ssh-keygen -t ed25519"
        raise bad(str(error), hint) from None


_KEY_OPTIONS: Final = frozenset(
    ["restrict", "command", "from", "no-pty", "pty", "no-port-forwarding", "cert-authority", "environment",
     "expiry-time", "permitopen", "permitlisten", "no-agent-forwarding", "no-x11-forwarding", "no-user-rc"]
)  # fmt: skip


def least_uid(node: object) -> int:
    """From which uid on an account is a person's; uid 0 is never among these."""
    expected = f"a whole number from 1 to {_UID_MAX}"
    found = scalar(node, expected)
    try:
        return values.count(found.text, 1, _UID_MAX)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}") from None


LeastUid: TypeAlias = Annotated[int, PlainValidator(least_uid)]
WhoItem: TypeAlias = Annotated[Who, PlainValidator(who)]
MethodsItem: TypeAlias = Annotated[Methods, PlainValidator(methods)]
Password: TypeAlias = Annotated[PasswordHash, PlainValidator(password)]

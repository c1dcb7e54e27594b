"""The types of fields of who may log in, and how: people, methods, keys, passwords."""

from typing import Annotated, Final, TypeAlias

from pysshd.errors import InvalidKeyError
from pysshd.patterns import names
from pysshd.patterns.key_options import OPTIONS, KeyOptionsError, parse_options, split_key_line
from pysshd.patterns.names import variable_fault
from pysshd.policy import values
from pysshd.policy.fields import NAME_FORM
from pysshd.policy.nodes import Scalar
from pysshd.policy.other_words import instead_of_methods, instead_of_who
from pysshd.policy.passwords import PasswordError, parse_password
from pysshd.policy.people import PasswordHash
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text, bad, scalar
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.steps import BY_KEY, METHODS, Chain
from pysshd.policy.validators import PlainValidator
from pysshd.records import dataclass
from pysshd.ssh.crypto.keys import KEY_TYPES, KeyOutline, parse_public_key_line

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
    """A public key in the policy itself. options: those in front of it, which could be read; may be empty."""

    key: KeyOutline
    mark: Mark
    options: str = ""


def public_key(node: object) -> InlineKey:
    """A line `type base64 comment`, perhaps with options in front."""
    found = scalar(node, "a public key 'type base64 comment'")
    try:
        options, rest = split_key_line(found.text, KEY_TYPES)
        if options:
            check_options(options)
            if not rest:
                raise bad("options with no key behind them", _WHOLE)
        return InlineKey(parse_public_key_line(rest).outline, found.mark, options)
    except KeyOptionsError as error:
        raise bad(str(error), _hint_of(error, found.text) or _WHOLE) from None
    except InvalidKeyError as error:
        first = found.text.split(" ")[0].lower()
        hint = ""
        if "-----begin" in found.text.lower():
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


_WHOLE: Final = """put the whole line between single quotes, 'command="…" ssh-ed25519 AAAA…': YAML cuts at commas"""


def check_options(options: str) -> None:
    """Raise KeyOptionsError for options that are none, that can not be kept, or that would never be heard.

    The zone of their times is not known yet, and plays no part in whether they are good.
    """
    found = parse_options(options, values.timezone("UTC"))
    for name, value in found.environment:
        fault = variable_fault(name, value.encode("utf-8", "surrogateescape"))
        if fault:
            raise KeyOptionsError(f"option environment: the variable {name} {fault}")


def _hint_of(error: KeyOptionsError, text: str) -> str:
    if text.count('"') % 2:
        return "put an option with a comma in it between single quotes: YAML cuts there"
    return error.hint or (meant(error.unknown, OPTIONS) if error.unknown else "")


def key_options(node: object) -> Text:
    """Options as in authorized_keys, one or more with commas between them."""
    found = scalar(node, """options such as restrict or 'command="…"'""")
    try:
        check_options(found.text)
    except KeyOptionsError as error:
        raise bad(str(error), _hint_of(error, found.text)) from None
    return Text(found.text, found.mark)


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
KeyOptionItem: TypeAlias = Annotated[Text, PlainValidator(key_options)]
Password: TypeAlias = Annotated[PasswordHash, PlainValidator(password)]

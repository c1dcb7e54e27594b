"""The model of `authorities`: whose certificates of users count, and for which accounts."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from pysshd.patterns import names
from pysshd.policy.authorities import ANY, SAME
from pysshd.policy.fields import NAME_FORM, path
from pysshd.policy.fields_login import KeyOptionItem, is_word, public_key
from pysshd.policy.fields_places import FromItem
from pysshd.policy.model_settings import KeyModel
from pysshd.policy.nodes import Mapping
from pysshd.policy.reading import Many, Record, Text, bad, items, mapped, scalar, text
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.validators import PlainValidator

PERSON_FIELDS: Final = ("key_id", "principal")


def _key(node: object, handler: ValidatorFunctionWrapHandler) -> object:
    """A public key, the path of a file with such keys, or keys and values as in `users`."""
    if isinstance(node, Mapping):
        found = handler(node)
        if isinstance(found, KeyModel) and (found.key is None) == (found.file is None):
            raise bad("a key needs either file or key, and not both")
        return found
    found = scalar(node, "a public key or a file of them")
    if " " in found.text:
        return KeyModel.model_construct(key=public_key(node))
    named = KeyModel.model_construct(file=path(node))
    named._node = Mapping((), found.mark)
    return named


def _person(node: object) -> str:
    found = scalar(node, one_of(PERSON_FIELDS))
    if found.text not in PERSON_FIELDS:
        raise bad(
            f"found {show(found.text)}, expected the field of a certificate that names the person: "
            f"{one_of(PERSON_FIELDS)}",
            meant(found.text, PERSON_FIELDS),
        )
    return found.text


def _principal(node: object) -> Text:
    found = text(node)
    if not is_word(found.text):
        raise bad(f"found {show(found.text)}, expected a principal: printable letters of ASCII without spaces, or '*'")
    if found.text != ANY and "*" in found.text:
        raise bad(f"found {show(found.text)}, expected a whole principal, or '*' for any: patterns have no place here")
    return found


def _accounts(node: object) -> tuple[tuple[Text, tuple[Text, ...]], ...]:
    """Accounts, each with the principals that may use it."""
    found = mapped(node, 'accounts and principals, as in {deploy: [web], "{principal}": ["*"]}')
    for key, _ in found.entries:
        if key.text != SAME and not names.is_name(key.text):
            raise bad(f"found {show(key.text)}, expected {NAME_FORM}, or {SAME!r}", mark=key.mark)
    return tuple(
        (Text(key.text, key.mark), tuple(_principal(item) for item in items(value))) for key, value in found.entries
    )


class AuthorityModel(Record):
    """An entry of `authorities`."""

    example: ClassVar[str] = "{keys: [ca/staff.pub]}"
    later: ClassVar[frozenset[str]] = frozenset(["revoked", "signature_algorithms"])

    keys: Many[Annotated[KeyModel, WrapValidator(_key)]]
    person: Annotated[Literal["key_id", "principal"], PlainValidator(_person)] = "key_id"
    accounts: Annotated[tuple[tuple[Text, tuple[Text, ...]], ...] | None, PlainValidator(_accounts)] = None
    from_: Many[FromItem] | None = Field(None, alias="from")
    options: Many[KeyOptionItem] | None = None

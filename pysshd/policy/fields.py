"""The types of the models' fields that many of them have: names, texts, times, paths.

Here and in `fields_*`, each reads one node and returns its value, or says what was expected.
"""

import posixpath
from typing import Annotated, Final, TypeAlias

from pysshd.patterns import names
from pysshd.policy import values
from pysshd.policy.nodes import Scalar
from pysshd.policy.people import USER_SLOT
from pysshd.policy.reading import Text, bad, scalar, text, true
from pysshd.policy.report import show
from pysshd.policy.validators import PlainValidator

NAME_FORM: Final = "a name of up to 64 letters, digits and ._@- that begins with a letter, a digit or _"
"""What a name is, in the words of a complaint."""


def name(node: object) -> Text:
    """A name of a person, an account, a group, a role or a grant."""
    found = scalar(node, "a name")
    if not names.is_name(found.text):
        raise bad(f"found {show(found.text)}, expected {NAME_FORM}")
    return Text(found.text, found.mark)


def moment(node: object) -> Text:
    """A date or an instant; resolved in the policy's time zone later."""
    found = text(node)
    try:
        values.instant(found.text, values.timezone("UTC"), end=True)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}") from None
    return found


def path(node: object) -> Text:
    """A path, absolute or relative to the file that holds it; returned absolute where the policy is a file."""
    found = text(node)
    if "\0" in found.text or "\n" in found.text:
        raise bad("found a path with a NUL or a line's end")
    folder = posixpath.dirname(found.mark.file)
    return Text(posixpath.normpath(posixpath.join(folder, found.text)), found.mark)


def absolute_path(node: object) -> Text:
    """A path that begins with `/`."""
    found = text(node)
    if not found.text.startswith("/") or "\0" in found.text or "\n" in found.text:
        hint = "write the path in full: neither '~' nor '$' is filled in" if found.text.startswith(("~", "$")) else ""
        raise bad(f"found {show(found.text)}, expected an absolute path", hint)
    return Text(posixpath.normpath(found.text), found.mark)


def name_pattern(node: object) -> Text:
    """A pattern of names: `*` and `?` stand for letters of them."""
    found = text(node)
    if not names.is_name(found.text.replace("*", "x").replace("?", "x")):
        raise bad(f"found {show(found.text)}, expected a pattern of names such as 'guest*', or '*'")
    return found


def default_account(node: object) -> Text:
    """A name, or `{user}`."""
    return text(node) if isinstance(node, Scalar) and node.text == USER_SLOT else name(node)


def default_home(node: object) -> Text:
    """A path that begins with `/`, with `{user}` in it."""
    found = absolute_path(node)
    if any(brace in found.text.replace(USER_SLOT, "") for brace in "{}"):
        raise bad(f"found {show(found.text)}, expected no braces but {USER_SLOT}")
    return found


Name: TypeAlias = Annotated[Text, PlainValidator(name)]
AnyText: TypeAlias = Annotated[Text, PlainValidator(text)]
True_: TypeAlias = Annotated[bool, PlainValidator(true)]
Moment: TypeAlias = Annotated[Text, PlainValidator(moment)]
Path: TypeAlias = Annotated[Text, PlainValidator(path)]
AbsolutePath: TypeAlias = Annotated[Text, PlainValidator(absolute_path)]
NamePattern: TypeAlias = Annotated[Text, PlainValidator(name_pattern)]
DefaultAccount: TypeAlias = Annotated[Text, PlainValidator(default_account)]
DefaultHome: TypeAlias = Annotated[Text, PlainValidator(default_home)]

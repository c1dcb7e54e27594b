"""The types of fields of what may be run: commands, subsystems, signals, environments."""

from typing import Annotated, Final, Literal, TypeAlias

from pysshd.patterns import names
from pysshd.policy.nodes import Mapping, Scalar, Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text, bad, items, listed, mapped, scalar, text
from pysshd.policy.report import meant, show
from pysshd.policy.templates import Template, TemplateError, parse_template
from pysshd.policy.validators import PlainValidator
from pysshd.records import dataclass

_OF_SSHD: Final = "internal-sftp"
_INSTEAD_OF_SSHD: Final = (
    'the daemon\'s own is a key of the role, sftp: {mounts: {/: /srv/files}, paths: {/: list, "/**": download}}; or '
    "name the host's program: subsystems: {sftp: [/usr/lib/openssh/sftp-server]}"
)


@dataclass(frozen=True, slots=True)
class Argv:
    """A program and its arguments; the program itself has no slot."""

    words: tuple[Template, ...]
    mark: Mark


def argv(node: object) -> Argv:
    """A list of words; a text without blanks is a list of one."""
    if isinstance(node, Sequence):
        found = tuple(scalar(item, "a word") for item in listed(node))
    else:
        one = scalar(node, "a list of words")
        if " " in one.text:
            raise bad(f"found {show(one.text)}, expected a list of words such as [borg, serve]")
        found = (one,)
    words = []
    for item in found:
        try:
            words.append(parse_template(item.text))
        except TemplateError as error:
            raise bad(f"word {show(item.text)}: {error}", mark=item.mark) from None
        if "\0" in item.text:
            raise bad(f"word {show(item.text)} has a NUL", mark=item.mark)
    if found[0].text == _OF_SSHD:
        raise bad(f"{_OF_SSHD!r} is no program, but sshd's own server", _INSTEAD_OF_SSHD, found[0].mark)
    if words[0].slots or words[0].parts[0].startswith("-"):
        raise bad(f"found {show(found[0].text)} in the first place, expected the name or path of a program")
    return Argv(tuple(words), found[0].mark)


def shell(node: object) -> Argv | Literal[True]:
    """`true` for the account's shell, or a program."""
    if isinstance(node, Scalar) and node.plain and node.text == "true":
        return True
    return argv(node)


def signal(node: object) -> Text:
    """A signal's name without SIG."""
    found = text(node)
    known = (*sorted(names.SIGNALS), names.BREAK)
    if found.text not in known:
        hint = meant(found.text.upper().removeprefix("SIG"), known)
        raise bad(f"unknown signal {show(found.text)}, expected one of {', '.join(known)}", hint)
    return found


def variable_pattern(node: object) -> Text:
    """A pattern of the names of environment variables, such as `LC_*`."""
    found = text(node)
    if not names.is_variable_pattern(found.text):
        raise bad(f"found {show(found.text)}, expected a variable's name or a pattern such as LC_*")
    if names.is_never_accepted(found.text):
        raise bad(f"variable {show(found.text)} is never accepted from a client")
    return found


def settings_of_env(node: object) -> tuple[tuple[Text, Template], ...]:
    """Variables and the values that the policy gives them."""
    found = []
    for key, value in mapped(node, "variables and their values").entries:
        if not names.is_variable(key.text):
            raise bad(f"found {show(key.text)}, expected the name of a variable", mark=key.mark)
        if key.text.startswith("SSH_") or key.text in ("USER", "LOGNAME"):
            raise bad(f"variable {show(key.text)} is set by the daemon itself", mark=key.mark)
        try:
            template = parse_template(scalar(value, "the value of a variable").text)
        except TemplateError as error:
            raise bad(f"the value of {show(key.text)}: {error}", mark=value.mark) from None
        if any("\0" in part for part in template.parts):
            raise bad(f"the value of {show(key.text)} has a NUL", mark=value.mark)
        found.append((Text(key.text, key.mark), template))
    return tuple(found)


def subsystem_programs(node: object) -> tuple[tuple[Text, Argv], ...]:
    """Names of subsystems and the programs that serve them."""
    found = []
    for key, value in mapped(node, "names of subsystems and their programs").entries:
        if not names.is_subsystem(key.text):
            raise bad(f"found {show(key.text)}, expected the name of a subsystem", mark=key.mark)
        found.append((Text(key.text, key.mark), argv(value)))
    return tuple(found)


def subsystem_names(node: object) -> tuple[tuple[Text, None], ...]:
    """Names of subsystems; programs may stand behind them, as in an allow."""
    if isinstance(node, Mapping):
        return tuple((found, None) for found, _ in subsystem_programs(node))
    found = tuple(text(item) for item in items(node))
    for one in found:
        if not names.is_subsystem(one.text):
            raise bad(f"found {show(one.text)}, expected the name of a subsystem", mark=one.mark)
    return tuple((one, None) for one in found)


ShellValue: TypeAlias = Annotated[Argv | Literal[True], PlainValidator(shell)]

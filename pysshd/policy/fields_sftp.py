"""The types of fields of `sftp`: folders of the host, and patterns of the paths of its tree with their rights."""

from typing import Annotated, Final, TypeAlias

from pysshd.patterns.paths import PathError, PathPattern, parse_path
from pysshd.policy.nodes import Scalar
from pysshd.policy.reading import Text, bad, items, mapped, scalar, text
from pysshd.policy.report import meant, show
from pysshd.policy.rights_sftp import ALL, RIGHTS, FolderTemplate, with_implied
from pysshd.policy.templates import TemplateError, parse_template
from pysshd.policy.validators import PlainValidator

_HOME: Final = "{home}"

Folders: TypeAlias = tuple[tuple[Text, FolderTemplate], ...]
PathRights: TypeAlias = tuple[tuple[PathPattern, frozenset[str]], ...]


def folder(node: object) -> FolderTemplate:
    """An absolute path, or one that begins with `{home}`; a slot fills one part or a piece of it."""
    found = text(node)
    in_home = found.text == _HOME or found.text.startswith(f"{_HOME}/")
    path = found.text.removeprefix(_HOME) if in_home else found.text
    if _HOME in path.replace("{{", ""):
        raise bad(f"found {show(found.text)}: {_HOME} may only begin a path, as its whole first part")
    if not in_home and not path.startswith("/"):
        raise bad(f"found {show(found.text)}, expected an absolute path, or one that begins with {_HOME}")
    if "\0" in path or "\n" in path:
        raise bad("found a path with a NUL or a line's end")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise bad(f"found {show(found.text)}, expected a path without '..'")
    try:
        whole = parse_template("/".join(["", *parts]) or ("" if in_home else "/"))
    except TemplateError as error:
        raise bad(f"path {show(found.text)}: {error}") from None
    return FolderTemplate(whole, in_home)


def mounts(node: object) -> Folders:
    """Places of the tree, and the folders that it shows there."""
    found = []
    for key, value in mapped(node, "places of the tree and folders").entries:
        place = _tree_path(key)
        if "*" in place.text or "?" in place.text:
            raise bad(f"found {show(key.text)}, expected one place for a folder, without '*' and '?'", mark=key.mark)
        found.append((place, folder(value)))
    return tuple(found)


def paths(node: object) -> PathRights:
    """Patterns of paths, and the rights at what they match."""
    return tuple(
        (parse_path(_tree_path(key).text), _rights(value))
        for key, value in mapped(node, "patterns of paths and rights").entries
    )


def _tree_path(key: Scalar) -> Text:
    """A path or a pattern of the tree, its braces doubled as in every text that could have slots."""
    bare = key.text.replace("{{", "").replace("}}", "")
    if "{" in bare or "}" in bare:
        raise bad(f"found {show(key.text)}: a path of the tree has no slots",
                  "mount a folder with the slot: mounts: {/: \"/srv/{user}\"}; '{{' is the brace itself",
                  key.mark)  # fmt: skip
    found = key.text.replace("{{", "{").replace("}}", "}")
    try:
        parse_path(found)
    except PathError as error:
        hint = "for a folder write /in, for what is under it /in/**" if found.endswith("/") else ""
        raise bad(f"found {show(key.text)}, expected an absolute path: {error}", hint, key.mark) from None
    return Text(found, key.mark)


def _rights(node: object) -> frozenset[str]:
    """Names of rights, or `all`."""
    found: set[str] = set()
    for item in items(node):
        right = scalar(item, "a right")
        if right.text == "all":
            found |= ALL
        elif right.text in RIGHTS:
            found.add(right.text)
        else:
            known = ("all", *RIGHTS)
            raise bad(f"unknown right {show(right.text)}, expected all or some of {', '.join(RIGHTS)}",
                      _MEANT.get(right.text) or meant(right.text, known), right.mark)  # fmt: skip
    return with_implied(found)


_NOTHING: Final = 'what nobody may do there is denied: deny: {sftp: {paths: {"/in/**": all}}}'
_MEANT: Final = {
    "read": "reading a file is 'download', looking into a folder 'list'",
    "write": "a new file is 'upload', an old one 'overwrite' or 'append'",
    "create": "a new file is 'upload', a new folder 'mkdir'",
    "remove": "a file is removed by 'delete', a folder by 'rmdir'",
    "unlink": "a file is removed by 'delete', a folder by 'rmdir'",
    "execute": "SFTP runs nothing",
    "no": _NOTHING,
    "none": _NOTHING,
}
"""What is meant by words of other programs."""

FolderField: TypeAlias = Annotated[FolderTemplate | None, PlainValidator(folder)]
MountsField: TypeAlias = Annotated[Folders | None, PlainValidator(mounts)]
PathsField: TypeAlias = Annotated[PathRights | None, PlainValidator(paths)]

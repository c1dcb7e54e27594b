"""What the models of `server` say of how the daemon shows itself: listeners, host keys and texts."""

from typing import Annotated, Final

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from pysshd.policy.fields import Name, path
from pysshd.policy.fields_places import ListenItem, listen
from pysshd.policy.nodes import Mapping
from pysshd.policy.reading import Many, Record, bad, items, mapped, scalar, text
from pysshd.policy.report import meant, show
from pysshd.policy.settings import HostKeys, Listen
from pysshd.policy.validators import PlainValidator

_MAX_BANNER: Final = 8192
_MAX_ADDENDUM: Final = 200
"""Characters: with the rest of it the line has at most 255 (RFC 4253 §4.2)."""

_HOST_KEYS: Final = ("directory", "files", "certificates")


def _banner(node: object) -> str:
    found = text(node).text
    if len(found) > _MAX_BANNER:
        raise bad(f"the banner has {len(found)} characters, expected at most {_MAX_BANNER}")
    if not all(char.isprintable() or char in "\n\t" for char in found):
        raise bad("the banner has a control character")
    return found


def _version_addendum(node: object) -> str:
    """The comment of the identification string (RFC 4253 §4.2)."""
    found = text(node).text
    if len(found) > _MAX_ADDENDUM:
        raise bad(f"the version addendum has {len(found)} characters, expected at most {_MAX_ADDENDUM}")
    if not all(" " <= char <= "~" for char in found) or found != found.strip(" "):
        raise bad(f"found {show(found)}, expected printable ASCII that neither begins nor ends with a space")
    return found


def _host_keys(node: object) -> HostKeys:
    """A folder, files, certificates; or only the files."""
    if not isinstance(node, Mapping):
        found = [path(item) for item in items(node)]
        return HostKeys(files=tuple(item.text for item in found), where=str(found[0].mark) if found else "")
    directory: str | None = None
    lists: dict[str, tuple[str, ...]] = {"files": (), "certificates": ()}
    for key, value in mapped(node).entries:
        if key.text == "directory":
            directory = path(scalar(value, "a path")).text
        elif key.text in lists:
            lists[key.text] = tuple(path(item).text for item in items(value))
        else:
            raise bad(
                f"unknown key {show(key.text)}, expected some of {', '.join(_HOST_KEYS)}",
                meant(key.text, _HOST_KEYS),
                key.mark,
            )
    return HostKeys(directory, lists["files"], str(mapped(node).entries[0][1].mark), lists["certificates"])


Banner = Annotated[str, PlainValidator(_banner)]
VersionAddendum = Annotated[str, PlainValidator(_version_addendum)]
HostKeysValue = Annotated[HostKeys, PlainValidator(_host_keys)]


class ListenModel(Record):
    """An entry of `server.listen`: addresses, a name for conditions, and a banner of its own."""

    address: Many[ListenItem]
    name: Name | None = None
    banner: Banner | None = None

    @property
    def listeners(self) -> tuple[Listen, ...]:
        """One for each address."""
        return tuple(
            Listen(self.name.text if self.name is not None else at.name, at.host, at.port, at.where, self.banner)
            for at in self.address
        )


def _entry(node: object, handler: ValidatorFunctionWrapHandler) -> object:
    """A text is the address itself; keys and values are a `ListenModel`."""
    if isinstance(node, Mapping):
        return handler(node)
    return ListenModel.model_construct(address=(listen(node),))


ListenEntry = Annotated[ListenModel, WrapValidator(_entry)]

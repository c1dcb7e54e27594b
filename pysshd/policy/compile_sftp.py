"""From the model of `sftp` to permissions, and the built-in roles of it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pysshd.patterns.paths import parse_path
from pysshd.policy.model_sftp import SftpModel
from pysshd.policy.problems import Mark
from pysshd.policy.rights_sftp import ALL, FolderTemplate, MountRight, SftpRight, StartRight, by_literal_start
from pysshd.policy.templates import Template


def sftp_rights(model: SftpModel | None, mark: Mark, where: Callable[[Mark], str]) -> tuple[SftpRight, ...]:
    """The permission of a role, of an `allow` or of a `deny`; `where` tells `file:line` of a place.

    mark: where its key stands.
    """
    if model is None:
        return ()
    mounts = tuple(MountRight(at.text, folder, where(at.mark)) for at, folder in model.mounts or ())
    start = StartRight(model.start, where(model.mark_of("start"))) if model.start is not None else None
    return (SftpRight(mounts, by_literal_start(model.paths or ()), start, where(mark)),)


def _built_in(name: str, rights: frozenset[str]) -> SftpRight:
    where = f"built-in role {name}"
    return SftpRight(
        (MountRight("/", FolderTemplate(Template(("/",))), where),),
        by_literal_start([(parse_path("/"), rights), (parse_path("/**"), rights)]),
        StartRight(FolderTemplate(Template(("",)), in_home=True), where),
        where,
    )


BUILT_IN_SFTP: Final[Mapping[str, SftpRight]] = MappingProxyType(
    {
        "sftp": _built_in("sftp", ALL),
        "sftp-readonly": _built_in("sftp-readonly", frozenset(["list", "stat", "download"])),
    }
)
"""The permissions of the built-in roles of SFTP, for accounts of the host alone: their own rights bound them."""

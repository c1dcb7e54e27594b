"""The model of `sftp` in roles, `allow` and `deny`."""

from typing import Annotated, ClassVar, TypeAlias

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from pysshd.policy.fields_sftp import FolderField, MountsField, PathsField
from pysshd.policy.nodes import Scalar, Sequence, kind_of
from pysshd.policy.reading import Record, bad
from pysshd.policy.report import Report


class SftpModel(Record):
    """`sftp`: which folders are shown where, and what may be done with what is in them."""

    example: ClassVar[str] = "{mounts: {/: /srv}, paths: {/: list}}"
    mounts: MountsField = None
    paths: PathsField = None
    start: FolderField = None


def _sftp(node: object, handler: ValidatorFunctionWrapHandler) -> object:
    """Mounts and paths; whoever writes a program means the subsystem."""
    if isinstance(node, Scalar | Sequence):
        program = "a program that serves it is a subsystem: subsystems: {sftp: [/usr/lib/openssh/sftp-server]}"
        hint = program if isinstance(node, Sequence) else ""
        raise bad(f"found {kind_of(node)}, expected {{mounts: …, paths: …}}", hint)
    return handler(node)


SftpField: TypeAlias = Annotated[SftpModel, WrapValidator(_sftp)]


def check_sftp(sftp: SftpModel, report: Report, *, denies: bool) -> None:
    """Report what is read and would mean nothing."""
    folders = [key for key in ("mounts", "start") if getattr(sftp, key) is not None]
    if denies:
        for key in folders:
            report.error(sftp.mark_of(key), f"{key} in a deny: it is no permission, and can not be denied",
                         'deny rights: sftp: {paths: {"/in/**": [upload]}}')  # fmt: skip
    elif folders == ["start"] and sftp.paths is None:
        report.error(sftp.mark_of("start"), "start without mounts and paths permits nothing")

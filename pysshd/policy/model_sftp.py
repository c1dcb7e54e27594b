"""The model of `sftp` in roles, `allow` and `deny`."""

from pysshd.policy.fields_sftp import FolderField, MountsField, PathsField
from pysshd.policy.reading import Record
from pysshd.policy.report import Report


class SftpModel(Record):
    """`sftp`: which folders are shown where, and what may be done with what is in them."""

    mounts: MountsField = None
    paths: PathsField = None
    start: FolderField = None


def check_sftp(sftp: SftpModel, report: Report, *, denies: bool) -> None:
    """Report what is read and would mean nothing."""
    if denies:
        for key in ("mounts", "start"):
            if getattr(sftp, key) is not None:
                report.error(sftp.mark_of(key), f"{key} in a deny: it is no permission, and can not be denied",
                             "deny rights: sftp: {paths: {\"/in/**\": [upload]}}")  # fmt: skip
        if sftp.paths is None:
            report.error(sftp.mark, "sftp in a deny needs paths and the rights that are denied there")
    elif sftp.mounts is None and sftp.paths is None:
        report.error(sftp.mark_of("start"), "start without mounts and paths permits nothing")

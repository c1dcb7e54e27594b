"""Files beside the main one that may give access."""

from typing import Final

from pysshd.policy.model import Document
from pysshd.policy.model_include import GRANTING
from pysshd.policy.model_settings import UserModel
from pysshd.policy.report import Report, one_of

_ROOT: Final = "root"


def warn_granting_files(document: Document, report: Report) -> None:
    """Report entries of `include` whose files may hold what grants."""
    for entry in document.include:
        granting = [section for section in entry.may if section.text in GRANTING]
        if granting:
            names = one_of([section.text for section in granting])
            report.warning(granting[0].mark, f"these files may hold {names}: whoever writes one of them may grant",
                           "keep that in the main file, or guard them as you guard that")  # fmt: skip


def warn_root_elsewhere(document: Document, report: Report) -> None:
    """Report people of included files who may be root on the host: an account of this kind has to be written down, and
    one who reads the main file alone does not see that it is."""
    if document.server is None or document.server.accounts != "system":
        return
    for name, (mark, user) in document.users.items():
        if user is not None and mark.file != document.mark.file and _ROOT in _accounts(name, user):
            report.warning(mark, f"{name} of an included file has the account {_ROOT}", "write that in the main file")


def _accounts(name: str, user: UserModel) -> set[str]:
    """The accounts as which a person may log in, and as which their sessions run, as far as the entry says."""
    accounts = {account.text for account in user.accounts or ()} or {name}
    return accounts | ({user.run_as.text} if user.run_as is not None else set())

"""What the methods of entries need of the rest of the document."""

from collections.abc import Iterable
from typing import Final

from pysshd.policy.conditions import Conditions
from pysshd.policy.fields_login import Methods
from pysshd.policy.model import Document
from pysshd.policy.model_entries import LoginModel
from pysshd.policy.report import Report
from pysshd.policy.steps import begins

UNSERVED: Final = ("totp", "pam", "none")
"""Methods that the daemon has not yet."""


def check_methods(methods: Iterable[Methods], document: Document, report: Report) -> None:
    """Report steps that nobody could do, and name those that the daemon does not know yet."""
    system = document.server is not None and document.server.accounts == "system"
    for method in methods:
        for step in dict.fromkeys(method.chain):
            if step in UNSERVED:
                report.unserved(method.mark, f"method {step!r}")
        by_line = any("cert-authority" in (one.set_.key_options or ()) for one in document.login or () if one.set_)
        none = not document.authorities and not by_line and "authorities" not in document.broken
        if "certificate" in method.chain and none:
            report.error(method.mark, "method certificate without authorities: nobody could have one",
                         "name the keys of the authority in the section authorities")  # fmt: skip
        if "pam" in method.chain and not system and "server" not in document.broken:
            report.error(method.mark, "method pam needs accounts: system: it asks the host about an account of its own")


def check_chains(model: LoginModel, conditions: Conditions, report: Report) -> None:
    """Report chains of one entry that begin with another one of it, and `none` for whoever comes."""
    for shorter in model.methods or ():
        for longer in model.methods or ():
            if shorter is longer or not begins(longer.chain[: len(shorter.chain)], shorter.chain):
                continue
            if len(longer.chain) >= len(shorter.chain):
                report.error(longer.mark, f"chain {longer} begins with {shorter}, which is enough alone",
                             "leave one of them out")  # fmt: skip
    who = conditions.who
    for method in model.methods or ():
        if "none" in method.chain and (who is None or who.anyone):
            report.error(method.mark, "none admits nobody here: whom nothing has to prove must be named in who",
                         "name the entry of users that stands for guests")  # fmt: skip

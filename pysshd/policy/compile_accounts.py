"""As whom sessions run: what of a document needs `accounts: system`, what needs `accounts: service`."""

from collections.abc import Collection

from pysshd.policy.model import Document
from pysshd.policy.report import Report, meant, show
from pysshd.policy.settings import SHARED_WITH_SYSTEM


def check_accounts(document: Document, people: Collection[str], report: Report) -> None:
    """Report what does not fit how sessions run. people: those whom the document and its folders have."""
    if "server" in document.broken:
        return
    _check_acknowledged(document, report)
    common = document.user_defaults
    if document.open_ended and common is not None and common.accounts is not None:
        report.error(common.mark_of("accounts"), "accounts in user_defaults beside sources of the host or of a "
                                                 "program: its people log in under their own names",
                     "write accounts in users")  # fmt: skip
    if document.server is not None and document.server.accounts == "system":
        _check_system(document, report)
    else:
        _check_service(document, people, report)


def _check_acknowledged(document: Document, report: Report) -> None:
    """A worker that serves many acts, once captured, as everybody whom it serves: beside root's powers that is said."""
    server = document.server
    if server is None:
        return
    risky = server.isolation == "shared" and server.accounts == "system"
    acknowledged = SHARED_WITH_SYSTEM in (server.acknowledge or ())
    if risky and not acknowledged:
        report.error(
            server.mark_of("isolation"),
            "isolation: shared beside accounts: system: whoever captures a worker acts as every account that it serves",
            f"leave it out, or write it down: acknowledge: [{SHARED_WITH_SYSTEM}]",
        )
    if acknowledged and not risky:
        report.error(
            server.mark_of("acknowledge"),
            f"acknowledge names {SHARED_WITH_SYSTEM}, which this file does not ask for",
            "leave it out",
        )


def _check_system(document: Document, report: Report) -> None:
    server = document.server
    assert server is not None
    if server.owner is not None:
        report.error(server.owner.mark, "owner beside accounts: system: every session is its account's own there",
                     "leave it out, and say in grants who may do what")  # fmt: skip
    if server.user is not None:
        report.error(server.user.mark, "user beside accounts: system: the daemon stays root there, to become anyone",
                     "leave it out; worker_user says as whom the processes run that face the network")  # fmt: skip
    for source in document.sources:
        if source.system is not None and source.keys is None and source.password is None:
            report.error(
                source.mark,
                "a source with neither keys nor password lets nobody in",
                'expected keys: [{authorized_keys: "~/.ssh/authorized_keys"}], or password: system',
            )


def _check_service(document: Document, people: Collection[str], report: Report) -> None:
    server = document.server
    needs = "needs accounts: system: else every session runs as the daemon's own user"
    if server is not None and server.min_uid is not None:
        report.error(server.mark_of("min_uid"), f"min_uid {needs}")
    if server is not None and server.owner is not None and server.owner.text not in people:
        owner = server.owner
        report.error(owner.mark, f"owner {show(owner.text)} is no person of users", meant(owner.text, people))
    for _, user in (*document.users.values(), (None, document.user_defaults)):
        if user is not None and user.run_as is not None:
            report.error(user.run_as.mark, f"run_as {needs}")
    for source in document.sources:
        if source.system is not None:
            report.error(source.mark, f"a source of the host's people {needs}")

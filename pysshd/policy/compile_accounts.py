"""As whom sessions run: what of a document needs `accounts: system`, what needs `accounts: service`, and the source."""

from pysshd.policy.model import Document
from pysshd.policy.people import SystemSource, UserDefaults
from pysshd.policy.report import Report, meant, show
from pysshd.policy.settings import SHARED_WITH_SYSTEM, Server


def source_of(document: Document, server: Server, defaults: UserDefaults) -> SystemSource | None:
    """The source of the host's people, or None where the document has none."""
    if not document.sources or server.accounts != "system":
        return None
    model = document.sources[0]
    named = [one.authorized_keys.text for one in model.keys or () if one.authorized_keys is not None]
    return SystemSource(
        (model.system.min_uid if model.system is not None else None) or server.min_uid,
        tuple(dict.fromkeys(named)),
        model.password is not None,
        model.mark.where,
        defaults,
    )


def check_accounts(document: Document, report: Report) -> None:
    """Report what does not fit how sessions run."""
    if "server" in document.broken:
        return
    _check_acknowledged(document, report)
    if document.server is not None and document.server.accounts == "system":
        _check_system(document, report)
    else:
        _check_service(document, report)


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
    common = document.user_defaults
    if document.sources and common is not None and common.accounts is not None:
        report.error(common.mark_of("accounts"), "accounts in user_defaults beside sources: the host's people log in "
                                                 "under their own names", "write accounts in users")  # fmt: skip
    for source in document.sources:
        if source.keys is None and source.password is None:
            report.error(
                source.mark,
                "a source with neither keys nor password lets nobody in",
                'expected keys: [{authorized_keys: "~/.ssh/authorized_keys"}], or password: system',
            )


def _check_service(document: Document, report: Report) -> None:
    server = document.server
    needs = "needs accounts: system: else every session runs as the daemon's own user"
    if server is not None and server.min_uid is not None:
        report.error(server.mark_of("min_uid"), f"min_uid {needs}")
    if server is not None and server.owner is not None and server.owner.text not in document.users:
        owner = server.owner
        report.error(owner.mark, f"owner {show(owner.text)} is no person of users", meant(owner.text, document.users))
    for _, user in (*document.users.values(), (None, document.user_defaults)):
        if user is not None and user.run_as is not None:
            report.error(user.run_as.mark, f"run_as {needs}")
    for source in document.sources:
        report.error(source.mark, f"a source of the host's people {needs}")

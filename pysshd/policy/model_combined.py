"""What one key of a role or a grant has to do with another one: combinations that say nothing, or too much."""

from pysshd.policy.bounds import Record as Recording
from pysshd.policy.model_bounds import check_limits
from pysshd.policy.model_entries import DENY_ALL, DenyModel, GrantModel, RoleModel
from pysshd.policy.model_sftp import check_sftp
from pysshd.policy.report import Report


def check_role(role: RoleModel, report: Report) -> None:
    """Report what does not go together in a role, or in the permissions of an allow."""
    programs = (role.shell, role.exec_, role.forced, role.subsystems)
    if role.confined and all(program is None for program in programs):
        report.error(role.mark_of("confined"), "confined without shell, exec, forced or subsystems confines "
                                                     "nothing")  # fmt: skip
    if role.forced is not None and role.signals is not None:
        report.error(role.mark_of("signals"), "signals beside forced: a forced command takes no signals")
    if role.forced is not None and role.env is not None and role.env.accept is not None:
        report.error(role.env.mark_of("accept"), "accept beside forced: a forced command takes no variables "
                                                       "of the client", "use set")  # fmt: skip

    if role.sftp is not None:
        check_sftp(role.sftp, report, denies=False)


def check_grant(grant: GrantModel, report: Report) -> bool:
    """Report what does not go together in a grant; False where it has no effect of its own, or two."""
    effects = [grant.roles or grant.allow, grant.deny, grant.bound]
    if sum(effect is not None for effect in effects) != 1:
        report.error(grant.mark, "a grant has one effect: roles or allow (or both), deny, or bound")
        return False
    if effects[0] is None and (grant.limits is not None or grant.record is not None):
        key = "limits" if grant.limits is not None else "record"
        report.error(grant.mark_of(key), f"{key} beside {'deny' if grant.deny is not None else 'bound'}, "
                                               "expected it beside roles or allow, or inside of bound")  # fmt: skip
    for one in (grant, grant.bound):
        if one is not None and one.record == Recording.OFF:
            report.warning(one.mark_of("record"), "record: off never matters: the strongest counts, and "
                                                        "nothing is recorded where nobody asks for it")  # fmt: skip
    for limits in (grant.limits, grant.bound.limits if grant.bound is not None else None):
        check_limits(limits or (), report)
    if grant.allow is not None:
        check_role(grant.allow, report)
    if grant.deny is not None and grant.deny is not DENY_ALL:
        _check_deny(grant.deny, report)
    return True


def _check_deny(deny: DenyModel, report: Report) -> None:
    if deny.confined:
        report.error(deny.mark_of("confined"), "confined in a deny: it is no permission, and can not be denied")
    if deny.env is not None and deny.env.set_ is not None:
        report.error(deny.env.mark_of("set"), "set in a deny: it is no permission, and can not be denied")
    for key in ("umask", "working_folder"):
        if getattr(deny, key) is not None:
            report.error(deny.mark_of(key), f"{key} in a deny: it is no permission, and can not be denied")
    if deny.signals == ():
        report.error(deny.mark_of("signals"), "signals: none in a deny denies nothing")
    if deny.sftp is not None:
        check_sftp(deny.sftp, report, denies=True)

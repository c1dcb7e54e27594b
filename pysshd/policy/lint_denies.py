"""Denies that deny nothing: warnings. What could not be shown to be nothing is not told."""

from collections.abc import Iterable, Mapping, Sequence

from pysshd.patterns.destinations import HostPattern
from pysshd.policy.clash import GrantsOf
from pysshd.policy.diff_rights import Atom, atoms, meets, takes_all_signals
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import ExecRight, ForcedRight, Rights, SubsystemRight, is_shell
from pysshd.policy.rights_net import ConnectRight, ListenRight, PlainRight, SocketRight
from pysshd.policy.rights_sftp import SUBSYSTEM, SftpRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.worlds import Signature, Worlds


class DenyCheck:
    """Warns of a deny by which nobody is denied anything that another grant would allow while it holds."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks

    def check(self, grants: Iterable[Grant], people: Sequence[Person], grants_of: GrantsOf) -> None:
        """Look at every deny that means somebody; of one that does not is told elsewhere."""
        for grant in grants:
            if grant.effect is not Effect.DENY:
                continue
            meant = [person for person in people if grant.conditions.concerns(person)]
            if not self._denies(grant, meant, grants_of) and self._holds(grant, meant):
                what = "anything" if grant.everything else "any of it"
                self._report.warning(
                    self._marks[grant.where],
                    f"{grant.name} denies nothing: no grant allows {what} to anybody whom it means while it holds",
                    "leave it out, or look whether it means whom it should",
                )

    def _holds(self, grant: Grant, people: Iterable[Person]) -> bool:
        return any(self._worlds.together(person, [grant.conditions]) is not None for person in people)

    def _denies(self, deny: Grant, people: Iterable[Person], grants_of: GrantsOf) -> bool:
        seen: set[tuple[int, Signature]] = set()
        touched: dict[int, bool] = {}
        for person in people:
            for allow in grants_of(person):
                if allow.effect is not Effect.ALLOW:
                    continue
                if allow.number not in touched:
                    touched[allow.number] = _touches(deny, allow)
                entries = [deny.conditions, allow.conditions]
                key = (allow.number, self._worlds.signature(person, entries))
                if not touched[allow.number] or key in seen:
                    continue
                seen.add(key)
                if self._worlds.together(person, entries) is not None:
                    return True
        return False


def _touches(deny: Grant, allow: Grant) -> bool:
    """Whether a deny may touch a request that an allow permits."""
    if deny.everything:
        return allow.rights != Rights()
    return any(_meet(permitted, denied) for permitted in atoms(allow) for denied in atoms(deny))


def _meet(permitted: Atom, denied: Atom) -> bool:
    if denied.kind == "signals" and permitted.kind == "runs":
        return takes_all_signals(permitted)
    if denied.kind == "runs" and permitted.kind == "sftp":
        return _answers_sftp(denied.item)
    if is_shell(permitted.item) and isinstance(denied.item, ExecRight) and not denied.item.is_any:
        return True  # it can not be enforced, which is told elsewhere
    if permitted.kind != denied.kind:
        # A shell reaches hosts and files past every rule, of which is told elsewhere.
        return is_shell(permitted.item) and not isinstance(denied.item, PlainRight) and denied.kind in ("net", "sftp")
    if denied.kind == "net":
        return _net_meet(permitted.item, denied.item)
    return _sftp_meet(permitted.item, denied.item) if denied.kind == "sftp" else meets(permitted, denied)


def _answers_sftp(right: object) -> bool:
    """Whether a right to run something speaks of the subsystem, or of a command by which scp asks for it."""
    if isinstance(right, SubsystemRight):
        return right.name == SUBSYSTEM
    return isinstance(right, ExecRight | ForcedRight)


def _sftp_meet(permitted: object, denied: object) -> bool:
    """Whether they have a right in common; at which paths is not asked."""
    return any(
        given & taken
        for _, given in (permitted.paths if isinstance(permitted, SftpRight) else ())
        for _, taken in (denied.paths if isinstance(denied, SftpRight) else ())
    )


def _net_meet(permitted: object, denied: object) -> bool:
    if isinstance(permitted, SocketRight) and isinstance(denied, SocketRight):
        return permitted.listens is denied.listens
    if isinstance(permitted, PlainRight) and isinstance(denied, PlainRight):
        return permitted == denied
    for kind in (ConnectRight, ListenRight):
        if isinstance(permitted, kind) and isinstance(denied, kind):
            ports = permitted.ports.first <= denied.ports.last and denied.ports.first <= permitted.ports.last
            return ports and _hosts_meet(permitted.host, denied.host)
    return False


def _hosts_meet(one: HostPattern, two: HostPattern) -> bool:
    """Whether a host may be of both; a name may have any address."""
    if one.anything or two.anything or bool(one.networks) != bool(two.networks):
        return True
    if one.networks:
        return any(a.version == b.version and a.overlaps(b) for a in one.networks for b in two.networks)
    wild = "*?"
    if not any(char in one.source for char in wild):
        return two.permits_name(one.source)
    return one.permits_name(two.source) or any(char in two.source for char in wild)

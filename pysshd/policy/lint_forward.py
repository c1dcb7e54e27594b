"""What is odd about forwarding: rules that a shell passes by, and denies that another word for the host passes by."""

from collections.abc import Iterable, Iterator, Mapping

from pysshd.policy.clash import GrantsOf
from pysshd.policy.lint_conditions import takes_ipv6
from pysshd.policy.people import Person
from pysshd.policy.problems import Mark
from pysshd.policy.report import Report
from pysshd.policy.rights import RunRight
from pysshd.policy.rights_net import ConnectRight, ListenRight, NetRight, SocketRight
from pysshd.policy.ruleset import Effect, Grant
from pysshd.policy.settings import Listen
from pysshd.policy.worlds import Signature, Worlds, describe

_FORWARDS = (ConnectRight, ListenRight, SocketRight)


class ShellBesideForward:
    """Warns of rules of `forward` for whoever may have a shell: a shell connects and listens wherever the host can."""

    def __init__(self, worlds: Worlds, report: Report, marks: Mapping[str, Mark]) -> None:
        self._worlds = worlds
        self._report = report
        self._marks = marks
        self._known: set[tuple[int, int, Signature]] = set()
        self._told: set[str] = set()

    def check(self, people: Iterable[Person], grants_of: GrantsOf) -> None:
        """Look at everyone; each rule is told once."""
        for person in people:
            grants = grants_of(person)
            rules = [(grant, right) for grant in grants if grant.rights.net for right in _rules(grant)]
            allows = [grant for grant in grants if grant.effect is Effect.ALLOW] if rules else []
            shells = [(grant, right) for grant in allows for right in grant.rights.shells]
            for one, rule in rules:
                for other, shell in shells:
                    self._check(person, one, rule, other, shell)

    def _check(self, person: Person, one: Grant, rule: NetRight, other: Grant, shell: RunRight) -> None:
        if rule.where in self._told:
            return
        entries = [one.conditions, other.conditions]
        key = (one.number, other.number, self._worlds.signature(person, entries))
        if key in self._known:
            return
        case = self._worlds.together(person, entries)
        if case is None:
            self._known.add(key)
            return
        self._told.add(rule.where)
        where = shell.where if shell.where in self._marks else other.where
        self._report.warning(
            self._marks[rule.where],
            f"{rule} bounds nothing: {describe(case, entries)} has {shell} by {where}, and a shell can forward",
        )


def _rules(grant: Grant) -> Iterator[NetRight]:
    """The first rule of each kind that is meant to bound something."""
    for kind in _FORWARDS:
        rights = [right for right in grant.rights.net if isinstance(right, kind)]
        if rights and not (grant.effect is Effect.ALLOW and any(map(_permits_all, rights))):
            yield rights[0]


def _permits_all(right: NetRight) -> bool:
    return isinstance(right, ConnectRight | ListenRight) and right.host.anything and right.ports.all


def warn_denied_names(grants: Iterable[Grant], report: Report, marks: Mapping[str, Mark]) -> None:
    """Denies of names alone: the address itself, and another name of it, pass by them."""
    for grant in grants:
        if grant.effect is not Effect.DENY:
            continue
        rights = [right for right in grant.rights.net if isinstance(right, ConnectRight)]
        if any(right.host.has_addresses for right in rights):
            continue
        for right in rights:
            report.warning(
                marks[right.where],
                f"a deny of {right.host} without its address: who names the address is not stopped",
                "deny its addresses beside it",
            )


def warn_denied_ipv4(
    grants: Iterable[Grant], listening: Iterable[Listen], report: Report, marks: Mapping[str, Mark]
) -> None:
    """Denies of destinations of IPv4 alone where a listener also has peers by IPv6, who know their other addresses."""
    other = next((listener for listener in listening if takes_ipv6(listener.host)), None)
    if other is None:
        return
    for grant in grants:
        denied = [right for right in grant.rights.net if isinstance(right, ConnectRight) and right.host.has_addresses]
        if grant.effect is Effect.DENY and denied and all(right.host.only_ipv4 for right in denied):
            report.warning(
                marks[denied[0].where],
                f"a deny of {denied[0].host} names IPv4 alone, and {other.name} also has peers by IPv6",
                "deny the IPv6 prefixes too; a name of networks can stand for both",
            )

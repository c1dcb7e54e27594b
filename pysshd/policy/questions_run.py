"""What the grants are asked where something is to run, and where a signal is sent to what runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pysshd.patterns.names import BREAK
from pysshd.policy.decide_sftp import asks_for_sftp, served
from pysshd.policy.forced import words_of
from pysshd.policy.found import CLASH, REFUSED, Found
from pysshd.policy.grants import Grant
from pysshd.policy.query import Break, Run, Signal
from pysshd.policy.rights import ExecRight, Rights, RunRight, ShellRight, Values, order
from pysshd.policy.ways import EnvSettings, RunWay, SignalWay
from pysshd.records import dataclass

_SIGNALLED = SignalWay()


class _Runs:
    """Which permissions run a request: each set of them is asked once."""

    __slots__ = ("_known", "request", "values", "words")

    def __init__(self, request: Run, values: Values) -> None:
        self.request = request
        self.values = values
        self.words = words_of(request)
        self._known: dict[int, tuple[RunRight, ...]] = {}

    def of(self, rights: Rights) -> tuple[RunRight, ...]:
        """Those that permit it."""
        known = self._known.get(id(rights))
        if known is None:
            asked = self.request, self.words, self.values
            known = self._known[id(rights)] = tuple([right for right in rights.runs if right.permits(*asked)])
        return known

    def touched(self, rights: Rights) -> bool:
        """Whether a deny of one of them touches it."""
        asked = self.request, self.words, self.values
        return any((one.touches if isinstance(one, ExecRight) else one.permits)(*asked) for one in rights.runs)


class ToRun:
    """May it be run, and how?"""

    __slots__ = ("_environment", "_for_sftp", "_free", "_runs")
    divisible = False

    def __init__(self, request: Run, values: Values, free: bool, environment: Mapping[str, str]) -> None:
        """`free`: what is not confined may be run too, for it is not the daemon's own user.

        environment: variables that keys set.
        """
        self._free = free
        self._environment = environment
        self._runs = _Runs(request, values)
        self._for_sftp = asks_for_sftp(request, self._runs.words)

    def heard(self, rights: Rights) -> bool:
        """Whether they permit it, or set something for whatever is run."""
        return bool(rights.sets or self._runs.of(rights) or (self._for_sftp and rights.sftp))

    permitted = heard

    def touched(self, rights: Rights) -> bool:
        """Whether one of them, denied, touches it."""
        return self._runs.touched(rights)

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """The most cautious way among those that the permissions offer; where two remain, none is taken."""
        values = self._runs.values
        settings = _settings(permitting, values)
        ways, grants = self._ways(permitting, settings.env if settings is not None else ())
        if self._for_sftp:
            own = served(self._runs.request, self._runs.words, permitting, values, grants)
            if own is not None:
                # More cautious than every command; beside any other program nothing ranks it.
                return own if all(isinstance(right, ExecRight) for right in ways.values()) else CLASH
        if not ways:
            return REFUSED
        if len(ways) > 1 or settings is None:
            return CLASH
        [(way, right)] = ways.items()
        if not (way.confined or self._free):
            # A document is accepted only where this can not be; but key files may have changed since.
            return Found(None, (), "the language", "only the owner runs what is not confined")
        if settings.umask is not None or settings.folder is not None:
            way = replace(way, umask=settings.umask, folder=settings.folder)
        if self._environment:
            # What the policy sets, and what a profile needs, wins over what a key says.
            way = replace(way, env=tuple(sorted({**self._environment, **dict(way.env)}.items())))
        return Found(way, tuple(grants), "", f"permits it by {right} ({right.where})")

    def _ways(self, permitting: Sequence[Grant], env: EnvSettings) -> tuple[dict[RunWay, RunRight], list[Grant]]:
        """The ways of the least rank, each with the first permission that offers it; and all grants that offer one."""
        request, words, values = self._runs.request, self._runs.words, self._runs.values
        ways: dict[RunWay, RunRight] = {}
        grants: list[Grant] = []
        least = (0, False)
        offers: dict[int, bool] = {}  # whether permissions offer a way at all
        for grant in permitting:
            offered = offers.get(id(grant.rights))
            if offered is None:
                offered = False
                for right in self._runs.of(grant.rights):
                    way = right.way(request, words, values, env)
                    if way is None:
                        continue
                    offered = True
                    rank = order(right, way)
                    if not ways or rank < least:
                        ways, least = {way: right}, rank
                    elif rank == least:
                        ways.setdefault(way, right)
                offers[id(grant.rights)] = offered
            if offered:
                grants.append(grant)
        return ways, grants


class ToSignal:
    """May a signal, or a break, be sent to what runs? A permission that runs it must be there, and one that lets all
    signals be sent, or names this one.
    """

    __slots__ = ("_name", "_runs")
    divisible = False

    def __init__(self, request: Signal | Break, values: Values) -> None:
        self._name = request.name if isinstance(request, Signal) else BREAK
        self._runs = _Runs(request.running, values)

    def heard(self, rights: Rights) -> bool:
        """Whether they name it, or run what it is sent to."""
        return self._name in rights.signals or bool(self._runs.of(rights))

    permitted = heard

    def touched(self, rights: Rights) -> bool:
        """Whether they name it."""
        return self._name in rights.signals

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """Only what a shell or an exec permission runs takes signals."""
        programs = [
            (grant, right)
            for grant in permitting
            for right in self._runs.of(grant.rights)
            if isinstance(right, ShellRight | ExecRight)
        ]  # fmt: skip
        naming = [grant for grant in permitting if self._name in grant.rights.signals]
        grants = [grant for grant, right in programs if right.all_signals] + (naming if programs else [])
        return Found(_SIGNALLED, tuple(grants), "", "permits it") if grants else REFUSED


@dataclass(frozen=True, slots=True)
class _Settings:
    """What the policy sets for whatever is run."""

    env: EnvSettings = ()
    umask: int | None = None
    folder: str | None = None


_NOTHING_SET = _Settings()


def _settings(grants: Sequence[Grant], values: Values) -> _Settings | None:
    """The variables and settings of all grants, or None where two set one to two values.

    One whose slot has no value is left out.
    """
    found: dict[tuple[str, str], str] = {}
    for rights in {id(grant.rights): grant.rights for grant in grants}.values():
        for setting in rights.sets:
            value = setting.value.fill(values)
            if value is not None and found.setdefault((setting.kind, setting.name), value) != value:
                return None
    if not found:
        return _NOTHING_SET
    env = tuple(sorted((name, value) for (kind, name), value in found.items() if kind == "env"))
    umask = found.get(("umask", "umask"))
    return _Settings(env, int(umask, 8) if umask else None, found.get(("working_folder", "working_folder")))

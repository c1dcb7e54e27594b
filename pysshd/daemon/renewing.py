"""What a new version of the policy changes in a running daemon: who people are, what connections are told and held to.

All of it is made before anything of it is used, so that what can not be had refuses the file and changes nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from pysshd.daemon.host_certificates import HostCertificate
from pysshd.daemon.host_keys import HostKey
from pysshd.daemon.reloading import InForce
from pysshd.daemon.restart import Kept, kept
from pysshd.daemon.terms import make_signer, make_terms
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.settings import Limits, Settings
from pysshd.processes.monitor.terms import Services, Terms
from pysshd.records import dataclass
from pysshd.server.ports import Identity
from pysshd.server.rules import Rules


@dataclass(frozen=True, slots=True)
class Read:
    """A policy that was read and may be served by this daemon: with the settings that it can have.

    hidden: what confined programs must not see while it is in force.
    """

    ruleset: Ruleset
    waits: tuple[str, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What connections need of one version of the policy."""

    rules: Rules
    services: Services
    terms: Terms

    @property
    def limits(self) -> Limits:
        """What the front holds connections to."""
        return self.rules.ruleset.settings.limits


def read(load: Callable[[], Ruleset], started: Settings, check: Callable[[Ruleset], tuple[str, ...]]) -> Read:
    """Read the policy; StartupError where it is not good, or `check` says that this host can not serve it.

    check: returns what is hidden from confined programs.
    """
    ruleset = load()
    found: Kept = kept(started, ruleset.settings)
    ruleset = replace(ruleset, settings=found.settings)
    return Read(ruleset, found.waits, check(ruleset))


@dataclass(slots=True)
class Current:
    """The rules that are in force: the one reference that a reload swaps."""

    rules: Rules

    def __call__(self) -> Rules:
        """As they are now."""
        return self.rules


@dataclass(slots=True)
class Renewing:
    """Makes, and puts in force, one version after the other. `terms`: what connections are held to now.

    make_people: who people are by a ruleset. check: of what only a helper can say whether this host has it; both raise
    StartupError. apply: hands what was made to whoever serves connections. warn: takes a line for the log.
    """

    current: Current
    services: Services
    terms: Terms
    keys: Sequence[HostKey]
    certificates: Sequence[HostCertificate]
    make_people: Callable[[Ruleset], Identity]
    check: Callable[[Ruleset], Awaitable[None]]
    apply: Callable[[Made], None]
    warn: Callable[[str], None]

    async def put_in_force(self, found: Read) -> InForce:
        """Make what `found` needs, then use all of it at once; StartupError where something can not be had."""
        ruleset, before = found.ruleset, self.terms
        await self.check(ruleset)
        signer = make_signer(ruleset.settings.crypto, self.keys, self.certificates, self.warn)
        terms = make_terms(ruleset.settings, signer, found.hidden, before.timezone,
                           certified=ruleset.takes_certificates)  # fmt: skip
        rules = Rules(ruleset, self.make_people(ruleset))
        made = Made(rules, replace(self.services, signer=signer), replace(terms, limits=before.limits))
        self.services, self.terms, self.current.rules = made.services, made.terms, rules
        self.apply(made)
        return InForce(ruleset.version, found.waits)

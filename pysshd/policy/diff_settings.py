"""What two policies say to the daemon, as far as it decides who gets in: beside each other, and what is more now."""

from collections.abc import Callable, Iterator
from typing import Final

from pysshd.policy.authorities import SAME
from pysshd.policy.diff_sessions import Side, covers, listeners
from pysshd.policy.settings import Settings
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Wider:
    """A setting by which people get more. what: in words; where, was: `file:line` and the value, or words."""

    what: str
    where: str
    was: str
    sure: bool = True


def wider(new: Side, old: Side) -> Iterator[Wider]:
    """Every setting by which somebody may get more under the new policy."""
    yield from _listening(new, old)
    for key, value, more in _NUMBERS:
        now, before = value(new.settings), value(old.settings)
        if now > before if more else now < before:
            yield Wider(f"{key}: {now:g}", key, f"{before:g}")
    for key, text, least in _TEXTS:
        here, there = text(new.settings), text(old.settings)
        if here != there and here not in least:
            yield Wider(f"{key}: {here or 'absent'}", key, there or "absent", sure=False)
    for name in sorted(_algorithms(new.settings) - _algorithms(old.settings)):
        yield Wider(f"crypto: {name}", "crypto", "not offered")
    yield from _of_the_host(new, old)


def _listening(new: Side, old: Side) -> Iterator[Wider]:
    before = listeners(old.settings)
    for here in listeners(new.settings):
        if not any(covers(one, here) for one in before):
            address = f"[{here.host}]" if ":" in here.host else here.host
            yield Wider(f"whoever reaches {address}:{here.port} may try to log in", here.where or "server.listen",
                        "no listener")  # fmt: skip


def _of_the_host(new: Side, old: Side) -> Iterator[Wider]:
    """People and accounts of the host whom the old policy did not take."""
    here, there = new.ruleset.source, old.ruleset.source
    if here is not None and there is not None and here.min_uid < there.min_uid:
        yield Wider(f"people of the host from uid {here.min_uid} on", here.where, f"from {there.min_uid} on")
    zone, before = new.settings.server.options_timezone, old.settings.server.options_timezone
    if here is not None and there is not None and here.keys and zone != before:
        yield Wider(f"keys of the host until a time of {zone}, where their options say none", here.where, before, False)
    if new.settings.server.accounts != "system":
        return
    written = _written(old)
    added = {account: where for (whose, account), where in _written(new).items() if (whose, account) not in written}
    for account, where in sorted(added.items()):
        yield Wider(f"account {account} of the host, also where its uid is below min_uid", where,
                    "not written in the file", sure=False)  # fmt: skip


def _written(side: Side) -> dict[tuple[str, str], str]:
    """Every name of a Unix account that the file writes, and where; with for whom, as far as no comparison of people
    tells it: that a name has a line of its own now, or stands in an authority.
    """
    ruleset = side.ruleset
    # An authority is no person: no name of one has a colon. What a person's line says is told rather.
    found = {
        (f"authority:{one.name}", account): one.where
        for one in ruleset.authorities.values()
        for account, _ in one.accounts
        if account != SAME
    }
    if ruleset.defaults is not None and ruleset.defaults.run_as is not None:
        found["", ruleset.defaults.run_as] = "users"
    for person in ruleset.people.values():
        for account in person.written:
            found[person.name if account == person.name else "", account] = person.where
    return found


def _algorithms(settings: Settings) -> set[str]:
    """The ways in which the keys of users may sign: more of them let in keys that were of no use."""
    return {f"user_key_algorithms: {name}" for name in settings.crypto.algorithms.user_key_algorithms}


_NUMBERS: Final[tuple[tuple[str, Callable[[Settings], float], bool], ...]] = (
    ("server.min_uid", lambda found: found.server.min_uid, False),
    ("crypto.min_rsa_bits", lambda found: found.crypto.min_rsa_bits, False),
    ("limits.auth_attempts", lambda found: found.limits.auth_attempts, True),
    ("limits.login_grace", lambda found: found.limits.login_grace, True),
    ("limits.sessions_per_connection", lambda found: found.limits.sessions_per_connection, True),
    ("limits.connections", lambda found: found.limits.connections, True),
    ("limits.startups.start", lambda found: found.limits.startups.start, True),
    ("limits.startups.full", lambda found: found.limits.startups.full, True),
    ("limits.startups.rate", lambda found: found.limits.startups.rate, False),
    ("limits.startups.per_source", lambda found: found.limits.startups.per_source, True),
    ("limits.startups.per_source_rate", lambda found: found.limits.startups.per_source_rate, True),
)
"""Each number that bounds access, and whether more of it is more access, or less."""

_TEXTS: Final[tuple[tuple[str, Callable[[Settings], str | None], frozenset[str | None]], ...]] = (
    ("server.accounts", lambda found: found.server.accounts, frozenset()),
    ("server.owner", lambda found: found.server.owner, frozenset([None])),
    ("server.user", lambda found: found.server.user, frozenset()),
    ("server.interface", lambda found: found.server.interface, frozenset()),
    ("server.isolation", lambda found: found.server.isolation, frozenset(["connection"])),
    ("server.sandbox", lambda found: found.server.sandbox, frozenset(["require"])),
)
"""Each setting that says as whom, behind what walls or by whom access is given: another value may be more, but for
those that give least.
"""

COMPARED: Final = frozenset(key for key, *_ in (*_NUMBERS, *_TEXTS))
"""The settings of these tables."""

"""Wires the people of a policy to what checks their keys and passwords."""

import os
import pwd
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from pysshd.daemon.helpers import PASSWORD
from pysshd.identity.accounts import ServiceAccounts, ServiceUser, SystemAccounts
from pysshd.identity.asked import PROGRAM_WITHIN, PROGRAMS, AskedPeople
from pysshd.identity.host.calls import ACCOUNTS, KEY_PROGRAM, SYSTEM_PASSWORD
from pysshd.identity.host.crypt import host_crypt
from pysshd.identity.key_files import KeyFiles
from pysshd.identity.passwords import PasswordQueue
from pysshd.identity.queue import HelperQueue
from pysshd.identity.system import LOOK_UP_WITHIN, LOOK_UPS, PASSWORD_WITHIN, SystemPeople
from pysshd.identity.virtual import VirtualPeople
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.values import timezone
from pysshd.processes.monitor.terminal import tty_group
from pysshd.server.ports import Clock, Identity
from pysshd.ssh.crypto.entropy import SystemEntropy

AskHelper = Callable[[str, bytes], Awaitable[bytes]]
"""Asks a helper of a kind a question, and brings its answer."""


class Queues:
    """The lines before the helpers: those of the daemon, whichever version of the policy asks."""

    def __init__(self, ask: AskHelper, clock: Clock, complain: Callable[[str], None]) -> None:
        """`ask`: asks a helper of a kind."""
        self.passwords = PasswordQueue(partial(ask, PASSWORD), clock, helpers=_cpus(), complain=complain)
        self.look_ups = HelperQueue(
            "look-up", partial(ask, ACCOUNTS), clock, LOOK_UPS, LOOK_UP_WITHIN, complain=complain
        )
        self.checks = HelperQueue(
            "password", partial(ask, SYSTEM_PASSWORD), clock, _cpus(), PASSWORD_WITHIN, complain=complain
        )
        self.programs = HelperQueue(
            "key program", partial(ask, KEY_PROGRAM), clock, PROGRAMS, PROGRAM_WITHIN, complain=complain
        )


def make_people(
    ruleset: Ruleset, state: Path, queues: Queues, clock: Clock, complain: Callable[[str], None]
) -> Identity:
    """Return the identity side for the daemon's own user, which this process is by now.

    StartupError where the host lacks what the policy needs.
    """
    known = _known_people(ruleset, state, queues, clock, complain)
    if not ruleset.commands:
        return known
    return AskedPeople(ruleset, known, queues.programs, frozenset({0, os.geteuid()}), complain)


def _known_people(
    ruleset: Ruleset, state: Path, queues: Queues, clock: Clock, complain: Callable[[str], None]
) -> VirtualPeople | SystemPeople:
    """The people whom no program has to be asked about."""
    uid, server, passwords = os.geteuid(), ruleset.settings.server, queues.passwords
    zone, certified = timezone(server.options_timezone), bool(ruleset.authorities)
    if server.accounts == "system":
        if ruleset.source is not None and ruleset.source.password:
            host_crypt()
        tty_group()
        files, system = KeyFiles(frozenset({0}), zone), SystemAccounts(ruleset.people, certified=certified)
        file = VirtualPeople(ruleset, files, passwords, system, SystemEntropy(), complain)
        return SystemPeople(ruleset, file, queues.look_ups, queues.checks, clock, complain)
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        entry = None
    accounts = ServiceAccounts(ServiceUser.from_passwd(entry, uid), state, ruleset.people, certified=certified)
    return VirtualPeople(ruleset, KeyFiles(frozenset({0, uid}), zone), passwords, accounts, SystemEntropy(), complain)


def _cpus() -> int:
    return len(os.sched_getaffinity(0))

"""As whom the daemon and its workers run: decided once, before the network is read."""

import os
import pwd
import sys
from collections.abc import Collection

from pysshd.daemon.blame import blamed_on
from pysshd.errors import StartupError
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.settings import Server
from pysshd.records import dataclass

WORKER_USERS = ("pysshd-net", "nobody")
"""Whom a worker becomes under a monitor that is root, where the policy names nobody: the first that the host has."""

CANNOT_RESTART = (
    "{user} can not read {path}: should the zygote end, no other one can be started and nobody can log in any more; "
    "install pysshd and its Python where {user} may read them"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A Unix identity to become: uid, gid and supplementary groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def service_identity(server: Server, people: Collection[str], *, root_may_serve: bool) -> Identity | None:
    """Return whom a daemon that was started as root becomes, or None: it stays who it is.

    With `accounts: service` every session runs as the daemon's own user, so that root is refused there, but for a
    caller that serves root alone (`root_may_serve`); then the policy may know nobody but one of `people`. With
    `accounts: system` root it has to stay, to become each account.
    """
    if server.accounts == "system":
        if os.geteuid() != 0:
            raise StartupError(
                f"server.accounts: is system, which needs root, but this is uid {os.geteuid()}; "
                "start the daemon as root, or serve programs as this user (accounts: service)"
            )
        return None
    if os.geteuid() != 0:
        return None
    if server.user is None and root_may_serve:
        if len(people) == 1:
            return None
        raise StartupError(
            f"users: has {len(people)} people, expected one: started as root this serves root alone, for every session "
            "would run as root; name a user that the daemon becomes (server: {user: NAME}) to serve others"
        )
    if server.user is None:
        raise StartupError(
            "server.user: is absent, and accounts: service would run every session as root; name the user that the "
            "daemon becomes (server: {user: NAME}), or start it as an ordinary user"
        )
    identity = find_user(server.user, "server.user")
    if identity.uid == 0:
        raise StartupError("server.user: is root, expected an ordinary user, for every session runs as that user")
    return identity


def worker_identity(server: Server) -> tuple[Identity | None, str | None]:
    """Return whom workers become under a monitor that stays root, and a warning where that is a poor choice."""
    if os.geteuid() != 0:
        return None, None
    if server.worker_user is not None:
        identity = find_user(server.worker_user, "server.worker_user")
        if identity.uid == 0:
            raise StartupError("server.worker_user: is root, expected an ordinary user that owns nothing")
        return identity, None
    for name in WORKER_USERS:
        try:
            found = find_user(name, "server.worker_user")
        except StartupError:
            continue
        warning = (
            None if name == WORKER_USERS[0] else f"workers run as {name}; give them a user of their own: pysshd-net"
        )
        return found, warning
    raise StartupError("server.worker_user: is absent, and the host has neither pysshd-net nor nobody")


def check_programs(ruleset: Ruleset) -> None:
    """Look the accounts up that programs run as; StartupError where one is not there, or is root by another name."""
    for command in ruleset.commands:
        if command.run_as is None:
            continue
        with blamed_on(command.where):
            if find_user(command.run_as, "run_as").uid == 0 and command.run_as != "root":
                raise StartupError(f"run_as: {command.run_as} is root by another name; write root where it is meant")


def find_user(name: str, key: str) -> Identity:
    """Look a user up by name; StartupError, which says `key`, where there is none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise StartupError(
            f"{key}: the host has no user {name!r}; make it (useradd --system {name}), or name another"
        ) from None
    return Identity(name, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))


def unreadable() -> str | None:
    """Return what this process, as it is now, could not start another interpreter from, or None where all is well."""
    for path, wanted in ((sys.executable, os.X_OK), (os.__file__, os.R_OK), (__file__, os.R_OK)):
        if not os.access(path, wanted):
            return path
    return None

"""What the policy says to the daemon rather than about people: plain frozen data, with the defaults."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from pysshd.records import dataclass
from pysshd.ssh.crypto.catalogue import PROFILES, Profile


@dataclass(frozen=True, slots=True)
class Listen:
    """One listener.

    name: its name or else its text in the file, which `listener:` conditions and `Facts.listener` name; the addresses
        of one entry share it.
    host: an address without brackets, or `*` for every address of both families.
    where: `file:line:column`, empty for a default.
    banner: in place of the server's.
    """

    name: str
    host: str
    port: int
    where: str = field(default="", compare=False)
    banner: str | None = None


DEFAULT_LISTEN = (Listen("127.0.0.1:2222", "127.0.0.1", 2222), Listen("[::1]:2222", "::1", 2222))
"""The listeners where the file names none; the second where the host has it."""


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Where host keys lie: files, a folder, or both; absolute paths, or relative to nothing if the policy was no file.

    certificates: files of host certificates, beside those that lie next to their keys.
    """

    directory: str | None = None
    files: tuple[str, ...] = ()
    where: str = field(default="", compare=False)
    """`file:line:column`, or empty."""
    certificates: tuple[str, ...] = ()


SHARED_WITH_SYSTEM = "shared-workers-with-system-accounts"
"""The risk that `isolation: shared` beside `accounts: system` is; a file that wants both says so by this name."""

EARLIEST = "Etc/GMT-14"
"""Fourteen hours before UTC: the clocks of no place are further on."""

DEFAULT_MIN_UID = 1000
"""Where people's uids begin on every distribution that is in use (login.defs(5), UID_MIN)."""


@dataclass(frozen=True, slots=True)
class Server:
    """`server:`. None means that the file is silent and the daemon takes its documented default.

    listen: empty: DEFAULT_LISTEN, of which the second only where the host has it.
    owner: the person who may run unconfined programs, who thereby is the daemon's own user; also where the file
        is silent and one person alone may do so.
    state: absolute path of the state folder.
    isolation: whether a process that faces the network serves one connection, or many.
    interface: `module:class` of the server interface that decides, instead of the policy's own.
    min_uid: under `accounts: system` the least uid of an account whose name the file does not write for the person.
    """

    listen: tuple[Listen, ...] = ()
    host_keys: HostKeys | None = None
    accounts: Literal["service", "system"] = "service"
    owner: str | None = None
    user: str | None = None
    worker_user: str | None = None
    state: str | None = None
    sandbox: Literal["require", "best_effort"] = "require"
    timezone: str = "UTC"
    banner: str | None = None
    interface: str | None = None
    where: Mapping[str, str] = field(default_factory=dict, compare=False)
    """`file:line:column` of `user`, `worker_user`, `state` and `interface`, where the file names them."""
    min_uid: int = DEFAULT_MIN_UID
    options_timezone: str = EARLIEST
    """Of times in options of keys that say none: `timezone` where the file has it, else where each hour comes first,
    for sshd would mean the host's, which is not known."""
    version_addendum: str | None = None
    isolation: Literal["connection", "shared"] = "connection"

    def banner_of(self, listener: str) -> str | None:
        """The banner of whoever comes by a listener of this name: its own, else the server's."""
        own = (entry.banner for entry in self.listen if entry.name == listener and entry.banner is not None)
        return next(own, self.banner)


@dataclass(frozen=True, slots=True)
class Crypto:
    """`crypto:`. Rekeying is due after so many bytes in one direction or so many seconds, whichever is first.

    algorithms: the lists of the profile, after the edits of the file. min_rsa_bits: of the keys of users.
    """

    profile: Literal["strict", "default", "compatible"] = "default"
    rekey_bytes: int = 1 << 30
    rekey_seconds: float = 3600.0
    algorithms: Profile = PROFILES["default"]
    min_rsa_bits: int = 2048
    where: Mapping[str, str] = field(default_factory=dict, compare=False)
    """`file:line:column` of what decides each list."""


@dataclass(frozen=True, slots=True)
class Startups:
    """Connections that have not logged in: from `start` on, `rate` percent are dropped, rising to all at `full`.

    per_source: how many of one address (of one /64 for IPv6) are served at a time; further ones wait for their turn.
    per_source_rate: how many of one address come in for each second, those that log in left out.
    """

    start: int = 10
    rate: int = 30
    full: int = 100
    per_source: int = 9
    per_source_rate: int = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """`limits:`. login_grace in seconds; the rest are counts; `connections` caps the whole daemon."""

    login_grace: float = 60.0
    auth_attempts: int = 6
    startups: Startups = field(default_factory=Startups)
    sessions_per_connection: int = 10
    connections: int = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the daemon itself is told."""

    server: Server = field(default_factory=Server)
    crypto: Crypto = field(default_factory=Crypto)
    limits: Limits = field(default_factory=Limits)

"""What sshd lets somebody do, in the words of a role."""

from typing import Final, TypeAlias

from pysshd.records import dataclass

Argv: TypeAlias = tuple[str, ...]

SFTP_ALL: Final = (("/", ("all",)), ("/**", ("all",)))
SFTP_READ: Final = (("/", ("list", "download")), ("/**", ("list", "download")))


@dataclass(frozen=True, slots=True)
class Rights:
    """The permissions of one role.

    shell: whether the account's shell runs, for sessions and commands. forced: the program that answers everything.
    sets: variables and values. subsystems: names and programs. jail: the folder of SFTP, with the rights at its paths.
    local, remote: destinations and places to listen. unix: whether sockets of either way are forwarded.
    """

    shell: bool = False
    forced: Argv = ()
    pty: bool = False
    accept: tuple[str, ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    subsystems: tuple[tuple[str, Argv], ...] = ()
    jail: str = ""
    read_only: bool = False
    local: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    local_unix: bool = False
    remote_unix: bool = False
    agent: bool = False
    x11: bool = False

    @property
    def runs(self) -> bool:
        """Whether a session can run anything."""
        return self.shell or bool(self.forced or self.subsystems or self.jail)

    @property
    def nothing(self) -> bool:
        """Whether there is no permission at all."""
        forwards = self.local or self.remote or self.local_unix or self.remote_unix
        return not (self.runs or forwards or self.agent or self.x11)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How somebody logs in from somewhere (no chain: not at all), and what they may then do."""

    chains: tuple[tuple[str, ...], ...] = ()
    rights: Rights = Rights()


CLOSED: Final = Behaviour()

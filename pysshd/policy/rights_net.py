"""Permissions that reach beyond the session, compiled: `forward`, `agent`, `x11` and `global_requests`."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final, TypeAlias

from pysshd.patterns.destinations import HostPattern
from pysshd.patterns.globs import Token
from pysshd.patterns.parts import PartsGlob, parts_glob, parts_tokens
from pysshd.patterns.ports import Ports
from pysshd.patterns.slots import HOME, value_of
from pysshd.policy.templates import Template
from pysshd.records import dataclass

ALWAYS_ANSWERED: Final = frozenset(
    ["keepalive@openssh.com", "no-more-sessions@openssh.com", "hostkeys-prove-00@openssh.com"]
)
"""Global requests of which no policy has a say."""

FORWARDING: Final = {
    "tcpip-forward": "remote",
    "cancel-tcpip-forward": "remote",
    "streamlocal-forward@openssh.com": "remote_unix",
    "cancel-streamlocal-forward@openssh.com": "remote_unix",
}
"""Global requests with an answer of their own, and the key of `forward` that permits it."""


@dataclass(frozen=True, slots=True)
class ConnectRight:
    """One item of `forward.local`. where: `file:line`."""

    host: HostPattern
    ports: Ports
    where: str = field(compare=False)

    def __str__(self) -> str:
        return f"forward: {{local: {self.host}:{self.ports}}}"


@dataclass(frozen=True, slots=True)
class ListenRight:
    """One item of `forward.remote`."""

    host: HostPattern
    ports: Ports
    where: str = field(compare=False)

    def __str__(self) -> str:
        return f"forward: {{remote: {self.host}:{self.ports}}}"


@dataclass(frozen=True, slots=True)
class SocketPattern:
    """A pattern of paths with slots. in_home: what it says is below the home of the session."""

    template: Template
    in_home: bool = False

    @property
    def slots(self) -> frozenset[str]:
        """The slots that it has."""
        return self.template.slots | ({HOME} if self.in_home else frozenset[str]())

    def filled(self, values: Mapping[str, str]) -> PartsGlob | None:
        """The pattern of one session, or None where a slot has no value that could stand there.

        What fills a slot is a text, and never read as a pattern.
        """
        tokens: list[Token] = []
        if self.in_home:
            home = values.get(HOME, "")
            if not home.startswith("/"):
                return None
            tokens += [Token(char) for char in home.rstrip("/")]
        for index, part in enumerate(self.template.parts):
            if index % 2 == 0:
                tokens += parts_tokens(part, "/")
            elif (value := value_of(part, values)) is None:
                return None
            else:
                tokens += map(Token, value)
        return parts_glob(tokens, str(self), "/")

    def __str__(self) -> str:
        return f"{{home}}{self.template}" if self.in_home else str(self.template)


@dataclass(frozen=True, slots=True)
class SocketRight:
    """One item of `forward.local_unix`, or of `forward.remote_unix` where it `listens`."""

    path: SocketPattern
    listens: bool
    where: str = field(compare=False)

    def permits(self, path: str, values: Mapping[str, str]) -> bool:
        """Whether a path is of the form; never where a slot has no value."""
        glob = self.path.filled(values)
        return glob is not None and glob.matches(path)

    def touches(self, path: str, values: Mapping[str, str]) -> bool:
        """As `permits`, for a deny: one that can not be told touches every path."""
        glob = self.path.filled(values)
        return glob is None or glob.matches(path)

    def __str__(self) -> str:
        return f"forward: {{{'remote_unix' if self.listens else 'local_unix'}: {self.path}}}"


@dataclass(frozen=True, slots=True)
class PlainRight:
    """`agent`, `x11`, or one name of `global_requests`: a request of that name is permitted, whatever else it says."""

    key: str
    where: str = field(compare=False)
    name: str = ""

    def __str__(self) -> str:
        return f"{self.key}: {self.name or 'true'}"


NetRight: TypeAlias = ConnectRight | ListenRight | SocketRight | PlainRight

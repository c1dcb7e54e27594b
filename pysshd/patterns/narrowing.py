"""What a key or a certificate leaves of what its holder may do. It is plain data: whoever makes it, it only takes away.

What would give more (variables, an authority) is written down here too, and means nothing until a policy accepts it.
"""

from dataclasses import field, replace
from datetime import datetime
from typing import Final

from pysshd.patterns.globs import Glob
from pysshd.patterns.source_lists import SourceList, parse_prefixes
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """One place to which connections may be made. host: as it is compared, None for any; port: None for any."""

    host: str | None
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        return f"{host or '*'}:{self.port or '*'}"


@dataclass(frozen=True, slots=True)
class Listening:
    """One place to listen. host: a pattern of what clients ask for, in small letters; port: None for any."""

    host: Glob
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host.source}]" if ":" in self.host.source else self.host.source
        return f"{host}:{self.port or '*'}"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is left.

    command: what runs whatever is asked for; None: what is asked for.
    sources: lists of where the peer may come from, each of which must hold.
    expires: from this instant on nothing is left.
    opens, listens: where connections may be made to, and where may be listened; None: no limit.
    pty, agent, x11, ports: whether there may be a terminal, and what may be forwarded.
    environment: variables with their values, each name once; they are set only where that is accepted.
    authority: it is no key of its holder, but one whose certificates are theirs, for these principals; only where that
        is accepted. principals: None: the name of the account.
    where: `file:line`.
    """

    command: bytes | None = None
    sources: tuple[SourceList, ...] = ()
    expires: datetime | None = None
    opens: tuple[Opening, ...] | None = None
    listens: tuple[Listening, ...] | None = None
    pty: bool = True
    agent: bool = True
    x11: bool = True
    ports: bool = True
    environment: tuple[tuple[str, str], ...] = ()
    authority: bool = False
    principals: frozenset[str] | None = None
    where: str = field(default="", compare=False)

    def beyond(self, other: "Narrowing") -> tuple[str, ...]:
        """What it leaves and the other does not, in words; what only counts where it is accepted is not looked at."""
        flags = [name for attribute, name in FLAGS if getattr(self, attribute) and not getattr(other, attribute)]
        more = {
            "another command": other.command is not None and self.command != other.command,
            "from elsewhere": not set(other.sources) <= set(self.sources),
            "for longer": other.expires is not None and (self.expires is None or self.expires > other.expires),
            "other destinations": other.opens is not None and not _within(self.opens, other.opens),
            "other places to listen": other.listens is not None and not _within(self.listens, other.listens),
        }
        return (*flags, *(word for word, holds in more.items() if holds))

    def __str__(self) -> str:
        """The options that say so, values shortened."""
        words = [f"no {name}" for attribute, name in FLAGS if not getattr(self, attribute)]
        words += [f"forces {shown(self.command)}"] if self.command is not None else []
        words += [f"from {one}" for one in self.sources]
        words += [f"until {self.expires.isoformat(timespec='minutes')}"] if self.expires is not None else []
        words += [f"opens {', '.join(map(str, self.opens))}"] if self.opens is not None else []
        words += [f"listens {', '.join(map(str, self.listens))}"] if self.listens is not None else []
        words += [f"sets {', '.join(name for name, _ in self.environment)}"] if self.environment else []
        return ", ".join([*words, *(["cert-authority"] if self.authority else [])])


def _within(ours: tuple[object, ...] | None, theirs: tuple[object, ...]) -> bool:
    return ours is not None and set(ours) <= set(theirs)


FLAGS: Final = (
    ("pty", "pty"),
    ("agent", "agent-forwarding"),
    ("x11", "x11-forwarding"),
    ("ports", "port-forwarding"),
)
"""Attributes that are yes or no, and the names of their options."""

NO_NARROWING: Final = Narrowing()


def narrows(one: Narrowing) -> bool:
    """Whether it says anything at all."""
    # Most are the very same, and each request asks; to compare two takes long.
    return one is not NO_NARROWING and one != NO_NARROWING


CRITICAL_OPTIONS: Final = frozenset(["force-command", "source-address"])
"""The critical options of certificates that can be kept (PROTOCOL.certkeys)."""


def critical_option(found: Narrowing, name: str, value: str) -> Narrowing:
    """What is left with one critical option more; one that is not among those says nothing here.

    Raises SourceListError for addresses that are none.
    """
    if name == "force-command":
        return replace(found, command=value.encode("utf-8", "surrogateescape"))
    if name == "source-address":
        return replace(found, sources=(*found.sources, parse_prefixes(value)))
    return found


_SHOWN: Final = 64


def shown(command: bytes) -> str:
    """A command for a person: quoted, cut, and printable."""
    text = command.decode("utf-8", "replace")
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")

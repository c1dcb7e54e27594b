"""What would be if a key said less in its options: for asking whether that would allow what is refused."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from pysshd.patterns.narrowing import NO_NARROWING
from pysshd.policy.people import Person
from pysshd.policy.query import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Listen,
    ListenUnix,
    Login,
    Pty,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
)

_OPTION_OF: Final = {
    "pty": "no-pty (or restrict)",
    "agent": "no-agent-forwarding (or restrict)",
    "x11": "no-x11-forwarding (or restrict)",
    "ports": "no-port-forwarding (or restrict)",
    "command": "command",
    "sources": "from",
    "expires": "expiry-time",
    "opens": "permitopen",
    "listens": "permitlisten",
}
_NARROWED: Final[Mapping[type, tuple[str, ...]]] = {
    Pty: ("pty",),
    Agent: ("agent",),
    X11: ("x11",),
    Connect: ("ports", "opens"),
    Listen: ("ports", "listens"),
    ConnectUnix: ("ports", "opens", "command"),
    ListenUnix: ("ports", "listens", "command"),
    Login: ("sources", "expires", "command"),
    **dict.fromkeys((Shell, Exec, Subsystem, Env, Signal, Break, Sftp), ("command",)),
}
"""What options take away from requests of each kind."""


def lifted(person: Person, steps: Iterable[Step], kind: type) -> Iterator[tuple[str, str, Callable[[Person], Person]]]:
    """The options of the keys that were used, each taken away, that bear on requests of a kind.

    In words, with `file:line`, and what the person is without it. What a line of a file says is not the policy's.
    """
    used = [person.key_of(step) for step in steps]
    for key in (key for key in person.keys if any(key is one for one in used)):
        for attribute in _NARROWED.get(kind, ()):
            if getattr(key.narrowing, attribute) != getattr(NO_NARROWING, attribute):
                yield (
                    f"{_OPTION_OF[attribute]} away from the key {key.label}",
                    key.where,
                    partial(_without, key.label, attribute),
                )


def _without(label: str, attribute: str, person: Person) -> Person:
    change: dict[str, Any] = {attribute: getattr(NO_NARROWING, attribute)}
    keys = tuple(
        replace(key, narrowing=replace(key.narrowing, **change)) if key.label == label else key for key in person.keys
    )
    return replace(person, keys=keys)

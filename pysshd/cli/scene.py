"""The options by which a command is told of a connection, and the scene that they make."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from pysshd.patterns.hosts import unmapped
from pysshd.policy.explain import default_login, login_by
from pysshd.policy.fields_login import methods
from pysshd.policy.load import Loaded
from pysshd.policy.nodes import Scalar
from pysshd.policy.problems import Mark
from pysshd.policy.query import UNKNOWN, IPAddress, Step, Unknown
from pysshd.policy.reading import check
from pysshd.policy.report import Report, meant, show
from pysshd.policy.scene import Scene, counts, held_steps, holder_of, listeners_of, named_step
from pysshd.policy.values import exact_instant
from pysshd.records import dataclass

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--as", "name", metavar="PERSON", help="Who asks: a person of the policy."),
    click.option("--account", metavar="NAME", help="The name that is typed; absent: the person's own."),
    click.option("--from", "source", metavar="ADDRESS", help="Where they come from; absent: not known."),
    click.option("--with", "chain", metavar="CHAIN", help="How they log in; absent: as the policy lets them in."),
    click.option("--key", "keys", multiple=True, metavar="KEY", help="A key of the login, by its name or SHA256:…"),
    click.option("--listener", metavar="NAME", help="Where they connect; absent: the first listener."),
    click.option("--client", metavar="VERSION", help="What the client calls itself; absent: not known."),
    click.option("--at", metavar="WHEN", help="When: an instant with its offset; absent: now."),
    click.option("--system-group", "groups", multiple=True, metavar="GROUP", help="A group of the host they are in."),
    click.option("--no-system-groups", "no_groups", is_flag=True, help="They are in no group that the policy names."),
)


def scene_options(command: F) -> F:
    """Add the options that `Given` holds."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Given:
    """What the options said; None and empty: nothing."""

    name: str
    account: str | None
    source: str | None
    chain: str | None
    keys: tuple[str, ...]
    listener: str | None
    client: str | None
    at: str | None
    groups: tuple[str, ...]
    no_groups: bool


def wrong(option: str, found: str, hint: str = "") -> click.UsageError:
    """Return the error of an option that can not be what was given."""
    return click.UsageError(f"{option}: {found}" + (f" ({hint})" if hint else ""))


def scene_of(loaded: Loaded, given: Given, file: Path) -> tuple[Scene, tuple[Step, ...]]:
    """Return the scene, and a step for each key of its person, those that are used first; UsageError where one can not
    be made."""
    ruleset = loaded.ruleset
    person = holder_of(ruleset, given.name)
    if person is None:
        raise wrong("--as", f"{show(given.name)} is no person of {file}", meant(given.name, ruleset.people))
    known = listeners_of(ruleset)
    if given.listener is not None and given.listener not in known:
        raise wrong("--listener", f"{show(given.listener)} is not in server.listen", meant(given.listener, known))
    scene = Scene(
        person=person,
        account=given.account or given.name,
        source=_address(given.source),
        listener=given.listener or known[0],
        now=_instant(given.at),
        chain=(),
        keys=(),
        client=given.client if given.client is not None else UNKNOWN,
        system_groups=frozenset(given.groups) if given.groups or given.no_groups else UNKNOWN,
    )
    held = _held(loaded, scene, given.keys)
    if given.chain is None:
        return default_login(ruleset, scene, held), held
    return login_by(ruleset, scene, _chain(given.chain), held), held


def _held(loaded: Loaded, scene: Scene, names: Iterable[str]) -> tuple[Step, ...]:
    """The keys that are named, then the others, of which those come first that are of use."""
    key_files, person = loaded.key_files or {}, scene.person
    held = held_steps(person, key_files)
    named = []
    for name in names:
        step = named_step(person, name, held, key_files)
        if step is None:
            labels = [step.label or "" for step in held]
            raise wrong("--key", f"{person.name} has no key {show(name)}", meant(name, labels))
        named.append(step)
    valid = {step for step in held if counts(loaded.ruleset, scene, step)}
    others = sorted((step for step in held if step not in named), key=lambda step: step not in valid)
    return (*named, *others)


def _address(text: str | None) -> IPAddress | Unknown:
    if text is None:
        return UNKNOWN
    try:
        return unmapped(ip_address(text))
    except ValueError:
        raise wrong("--from", f"{show(text)} is no address, expected one such as 10.1.2.3") from None


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return exact_instant(text)
    except ValueError as error:
        raise wrong("--at", f"found {show(text)}, {error}") from None


def _chain(text: str) -> tuple[str, ...]:
    """The chain, read as `login` of a case is."""
    report = Report()
    found = check(Scalar(text, Mark("--with", 0, 0)), methods, report)
    if found is None:
        raise click.UsageError(str(report.problems[0]))
    return found.chain

"""What the keys and certificates of a login leave of the grants: they narrow, and never widen (policy.md, Grants 5).

The law: with any of this a request is allowed only where it would be without; but where a command is forced, that is
the request which is judged, and what was asked for is only told to it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from pysshd.patterns.destinations import HostError
from pysshd.patterns.key_options import host_text
from pysshd.patterns.names import variable_fault
from pysshd.patterns.narrowing import Listening, Narrowing, Opening, narrows, shown
from pysshd.policy.decide_sftp import asks_for_sftp
from pysshd.policy.decision import Decision, Tried
from pysshd.policy.forced import forced_request, instead, words_of
from pysshd.policy.people import Person
from pysshd.policy.query import Break, Env, IPAddress, Pty, Request, Run, Sftp, Signal, Unknown
from pysshd.policy.query_net import X11, Agent, Connect, ConnectUnix, Listen, ListenUnix
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate, Step
from pysshd.records import dataclass

_FORWARDING: Final = "permit-port-forwarding"

PERMITTED_BY: Final[Mapping[type, str]] = {
    Pty: "permit-pty",
    X11: "permit-X11-forwarding",
    Agent: "permit-agent-forwarding",
    **dict.fromkeys((Connect, ConnectUnix, Listen, ListenUnix), _FORWARDING),
}
"""Kinds of requests that a certificate permits by an extension (PROTOCOL.certkeys), and refuses where it has none."""

_FLAGS: Final[Mapping[type, tuple[str, str]]] = {
    Pty: ("pty", "pty"),
    X11: ("x11", "x11-forwarding"),
    Agent: ("agent", "agent-forwarding"),
    **dict.fromkeys((Connect, ConnectUnix, Listen, ListenUnix), ("ports", "port-forwarding")),
}

CERTIFICATE: Final = "the certificate"
"""What decided, where a certificate did: it stands in no file."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """One key, certificate or authority, and what it leaves.

    where: `file:line`, or words. certificate: of which the extensions count besides.
    """

    name: str
    where: str
    limits: Narrowing
    certificate: Certificate | None = None


Narrowers: TypeAlias = tuple[Narrower, ...]


def narrowers_of(ruleset: Ruleset, person: Person, steps: Iterable[Step]) -> Narrowers:
    """Everything in these steps of a login of a person by which something is less."""
    found: list[Narrower] = []
    for step in steps:
        if step.method != "publickey":
            continue
        if step.certificate is None:
            found += _of_key(person, step)
            found += _of_lines(person, step)
            continue
        found += _of_certified(person, step)
        if step.certificate.authority:
            found += _of_certificate(ruleset, step.certificate)
            found += _of_lines(person, step)
        else:
            found += _of_signer(person, step, step.certificate)
    return tuple(found)


def _of_key(person: Person, step: Step) -> list[Narrower]:
    """What the entries of `users` say that list the key: all of them, where there are more."""
    return [
        Narrower(f"key {key.name or key.label}", key.where, key.narrowing)
        for key in person.entries_of(step)
        if narrows(key.narrowing)
    ]


def _of_lines(person: Person, step: Step) -> list[Narrower]:
    """What lines of files say of the key, or of that of the authority."""
    return [Narrower(_named(person, step), line.where or "the key", line) for line in step.lines]


def _of_certificate(ruleset: Ruleset, certificate: Certificate) -> list[Narrower]:
    found = [Narrower(f"the certificate of {certificate.authority}", CERTIFICATE, certificate.narrowing, certificate)]
    authority = ruleset.authorities.get(certificate.authority)
    if authority is not None and narrows(authority.narrowing):
        found.append(Narrower(f"authority {authority.name}", authority.where, authority.narrowing))
    return found


def _of_signer(person: Person, step: Step, certificate: Certificate) -> list[Narrower]:
    """A certificate that the key of a line signed: what lines and entries say of that key holds for it, but that it is
    an authority.
    """
    key = person.signer_of(step)
    name = f"key {(key.name if key is not None else None) or certificate.signer}"
    found = [Narrower(f"the certificate of {name}", CERTIFICATE, certificate.narrowing, certificate)]
    said = [
        Narrower(f"key {one.name or certificate.signer}", one.where, one.narrowing) for one in person.entries_of(step)
    ]
    said += [Narrower(name, line.where or "the key", line) for line in step.lines]
    return found + _without_authority(said)


def _of_certified(person: Person, step: Step) -> list[Narrower]:
    """What is said of the key that a certificate is for: nobody gets rid of it by a certificate."""
    said = [Narrower(f"key {key.name or key.label}", key.where, key.narrowing) for key in person.certified_of(step)]
    said += [Narrower(f"key {step.key}", line.where or "the key", line) for line in step.certified]
    return _without_authority(said)


def _without_authority(said: Iterable[Narrower]) -> list[Narrower]:
    """What is said of a key, as it holds for a certificate; that the key is an authority is said of it alone."""
    left = (replace(one, limits=replace(one.limits, authority=False, principals=None)) for one in said)
    return [one for one in left if narrows(one.limits)]


def _named(person: Person, step: Step) -> str:
    key = person.key_of(step)
    return f"key {(key.name if key is not None else None) or step.key}"


# Whether they count at all


def fault_of(narrowers: Narrowers, source: IPAddress | Unknown | None, otherwise: str) -> tuple[str, str]:
    """Why a login with these is none, and `file:line` or words of what says so; "" and `otherwise` where it may be."""
    for one in narrowers:
        for wanted in one.limits.sources:
            if source is None or isinstance(source, Unknown) or not wanted.holds(source):
                return f"{one.name} is good from {wanted} alone", one.where
        if one.limits.authority and one.certificate is None:
            return f"{one.name} is that of an authority, and proves nothing by itself", one.where
    commands = [one for one in narrowers if one.limits.command is not None]
    other = next((one for one in commands if one.limits.command != commands[0].limits.command), None)
    if other is not None:
        return f"{commands[0].name} and {other.name} force two commands", other.where
    return "", otherwise


def expiries(narrowers: Narrowers) -> list[datetime]:
    """The instants from which one of them is nothing."""
    return [one.limits.expires for one in narrowers if one.limits.expires is not None]


# What they leave of a request


def refusal(request: Request, narrowers: Narrowers) -> tuple[str, str]:
    """Why a request may not be, whatever is granted, and where that stands; two empty texts where nothing says so."""
    for one in narrowers:
        if reason := _refused(request, one):
            return reason, one.where
    return "", ""


def _refused(request: Request, one: Narrower) -> str:
    kind, limits = type(request), one.limits
    extension = PERMITTED_BY.get(kind)
    if one.certificate is not None and extension is not None and extension not in one.certificate.extensions:
        return f"{one.name} has no {extension}"
    attribute, option = _FLAGS.get(kind, ("", ""))
    if attribute and not getattr(limits, attribute):
        return f"{one.name} allows no {option}"
    fault = _FAULTS.get(kind)
    reason = fault(request, limits) if fault is not None else ""
    return f"{one.name} {reason}" if reason else ""


def _no_variables(request: Env, limits: Narrowing) -> str:
    return _beside(limits, "variables of the client")


def _no_signals(request: Signal | Break, limits: Narrowing) -> str:
    return _beside(limits, "signals")


def _no_files(request: Sftp, limits: Narrowing) -> str:
    forced = forced_request(limits.command) if limits.command is not None else None
    return "" if forced is None or asks_for_sftp(forced, words_of(forced)) else _beside(limits, "files of SFTP")


def _beside(limits: Narrowing, what: str) -> str:
    return f"forces {shown(limits.command)}, which takes no {what}" if limits.command is not None else ""


def _opens(request: Connect, limits: Narrowing) -> str:
    if limits.opens is None:
        return ""
    try:
        host = host_text(request.host)
    except HostError:
        return "opens no such host"
    return "" if any(_is_at(place, host, request.port) for place in limits.opens) else _instead("opens", limits.opens)


def _is_at(place: Opening, host: str, port: int) -> bool:
    return place.host in (None, host) and place.port in (None, port)


def _listens(request: Listen, limits: Narrowing) -> str:
    if limits.listens is None:
        return ""
    host = request.address.lower()
    held = any(place.host.matches(host) and place.port in (None, request.port) for place in limits.listens)
    return "" if held else _instead("listens at", limits.listens)


def _instead(verb: str, places: tuple[Opening | Listening, ...]) -> str:
    return f"{verb} {', '.join(map(str, places))} alone"


def _no_socket(request: ConnectUnix | ListenUnix, limits: Narrowing) -> str:
    """A socket is none of the places that are named, and a forced command has none beside it (S87)."""
    places = limits.opens if isinstance(request, ConnectUnix) else limits.listens
    if places is not None:
        return _instead("opens" if isinstance(request, ConnectUnix) else "listens at", places)
    return _beside(limits, "Unix sockets")


_FAULTS: Final[Mapping[type, Callable[[Any, Narrowing], str]]] = {
    Env: _no_variables,
    Signal: _no_signals,
    Break: _no_signals,
    Sftp: _no_files,
    Connect: _opens,
    Listen: _listens,
    ConnectUnix: _no_socket,
    ListenUnix: _no_socket,
}


# What is run instead


def forcing(narrowers: Narrowers) -> Narrower | None:
    """The first that forces a command; all that do force the same one."""
    return next((one for one in narrowers if one.limits.command is not None), None)


def judged(request: Request, narrowers: Narrowers) -> Request:
    """The request that is put to the grants: the forced command in the place of whatever would run something."""
    one = forcing(narrowers) if isinstance(request, Run) else None
    return request if one is None or one.limits.command is None else forced_request(one.limits.command)


def environment(narrowers: Narrowers) -> dict[str, str]:
    """The variables that keys set, where that is accepted; those that nobody may send are never among them."""
    pairs = [pair for one in narrowers for pair in one.limits.environment]
    return {name: value for name, value in pairs if not variable_fault(name, value.encode("utf-8", "surrogateescape"))}


def traced(request: Request, narrowers: Narrowers) -> tuple[Tried, ...]:
    """Of those that have something to say to a request, what it is."""
    found = []
    for one in narrowers:
        reason = _refused(request, one).removeprefix(f"{one.name} ")
        forced = one.limits.command if isinstance(request, Run) else None
        if reason:
            found.append(Tried(one.name, one.where, True, reason))
        elif forced is not None:
            found.append(Tried(f"{one.name}, which forces {shown(forced)}", one.where, True))
    return tuple(found)


def narrowed(found: Decision, request: Request, narrowers: Narrowers, edge: datetime | None) -> Decision:
    """What keys and certificates leave of a decision of the grants."""
    reason, where = refusal(request, narrowers)
    if reason:
        return Decision(False, None, valid_until=edge, trace=found.trace, decided_by=where, reason=reason)
    one = forcing(narrowers) if isinstance(request, Run) else None
    if one is None or one.limits.command is None:
        return found
    said = f"{one.name} forces {shown(one.limits.command)}"
    if not found.allowed:
        return replace(found, reason=f"{said}: {found.reason}")
    way = instead(found.way, request, one.limits.command)
    if way is None:
        reason = f"{said}, and another command is forced by {found.decided_by}"
        return Decision(
            False, None, valid_until=found.valid_until, trace=found.trace, decided_by=one.where, reason=reason
        )
    return replace(found, way=way, reason=f"{said}: {found.reason}")

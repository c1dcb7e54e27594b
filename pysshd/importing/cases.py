"""What sshd does today, as cases: of each kind of account, listener and stretch one connection."""

from collections.abc import Iterable, Iterator, Mapping, Set
from ipaddress import ip_address
from typing import Final

from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.entries import Behaviours
from pysshd.importing.login import Chain
from pysshd.importing.rights import Behaviour
from pysshd.importing.stretches import Stretch
from pysshd.importing.subjects import Subject
from pysshd.patterns.globs import parse_glob
from pysshd.patterns.hosts import IPAddress
from pysshd.records import dataclass

_USUAL: Final = tuple(ip_address(text) for text in ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"))
"""Addresses for examples (RFC 5737, RFC 3849), where a stretch holds one."""

_VARIABLES: Final = ("LANG", "LC_ALL", "FOO")
_BEFORE: Final = "2000-01-01T00:00:00Z"
"""Before any key that is of use expires."""

_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class ImportCase:
    """One connection, and what comes of it. groups: of those that matter, in which the account is."""

    subject: Subject
    account: str
    groups: frozenset[str]
    source: IPAddress
    listener: str
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Secrets:
    """What people could prove themselves by, as far as the policy says. keys: by account, those in the policy itself.

    without_password: the accounts whose passwords the policy does not take from the host.
    """

    keys: Mapping[str, tuple[ImportedKey, ...]]
    without_password: frozenset[str]

    def login(self, case: ImportCase) -> tuple[Chain, tuple[ImportedKey, ...]] | None:
        """A chain of the case, and the keys of it that have to be told; None where the policy has too few for any."""
        own = self.keys.get(case.account, ())
        given = case.subject.key
        usable = [*((given,) if given is not None else ()), *(key for key in own if not key.is_special)]
        for chain in case.behaviour.chains:
            count = chain.count("publickey")
            if "password" in chain and case.account in self.without_password:
                continue
            if not own or count <= len(usable):
                return chain, tuple(usable[:count])
        return None


def cases_of(behaviours: Behaviours, somebody: str) -> tuple[ImportCase, ...]:
    """The cases; of places in which a subject is treated alike one for each family. somebody: a name nobody has."""
    found: list[ImportCase] = []
    for subject, by_place in behaviours.items():
        name = subject.name if subject.kind == "account" else somebody
        best: dict[tuple[Behaviour, int], tuple[bool, IPAddress, str]] = {}
        for (listener, stretch), behaviour in by_place.items():
            usual = next((one for one in _USUAL if _holds(stretch, one)), None)
            one = (usual is None, usual or stretch.some, listener)
            kind = (behaviour, stretch.first.version)
            best[kind] = min(best.get(kind, one), one, key=lambda one: one[0])
        found += [
            ImportCase(subject, name, subject.groups, source, listener, behaviour)
            for (behaviour, _), (_, source, listener) in best.items()
        ]
    return tuple(found)


def _holds(stretch: Stretch, address: IPAddress) -> bool:
    return stretch.first.version == address.version and int(stretch.first) <= int(address) <= int(stretch.last)


def tests_of(
    cases: Iterable[ImportCase],
    secrets: Secrets,
    named: Mapping[str, str],
    groups: Set[str],
    many_listeners: bool,
) -> list[object]:
    """The section `tests`. named: names of listeners by their texts. groups: those that conditions speak of."""
    made: list[object] = []
    for case in cases:
        head: dict[str, object] = {"as": case.account, "from": str(case.source)}
        if many_listeners:
            head["listener"] = named.get(case.listener, case.listener)
        if groups:
            head["system_groups"] = sorted(case.groups & groups) or "none"
        if any(key.expires is not None for key in secrets.keys.get(case.account, ())):
            head["at"] = _BEFORE
        made += [test for test in _tests(case, head, secrets) if test not in made]
    return made[:_MOST]


def _tests(case: ImportCase, head: dict[str, object], secrets: Secrets) -> Iterator[dict[str, object]]:
    own = secrets.keys.get(case.account, ())
    special = any(one.is_special for one in own)
    if not case.behaviour.chains:
        key = case.subject.key or next((one for one in own if not one.is_special), None)
        if not special:
            yield head | {"refused": "any"}
        elif key is not None:
            yield head | {"key": key.key.fingerprint, "refused": "publickey"}
        return
    login = secrets.login(case)
    if login is None:
        return
    chain, used = login
    if used and special:
        head |= {"key": [one.key.fingerprint for one in used]}
    allow, deny, runs = requests_of(case.behaviour)
    made: dict[str, object] = {**head, "login": "+".join(chain)}
    if allow:
        made["allow"] = allow
    if deny:
        made["deny"] = deny
    yield made
    if runs:
        yield {**head, "login": "+".join(chain), "allow": ["shell"], "runs": list(runs)}


def requests_of(behaviour: Behaviour) -> tuple[list[object], list[object], tuple[str, ...]]:
    """What is allowed, what is denied, and the program that runs, where one is forced."""
    rights = behaviour.rights
    allow: list[object] = []
    deny: list[object] = []

    def put(request: object, allowed: bool) -> None:
        (allow if allowed else deny).append(request)

    anything = rights.shell or bool(rights.forced)
    put("shell", anything)
    put({"exec": "id"}, anything)
    served = {name for name, _ in rights.subsystems}
    put({"subsystem": "sftp"}, bool(rights.forced or rights.jail) or "sftp" in served)
    put({"pty": "xterm"}, rights.pty)
    for name in _VARIABLES:
        put({"env": f"{name}=x"}, any(parse_glob(pattern).matches(name) for pattern in rights.accept))
    return allow, deny, tuple(word.replace("{{", "{").replace("}}", "}") for word in rights.forced)

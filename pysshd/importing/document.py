"""Puts the parts of a policy together as a text that says where each comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from pysshd.importing.cases import ImportCase, Secrets, tests_of
from pysshd.importing.daemon import Listener
from pysshd.importing.entries import Entry, Plan
from pysshd.importing.language import Language
from pysshd.importing.notes import Remark
from pysshd.importing.rights import SFTP_ALL, SFTP_READ, Rights
from pysshd.importing.subjects import Subject, Subjects
from pysshd.importing.yaml_text import Commented, block
from pysshd.records import dataclass

_GROUP: Final = "system-group:"
_SHORT: Final = 3
"""Prefixes that stand in an entry itself; more have a name."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The sections that are as they are, whoever comes."""

    server: dict[str, object] = field(default_factory=dict)
    crypto: dict[str, object] = field(default_factory=dict)
    limits: dict[str, object] = field(default_factory=dict)
    users: dict[str, object] = field(default_factory=dict)
    source: dict[str, object] = field(default_factory=dict)


def document_of(
    file: str,
    parts: Parts,
    plan: Plan,
    listeners: Sequence[Listener],
    subjects: Subjects,
    cases: Sequence[ImportCase],
    secrets: Secrets,
    language: Language,
    remarks: Sequence[Remark],
) -> str:
    """The whole policy."""
    document = _Document(parts, listeners, subjects)
    return document.text(file, plan, cases, secrets, language, remarks)


class _Document:
    def __init__(self, parts: Parts, listeners: Sequence[Listener], subjects: Subjects) -> None:
        self._parts = parts
        self._subjects = subjects
        self._listeners = listeners
        self._named: dict[str, str] = {}
        self._networks: dict[tuple[str, ...], str] = {}
        self._roles: dict[Rights, str] = {}
        self._groups: set[str] = set()

    def text(
        self,
        file: str,
        plan: Plan,
        cases: Sequence[ImportCase],
        secrets: Secrets,
        language: Language,
        remarks: Sequence[Remark],
    ) -> str:
        """Every section in the order of the language; entries are made first, for they name networks and roles."""
        login = [self._login(one) for one in plan.login() if self._may_be(one)]
        grants = [self._grant(one) for one in plan.grants() if self._may_be(one)]
        parts = self._parts
        tree: dict[str, object] = {"version": "1", "server": self._server(parts.server)}
        sections: dict[str, object] = {
            "crypto": parts.crypto,
            "limits": parts.limits,
            "networks": {name: list(networks) for networks, name in self._networks.items()},
            "users": parts.users,
            "sources": [parts.source] if parts.source else [],
            "login": login or [Commented(("Nobody comes in.",), {"who": "*", "refuse": True})],
            "roles": {name: _role(rights) for rights, name in self._roles.items()},
            "grants": grants,
        }
        if language.has_section("tests"):
            sections["tests"] = tests_of(
                [case for case in cases if self._may_be_subject(case.subject)],
                secrets,
                self._named,
                self._groups,
                len(self._listeners) > 1,
            )
        tree |= {name: section for name, section in sections.items() if section}
        lines: list[str] = [*_head(file, remarks)]
        for name, section in tree.items():
            lines += ["", *(f"# {line}" for line in _ABOVE.get(name, ())), *block({name: section})]
        return "\n".join(lines) + "\n"

    def _may_be(self, entry: Entry) -> bool:
        return all(self._may_be_subject(subject) for subject in entry.subjects)

    def _may_be_subject(self, subject: Subject) -> bool:
        """Whether the policy has such people: without a source only those of `users`."""
        return bool(self._parts.source) or (subject.kind == "account" and subject.name in self._parts.users)

    def _server(self, server: Mapping[str, object]) -> dict[str, object]:
        listen: list[object] = [
            {"address": one.text, "name": self._named[one.text]} if one.text in self._named else one.text
            for one in self._listeners
        ]
        return ({"listen": listen} if listen else {}) | dict(server)

    def _login(self, entry: Entry) -> Commented:
        methods = ["+".join(chain) for chain in entry.behaviour.chains]
        made = {**self._conditions(entry), "methods": methods if len(methods) > 1 else methods[0]}
        return Commented(_whom(entry), made)

    def _grant(self, entry: Entry) -> Commented:
        return Commented(_whom(entry), {**self._conditions(entry), "roles": self._role_name(entry.behaviour.rights)})

    def _conditions(self, entry: Entry) -> dict[str, object]:
        made: dict[str, object] = {key: _one_or_list(values) for key, values in entry.conditions}
        words = [word for _, values in entry.conditions for word in values]
        self._groups |= {word.removeprefix(_GROUP) for word in (*words, *entry.unless) if word.startswith(_GROUP)}
        if entry.where.networks is not None:
            made["from"] = self._from(entry.where.networks)
        if entry.where.listeners is not None:
            made["listener"] = _one_or_list([self._listener_name(one) for one in entry.where.listeners])
        if entry.unless:
            made["unless"] = {"who": _one_or_list(entry.unless)}
        return made

    def _from(self, networks: tuple[str, ...]) -> object:
        if len(networks) <= _SHORT:
            return _one_or_list(networks)
        return self._networks.setdefault(networks, f"places-{len(self._networks) + 1}")

    def _listener_name(self, text: str) -> str:
        return self._named.setdefault(text, f"listener-{len(self._named) + 1}")

    def _role_name(self, rights: Rights) -> str:
        if rights not in self._roles:
            kind = "jailed" if rights.jail else "forced" if rights.forced else "session" if rights.shell else "forwards"
            count = sum(name.startswith(kind) for name in self._roles.values())
            self._roles[rights] = kind if not count else f"{kind}-{count + 1}"
        return self._roles[rights]


_ABOVE: Final[dict[str, tuple[str, ...]]] = {
    "networks": ("What is left when other parts are taken out.",),
    "users": ("Accounts whose keys were given. What an option of a key takes away stands in login and grants.",),
    "sources": ("Everyone whom the host knows, with their own keys.",),
    "login": ("How they prove who they are. No two entries speak of the same login.",),
    "grants": ("What they may then do.",),
    "tests": ("What sshd does today.",),
}


def _head(file: str, remarks: Sequence[Remark]) -> list[str]:
    lines = [f"# Made from {file!a} by pysshd import-sshd-config.", "# pysshd check says whether it is right."]
    for one in remarks:
        if one.kind != "note":
            lines.append("# " + str(one).encode("unicode_escape").decode())
    return lines


def _whom(entry: Entry) -> tuple[str, ...]:
    """In words, where the conditions alone would be hard to read."""
    first = entry.subjects[0]
    words = []
    if first.kind == "rest":
        words.append("Everyone else." if entry.unless else "Everyone but root.")
    if first.key is not None:
        words.append(f"The key of {first.key.mark.where}.")
    if entry.origins:
        words.append(f"Match of {', '.join(mark.where for mark in entry.origins)}.")
    return (" ".join(words).encode("unicode_escape").decode(),) if words else ()


def _one_or_list(values: Sequence[str]) -> object:
    return values[0] if len(values) == 1 else list(values)


def _role(rights: Rights) -> dict[str, object]:
    """A role in the words of the language."""
    made: dict[str, object] = {}
    if rights.shell:
        made |= {"shell": True, "exec": "any"}
    if rights.forced:
        made["forced"] = list(rights.forced)
    if rights.subsystems:
        made["subsystems"] = {name: list(argv) for name, argv in rights.subsystems}
    if rights.jail:
        paths = {path: _one_or_list(names) for path, names in (SFTP_READ if rights.read_only else SFTP_ALL)}
        made["sftp"] = {"mounts": {"/": rights.jail}, "paths": paths}
    if rights.pty:
        made["pty"] = True
    env = {"accept": list(rights.accept)} if rights.accept else {}
    sets: dict[str, object] = {"set": dict(rights.sets)} if rights.sets else {}
    if env or sets:
        made["env"] = {**env, **sets}
    forward: dict[str, object] = {
        "local": list(rights.local),
        "remote": list(rights.remote),
        "local_unix": "/**" if rights.local_unix else "",
        "remote_unix": "/**" if rights.remote_unix else "",
    }
    if any(forward.values()):
        made["forward"] = {key: value for key, value in forward.items() if value}
    return made | {key: True for key, held in (("agent", rights.agent), ("x11", rights.x11)) if held}

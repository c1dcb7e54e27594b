"""Who there is: kinds of accounts that a configuration tells apart, so that each falls into one.

An account is named (it stands in the file, is root, has keys of its own, or is in two groups that matter); or is in one
group that matters and no other; or is one of the rest. Groups that matter are those that the configuration names.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pysshd.importing.accounts import Account, Host
from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.globbing import has_wildcard, matches
from pysshd.importing.notes import Remarks
from pysshd.importing.sshd_config import SshdConfig
from pysshd.patterns.names import is_name
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

NOBODY = "\0"
"""The account of those who are not named, and a group that they are in: no pattern but a star matches it."""

_LAST_UID = 65533


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of account. name: that of an account, of a group, or empty for the rest.

    groups: those that matter and that it is in; held: every group that it is in.
    key: by which it comes in, where that makes a difference.
    """

    kind: str
    name: str = ""
    groups: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    uid: int | None = None
    key: ImportedKey | None = None

    @property
    def user(self) -> str:
        """The name that conditions see."""
        return self.name if self.kind == "account" else NOBODY

    @property
    def order(self) -> tuple[int, str, str]:
        """Named ones first, the rest last."""
        kinds = ("account", "group", "rest")
        return kinds.index(self.kind), self.name, self.key.key.fingerprint if self.key is not None else ""


@dataclass(frozen=True, slots=True)
class Subjects:
    """All of them. groups: those that matter; special: the keys that make a difference, by account."""

    all: tuple[Subject, ...]
    groups: tuple[str, ...]
    special: dict[str, tuple[ImportedKey, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts that are named."""
        return tuple(dict.fromkeys(one.name for one in self.all if one.kind == "account"))


def subjects_of(
    config: SshdConfig, host: Host, keys: Sequence[ImportedKey], min_uid: int, remarks: Remarks
) -> Subjects:
    """Tell apart whom the configuration tells apart."""
    users, groups = list(_named(config, "user")), list(_named(config, "group"))
    closed = _wildcards([*users, *groups], remarks) or not all(_is_sayable(text) for _, text in groups)
    matter = _groups_that_matter(groups, host, remarks, every=closed)
    named = {name: mark for mark, name in users if not _is_pattern(name)}
    names = _names(named, host, keys, matter, min_uid, every=closed)
    found = [_account(name, host, matter) for name in names if is_name(name)]
    for name, mark in named.items():
        if not is_name(name):
            remarks.warn(mark, f"account {name!r}: the name is of no form that is served, and nobody comes in as it")
    special = {name: tuple(key for key in keys if key.user == name and key.is_special) for name in names}
    found += [replace(one, key=key) for one in list(found) for key in special.get(one.name, ())]
    if not closed:
        found += [Subject("group", group, frozenset([group]), frozenset([group])) for group in matter]
        found.append(Subject("rest", held=frozenset([NOBODY])))
    return Subjects(tuple(sorted(found, key=lambda one: one.order)), matter, special)


def _named(config: SshdConfig, kind: str) -> Iterator[tuple[Mark, str]]:
    """Every pattern of accounts or groups, without its negation, and where it stands."""
    for match in config.blocks:
        for criterion in match.criteria:
            if criterion.kind == kind:
                yield from ((match.mark, pattern.removeprefix("!")) for pattern in criterion.patterns)
    for keyword in (f"allow{kind}s", f"deny{kind}s"):
        for line in config.of(keyword):
            yield from ((line.mark, word.rpartition("@")[0] or word if kind == "user" else word) for word in line.value)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _wildcards(patterns: Iterable[tuple[Mark, str]], remarks: Remarks) -> bool:
    """Whether some pattern stands for accounts that may come later."""
    wild = [(mark, text) for mark, text in patterns if has_wildcard(text)]
    for mark, text in wild:
        remarks.refuse(mark, f"pattern {text!r} has no equivalent: it is written out for the accounts and groups of "
                       "today, and an account that is made later is kept out",
                       "import again then, or write a group of the host in its place")  # fmt: skip
    return bool(wild)


def _is_sayable(group: str) -> bool:
    return _is_pattern(group) or is_name(group)


def _groups_that_matter(
    groups: Iterable[tuple[Mark, str]], host: Host, remarks: Remarks, *, every: bool
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for mark, text in groups:
        if _is_pattern(text):
            continue
        if text not in host.groups:
            remarks.warn(mark, f"group {text} is not known to the host, and plays no part: nobody is in it",
                         "import again when it is there")  # fmt: skip
        elif not is_name(text):
            remarks.refuse(mark, f"group {text!r}: the name is of no form that is served; it is written out for the "
                           "accounts of today, and an account that is made later is kept out")  # fmt: skip
        else:
            found[text] = None
    if every:
        # Patterns of groups are matched against all that somebody is in.
        found |= dict.fromkeys(sorted(group for group in host.groups if any(_like(group, text) for _, text in groups)))
    return tuple(found)


def _like(group: str, pattern: str) -> bool:
    return _is_pattern(pattern) and pattern.strip("*") != "" and matches(group, pattern) and is_name(group)


def _names(
    named: dict[str, Mark],
    host: Host,
    keys: Sequence[ImportedKey],
    matter: Sequence[str],
    min_uid: int,
    *,
    every: bool,
) -> list[str]:
    found = dict.fromkeys([*named, *(key.user for key in keys)])
    for account in host.accounts.values():
        in_two = len(account.groups & set(matter)) > 1 and account.uid >= min_uid
        if account.uid == 0 or in_two or (every and min_uid <= account.uid <= _LAST_UID):
            found[account.name] = None
    return sorted(found)


def _account(name: str, host: Host, matter: Sequence[str]) -> Subject:
    known = host.accounts.get(name, Account(name, -1))
    uid = known.uid if known.uid >= 0 else None
    return Subject("account", name, known.groups & set(matter), known.groups, uid)

"""The whole way from texts to a policy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from ipaddress import ip_address
from typing import Final, TypeAlias

from pysshd.importing.accounts import Host
from pysshd.importing.authorized_keys import ImportedKey, read_authorized_keys
from pysshd.importing.behaviour import Asker
from pysshd.importing.cases import ImportCase, Secrets, cases_of
from pysshd.importing.daemon import Listener, crypto_of, limits_of, listeners_of, moved, server_of
from pysshd.importing.document import Parts, document_of
from pysshd.importing.effective import Effective, blocks_of, effective
from pysshd.importing.entries import Plan
from pysshd.importing.globbing import place
from pysshd.importing.language import Language
from pysshd.importing.leftovers import tell_leftovers
from pysshd.importing.login import mark_of
from pysshd.importing.matching import Connection
from pysshd.importing.notes import Remark, Remarks
from pysshd.importing.people import source_of, users_of
from pysshd.importing.rights import CLOSED, Behaviour
from pysshd.importing.sshd_config import Includes, SshdConfig, parse_sshd_config
from pysshd.importing.stretches import Stretch, stretches
from pysshd.importing.subjects import Subject, subjects_of
from pysshd.patterns.hosts import AddressError, Network
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

BannerReader: TypeAlias = Callable[[str], str | None]
"""The text of a banner's file, None where there is none that could be shown."""

_NOBODY: Final = Connection("", frozenset(), ip_address("192.0.2.1"), "192.0.2.1")
_SOMEBODY: Final = ("somebody", "somebody-else", "nobody-in-particular")


@dataclass(frozen=True, slots=True)
class Sources:
    """The texts of an import.

    includes: reads what Include names. key_files: of each account the names and texts of its files of keys.
    min_uid: from which uid on accounts are people's. port: the first port of the policy, instead of sshd's.
    """

    text: str
    file: str
    includes: Includes
    host: Host = field(default_factory=Host)
    key_files: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    min_uid: int = 1000
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What came out. cases: what sshd does, to hold the policy against."""

    policy: str
    remarks: tuple[Remark, ...]
    complete: bool
    config: SshdConfig
    cases: tuple[ImportCase, ...]


def import_policy(sources: Sources, language: Language, read_banner: BannerReader) -> Imported:
    """Make the policy. Raises SshdConfigError for a file with which sshd would not start."""
    remarks = Remarks()
    config = parse_sshd_config(sources.text, sources.file, sources.includes, remarks)
    common = _common(config)
    keys = [
        key
        for user, files in sources.key_files.items()
        for file, text in files
        for key in read_authorized_keys(text, file, user, sources.host.timezone, remarks)
    ]
    subjects = subjects_of(config, sources.host, keys, sources.min_uid, remarks)
    listeners = listeners_of(common, config.file, remarks)
    if sources.port is not None:
        listeners = moved(listeners, sources.port, mark_of(common["port"], config.file), remarks)
    cuts = stretches(_networks(config, keys))
    asker = Asker(config, sources.host, language, common, remarks)
    behaviours = {
        subject: {
            (listener.text, stretch): _behaviour(asker, subject, listener, stretch, sources)
            for listener in listeners
            for stretch in cuts
        }
        for subject in subjects.all
    }
    _tell_unreachable(behaviours, config, common, sources, remarks)
    passwords = any("password" in chain for by in behaviours.values() for one in by.values() for chain in one.chains)
    tell_leftovers(config, remarks)
    _tell_interactive(common, config.file, remarks)
    parts = Parts(
        server=server_of(config, common, read_banner(common["banner"].first), remarks),
        crypto=crypto_of(common, config.file, remarks),
        limits=limits_of(config, common, config.file, remarks),
        users=users_of(keys),
        source=source_of(common, config.file, sources.min_uid, passwords, remarks),
    )
    somebody = next(name for name in _SOMEBODY if name not in sources.host.accounts)
    by_text = {one.text: one for one in listeners}

    def origin(subject: Subject, listener: str, stretch: Stretch) -> tuple[Mark, ...]:
        return blocks_of(config, _connection(subject, by_text[listener], stretch, common))

    plan = Plan(behaviours, subjects, tuple(by_text), cuts, origin)
    cases = cases_of(behaviours, somebody)
    secrets = Secrets(
        {user: tuple(key for key in keys if key.user == user) for user in sources.key_files},
        frozenset(one.name for one in subjects.all if one.uid is not None and one.uid < sources.min_uid),
    )
    text = document_of(config.file, parts, plan, listeners, subjects, cases, secrets, language, remarks.all)
    return Imported(text, remarks.all, remarks.complete, config, cases)


def _common(config: SshdConfig) -> Effective:
    """What holds for everybody: outside every Match, and behind Match All."""
    lines = tuple(
        line for line in config.lines if all(one.kind == "all" for match in line.scope for one in match.criteria)
    )
    return effective(SshdConfig(lines, config.file), _NOBODY, lambda question: False)


def _networks(config: SshdConfig, keys: Sequence[ImportedKey]) -> list[Network]:
    """Every prefix that something asks for."""
    return [network for pattern in _patterns(config, keys) for network in _prefixes(pattern)]


def _patterns(config: SshdConfig, keys: Sequence[ImportedKey]) -> Iterator[str]:
    for match in config.blocks:
        for criterion in match.criteria:
            if criterion.kind in ("address", "host"):
                yield from criterion.patterns
    for keyword in ("allowusers", "denyusers"):
        for line in config.of(keyword):
            for word in line.value:
                yield from word.rpartition("@")[2].split(",") if "@" in word else ()
    for key in keys:
        for patterns in key.sources:
            yield from patterns


def _prefixes(pattern: str) -> tuple[Network, ...]:
    try:
        return place(pattern.removeprefix("!")).networks
    except AddressError:
        return ()


def _behaviour(asker: Asker, subject: Subject, listener: Listener, stretch: Stretch, sources: Sources) -> Behaviour:
    """What sshd does for one kind of account in one place; nothing for an account that the policy can not have."""
    if _is_out(subject, sources):
        return CLOSED
    return asker.behaviour(_connection(subject, listener, stretch, asker.common), subject.key)


def _connection(subject: Subject, listener: Listener, stretch: Stretch, common: Effective) -> Connection:
    """One connection that stands for all of its kind."""
    looked_up = common["usedns"].is_on
    return Connection(
        subject.user,
        subject.held,
        stretch.first,
        None if looked_up else str(stretch.first),
        listener.address,
        listener.port,
        exact=False,
        uid0=subject.uid == 0,
    )


def _is_out(subject: Subject, sources: Sources) -> bool:
    """Whether an account is not there, or is none of the source's and has no keys of its own."""
    if subject.kind != "account" or subject.name in sources.key_files:
        return False
    return subject.uid is None or subject.uid < sources.min_uid


def _tell_unreachable(
    behaviours: Mapping[Subject, object], config: SshdConfig, common: Effective, sources: Sources, remarks: Remarks
) -> None:
    """Name the accounts that sshd might let in, and that are out here."""
    for subject in behaviours:
        if not _is_out(subject, sources) or (subject.uid == 0 and common["permitrootlogin"].first == "no"):
            continue
        if subject.uid is None:
            remarks.note(mark_of(common["allowusers"], config.file), f"account {subject.name} is not there, and nobody "
                         "comes in as it", "import again when it is")  # fmt: skip
        else:
            text = (
                f"account {subject.name} has uid {subject.uid}, and comes in by keys alone that are written down here"
            )
            hint = f"give them: --authorized-keys {subject.name}=FILE"
            remarks.warn(mark_of(common["permitrootlogin"], config.file), text, hint)


def _tell_interactive(common: Effective, file: str, remarks: Remarks) -> None:
    """keyboard-interactive is a password by another name where PAM asks for one, and nothing without PAM."""
    if common["kbdinteractiveauthentication"].is_on and common["usepam"].is_on:
        value = common["kbdinteractiveauthentication"]
        if common["passwordauthentication"].is_on:
            remarks.note(mark_of(value, file), "KbdInteractiveAuthentication: passwords are asked for by the method "
                         "password alone")  # fmt: skip
        else:
            remarks.warn(mark_of(value, file), "KbdInteractiveAuthentication: nobody comes in by keyboard-interactive",
                         "methods: password in login asks for the host's passwords")  # fmt: skip

"""From the model of `crypto` to its settings: the edits done, and what is weak in the result said by name."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from pysshd.policy.keyfiles import KeyFiles, KeyFolders
from pysshd.policy.model import Document
from pysshd.policy.model_algorithms import KINDS, NOUNS, Lists, unknown
from pysshd.policy.model_settings import CryptoModel
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Text
from pysshd.policy.report import Report, meant, show
from pysshd.policy.settings import Crypto
from pysshd.ssh.crypto.catalogue import ALL_NAMES, DELAYED_COMPRESSION, PROFILES, Profile
from pysshd.ssh.crypto.keys import KeyOutline, PublicKey
from pysshd.ssh.crypto.lists import AlgorithmListError, edit

_CURVES_OF_NIST: Final = "curves of NIST"
_WEAK: Final = (
    ("kex", "*nistp*", _CURVES_OF_NIST),
    ("kex", "diffie-hellman-*", "slow for the server and cheap for whoever floods it"),
    ("host_key_algorithms", "ecdsa-*", f"{_CURVES_OF_NIST}, and one bad random number gives the key away"),
    ("macs", "hmac-sha2-???", "the packet is decrypted before it is known to be genuine"),
)
"""What may be offered, and is weaker than what is offered by default: kind, pattern, why (security.md §5)."""


def crypto_of(model: CryptoModel | None, report: Report) -> Crypto:
    """What `crypto` comes to; what is weak in it is warned of, by name."""
    if model is None:
        return Crypto()
    rekey, default = model.rekey, Crypto()
    chosen = PROFILES[model.profile]
    profile = replace(
        chosen,
        require_strict_kex=chosen.require_strict_kex or bool(model.require_strict_kex),
        **dict(_edited(model, chosen, report)),
    )
    own = {kind: lists.mark for kind in KINDS if (lists := getattr(model, kind)) is not None}
    marks = dict.fromkeys(KINDS, model.mark_of("profile")) | own
    _warn_weak(profile, own, marks, report)
    return Crypto(
        profile=model.profile,
        rekey_bytes=(rekey.bytes_ if rekey is not None else None) or default.rekey_bytes,
        rekey_seconds=(rekey.interval if rekey is not None else None) or default.rekey_seconds,
        algorithms=profile,
        min_rsa_bits=model.min_rsa_bits or default.min_rsa_bits,
        where={kind: str(mark) for kind, mark in marks.items()},
    )


def _edited(model: CryptoModel, profile: Profile, report: Report) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The lists of the file that are right; what is wrong with the others is reported."""
    for kind in KINDS:
        said: Lists | None = getattr(model, kind)
        if said is None:
            continue
        before = report.errors
        names = _named(kind, said.names, report) if said.names else _edit(kind, getattr(profile, kind), said, report)
        if report.errors == before:
            yield kind, names


def _named(kind: str, names: tuple[Text, ...], report: Report) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for name in names:
        if name.text not in ALL_NAMES[kind]:
            report.error(name.mark, *unknown(kind, name.text))
        elif name.text in seen:
            report.error(name.mark, f"{NOUNS[kind]} {show(name.text)} stands twice")
        seen[name.text] = None
    return tuple(seen)


def _edit(kind: str, default: tuple[str, ...], said: Lists, report: Report) -> tuple[str, ...]:
    try:
        return edit(default, ALL_NAMES[kind], said.edit)
    except AlgorithmListError as error:
        message, hint = str(error), ""
        if said.edit.startswith("-") and error.name:
            message, hint = f"{show(error.name)} matches no {NOUNS[kind]}", meant(error.name, ALL_NAMES[kind])
        elif error.name and error.name not in ALL_NAMES[kind]:
            message, hint = unknown(kind, error.name)
        report.error(said.mark, message, hint)
        return default


def _warn_weak(profile: Profile, own: dict[str, Mark], marks: dict[str, Mark], report: Report) -> None:
    """`own`: where the file says something of a kind itself, and needs no advice how."""
    for kind, pattern, why in _WEAK:
        names = [name for name in getattr(profile, kind) if fnmatchcase(name, pattern)]
        if names:
            noun = NOUNS[kind] + ("s" if len(names) > 1 else "")
            hint = "" if kind in own else f"to leave them out write {kind}: '-{pattern}'"
            report.warning(marks[kind], f"weak {noun} {', '.join(names)}: {why}", hint)
    if DELAYED_COMPRESSION in profile.compression and "none" not in profile.compression:
        report.warning(marks["compression"], "compression without none: who does not compress is refused",
                       f"write '+{DELAYED_COMPRESSION}'")  # fmt: skip


def warn_unusable_keys(document: Document, key_files: KeyFiles | None, crypto: Crypto, report: Report) -> None:
    """Warn of people's keys that `crypto` refuses, whatever `login` says."""
    for _, user in document.users.values():
        for entry in (user.keys or ()) if user is not None else ():
            keys: Iterable[PublicKey | KeyOutline] = ()
            if entry.key is not None:
                keys, mark = (entry.key.key,), entry.key.mark
            else:
                assert entry.file is not None
                mark = entry.file.mark
                known = key_files.get(entry.file.text) if key_files is not None else None
                keys = known.keys if known is not None else ()
            for key in keys:
                if why := why_unusable(key, crypto):
                    report.warning(mark, f"key {key.fingerprint} lets nobody in: {why}")


def warn_unusable_of_folders(document: Document, folders: KeyFolders, crypto: Crypto, report: Report) -> None:
    """Warn of keys in folders that `crypto` refuses."""
    for source in document.sources:
        folder = folders.get(source.directory.text) if source.directory is not None else None
        for name, file in folder.files if folder is not None else ():
            for key in file.keys:
                if why := why_unusable(key, crypto):
                    report.warning(
                        source.mark_of("directory"), f"key {key.fingerprint} of {name} lets nobody in: {why}"
                    )


def why_unusable(key: PublicKey | KeyOutline, crypto: Crypto) -> str:
    """Why `crypto` lets nobody in by this key; empty where it does."""
    if key.key_type == "ssh-rsa" and key.bits < crypto.min_rsa_bits:
        return f"it has {key.bits} bits, and crypto.min_rsa_bits is {crypto.min_rsa_bits}"
    if not set(key.algorithms) & set(crypto.algorithms.user_key_algorithms):
        return f"none of {', '.join(key.algorithms)} is in crypto.user_key_algorithms"
    return ""

"""Keys that both policies know and that one of them narrows less: with the same grants they may do more."""

from collections.abc import Iterator

from pysshd.patterns.narrowing import NO_NARROWING, Narrowing, narrows
from pysshd.policy.diff_sessions import Side
from pysshd.policy.diff_settings import Wider
from pysshd.policy.keyfiles import read_of
from pysshd.policy.people import Person, PersonKey


def widened_keys(new: Side, old: Side, person: Person, before: Person) -> Iterator[Wider]:
    """What each key of a person may do more. It may be that no grant gives it."""
    for key in person.keys:
        for fingerprint in _keys_of(new, key):
            was = [(one, _said(old, one, fingerprint)) for one in before.keys if fingerprint in _keys_of(old, one)]
            if not was:
                continue  # that there is another key is told as a login
            now = _said(new, key, fingerprint)
            words = tuple(dict.fromkeys(word for _, said in was for word in _beyond(now, said)))
            if words:
                yield Wider(f"by the key {key.name or fingerprint or key.label}: {', '.join(words)}", key.where,
                            f"{was[0][0].where}, {_told(was[0][1])}", sure=False)  # fmt: skip


def _keys_of(side: Side, key: PersonKey) -> tuple[str, ...]:
    """The fingerprints of an entry; of a file that was not read its path stands for all of them, or its program."""
    if key.fingerprint is not None:
        return (key.fingerprint,)
    read = read_of(side.key_files, key.file)
    return read.fingerprints if read is not None else (key.file or key.label,)


def _said(side: Side, key: PersonKey, fingerprint: str) -> tuple[Narrowing, ...]:
    """What the entry, and the line of a file, say of a key: both count."""
    read = read_of(side.key_files, key.file)
    line = read.narrowing(fingerprint) if read is not None else NO_NARROWING
    return key.narrowing, line


def _beyond(now: tuple[Narrowing, ...], was: tuple[Narrowing, ...]) -> tuple[str, ...]:
    """What is left now and was not: whatever was said before, something has to say as much."""
    found = [min((one.beyond(before) for one in now), key=len) for before in was]
    words = [word for some in found for word in some]
    if {pair for one in now for pair in one.environment} - {pair for one in was for pair in one.environment}:
        words.append("other variables")
    if {(one.authority, one.principals) for one in now} != {(one.authority, one.principals) for one in was}:
        words.append("as an authority")
    return tuple(dict.fromkeys(words))


def _told(said: tuple[Narrowing, ...]) -> str:
    return ", ".join(str(one) for one in said if narrows(one)) or "without options"

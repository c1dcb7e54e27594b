"""The questions to the helpers that look at the host's accounts, and their answers."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.fields import Boolean, String, Structure, Text, Uint32, counted, structure

ACCOUNTS: Final = "accounts"
"""The kind of helper that looks accounts up."""

SYSTEM_PASSWORD: Final = "system-password"
"""The kind of helper that checks the host's own passwords."""

KEY_PROGRAM: Final = "key-program"
"""The kind of helper that asks a program for a person's keys."""

DIGEST_SIZE: Final = 32
"""Bytes of a key's SHA-256."""

KEY_SIZE: Final = DIGEST_SIZE + 8
"""Bytes of a key in an answer, beside those of its options."""

KEYS_MAX: Final = 1200
"""Keys of one answer: it has to fit into one message."""

KEYS_SIZE_MAX: Final = KEYS_MAX * KEY_SIZE
"""Bytes of the keys of one answer, their options among them."""

_NAMES_MAX = 512


def _read_pair(reader: Reader) -> tuple[bytes, bytes]:
    return reader.string(), reader.string()


def _write_pair(pair: tuple[bytes, bytes]) -> bytes:
    return codec.string(pair[0]) + codec.string(pair[1])


def _nested(kind: type[Structure]) -> tuple[Callable[[Reader], Any], Callable[[Any], bytes]]:
    return lambda reader: kind.decode(reader.string()), lambda value: codec.string(value.encode())


def _read_key(reader: Reader) -> tuple[bytes, int, str]:
    return reader.raw(DIGEST_SIZE), reader.uint32(), reader.string().decode("utf-8", "surrogateescape")


def _write_key(key: tuple[bytes, int, str]) -> bytes:
    return key[0] + codec.uint32(key[1]) + codec.string(key[2].encode("utf-8", "surrogateescape"))


Names = Annotated[tuple[str, ...], counted(Reader.text, codec.text, 4, _NAMES_MAX)]
Keys = Annotated[tuple[tuple[bytes, int, str], ...], counted(_read_key, _write_key, KEY_SIZE, KEYS_MAX)]
Groups = Annotated[tuple[int, ...], counted(Reader.uint32, codec.uint32, 4, 8192)]
Pairs = Annotated[tuple[tuple[bytes, bytes], ...], counted(_read_pair, _write_pair, 8, 256)]


@structure
class LookUp(Structure):
    """What is asked of the host.

    accounts: as which sessions might run.
    people: who of the host might log in; whoever is there and has `min_uid` at least is a person of the source.
    key_files: files of authorized keys of each of these, absolute or under `~/`; `{user}` is the name.
    groups: those of the host that the policy names.
    stand_in: whose files are read where one of `people` is not there, so that both take their time; may be empty.
    """

    accounts: Names
    people: Names
    min_uid: Uint32
    key_files: Names
    groups: Names
    stand_in: Text


@structure
class FoundAccount(Structure):
    """An account of the host.

    member_of: those of the groups asked for that it is in; unknown_groups: those that the host does not know.
    own_home: whether its home is a folder that belongs to it.
    fault: why nobody may log in with it now; empty where nothing speaks against it.
    """

    name: Text
    uid: Uint32
    gid: Uint32
    groups: Groups
    home: String
    shell: String
    own_home: Boolean
    member_of: Names
    unknown_groups: Names
    fault: Text


@structure
class FoundKeys(Structure):
    """The keys of one person in one file: its number in `key_files`, and of each key its SHA-256, the number of its
    line, and the options in front of it, which can all be kept. path: as the file was opened.
    """

    person: Text
    file: Uint32
    keys: Keys
    path: String


@structure
class FoundPerson(Structure):
    """A person of the source; `fault` as of an account: theirs."""

    name: Text
    fault: Text


_read_account, _write_account = _nested(FoundAccount)
_read_keys, _write_keys = _nested(FoundKeys)
_read_person, _write_person = _nested(FoundPerson)


@structure
class Found(Structure):
    """What the host says. Who is missing from it is not there.

    environment: of /etc/environment, for every session. notes: what the log should know of files that were not used.
    """

    accounts: Annotated[tuple[FoundAccount, ...], counted(_read_account, _write_account, 4, _NAMES_MAX)]
    people: Annotated[tuple[FoundPerson, ...], counted(_read_person, _write_person, 4, _NAMES_MAX)]
    keys: Annotated[tuple[FoundKeys, ...], counted(_read_keys, _write_keys, 4, 4 * _NAMES_MAX)]
    environment: Pairs
    notes: Annotated[tuple[str, ...], counted(Reader.text, codec.text, 4, _NAMES_MAX)]


@structure
class CheckPassword(Structure):
    """Is this the host's password of this account? A name that nobody has costs what others cost."""

    name: Text
    password: String


@structure
class PasswordChecked(Structure):
    """Whether it is; `note` is for the log: why it is none that could be right."""

    matches: Boolean
    note: Text


@structure
class AskProgram(Structure):
    """Run this program, and say which keys it prints.

    names: those in its words that somebody typed.
    run_as: the account of the host that it is; empty: whoever runs the helper. milliseconds: how long it may take.
    owners: uids, of whom alone the program and the folders above it may be.
    """

    argv: Names
    names: Names
    run_as: Text
    milliseconds: Uint32
    owners: Groups


@structure
class ProgramSaid(Structure):
    """The keys that it printed, as in `FoundKeys`; `fault`: why that is not known. notes: for the log."""

    keys: Keys
    fault: Text
    notes: Annotated[tuple[str, ...], counted(Reader.text, codec.text, 4, _NAMES_MAX)]

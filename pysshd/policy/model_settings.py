"""The models of `server`, `crypto`, `limits` and `users`."""

from collections.abc import Mapping as MappingOf
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, PlainValidator, ValidatorFunctionWrapHandler, WrapValidator

from pysshd.policy import values
from pysshd.policy.fields import AbsolutePath, Moment, Name, Path, True_
from pysshd.policy.fields_login import InlineKey, LeastUid, Password, public_key
from pysshd.policy.fields_time import Timezone
from pysshd.policy.model_algorithms import Algorithms
from pysshd.policy.model_listen import Banner, HostKeysValue, ListenEntry, VersionAddendum
from pysshd.policy.nodes import Mapping
from pysshd.policy.problems import Mark
from pysshd.policy.reading import LOGIN_RECORDS, Many, Record, Text, bad, scalar, text
from pysshd.policy.report import NOT_YET, meant, one_of, show
from pysshd.policy.settings import SHARED_WITH_SYSTEM
from pysshd.ssh.crypto.catalogue import PROFILES


def _choice(node: object, served: tuple[str, ...], later: tuple[str, ...] = ()) -> str:
    found = scalar(node, one_of(served))
    if found.text in later:
        raise bad(f"{show(found.text)} {NOT_YET}, expected {one_of(served)}")
    if found.text not in served:
        raise bad(f"found {show(found.text)}, expected {one_of(served)}", meant(found.text, served))
    return found.text


def _accounts(node: object) -> str:
    return _choice(node, ("service", "system"))


def _sandbox(node: object) -> str:
    return _choice(node, ("require", "best_effort"))


def _profile(node: object) -> str:
    return _choice(node, tuple(PROFILES))


def _interface(node: object) -> Text:
    found = text(node)
    module, colon, name = found.text.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise bad(f"found {show(found.text)}, expected a module and a class in it, as in mine.servers:MyServer")
    return found


def _isolation(node: object) -> str:
    return _choice(node, ("connection", "shared"))


def _risk(node: object) -> str:
    return _choice(node, RISKS)


RISKS: Final = (SHARED_WITH_SYSTEM,)
"""What a file can only ask for beside its own name for the risk."""

Risk = Annotated[str, PlainValidator(_risk)]


class ServerModel(Record):
    """`server`."""

    later: ClassVar[frozenset[str]] = frozenset(["pid_file"])
    never: ClassVar[MappingOf[str, str]] = LOGIN_RECORDS

    listen: Many[ListenEntry] | None = None
    host_keys: HostKeysValue | None = None
    accounts: Annotated[Literal["service", "system"], PlainValidator(_accounts)] = "service"
    min_uid: LeastUid | None = None
    owner: Name | None = None
    user: Name | None = None
    worker_user: Name | None = None
    state: Path | None = None
    sandbox: Annotated[Literal["require", "best_effort"], PlainValidator(_sandbox)] = "require"
    timezone: Timezone = "UTC"
    banner: Banner | None = None
    version_addendum: VersionAddendum | None = None
    interface: Annotated[Text | None, PlainValidator(_interface)] = None
    isolation: Annotated[Literal["connection", "shared"], PlainValidator(_isolation)] = "connection"
    acknowledge: Many[Risk] | None = None


class _Count:
    """A validator of whole numbers within bounds."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, node: object) -> int:
        found = scalar(node, f"a whole number from {self._least} to {self._most}")
        try:
            return values.count(found.text, self._least, self._most)
        except ValueError as error:
            raise bad(f"found {show(found.text)}, {error}") from None


class _Span:
    """A validator of spans of time within bounds, in seconds."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, node: object) -> float:
        found = scalar(node, "a span of time such as 60s")
        try:
            seconds = values.duration(found.text)
        except ValueError as error:
            raise bad(f"found {show(found.text)}, {error}") from None
        if not self._least <= seconds <= self._most:
            raise bad(f"found {show(found.text)}, expected from {self._least}s to {self._most}s")
        return seconds


def _percent(node: object) -> int:
    found = scalar(node, "a share such as 30%")
    try:
        return values.percent(found.text)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}") from None


def _rekey_bytes(node: object) -> int:
    found = scalar(node, "a size such as 1GiB")
    try:
        amount = values.size(found.text)
    except ValueError as error:
        raise bad(f"found {show(found.text)}, {error}") from None
    if not 1 << 20 <= amount <= 1 << 36:
        raise bad(f"found {show(found.text)}, expected from 1MiB to 64GiB")
    return amount


class RekeyModel(Record):
    """`crypto.rekey`: new keys after so many bytes or so much time."""

    bytes_: Annotated[int | None, PlainValidator(_rekey_bytes)] = Field(None, alias="bytes")
    interval: Annotated[float | None, PlainValidator(_Span(60, 86400))] = None


class CryptoModel(Record):
    """`crypto`."""

    later: ClassVar[frozenset[str]] = frozenset(["ca_signature_algorithms", "moduli"])

    profile: Annotated[Literal["strict", "default", "compatible"], PlainValidator(_profile)] = "default"
    kex: Algorithms | None = None
    host_key_algorithms: Algorithms | None = None
    ciphers: Algorithms | None = None
    macs: Algorithms | None = None
    compression: Algorithms | None = None
    user_key_algorithms: Algorithms | None = None
    require_strict_kex: True_ | None = None
    min_rsa_bits: Annotated[int | None, PlainValidator(_Count(2048, 16384))] = None
    rekey: RekeyModel | None = None


class StartupsModel(Record):
    """`limits.startups`: connections that have not logged in."""

    start: Annotated[int, PlainValidator(_Count(1, 100000))]
    rate: Annotated[int, PlainValidator(_percent)]
    full: Annotated[int, PlainValidator(_Count(1, 100000))]
    per_source: Annotated[int | None, PlainValidator(_Count(1, 100000))] = None
    per_source_rate: Annotated[int | None, PlainValidator(_Count(1, 100000))] = None


class LimitsModel(Record):
    """`limits`: of the daemon and of each connection, before anyone has a name."""

    later: ClassVar[frozenset[str]] = frozenset(
        ["penalties", "per_source", "keepalive", "idle", "bandwidth", "lifetime", "channels", "forwards", "unused",
         "requests", "memory"]
    )  # fmt: skip

    login_grace: Annotated[float | None, PlainValidator(_Span(1, 3600))] = None
    auth_attempts: Annotated[int | None, PlainValidator(_Count(1, 100))] = None
    startups: StartupsModel | None = None
    sessions_per_connection: Annotated[int | None, PlainValidator(_Count(1, 1000))] = None
    connections: Annotated[int | None, PlainValidator(_Count(1, 100000))] = None


class KeyModel(Record):
    """A key of a person with attributes: a file, or the key itself."""

    later: ClassVar[frozenset[str]] = frozenset(["options", "from", "certificate", "no_touch_required"])

    name: Name | None = None
    file: Path | None = None
    key: Annotated[InlineKey | None, PlainValidator(public_key)] = None
    not_before: Moment | None = None
    not_after: Moment | None = None

    @property
    def place(self) -> Mark:
        """Where the entry stands."""
        return self.key.mark if self.key is not None else self.mark


def _key(node: object, handler: ValidatorFunctionWrapHandler) -> object:
    """A text is the key itself; keys and values are a `KeyModel`."""
    if isinstance(node, Mapping):
        found = handler(node)
        if isinstance(found, KeyModel) and (found.key is None) == (found.file is None):
            raise bad("a key needs either file or key, and not both")
        return found
    return KeyModel.model_construct(key=public_key(node))


class UserModel(Record):
    """An entry of `users`: a person."""

    later: ClassVar[frozenset[str]] = frozenset(
        ["totp", "names", "uid", "shell", "certificates", "principals", "secret", "pam", "guest"]
    )

    groups: Many[Name] | None = None
    keys: Many[Annotated[KeyModel, WrapValidator(_key)]] | None = None
    accounts: Many[Name] | None = None
    password: Password | None = None
    home: AbsolutePath | None = None
    run_as: Name | None = None
    not_before: Moment | None = None
    not_after: Moment | None = None

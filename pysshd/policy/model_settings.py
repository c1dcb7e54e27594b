"""The models of `server`, `crypto`, `limits`, `users`, and of `set` of a login entry."""

from collections.abc import Mapping as MappingOf
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from pysshd.policy import values
from pysshd.policy.fields import AbsolutePath, DefaultAccount, DefaultHome, Moment, Name, NamePattern, Path, True_
from pysshd.policy.fields_login import InlineKey, KeyOptionItem, LeastUid, Password, public_key
from pysshd.policy.fields_places import FromItem
from pysshd.policy.fields_time import Span, Timezone
from pysshd.policy.login_settings import KEY_OPTIONS, LOG_LEVELS, TOUCH, Keepalive, LoginSettings
from pysshd.policy.model_algorithms import Algorithms
from pysshd.policy.model_listen import Banner, HostKeysValue, ListenEntry, VersionAddendum
from pysshd.policy.model_sources import KeyPath
from pysshd.policy.nodes import Mapping
from pysshd.policy.problems import Mark
from pysshd.policy.reading import LOGIN_RECORDS, Many, Record, Text, bad, scalar, text
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.settings import SHARED_WITH_SYSTEM
from pysshd.policy.validators import PlainValidator
from pysshd.ssh.crypto.catalogue import PROFILES


def _choice(node: object, served: tuple[str, ...]) -> str:
    found = scalar(node, one_of(served))
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

    example: ClassVar[str] = '{listen: "*:2222"}'
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
        self.least, self.most = least, most

    def __call__(self, node: object) -> int:
        found = scalar(node, f"a whole number from {self.least} to {self.most}")
        try:
            return values.count(found.text, self.least, self.most)
        except ValueError as error:
            raise bad(f"found {show(found.text)}, {error}") from None


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

    example: ClassVar[str] = "{bytes: 1GiB}"
    bytes_: Annotated[int | None, PlainValidator(_rekey_bytes)] = Field(None, alias="bytes")
    interval: Annotated[float | None, PlainValidator(Span(60, 86400))] = None


class CryptoModel(Record):
    """`crypto`."""

    example: ClassVar[str] = "{profile: strict}"
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

    example: ClassVar[str] = "{start: 10, rate: 30%, full: 100}"
    start: Annotated[int, PlainValidator(_Count(1, 100000))]
    rate: Annotated[int, PlainValidator(_percent)]
    full: Annotated[int, PlainValidator(_Count(1, 100000))]
    per_source: Annotated[int | None, PlainValidator(_Count(1, 100000))] = None
    per_source_rate: Annotated[int | None, PlainValidator(_Count(1, 100000))] = None


class LimitsModel(Record):
    """`limits`: of the daemon and of each connection, before anyone has a name."""

    example: ClassVar[str] = "{login_grace: 60s}"
    later: ClassVar[frozenset[str]] = frozenset(
        ["penalties", "per_source", "keepalive", "idle", "bandwidth", "lifetime", "channels", "forwards", "unused",
         "requests", "memory"]
    )  # fmt: skip

    login_grace: Annotated[float | None, PlainValidator(Span(1, 3600))] = None
    auth_attempts: Annotated[int | None, PlainValidator(_Count(1, 100))] = None
    startups: StartupsModel | None = None
    sessions_per_connection: Annotated[int | None, PlainValidator(_Count(1, 1000))] = None
    connections: Annotated[int | None, PlainValidator(_Count(1, 100000))] = None


class KeyModel(Record):
    """A key of a person with attributes: a file, or the key itself."""

    example: ClassVar[str] = "{file: keys/alice.pub}"
    later: ClassVar[frozenset[str]] = frozenset(["certificate", "no_touch_required"])

    name: Name | None = None
    file: Path | None = None
    key: Annotated[InlineKey | None, PlainValidator(public_key)] = None
    not_before: Moment | None = None
    not_after: Moment | None = None
    from_: Many[FromItem] | None = Field(None, alias="from")
    options: Many[KeyOptionItem] | None = None

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
    return KeyModel.model_construct(key=public_key(node)).lean()


class TotpModel(Record):
    """`totp` of a person: one-time passwords."""

    example: ClassVar[str] = "{secret_file: totp/alice}"
    secret_file: Path


class UserModel(Record):
    """An entry of `users`: a person."""

    example: ClassVar[str] = '{keys: ["ssh-ed25519 AAAA…"]}'
    elsewhere: ClassVar[MappingOf[str, str]] = {
        **dict.fromkeys(("roles", "role", "allow", "grants"), "write it in grants: {who: NAME, roles: …}"),
        **dict.fromkeys(("authorized_keys", "ssh_keys", "public_keys", "pubkeys"), "write keys: [{file: PATH}]"),
        **dict.fromkeys(("expires", "valid_until"), "write not_after"),
    }
    later: ClassVar[frozenset[str]] = frozenset(
        ["uid", "shell", "certificates", "principals", "secret", "pam", "guest"]
    )
    unserved: ClassVar[frozenset[str]] = frozenset(["totp", "names"])

    groups: Many[Name] | None = None
    keys: Many[Annotated[KeyModel, WrapValidator(_key)]] | None = None
    accounts: Many[Name] | None = None
    password: Password | None = None
    totp: TotpModel | None = None
    names: Many[NamePattern] | None = None
    home: AbsolutePath | None = None
    run_as: Name | None = None
    not_before: Moment | None = None
    not_after: Moment | None = None


_OF_ONE: Final = "what proves who somebody is belongs to one person: write it in users"


class UserDefaultsModel(Record):
    """`user_defaults`: what an entry of `users` does not say itself; `{user}` is the person's name."""

    example: ClassVar[str] = "{groups: staff}"
    never: ClassVar[MappingOf[str, str]] = dict.fromkeys(("keys", "password", "totp", "names"), _OF_ONE)

    groups: Many[Name] | None = None
    accounts: Many[DefaultAccount] | None = None
    home: DefaultHome | None = None
    run_as: Name | None = None
    not_before: Moment | None = None
    not_after: Moment | None = None


def _log_level(node: object) -> str:
    return _choice(node, LOG_LEVELS)


def _key_option(node: object) -> str:
    return _choice(node, KEY_OPTIONS)


def _touch(node: object) -> str:
    return _choice(node, TOUCH)


_keepalive_interval = Span(1, 86400)


class KeepaliveModel(Record):
    """`keepalive` with the number of questions that may stay without an answer."""

    interval: Annotated[float, PlainValidator(_keepalive_interval)]
    count: Annotated[int, PlainValidator(_Count(1, 100))] = 3


def _keepalive(node: object, handler: ValidatorFunctionWrapHandler) -> object:
    """A span of time, or keys and values."""
    if isinstance(node, Mapping):
        return handler(node)
    return KeepaliveModel.model_construct(interval=_keepalive_interval(node))


class LoginSetModel(Record):
    """`set` of a login entry."""

    unserved: ClassVar[frozenset[str]] = frozenset(
        ["keepalive", "rekey", "sessions", "log_level", "key_files", "touch"]
    )

    example: ClassVar[str] = "{keepalive: 60s}"
    keepalive: Annotated[KeepaliveModel, WrapValidator(_keepalive)] | None = None
    rekey: RekeyModel | None = None
    sessions: Annotated[int | None, PlainValidator(_Count(1, 1000))] = None
    log_level: Annotated[str | None, PlainValidator(_log_level)] = None
    key_files: Many[KeyPath] | None = None
    key_options: Many[Annotated[str, PlainValidator(_key_option)]] | None = None
    touch: Many[Annotated[str, PlainValidator(_touch)]] | None = None

    @property
    def settings(self) -> LoginSettings:
        """What the engine hands on."""
        keepalive, rekey = self.keepalive, self.rekey
        return LoginSettings(
            Keepalive(keepalive.interval, keepalive.count) if keepalive is not None else None,
            rekey.bytes_ if rekey is not None else None,
            rekey.interval if rekey is not None else None,
            self.sessions,
            self.log_level,
            tuple(file.text for file in self.key_files or ()),
            frozenset(self.key_options or ()),
            frozenset(self.touch or ()),
        )

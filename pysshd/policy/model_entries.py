"""The models of `login`, `roles` and `grants`, and the conditions that they share."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from pysshd.policy.fields import AnyText, Moment, Name, True_
from pysshd.policy.fields_commands import ExecItem, exec_item, file_mask, folder
from pysshd.policy.fields_forward import GlobalItem
from pysshd.policy.fields_login import MethodsItem, WhoItem
from pysshd.policy.fields_places import ClientItem, FromItem
from pysshd.policy.fields_programs import (
    Argv,
    ShellValue,
    argv,
    settings_of_env,
    signal,
    subsystem_names,
    subsystem_programs,
    variable_pattern,
)
from pysshd.policy.model_bounds import BoundModel, RecordValue, UseLimitsModel
from pysshd.policy.model_forward import ForwardModel
from pysshd.policy.model_settings import LoginSetModel
from pysshd.policy.model_sftp import SftpField
from pysshd.policy.model_when import When, WhenModel
from pysshd.policy.nodes import Scalar
from pysshd.policy.reading import LOGIN_RECORDS, Many, Record, Text, bad, items, scalar
from pysshd.policy.report import show
from pysshd.policy.templates import Template
from pysshd.policy.validators import PlainValidator


class Conditions(Record):
    """The conditions of an entry: within a list any value may hold, between keys all must."""

    elsewhere: ClassVar[Mapping[str, str]] = {key: f"write when: {{{key}: …}}" for key in WhenModel.key_names()}

    who: Many[WhoItem] | None = None
    account: Many[Name] | None = None
    from_: Many[FromItem] | None = Field(None, alias="from")
    listener: Many[AnyText] | None = None
    client: Many[ClientItem] | None = None
    when: When | None = None


class GrantConditions(Conditions):
    """The conditions of a grant's `unless`, which may also speak of the methods that were used."""

    example: ClassVar[str] = "{from: 10.0.0.0/8}"
    with_: Many[MethodsItem] | None = Field(None, alias="with")


class LoginModel(Conditions):
    """An entry of `login`: how must this person prove who they are?"""

    example: ClassVar[str] = '{who: "*", methods: publickey}'

    unless: Conditions | None = None
    methods: Many[MethodsItem] | None = None
    refuse: True_ | None = None
    set_: LoginSetModel | None = Field(None, alias="set")
    not_before: Moment | None = None
    not_after: Moment | None = None


def _signals(node: object) -> tuple[Text, ...]:
    """Names of signals, or `none`."""
    if isinstance(node, Scalar) and node.text == "none":
        return ()
    return tuple(signal(item) for item in items(node))


class EnvModel(Record):
    """`env` of a role: what clients may send, and what the policy sets."""

    example: ClassVar[str] = '{accept: [LANG, "LC_*"]}'
    later: ClassVar[frozenset[str]] = frozenset(["user_file"])

    accept: Many[Annotated[Text, PlainValidator(variable_pattern)]] | None = None
    set_: Annotated[tuple[tuple[Text, Template], ...] | None, PlainValidator(settings_of_env)] = Field(
        None, alias="set"
    )


PERMISSIONS_LATER = frozenset(
    ["tunnel",
     "user_rc", "isolation", "chroot"]
)  # fmt: skip
PERMISSIONS_UNSERVED = frozenset(["forward", "agent", "x11", "sftp"])


class RoleModel(Record):
    """A role, or the permissions of an `allow`: each key is a permission, and `confined` holds for its programs."""

    whole: ClassVar[bool] = True
    example: ClassVar[str] = "{shell: true, pty: true}"
    later: ClassVar[frozenset[str]] = PERMISSIONS_LATER
    unserved: ClassVar[frozenset[str]] = PERMISSIONS_UNSERVED
    never: ClassVar[Mapping[str, str]] = {
        **LOGIN_RECORDS,
        "limits": "it bounds a grant; write it beside its roles and allow, or in bound",
        "record": "it bounds a grant; write it beside its roles and allow, or in bound",
    }

    shell: ShellValue | None = None
    exec_: Many[Annotated[ExecItem, PlainValidator(exec_item)]] | None = Field(None, alias="exec")
    forced: Annotated[Argv | None, PlainValidator(argv)] = None
    subsystems: Annotated[tuple[tuple[Text, Argv | None], ...] | None, PlainValidator(subsystem_programs)] = None
    pty: True_ | None = None
    env: EnvModel | None = None
    signals: Annotated[tuple[Text, ...] | None, PlainValidator(_signals)] = None
    confined: True_ | None = None
    sftp: SftpField | None = None
    forward: ForwardModel | None = None
    agent: True_ | None = None
    x11: True_ | None = None
    global_requests: Many[GlobalItem] | None = None
    umask: Annotated[Template | None, PlainValidator(file_mask)] = None
    working_folder: Annotated[Template | None, PlainValidator(folder)] = None


class DenyModel(RoleModel):
    """The permissions of a `deny`: it touches what they would permit."""

    subsystems: Annotated[tuple[tuple[Text, Argv | None], ...] | None, PlainValidator(subsystem_names)] = None


DENY_ALL = DenyModel.model_construct()
"""What `deny: all` is read as."""


def _deny(node: object, handler: ValidatorFunctionWrapHandler) -> object:
    """`all`, or permissions."""
    if not isinstance(node, Scalar):
        return handler(node)
    found = scalar(node, "all or permissions")
    if found.text != "all":
        raise bad(f"found {show(found.text)}, expected all or permissions such as {{pty: true}}")
    return DENY_ALL


class GrantModel(GrantConditions):
    """An entry of `grants`: what may they then do?"""

    elsewhere: ClassVar[Mapping[str, str]] = {
        **GrantConditions.elsewhere,
        **dict.fromkeys(
            ("user", "users", "person", "people", "group", "groups"), "write who: NAME, or who: group:NAME"
        ),
        **dict.fromkeys(("permit", "permissions"), "write allow"),
        **dict.fromkeys(RoleModel.key_names(), "permissions stand in allow: {…}, or in a role"),
    }
    example: ClassVar[str] = "{who: alice, roles: login-shell}"
    unserved: ClassVar[frozenset[str]] = GrantConditions.unserved | {"limits", "record", "bound"}

    name: Name | None = None
    unless: GrantConditions | None = None
    roles: Many[Name] | None = None
    allow: RoleModel | None = None
    deny: Annotated[DenyModel, WrapValidator(_deny)] | None = None
    bound: BoundModel | None = None
    limits: Many[UseLimitsModel] | None = None
    record: RecordValue = None
    not_before: Moment | None = None
    not_after: Moment | None = None

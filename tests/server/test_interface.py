"""Every hook has its documented name, parameters, default and meaning."""

import inspect
import re
from typing import Any

import pytest

import pysshd
from pysshd.server import constants, interface
from pysshd.server.interface import AUTH_FAILED, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, ServerInterface
from pysshd.server.query import InteractiveQuery
from pysshd.server.requests import Shell

PROHIBITED = OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
SESSION_HOOKS = {
    "check_channel_pty_request": ["term", "width", "height", "pixelwidth", "pixelheight", "modes"],
    "check_channel_shell_request": [],
    "check_channel_exec_request": ["command"],
    "check_channel_subsystem_request": ["name"],
    "check_channel_window_change_request": ["width", "height", "pixelwidth", "pixelheight"],
    "check_channel_x11_request": ["single_connection", "auth_protocol", "auth_cookie", "screen_number"],
    "check_channel_forward_agent_request": [],
    "check_channel_env_request": ["name", "value"],
    "check_channel_signal_request": ["name"],
    "check_channel_break_request": ["milliseconds"],
}
HOOKS: dict[str, tuple[list[str], Any]] = {
    "get_allowed_auths": (["username"], "password"),
    "check_auth_none": (["username"], AUTH_FAILED),
    "check_auth_password": (["username", "password"], AUTH_FAILED),
    "check_auth_publickey": (["username", "key"], AUTH_FAILED),
    "check_auth_interactive": (["username", "submethods"], AUTH_FAILED),
    "check_auth_interactive_response": (["responses"], AUTH_FAILED),
    "check_auth_gssapi_with_mic": (["username", "gss_authenticated", "cc_file"], AUTH_FAILED),
    "check_auth_gssapi_keyex": (["username", "gss_authenticated", "cc_file"], AUTH_FAILED),
    "enable_auth_gssapi": ([], False),
    "check_port_forward_request": (["address", "port"], False),
    "cancel_port_forward_request": (["address", "port"], None),
    "check_global_request": (["kind", "msg"], False),
    "check_channel_request": (["kind", "chanid"], PROHIBITED),
    "check_channel_direct_tcpip_request": (["chanid", "origin", "destination"], PROHIBITED),
    "get_banner": ([], (None, None)),
    **{name: (["channel", *parameters], False) for name, parameters in SESSION_HOOKS.items()},
}
TYPES = {
    "username": "str",
    "password": "str | bytes",
    "key": "PKey",
    "submethods": "bytes",
    "responses": "list[str]",
    "address": "str",
    "port": "int",
    "kind": "str",
    "msg": "Message",
    "chanid": "int",
    "origin": "tuple[str, int]",
    "destination": "tuple[str, int]",
    "channel": "Channel",
    "term": "bytes",
    "width": "int",
    "height": "int",
    "pixelwidth": "int",
    "pixelheight": "int",
    "modes": "bytes",
    "command": "bytes",
    "single_connection": "bool",
    "auth_protocol": "str",
    "auth_cookie": "bytes",
    "screen_number": "int",
    "milliseconds": "int",
    "value": "bytes",
}
NAME_TYPE = {
    "check_channel_subsystem_request": "str",
    "check_channel_signal_request": "str",
    "check_channel_env_request": "bytes",
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_its_parameters_and_refuses_by_default(name: str) -> None:
    parameters, default = HOOKS[name]
    hook = getattr(ServerInterface(), name)
    assert list(inspect.signature(hook).parameters) == parameters
    required = [p for p in inspect.signature(hook).parameters.values() if p.default is inspect.Parameter.empty]
    answer = hook(*[None] * len(required))
    assert type(answer) is type(default)
    assert answer == default


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_takes_the_documented_types(name: str) -> None:
    for parameter in inspect.signature(getattr(ServerInterface, name)).parameters.values():
        if parameter.name in TYPES or parameter.name == "name":
            expected = NAME_TYPE[name] if parameter.name == "name" else TYPES[parameter.name]
            shown = re.sub(r"[a-z_.]+\.(?=[A-Z])", "", inspect.formatannotation(parameter.annotation))
            assert shown == expected, parameter.name


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_what_it_means(name: str) -> None:
    assert re.search(r"[Dd]efault|never asked|Kept", getattr(ServerInterface, name).__doc__ or "")


def test_there_is_no_other_hook() -> None:
    found = {n for n in vars(ServerInterface) if n.startswith(("check_", "cancel_", "get_", "enable_"))}
    assert found == set(HOOKS)


def test_a_server_has_no_plan_and_is_not_inline() -> None:
    assert ServerInterface().plan(Shell()) is None
    assert ServerInterface.inline is False


def test_the_package_hands_the_interface_on() -> None:
    assert pysshd.ServerInterface is ServerInterface


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("AUTH_SUCCESSFUL", 0),
        ("AUTH_PARTIALLY_SUCCESSFUL", 1),
        ("AUTH_FAILED", 2),
        ("OPEN_SUCCEEDED", 0),
        ("OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED", 1),
        ("OPEN_FAILED_CONNECT_FAILED", 2),
        ("OPEN_FAILED_UNKNOWN_CHANNEL_TYPE", 3),
        ("OPEN_FAILED_RESOURCE_SHORTAGE", 4),
        ("SFTP_OK", 0),
        ("SFTP_EOF", 1),
        ("SFTP_NO_SUCH_FILE", 2),
        ("SFTP_PERMISSION_DENIED", 3),
        ("SFTP_FAILURE", 4),
        ("SFTP_BAD_MESSAGE", 5),
        ("SFTP_NO_CONNECTION", 6),
        ("SFTP_CONNECTION_LOST", 7),
        ("SFTP_OP_UNSUPPORTED", 8),
        ("DISCONNECT_SERVICE_NOT_AVAILABLE", 7),
        ("DISCONNECT_AUTH_CANCELLED_BY_USER", 13),
        ("DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE", 14),
        ("DEFAULT_WINDOW_SIZE", 2097152),
        ("DEFAULT_MAX_PACKET_SIZE", 32768),
    ],
)
def test_constants_have_their_numbers_in_both_places(name: str, number: int) -> None:
    assert getattr(constants, name) == number
    assert getattr(interface, name) == number
    assert name in interface.__all__


def test_a_query_takes_prompts_in_both_forms() -> None:
    query = InteractiveQuery("login", "two questions", "Name: ", ("Code: ", False))
    query.add_prompt("Last: ")
    query.add_prompt("Secret: ", echo=False)
    assert (query.name, query.instructions) == ("login", "two questions")
    assert query.prompts == [("Name: ", True), ("Code: ", False), ("Last: ", True), ("Secret: ", False)]
    assert InteractiveQuery().prompts == []

"""Servers that write down what they are asked, and answer by what the client says. Imported by the daemon of a test."""

import asyncio
import inspect
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from pysshd import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
    Channel,
    Connection,
    InteractiveQuery,
    Message,
    PolicyServer,
    ServerInterface,
)
from pysshd.server.plan import NO_BOUNDS, Account, Plan, ShellCommand
from pysshd.server.requests import Request

ROUNDS = 12
LONG = 60.0


def note(hook: str, *args: object) -> None:
    """A line in the daemon's log: which hook, and the type and form of each argument."""
    shown = [
        [type(value).__name__, value.asbytes().hex() if isinstance(value, Message) else repr(value)] for value in args
    ]
    os.write(2, json.dumps({"event": "test.hook", "hook": hook, "args": shown}).encode() + b"\n")


def in_thread(serve: Callable[[Channel], None], channel: Channel) -> bool:
    threading.Thread(target=serve, args=(channel,), daemon=True).start()
    return True


def echo(channel: Channel) -> None:
    """Give everything back, then the status 3."""
    with channel:
        while data := channel.recv(65536):
            channel.sendall(data)
        channel.send_exit_status(3)


def half(channel: Channel) -> None:
    """Say the end first, then count what still comes."""
    channel.sendall("that is all")
    channel.shutdown_write()
    count = 0
    while data := channel.recv(65536):
        count += len(data)
    channel.send_exit_status(count % 251)


def lines(channel: Channel) -> None:
    """A conversation by lines."""
    with channel, channel.makefile("rw") as file:
        file.write("who? ")
        name = file.readline()
        file.write(f"hello {str(name).strip()}\r\n")
        channel.send_exit_status(0)


def late(channel: Channel) -> None:
    """Begin when the answer is long given."""
    time.sleep(0.5)
    with channel:
        channel.sendall("late")
        channel.sendall_stderr("later")
        channel.send_exit_status(4)


def at_once(channel: Channel) -> bool:
    """Everything in the hook itself, before the reply."""
    channel.sendall("out")
    channel.sendall_stderr("err")
    channel.send_exit_status(7)
    channel.close()
    return True


def much(channel: Channel) -> bool:
    """More than any buffer holds, in the hook itself."""
    channel.sendall(bytes(3_000_000))
    channel.send_exit_status(0)
    channel.close()
    return True


def some(channel: Channel) -> bool:
    """More than the buffers of a stream hold, and less than the window of any client."""
    channel.sendall(bytes(500_000))
    channel.send_exit_status(0)
    channel.close()
    return True


def dialogue(channel: Channel) -> bool:
    """Read to the end in the hook itself."""
    echo(channel)
    return True


def wordless(channel: Channel) -> bool:
    """Close and say nothing of how it ended."""
    channel.sendall("gone")
    channel.close()
    return True


def flood(channel: Channel) -> None:
    with channel:
        for _ in range(400):
            channel.sendall(b"x" * 50_000)
        channel.send_exit_status(0)


def fails(channel: Channel) -> bool:
    raise LookupError("no such \x1b[31mcommand")


COMMANDS: dict[bytes, Callable[[Channel], bool]] = {
    b"at once": at_once,
    b"much": much,
    b"some": some,
    b"dialogue": dialogue,
    b"wordless": wordless,
    b"fails": fails,
    b"echo": lambda channel: in_thread(echo, channel),
    b"half": lambda channel: in_thread(half, channel),
    b"late": lambda channel: in_thread(late, channel),
    b"flood": lambda channel: in_thread(flood, channel),
    b"planned": lambda channel: True,
    b"no": lambda channel: False,
}


class Says(ServerInterface):
    """Says yes to nearly everything, and writes it down."""

    def get_banner(self) -> tuple[str | None, str | None]:
        note("get_banner")
        return ("Welcome to the tests\n", "en")

    def get_allowed_auths(self, username: str) -> str:
        note("get_allowed_auths", username)
        return "publickey,password,keyboard-interactive"

    def check_auth_none(self, username: str) -> int:
        note("check_auth_none", username)
        return AUTH_SUCCESSFUL if username == "anyone" else AUTH_FAILED

    def check_auth_password(self, username: str, password: str | bytes) -> int:
        note("check_auth_password", username, password)
        return AUTH_SUCCESSFUL if password in ("r\u00efght", b"right\xff") else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: Any) -> int:
        note("check_auth_publickey", username, key)
        return AUTH_PARTIALLY_SUCCESSFUL if username == "twice" else AUTH_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: bytes) -> int | InteractiveQuery:
        note("check_auth_interactive", username, submethods)
        self.round = 0
        if username == "endless":
            return InteractiveQuery("", "", *["x" * 4000] * 16)
        return InteractiveQuery("a name", "instructions", "1: ", ("hidden: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        note("check_auth_interactive_response", responses)
        self.round += 1
        if self.round == 2:
            return InteractiveQuery("nothing to ask")
        return AUTH_SUCCESSFUL if self.round > ROUNDS else InteractiveQuery("", "", f"{self.round + 1}: ")

    def check_global_request(self, kind: str, msg: Message) -> bool | tuple[str | int | bool, ...]:
        note("check_global_request", kind, msg)
        return ("text", 7, True) if kind == "facts@tests" else False

    def check_port_forward_request(self, address: str, port: int) -> int:
        note("check_port_forward_request", address, port)
        return port

    def cancel_port_forward_request(self, address: str, port: int) -> None:
        note("cancel_port_forward_request", address, port)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        note("check_channel_request", kind, chanid)
        return OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        note("check_channel_direct_tcpip_request", chanid, origin, destination)
        return OPEN_SUCCEEDED

    def check_channel_pty_request(
        self, channel: Channel, term: bytes, width: int, height: int, pixelwidth: int, pixelheight: int, modes: bytes
    ) -> bool:
        note("check_channel_pty_request", channel, term, width, height, pixelwidth, pixelheight, modes)
        return True

    def check_channel_window_change_request(
        self, channel: Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        note("check_channel_window_change_request", channel, width, height, pixelwidth, pixelheight)
        return True

    def check_channel_env_request(self, channel: Channel, name: bytes, value: bytes) -> bool:
        note("check_channel_env_request", channel, name, value)
        return True

    def check_channel_shell_request(self, channel: Channel) -> bool:
        note("check_channel_shell_request", channel)
        return in_thread(lines, channel)

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        note("check_channel_exec_request", channel, command)
        return COMMANDS[command](channel)

    def check_channel_subsystem_request(self, channel: Channel, name: str) -> bool:
        note("check_channel_subsystem_request", channel, name)
        return in_thread(echo, channel)

    def check_channel_signal_request(self, channel: Channel, name: str) -> bool:
        note("check_channel_signal_request", channel, name)
        return True

    def check_channel_break_request(self, channel: Channel, milliseconds: int) -> bool:
        note("check_channel_break_request", channel, milliseconds)
        return True

    def check_channel_x11_request(
        self, channel: Channel, single_connection: bool, auth_protocol: str, auth_cookie: bytes, screen_number: int
    ) -> bool:
        note("check_channel_x11_request", channel, single_connection, auth_protocol, auth_cookie, screen_number)
        return True

    def check_channel_forward_agent_request(self, channel: Channel) -> bool:
        note("check_channel_forward_agent_request", channel)
        return True

    def plan(self, request: Request) -> Plan | None:
        if getattr(request, "command", None) != b"planned":
            return None
        # Where sessions are accounts of the host, a plan without one runs nothing.
        number = 65534 if os.geteuid() == 0 else None
        account = Account("tests", number, number, (), "/", "/bin/sh", "tests")
        return Plan(account, ShellCommand(b"echo planned $(id -u); exit 5", False), NO_BOUNDS, None, "a decision")


def _later(hook: Any) -> Any:
    """The same hook as an `async def`."""

    async def later(self: Any, *args: Any) -> Any:
        await asyncio.sleep(0)
        # What a channel's hook does may take its time, for which the loop has none.
        return await asyncio.to_thread(hook, self, *args)

    return later


SaysLater = type(
    "SaysLater",
    (Says,),
    {name: _later(hook) for name, hook in vars(Says).items() if inspect.isfunction(hook) and name != "plan"},
)
"""As `Says`, with `async def` hooks."""


def wrong(name: str) -> Any:
    """What a hook is not documented to return."""
    return {"true": True, "false": False, "none": None, "seven": 7, "text": "0", "code": 1}[name]


class Wrong(ServerInterface):
    """Answers what the client names: anything but what is documented."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password,keyboard-interactive"

    def check_auth_none(self, username: str) -> int:
        return AUTH_FAILED if username == "alice" else wrong(username)

    def check_auth_password(self, username: str, password: str | bytes) -> int:
        return wrong(username)  # type: ignore[no-any-return]

    def check_auth_publickey(self, username: str, key: Any) -> int:
        return AUTH_SUCCESSFUL if username == "alice" else wrong(username)

    def check_auth_interactive(self, username: str, submethods: bytes) -> int | InteractiveQuery:
        return wrong(username)  # type: ignore[no-any-return]

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if chanid == 0 else None  # type: ignore[return-value]

    def check_channel_pty_request(self, *args: Any) -> bool:
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED  # type: ignore[return-value]

    def check_channel_shell_request(self, channel: Channel) -> bool:
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED  # type: ignore[return-value]

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        return wrong(command.decode())  # type: ignore[no-any-return]

    def check_port_forward_request(self, address: str, port: int) -> int:
        return True if port == 2001 else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class Sleepy(ServerInterface):
    """Whoever is called sleepy waits for a minute, in a thread; alice does not."""

    def check_auth_password(self, username: str, password: str | bytes) -> int:
        if username == "sleepy":
            time.sleep(LONG)
        return AUTH_SUCCESSFUL if username == "alice" else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        return at_once(channel)


class ByPolicy(PolicyServer):
    """The policy decides, but for one command."""

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> bool:
        if command == b"at once":
            return at_once(channel)
        return super().check_channel_exec_request(channel, command)


class Broken(ServerInterface):
    """Can not be made."""

    def __init__(self) -> None:
        raise RuntimeError("secret of the constructor")


NOT_A_CLASS = 7


class NoServer:
    """No server interface."""


class Demanding(ServerInterface):
    """Wants more than anybody gives it."""

    def __init__(self, connection: Connection, more: int) -> None:
        self.more = more

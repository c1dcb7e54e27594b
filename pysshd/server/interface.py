"""The one seam between the protocol and whoever decides: the hooks of a server.

A server is a subclass of `ServerInterface`; the daemon makes one for each connection, with a factory that is given the
`Connection`. Each hook answers one question of the client. What a hook returns says *whether*; `plan` says *how*.

Answers are judged by type and value (`pysshd.server.answers`): a hook that raises, takes too long or returns anything
else than its documented answers has refused. A hook may be `def` or `async def`. A plain `def` hook runs in a thread,
one at a time for each connection, unless its class sets `inline`; then it runs on the event loop and must decide at
once.
"""

from collections.abc import Awaitable
from typing import ClassVar, TypeAlias, TypeVar

from pysshd.server.channel import Channel
from pysshd.server.constants import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    DEFAULT_MAX_PACKET_SIZE,
    DEFAULT_WINDOW_SIZE,
    DISCONNECT_AUTH_CANCELLED_BY_USER,
    DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE,
    DISCONNECT_SERVICE_NOT_AVAILABLE,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_FAILED_RESOURCE_SHORTAGE,
    OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    OPEN_SUCCEEDED,
    SFTP_BAD_MESSAGE,
    SFTP_CONNECTION_LOST,
    SFTP_EOF,
    SFTP_FAILURE,
    SFTP_NO_CONNECTION,
    SFTP_NO_SUCH_FILE,
    SFTP_OK,
    SFTP_OP_UNSUPPORTED,
    SFTP_PERMISSION_DENIED,
)
from pysshd.server.keys import PKey
from pysshd.server.message import Message
from pysshd.server.plan import Plan
from pysshd.server.query import InteractiveQuery
from pysshd.server.requests import Request

__all__ = [
    "AUTH_FAILED",
    "AUTH_PARTIALLY_SUCCESSFUL",
    "AUTH_SUCCESSFUL",
    "DEFAULT_MAX_PACKET_SIZE",
    "DEFAULT_WINDOW_SIZE",
    "DISCONNECT_AUTH_CANCELLED_BY_USER",
    "DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE",
    "DISCONNECT_SERVICE_NOT_AVAILABLE",
    "OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED",
    "OPEN_FAILED_CONNECT_FAILED",
    "OPEN_FAILED_RESOURCE_SHORTAGE",
    "OPEN_FAILED_UNKNOWN_CHANNEL_TYPE",
    "OPEN_SUCCEEDED",
    "SFTP_BAD_MESSAGE",
    "SFTP_CONNECTION_LOST",
    "SFTP_EOF",
    "SFTP_FAILURE",
    "SFTP_NO_CONNECTION",
    "SFTP_NO_SUCH_FILE",
    "SFTP_OK",
    "SFTP_OP_UNSUPPORTED",
    "SFTP_PERMISSION_DENIED",
    "Channel",
    "InteractiveQuery",
    "Message",
    "PKey",
    "Plan",
    "Request",
    "ServerInterface",
]

T = TypeVar("T")

MaybeAsync: TypeAlias = T | Awaitable[T]
"""What a hook may return: its answer, or (from an `async def`) an awaitable of it."""


class ServerInterface:
    """Decides for one connection. Every hook refuses until a subclass says otherwise."""

    inline: ClassVar[bool] = False
    """True: this class's plain hooks decide at once, and run on the event loop instead of a thread."""

    # --- authentication (RFC 4252, RFC 4256) ------------------------------------------------------------------------

    def get_banner(self) -> MaybeAsync[tuple[str | None, str | None]]:
        """A text to show before authentication, and its language tag (RFC 4252 §5.4); default `(None, None)`: none.

        Called once, when the authentication service starts; no name is known yet.
        """
        return (None, None)

    def get_allowed_auths(self, username: str) -> MaybeAsync[str]:
        """The methods that `username` may try next, joined by commas; default `"password"`.

        Asked before the first attempt and after each one that did not finish the login. What is answered before a
        factor has succeeded should not follow from the name, or it tells strangers who exists.
        """
        return "password"

    def check_auth_none(self, username: str) -> MaybeAsync[int]:
        """May `username` (str) come in without proving anything? Default AUTH_FAILED.

        Returns AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL or AUTH_FAILED. Asked for the method `none` alone; a method
        that this server does not know fails without asking.
        """
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str | bytes) -> MaybeAsync[int]:
        """Is this the password of `username`? Default AUTH_FAILED.

        `password` is str, or bytes where it is no UTF-8. Returns AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL (right, but
        more is asked for; `get_allowed_auths` says what) or AUTH_FAILED. A request to change a password never comes.
        """
        return AUTH_FAILED

    def check_auth_publickey(self, username: str, key: PKey) -> MaybeAsync[int]:
        """Would a signature by `key` prove `username`? Default AUTH_FAILED.

        Asked when the client probes and again when it has signed, so it must have no side effect; the connection's
        `progress.stage` tells which it is. The signature itself is verified by the daemon, after this hook said yes.
        Returns AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL or AUTH_FAILED.
        """
        return AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: bytes) -> MaybeAsync[int | InteractiveQuery]:
        """Begin keyboard-interactive for `username`; default AUTH_FAILED.

        `submethods` (bytes) is the client's list of devices, usually empty. Returns an `InteractiveQuery` whose answers
        come to `check_auth_interactive_response`, or one of the three codes.
        """
        return AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> MaybeAsync[int | InteractiveQuery]:
        """Judge the answers to the last query, one str for each prompt; default AUTH_FAILED.

        Returns one of the three codes, or another `InteractiveQuery` for one more round.
        """
        return AUTH_FAILED

    def check_auth_gssapi_with_mic(
        self, username: str, gss_authenticated: int = AUTH_FAILED, cc_file: str | None = None
    ) -> MaybeAsync[int]:
        """Kept so that old subclasses load: this server offers no GSSAPI and never asks. Default AUTH_FAILED."""
        return AUTH_FAILED

    def check_auth_gssapi_keyex(
        self, username: str, gss_authenticated: int = AUTH_FAILED, cc_file: str | None = None
    ) -> MaybeAsync[int]:
        """Kept so that old subclasses load: this server offers no GSSAPI and never asks. Default AUTH_FAILED."""
        return AUTH_FAILED

    def enable_auth_gssapi(self) -> MaybeAsync[bool]:
        """Kept so that old subclasses load: never asked. Default False."""
        return False

    # --- global requests (RFC 4254 §4, §7.1) ------------------------------------------------------------------------

    def check_global_request(self, kind: str, msg: Message) -> MaybeAsync[bool | tuple[str | int | bool, ...]]:
        """May the client have this global request? Default False.

        `kind` (str) is its name and `msg` what followed it. True is a bare success; a tuple of str, int and bool is a
        success that carries those values. Forwarding has hooks of its own.
        """
        return False

    def check_port_forward_request(self, address: str, port: int) -> MaybeAsync[int]:
        """May the client have a listener on `address` (str) and `port` (int, 0: any)? Default False.

        A yes is the port as an int: the one that was asked for; where 0 was asked for, 0 (the daemon chooses) or one
        from 1024 on. Every bool and every other int is a no.
        """
        return False

    def cancel_port_forward_request(self, address: str, port: int) -> MaybeAsync[None]:
        """The client gives up its listener on `address` (str) and `port` (int). The result is ignored; default None."""
        return None

    # --- opening channels (RFC 4254 §5.1, §7.2) ---------------------------------------------------------------------

    def check_channel_request(self, kind: str, chanid: int) -> MaybeAsync[int]:
        """May the client open a channel of this kind? Default OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED.

        `kind` (str) is any but `direct-tcpip`, mostly `session`; `chanid` (int) is the number that the channel will
        have; no `Channel` exists yet. Returns OPEN_SUCCEEDED or one of the OPEN_FAILED codes.
        """
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> MaybeAsync[int]:
        """May the client connect to `destination`, a host and a port? Default OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED.

        `origin` is where, by its own word, the client's side of it comes from. Returns as `check_channel_request` does.
        """
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    # --- requests on a session channel (RFC 4254 §6) ----------------------------------------------------------------

    def check_channel_pty_request(
        self, channel: Channel, term: bytes, width: int, height: int, pixelwidth: int, pixelheight: int, modes: bytes
    ) -> MaybeAsync[bool]:
        """May this session have a terminal? Default False.

        `term` (bytes) is its type, `width` and `height` count characters, the other two pixels (0: unknown); `modes`
        (bytes) are encoded as in RFC 4254 §8.
        """
        return False

    def check_channel_window_change_request(
        self, channel: Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> MaybeAsync[bool]:
        """May the terminal of this session take this size (characters, pixels)? Default False."""
        return False

    def check_channel_env_request(self, channel: Channel, name: bytes, value: bytes) -> MaybeAsync[bool]:
        """May this session's environment have this variable (both bytes)? Default False."""
        return False

    def check_channel_shell_request(self, channel: Channel) -> MaybeAsync[bool]:
        """May this session run a shell? Default False. True and a channel in use: the hook serves it itself."""
        return False

    def check_channel_exec_request(self, channel: Channel, command: bytes) -> MaybeAsync[bool]:
        """May this session run `command` (bytes)? Default False. What the hook wrote before comes before the reply."""
        return False

    def check_channel_subsystem_request(self, channel: Channel, name: str) -> MaybeAsync[bool]:
        """May this session run the subsystem of this name (str), for example `sftp`? Default False."""
        return False

    def check_channel_signal_request(self, channel: Channel, name: str) -> MaybeAsync[bool]:
        """May the client send this signal (str, without SIG) to what the session runs? Default False."""
        return False

    def check_channel_break_request(self, channel: Channel, milliseconds: int) -> MaybeAsync[bool]:
        """May the client send a break of this length (int, RFC 4335 §3) to the terminal? Default False."""
        return False

    def check_channel_x11_request(
        self, channel: Channel, single_connection: bool, auth_protocol: str, auth_cookie: bytes, screen_number: int
    ) -> MaybeAsync[bool]:
        """May programs of this session show windows at the client? Default False.

        `single_connection` (bool): only the first; `auth_protocol` (str) and `auth_cookie` (bytes) are the client's.
        """
        return False

    def check_channel_forward_agent_request(self, channel: Channel) -> MaybeAsync[bool]:
        """May programs of this session use the client's key agent? Default False."""
        return False

    # --- how --------------------------------------------------------------------------------------------------------

    def plan(self, request: Request) -> Plan | None:
        """How an allowed request is to be carried out; default None: the hook serves its channel itself.

        Asked after the request's hook said yes, and again when the decision may have changed. Always decides at once.
        """
        return None

"""The verbs: how people write a request, in the tests of a policy, in `explain`, and wherever one is shown to them.

A request is a verb and the rest verbatim: `shell`, `exec ls -l`, `env LANG=C`. A new kind of request is a new row.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, Final

from pysshd.patterns.ports import LAST_PORT
from pysshd.policy.query import (
    X11,
    Agent,
    Break,
    Connect,
    ConnectUnix,
    Env,
    Exec,
    Global,
    Listen,
    ListenUnix,
    Pty,
    Request,
    Run,
    Session,
    Sftp,
    Shell,
    Signal,
    Subsystem,
)
from pysshd.policy.report import meant, one_of, show
from pysshd.policy.rights_sftp import RIGHTS
from pysshd.records import dataclass


class VerbError(ValueError):
    """A text is no request: what was found, what was expected; `hint` is what to do, or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Verb:
    """One row.

    form: how it is written; meaning: what is asked.
    kind: the class of its requests.
    read: makes the request of what follows the verb and one blank, None where nothing does; raises VerbError.
    tell: what follows the verb, the other way round; None: nothing.
    """

    name: str
    form: str
    meaning: str
    kind: type
    read: Callable[[str | None], Request]
    tell: Callable[[Any], str | None]


def request_of(verb: str, rest: str | None) -> Request:
    """The request of a verb and what follows it; raises VerbError."""
    row = VERBS.get(verb)
    if row is None:
        raise VerbError(f"unknown verb {show(verb)}, expected {one_of(VERBS)}", meant(verb, VERBS))
    return row.read(rest)


def read_request(text: str) -> Request:
    """The request of a text such as `exec ls -l`; raises VerbError."""
    verb, blank, rest = text.partition(" ")
    return request_of(verb, rest if blank else None)


def say_request(request: Request) -> str:
    """How a request is written: `read_request` the other way round. A login is none of these, and is told in words.

    Bytes that are no UTF-8 become lone surrogates, which whoever prints the text escapes.
    """
    row = _BY_KIND.get(type(request))
    if row is None:
        return "log in"
    rest = row.tell(request)
    return row.name if rest is None else f"{row.name} {rest}"


def _to_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _bare(name: str, made: Request) -> Callable[[str | None], Request]:
    def read(rest: str | None) -> Request:
        if rest is not None:
            raise VerbError(f"found {show(rest)} behind {name}, expected nothing")
        return made

    return read


def _with(form: str, make: Callable[[str], Request]) -> Callable[[str | None], Request]:
    """A verb that needs what `form` says behind it."""

    def read(rest: str | None) -> Request:
        if rest is None:
            raise VerbError(f"found nothing behind {form.partition(' ')[0]}, expected {form}")
        return make(rest)

    return read


def _nothing(request: Request) -> None:
    return None


def _env(rest: str) -> Request:
    name, equals, value = rest.partition("=")
    if not equals:
        raise VerbError(f"found {show(rest)} behind env, expected env NAME=VALUE")
    return Env(name, _to_bytes(value))


def _running(rest: str | None) -> Run:
    """What a signal is sent to: what a request runs, a shell where none is said."""
    found = read_request(rest) if rest is not None else Shell()
    if not isinstance(found, Run):
        raise VerbError(f"found {show(rest or '')}, which runs nothing, expected shell, exec COMMAND or subsystem NAME")
    return found


def _signal(rest: str) -> Request:
    name, blank, running = rest.partition(" ")
    return Signal(name, _running(running if blank else None))


def _tell_running(running: Run) -> str | None:
    return None if running == Shell() else say_request(running)


def _tell_signal(request: Signal) -> str:
    running = _tell_running(request.running)
    return request.name if running is None else f"{request.name} {running}"


def _sftp(rest: str) -> Request:
    right, _, path = rest.partition(" ")
    if right not in RIGHTS:
        raise VerbError(f"unknown right {show(right)}, expected {one_of(RIGHTS)}", meant(right, RIGHTS))
    if not path.startswith("/"):
        raise VerbError(f"found path {show(path)}, expected an absolute one: {_SFTP_FORM}")
    return Sftp(right, _to_bytes(path))


_SFTP_FORM: Final = "sftp RIGHT /PATH"


def _host_and_port(text: str, form: str, lowest: int) -> tuple[str, int]:
    """A host, of which brackets are no part, and a port that is `lowest` at least."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not (port.isascii() and port.isdigit() and len(port) <= 5) or (":" in host and not bracketed):
        raise VerbError(f"found {show(text)}, expected {form}, with an IPv6 address between brackets")
    if not lowest <= int(port) <= LAST_PORT:
        raise VerbError(f"found port {int(port)}, expected one from {lowest} to {LAST_PORT}")
    return host[1:-1] if bracketed else host, int(port)


def _tell_host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _forward(rest: str) -> Request:
    destination, blank, resolved = rest.partition(" ")
    host, port = _host_and_port(destination, _FORWARD_FORM, 1)
    try:
        return Connect(host, port, ip_address(resolved) if blank else None)
    except ValueError:
        raise VerbError(f"found {show(resolved)} behind {show(destination)}, expected an address to which the name was "
                        "resolved") from None  # fmt: skip


def _tell_forward(request: Connect) -> str:
    destination = _tell_host_and_port(request.host, request.port)
    return destination if request.address is None else f"{destination} {request.address}"


def _x11(rest: str | None) -> Request:
    words = (rest or "").split(" ") if rest is not None else []
    single = words[:1] == ["single"]
    screen = words[single:]
    if len(screen) > 1 or not all(word.isascii() and word.isdigit() and len(word) <= 9 for word in screen):
        raise VerbError(f"found {show(rest or '')} behind x11, expected {_X11_FORM}")
    return X11(single, int(screen[0]) if screen else 0)


def _tell_x11(request: X11) -> str | None:
    words = ["single"] * request.single + [str(request.screen)] * bool(request.screen)
    return " ".join(words) or None


_FORWARD_FORM: Final = "forward HOST:PORT [ADDRESS]"
_LISTEN_FORM: Final = "listen ADDRESS:PORT"
_X11_FORM: Final = "x11 [single] [SCREEN]"
_SIGNAL_FORM: Final = "signal NAME [VERB …]"
_ROWS: Final = (
    Verb("shell", "shell", "start the shell", Shell, _bare("shell", Shell()), _nothing),
    Verb("exec", "exec COMMAND", "run a command, as the client sends it", Exec,
         _with("exec COMMAND", lambda rest: Exec(_to_bytes(rest))), lambda one: _to_text(one.command)),
    Verb("subsystem", "subsystem NAME", "start a subsystem", Subsystem,
         _with("subsystem NAME", Subsystem), lambda one: one.name),
    Verb("pty", "pty TERM", "have a terminal of this type", Pty, _with("pty TERM", Pty), lambda one: one.term),
    Verb("env", "env NAME=VALUE", "send a variable", Env,
         _with("env NAME=VALUE", _env), lambda one: f"{one.name}={_to_text(one.value)}"),
    Verb("signal", _SIGNAL_FORM, "send a signal to what the shell, or another request, runs", Signal,
         _with(_SIGNAL_FORM, _signal), _tell_signal),
    Verb("break", "break [VERB …]", "send a break to what the shell, or another request, runs", Break,
         lambda rest: Break(_running(rest)), lambda one: _tell_running(one.running)),
    Verb("sftp", _SFTP_FORM, "do one operation of SFTP or scp", Sftp,
         _with(_SFTP_FORM, _sftp), lambda one: f"{one.right} {_to_text(one.path)}"),
    Verb("agent", "agent", "forward the client's agent", Agent, _bare("agent", Agent()), _nothing),
    Verb("x11", _X11_FORM, "forward X11, once or more, of a screen", X11, _x11, _tell_x11),
    Verb("forward", _FORWARD_FORM, "connect to a TCP port, by a name that has this address", Connect,
         _with(_FORWARD_FORM, _forward), _tell_forward),
    Verb("forward-unix", "forward-unix PATH", "connect to a Unix socket", ConnectUnix,
         _with("forward-unix PATH", ConnectUnix), lambda one: one.path),
    Verb("listen", _LISTEN_FORM, "listen on a TCP port; on every address where none is said", Listen,
         _with(_LISTEN_FORM, lambda rest: Listen(*_host_and_port(rest, _LISTEN_FORM, 0))),
         lambda one: _tell_host_and_port(one.address, one.port)),
    Verb("listen-unix", "listen-unix PATH", "listen on a Unix socket", ListenUnix,
         _with("listen-unix PATH", ListenUnix), lambda one: one.path),
    Verb("channel", "channel KIND", "open a channel of this kind: session", Session,
         _with("channel KIND", Session), lambda one: one.kind),
    Verb("global", "global NAME", "make a global request", Global, _with("global NAME", Global), lambda one: one.name),
)  # fmt: skip

VERBS: Final[Mapping[str, Verb]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every verb by its name, in the order in which they are shown."""

_BY_KIND: Final = {row.kind: row for row in _ROWS}

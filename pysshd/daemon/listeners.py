"""The listening sockets: bound before anything is served, accepted from without ever blocking the loop."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from pysshd.daemon.blame import blamed_on
from pysshd.errors import StartupError
from pysshd.policy.settings import Listen
from pysshd.records import dataclass

BACKLOG = 1024
PAUSE = 0.5
"""Seconds without accepting after the kernel has refused us a descriptor."""

DEFAULT = (Listen("127.0.0.1:2222", "127.0.0.1", 2222), Listen("[::1]:2222", "::1", 2222))
"""Where a silent policy listens; the second only where the host has that address."""

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Listener:
    """One bound socket; `name` is the entry of the policy that it serves."""

    name: str
    socket: socket.socket

    @property
    def address(self) -> str:
        """The address and port that it is bound to."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


Accepted = Callable[[socket.socket, tuple[str, int], Listener], None]


def bind(entries: Sequence[Listen]) -> list[Listener]:
    """Bind every entry, or none: StartupError names the first that can not be bound."""
    bound: list[Listener] = []
    try:
        for entry in entries or DEFAULT:
            for family, host in _families(entry.host):
                optional = (entry.host == "*" and bool(bound)) or (not entries and family == socket.AF_INET6)
                with blamed_on(entry.where):
                    listener = _bind(entry, family, host, optional)
                if listener is not None:
                    bound.append(listener)
    except BaseException:
        for listener in bound:
            listener.socket.close()
        raise
    return bound


def _families(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if host == "*":
        return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
    return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)]


def _bind(entry: Listen, family: socket.AddressFamily, host: str, optional: bool) -> Listener | None:
    made = None
    try:
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, entry.port))
        made.listen(BACKLOG)
    except OSError as error:
        if made is not None:
            made.close()
        if optional and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        raise StartupError(f"server.listen: {entry.name} can not be bound: {_why(error, entry.port)}") from None
    return Listener(entry.name, made)


def _why(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; stop what listens there (ss -ltnp), or choose another port"
    if error.errno == errno.EACCES:
        return f"port {port} needs a privilege; choose one from 1024 on, or start as root with server.user"
    return (error.strerror or str(error)).lower()


class Acceptor:
    """Accepts from listeners on the running loop, until `close`."""

    def __init__(self, listeners: Sequence[Listener], accepted: Accepted, complain: Callable[[str], None]) -> None:
        self._listeners = listeners
        self._accepted = accepted
        self._complain = complain
        self._loop = asyncio.get_running_loop()
        for listener in listeners:
            self._watch(listener)

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            self._loop.remove_reader(listener.socket.fileno())
            listener.socket.close()

    def _watch(self, listener: Listener) -> None:
        if listener.socket.fileno() >= 0:
            self._loop.add_reader(listener.socket.fileno(), self._accept, listener)

    def _accept(self, listener: Listener) -> None:
        try:
            client, address = listener.socket.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return
        except OSError as error:
            if error.errno in EXHAUSTED:
                # A socket that stays ready would have the loop spin until a descriptor is free.
                self._complain(f"listener {listener.name} can not accept: {error.strerror}; it pauses for {PAUSE} s")
                self._loop.remove_reader(listener.socket.fileno())
                self._loop.call_later(PAUSE, self._watch, listener)
            return
        self._accepted(client, address[:2], listener)

"""The control socket: `pysshd ctl` asks the running daemon on it, in JSON, one line each way.

It lies in a folder of the state folder that only the daemon's user and root may enter. Whoever asks is known by the
kernel's word on the uid and by a secret that lies beside the socket, made anew at each start: a confined session has
the daemon's uid where `accounts: service`, and sees neither.
"""

import asyncio
import hmac
import json
import os
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pysshd.errors import StartupError

FOLDER: Final = "control"
SOCKET: Final = "socket"
SECRET: Final = "secret"

QUESTION_MAX: Final = 4096
"""Bytes of a question."""

ASKED_WITHIN: Final = 5.0
ANSWER_READ_WITHIN: Final = 10.0
"""Seconds for a question to come, and for its answer to be read."""

AT_ONCE: Final = 8
"""Who asks at a time; further ones are closed."""

_CREDENTIALS = struct.Struct("3i")

Answer = Mapping[str, Any]
Act = Callable[[], Awaitable[Answer]]


class Control:
    """Answers the questions of `acts`, by their names; `complain` is told of whoever may not ask."""

    def __init__(self, state: Path, acts: Mapping[str, Act], complain: Callable[[str], None]) -> None:
        self._folder = state / FOLDER
        self._acts = acts
        self._complain = complain
        self._secret = secrets.token_hex(32)
        self._asking: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Make the folder, the secret and the socket; StartupError where that can not be."""
        try:
            listener = self._bind()
        except OSError as error:
            raise StartupError(f"control socket in {self._folder}: {error.strerror or error}") from None
        self._server = await asyncio.start_unix_server(self._accepted, sock=listener, limit=QUESTION_MAX)

    async def close(self) -> None:
        """Take all of it away."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._asking):
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for name in (SOCKET, SECRET):
            with suppress(OSError):
                (self._folder / name).unlink()

    def _bind(self) -> socket.socket:
        with suppress(FileExistsError):
            self._folder.mkdir(mode=0o700)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if os.fstat(folder).st_uid != os.geteuid():
                raise PermissionError(1, "the folder belongs to somebody else")
            os.fchmod(folder, 0o700)
            # By its descriptor: the path of a state folder may be longer than the name of a socket can be.
            path = f"/proc/self/fd/{folder}/{SOCKET}"
            if _answers(path):
                raise OSError(98, "another daemon with this state folder answers on it")
            with suppress(FileNotFoundError):
                os.unlink(SOCKET, dir_fd=folder)
            _write_secret(folder, self._secret)
            listener.bind(path)
            os.chmod(path, 0o600)
            listener.listen(AT_ONCE)
        except BaseException:
            listener.close()
            raise
        finally:
            os.close(folder)
        return listener

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        try:
            if len(self._asking) <= AT_ONCE and self._may_ask(writer):
                await self._serve(reader, writer)
        except (OSError, TimeoutError, ValueError):
            pass  # whoever asked is gone, or never said what
        finally:
            self._asking.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(ASKED_WITHIN):
            asked = await reader.readline()
        answer = await self._answer(asked)
        writer.write(json.dumps(answer).encode() + b"\n")
        async with asyncio.timeout(ANSWER_READ_WITHIN):
            await writer.drain()
            writer.write_eof()
            await reader.read(1)  # its end: what was written is read by then

    def _may_ask(self, writer: asyncio.StreamWriter) -> bool:
        peer = writer.get_extra_info("socket")
        found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(found)
        if uid in (0, os.geteuid()):
            return True
        self._complain(f"control socket: process {pid} of uid {uid} may not ask")
        return False

    async def _answer(self, asked: bytes) -> Answer:
        try:
            question = json.loads(asked)
            secret, name = question["secret"], question["do"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"ok": False, "error": "the question is not one line of JSON with 'secret' and 'do'"}
        if not isinstance(secret, str) or not hmac.compare_digest(secret.encode(), self._secret.encode()):
            self._complain("control socket: somebody asked without the secret")
            return {"ok": False, "error": "the secret is not that of this daemon"}
        act = self._acts.get(name) if isinstance(name, str) else None
        if act is None:
            return {"ok": False, "error": f"this daemon can not do that, expected one of {', '.join(self._acts)}"}
        return await act()


def _answers(path: str) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _write_secret(folder: int, secret: str) -> None:
    """Put the secret where only the daemon's user reads it, whole at once."""
    draft = f".{SECRET}.{os.getpid()}"
    descriptor = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=folder
    )
    # Bytes: a daemon that gave root up may be unable to read the module of a codec.
    with open(descriptor, "wb") as file:
        file.write(secret.encode())
    os.rename(draft, SECRET, src_dir_fd=folder, dst_dir_fd=folder)

"""An errand of libssh2: `ERRAND=… python -m tests.interop.clients.with_libssh2`, with the streams of `ssh`."""

import base64
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

from ssh2 import session as libssh2
from ssh2.error_codes import LIBSSH2_ERROR_EAGAIN
from ssh2.exceptions import SSH2Error

from tests.interop.errand import REFUSED, Ended, Errand, host_key_blobs, received, seeded, sum_of

PIECE = 1 << 15


class FailedError(Exception):
    """The connection or the login failed."""


def connect(errand: Errand, connection: socket.socket) -> Any:
    session = libssh2.Session()
    for method, wish in (
        ("KEX", errand.kex),
        ("HOSTKEY", errand.host_key),
        ("CRYPT_CS", errand.cipher),
        ("CRYPT_SC", errand.cipher),
        ("MAC_CS", errand.mac),
        ("MAC_SC", errand.mac),
    ):
        if wish is not None:
            session.method_pref(getattr(libssh2, f"LIBSSH2_METHOD_{method}"), wish)
    session.handshake(connection)
    if base64.b64encode(session.hostkey()[0]).decode() not in host_key_blobs(errand):
        raise FailedError("this is another host")
    if errand.key is not None:
        private = Path(errand.key)
        public = private.with_suffix(".pub").read_bytes()
        session.userauth_publickey_frommemory(errand.login, private.read_bytes(), "", public)
    else:
        session.userauth_password(errand.login, errand.password or "")
    return session


class Channel:
    """A channel with its program, moved on by `turn`."""

    def __init__(self, session: Any, errand: Errand) -> None:
        self.channel = session.open_session()
        for name, value in errand.environment.items():
            self.channel.setenv(name, value)
        if errand.terminal:
            self.channel.pty("xterm")
        if errand.command is None:
            self.channel.shell()
        else:
            self.channel.execute(errand.command)
        self.outgoing: Any = iter(())
        self._piece = memoryview(b"")
        self._fed = self.ended = False

    def turn(self, output: Any, errors: Any) -> bool:
        """Move what can be moved now; whether anything was."""
        moved = False
        for read, target in ((self.channel.read, output), (self.channel.read_stderr, errors)):
            size, data = read(PIECE)
            if size > 0:
                target.write(data)
                moved = True
            elif size not in (0, LIBSSH2_ERROR_EAGAIN):
                raise FailedError(f"reading fails with {size}")
        if not self._fed:
            moved |= self._feed()
        self.ended = not moved and bool(self.channel.eof())
        return moved

    def _feed(self) -> bool:
        if not self._piece:
            piece = next(self.outgoing, b"")
            if not piece:
                self._fed = self.channel.send_eof() != LIBSSH2_ERROR_EAGAIN
                return self._fed
            self._piece = memoryview(piece)
        _, written = self.channel.write(bytes(self._piece))
        self._piece = self._piece[written:]
        return bool(written)


class Sink:
    """Bytes of one channel."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


def wait(session: Any, connection: socket.socket) -> None:
    directions = session.block_directions()
    writing = [connection] if directions & libssh2.LIBSSH2_SESSION_BLOCK_OUTBOUND else []
    select.select([connection], writing, [], 0.2)


def move(session: Any, connection: socket.socket, channels: list[tuple[Channel, Any, Any]]) -> list[int]:
    """Move everything to its end; the exit statuses."""
    session.set_blocking(False)
    started = time.monotonic()
    while not all(channel.ended for channel, _, _ in channels):
        # All of them, not the first that moves.
        moved = sum(channel.turn(output, errors) for channel, output, errors in channels if not channel.ended)
        if not moved:
            wait(session, connection)
        if time.monotonic() - started > 3000:
            raise FailedError("this takes too long")
    session.set_blocking(True)
    statuses = []
    for channel, _, _ in channels:
        channel.channel.close()
        channel.channel.wait_closed()
        statuses.append(channel.channel.get_exit_status())
    return statuses


def run(errand: Errand, connection: socket.socket) -> int:
    session = connect(errand, connection)
    if not errand.channels:
        channel = Channel(session, errand)
        channel.outgoing = iter(lambda: sys.stdin.buffer.read(PIECE), b"")
        return move(session, connection, [(channel, sys.stdout.buffer, sys.stderr.buffer)])[0]
    several = []
    for number in range(errand.channels):
        channel = Channel(session, errand)
        channel.outgoing = iter([seeded(number, errand.amount)])
        several.append((channel, Sink(), Sink()))
    for number, status in enumerate(move(session, connection, several)):
        print(Ended(number, status, sum_of(bytes(several[number][1].data))).text())
    return 0


def main() -> int:
    errand = received()
    with socket.create_connection(("127.0.0.1", errand.port), timeout=60) as connection:
        try:
            return run(errand, connection)
        except (SSH2Error, FailedError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return REFUSED


if __name__ == "__main__":
    sys.exit(main())

"""The raw client on a socket: what a test says to a whole daemon without manners."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.userauth import PasswordBody, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.daemon import Daemon
from tests.ssh.client.raw import RawClient
from tests.ssh.client.stream import Conversation

ANSWERS = (MessageNumber.USERAUTH_SUCCESS, MessageNumber.USERAUTH_FAILURE, MessageNumber.USERAUTH_PK_OK)


class Wire(Conversation):
    """A conversation over the socket of one connection to a daemon."""

    def __init__(self, daemon: Daemon, client: RawClient | None = None) -> None:
        self.socket = daemon.connect()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(client or RawClient(), self._take, self.socket.sendall)

    def _take(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def say(self, *payloads: bytes) -> None:
        """Send messages now; that the daemon has hung up meanwhile is no error."""
        self.client.send(*payloads)
        try:
            self.flush()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def end(self) -> tuple[list[int], int | None]:
        """The numbers of the messages up to the end of the connection, and the reason that DISCONNECT gave."""
        came = self.rest()
        reasons = [int.from_bytes(payload[1:5], "big") for payload in came if payload[0] == MessageNumber.DISCONNECT]
        return [payload[0] for payload in came], reasons[0] if reasons else None

    def request(self, user: bytes, method: str, body: bytes, service: str = "ssh-connection") -> bytes:
        """Ask to be let in, and the answer."""
        self.say(UserauthRequest(user, service, method, body).encode())
        return self.until(*ANSWERS)

    def password(self, user: bytes, secret: bytes) -> bytes:
        """Try a password, and the answer."""
        return self.request(user, "password", PasswordBody(False, secret).encode())

    def probe(self, user: bytes, blob: bytes, algorithm: str = "ssh-ed25519") -> bytes:
        """Ask whether a key would do, and the answer."""
        return self.request(user, "publickey", codec.boolean(False) + codec.text(algorithm) + codec.string(blob))

    def sign_in(self, user: bytes, key: Path) -> bytes:
        """Log in with an ed25519 key, and the answer."""
        return self.request(user, "publickey", self.signed(user, key))

    def signed(
        self,
        user: bytes,
        key: Path,
        method: str = "publickey",
        host_key: bytes | None = None,
        shown: bytes | None = None,
    ) -> bytes:
        """The body of a publickey request of this connection.

        host_key: what a host-bound request signs beside the rest. shown: what it sends in its place, where that is
        another (`b""`: nothing at all).
        """
        private = _ed25519(key)
        assert self.client.session_id is not None
        body = codec.boolean(True) + codec.text("ssh-ed25519") + codec.string(self.key_blob(key))
        bound = b"" if host_key is None else codec.string(host_key)
        request = UserauthRequest(user, "ssh-connection", method, body + bound).encode()
        made = private.sign(codec.string(self.client.session_id) + request)
        if shown is not None:
            bound = codec.string(shown) if shown else b""
        return body + bound + codec.string(codec.text("ssh-ed25519") + codec.string(made))

    @staticmethod
    def key_blob(key: Path) -> bytes:
        """The public blob of an ed25519 key."""
        return codec.text("ssh-ed25519") + codec.string(_ed25519(key).public_key().public_bytes_raw())

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def _ed25519(key: Path) -> Ed25519PrivateKey:
    private = load_ssh_private_key(key.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    return private


@contextmanager
def wire(daemon: Daemon, *, exchange: bool = True, service: bool = True, **options: object) -> Iterator[Wire]:
    """A connection, with keys exchanged and the service accepted unless told otherwise."""
    made = Wire(daemon, RawClient(**options) if options else None)  # type: ignore[arg-type]
    try:
        if exchange:
            made.connect()
            if service:
                made.request_service()
        yield made
    finally:
        made.close()


def closed_within(connection: socket.socket, seconds: float) -> float:
    """After how many seconds the other side hangs up; it fails where that takes longer than `seconds`."""
    start = time.monotonic()
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            assert time.monotonic() - start < seconds
    except ConnectionResetError:
        pass
    return time.monotonic() - start

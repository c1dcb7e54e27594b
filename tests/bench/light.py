"""A client that costs little: it logs in, and does nothing else. Run as `python -m tests.bench.light USER KEY`.

OpenSSH's own client takes more CPU for a login than our servers do, so that on a small machine the client would be
measured. This one is the raw client of the tests; one process holds many connections. It reads and writes JSON lines:
`{"do": "logins", "port": N, "count": N, "at_once": N}` → `{"seconds": S, "failed": [TEXT, ...]}`;
`hold` does the same and keeps the connections open until `drop`.
"""

import json
import resource
import selectors
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.transport import Disconnect, ServiceRequest
from pysshd.ssh.wire.messages.userauth import UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.bench.place import CIPHER, HOST, KEX
from tests.ssh.client.raw import RawClient

DEADLINE = 60.0
ALGORITHM = "ssh-ed25519"
BY_APPLICATION = 11


class Person:
    """Who logs in: a name, and an ed25519 key that was read once."""

    def __init__(self, user: str, key: Path) -> None:
        private = load_ssh_private_key(key.read_bytes(), None)
        assert isinstance(private, Ed25519PrivateKey)
        self._private, self._user = private, user.encode()
        self._blob = codec.text(ALGORITHM) + codec.string(private.public_key().public_bytes_raw())

    def request(self, session_id: bytes) -> bytes:
        """A signed request to be let in (RFC 4252 §7)."""
        body = codec.boolean(True) + codec.text(ALGORITHM) + codec.string(self._blob)
        unsigned = UserauthRequest(self._user, "ssh-connection", "publickey", body).encode()
        signature = self._private.sign(codec.string(session_id) + unsigned)
        return unsigned + codec.string(codec.text(ALGORITHM) + codec.string(signature))


class Login:
    """One connection, from the first byte to USERAUTH_SUCCESS; `done` then, or `failed` with a reason."""

    def __init__(self, person: Person, port: int) -> None:
        self._person = person
        self._client = RawClient(kex=[KEX], ciphers=[CIPHER], host_keys=[ALGORITHM])
        self._asked = False
        self.done = False
        self.failed: str | None = None
        self.socket = socket.create_connection((HOST, port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.begin()
        self._flush()

    def readable(self) -> None:
        """Take what came, and answer."""
        try:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError("the server hung up before the login was done")
            for payload in self._client.receive(data):
                self._take(payload)
            self._flush()
        except (OSError, ValueError, AssertionError) as error:
            self.failed = f"{type(error).__name__}: {error}"

    def _take(self, payload: bytes) -> None:
        match payload[0]:
            case MessageNumber.NEWKEYS if not self._asked:
                self._asked = True
                self._client.say(ServiceRequest("ssh-userauth").encode())
            case MessageNumber.SERVICE_ACCEPT:
                assert self._client.session_id is not None
                self._client.say(self._person.request(self._client.session_id))
            case MessageNumber.USERAUTH_SUCCESS:
                self.done = True
            case MessageNumber.USERAUTH_FAILURE | MessageNumber.DISCONNECT:
                self.failed = f"the server answered the login with message {payload[0]}: {payload[1:80]!r}"

    def _flush(self) -> None:
        data = self._client.output()
        if data:
            self.socket.sendall(data)

    def close(self) -> None:
        """Say goodbye, as clients do, and hang up."""
        try:
            if self.done:
                self._client.send(Disconnect(BY_APPLICATION, b"", b"").encode())
                self._flush()
        except OSError:
            pass
        self.socket.close()


class Light:
    """What this program answers."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._held: list[Login] = []

    def logins(self, port: int, count: int, at_once: int) -> dict[str, Any]:
        """Log in `count` times, `at_once` at any moment, and hang up each time."""
        return self._run(port, count, at_once, lambda login: login.close())

    def hold(self, port: int, count: int, at_once: int) -> dict[str, Any]:
        """Log in `count` times and stay."""
        return self._run(port, count, at_once, self._held.append)

    def drop(self, **_: int) -> dict[str, Any]:
        """Hang up what is held."""
        while self._held:
            self._held.pop().close()
        return {}

    def _run(self, port: int, count: int, at_once: int, done: Callable[[Login], None]) -> dict[str, Any]:
        failed: list[str] = []
        started, begun, spent = time.monotonic(), 0, resource.getrusage(resource.RUSAGE_SELF)
        with selectors.DefaultSelector() as selector:
            while begun < count or selector.get_map():
                while begun < count and len(selector.get_map()) < at_once:
                    begun += 1
                    try:
                        login = Login(self._person, port)
                    except OSError as error:
                        failed.append(f"{type(error).__name__}: {error}")
                        continue
                    selector.register(login.socket, selectors.EVENT_READ, login)
                ready = selector.select(DEADLINE)
                if not ready:
                    failed += ["no answer"] * len(selector.get_map())
                    break
                for key, _ in ready:
                    self._step(key.data, selector, failed, done)
        seconds, now = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
        cpu = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
        return {"seconds": seconds, "cpu": cpu, "failed": failed}

    def _step(
        self, login: Login, selector: selectors.BaseSelector, failed: list[str], done: Callable[[Login], None]
    ) -> None:
        login.readable()
        if login.failed is None and not login.done:
            return
        selector.unregister(login.socket)
        if login.failed is not None:
            failed.append(login.failed)
            login.close()
        else:
            done(login)


def main(user: str, key: str) -> None:
    """Answer until standard input ends."""
    light = Light(Person(user, Path(key)))
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(getattr(light, asked.pop("do"))(**asked)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])

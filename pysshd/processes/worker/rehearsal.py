"""A connection that a process serves to itself, before it forks those that serve clients.

Code that has run once is quick at once: the interpreter has specialised it and knows where every attribute is found.
Otherwise each fork would learn that anew, and copy the pages on which it is written down. Client and monitor are played
by callbacks on the loop that serves; nothing leaves the process, and nothing of it is kept.
"""

import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from pysshd.errors import BoundaryError
from pysshd.processes.boundary.calls.call import Call, decode
from pysshd.processes.boundary.calls.channels import Exited, OpenAnswer, OpenChannel
from pysshd.processes.boundary.calls.connection import Assign, Bye
from pysshd.processes.boundary.calls.host_keys import Sign, SignAnswer
from pysshd.processes.boundary.calls.login import AuthAnswer, BeginAuth, Offer, OfferNone, ProbeKey, VerifyKey
from pysshd.processes.boundary.calls.requests import RequestAnswer, RequestEnv, RequestExec, StartAnswer, Streams
from pysshd.processes.boundary.calls.table import TO_MONITOR
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.worker.loop import READ, Loop
from pysshd.processes.worker.program import serve_one
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.kex import (
    CLIENT_TO_SERVER,
    KEX_METHODS,
    SERVER_TO_CLIENT,
    Direction,
    DirectionKeys,
    derive_keys,
    exchange_hash,
)
from pysshd.ssh.transport.packet import PacketReader, PacketWriter
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import ChannelClose, ChannelData, ChannelEof, ChannelOpen, ChannelRequest
from pysshd.ssh.wire.messages.requests import Env, Exec
from pysshd.ssh.wire.messages.transport import Disconnect, KexEcdhInit, KexEcdhReply, KexInit, NewKeys, ServiceRequest
from pysshd.ssh.wire.messages.userauth import UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber

TIMES: Final = 8
"""Connections of one rehearsal: CPython 3.11 specialises what has been called eight times."""

_KEX: Final = "curve25519-sha256"
_HOST_KEY: Final = "ssh-ed25519"
_CIPHERS: Final = ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com")
_OURS: Final = b"SSH-2.0-rehearsal"
_BLOB: Final = codec.text(_HOST_KEY) + codec.string(bytes(32))
_SIGNATURE: Final = codec.text(_HOST_KEY) + codec.string(bytes(64))
_CHANNEL: Final = 0
_KEYSTROKES: Final = 24
"""Bytes that each client types, the next one when the last has come back."""

_TYPED: Final = b"k"


def rehearse(times: int = TIMES) -> None:
    """Serve `times` connections, each from its identification to its end: a login, a command, and somebody who types.

    Raises BoundaryError where one does not end as it should.
    """
    for number in range(times):
        loop = Loop()
        ours, theirs = Endpoint.pair()
        with _Counterpart(loop, theirs, _CIPHERS[number % len(_CIPHERS)]) as counterpart, ours:
            serve_one(ours, loop)
            counterpart.check()
        loop.close()


class _Fixed:
    """The same randomness whenever it is asked for: the share of the exchange is made twice from it."""

    def __init__(self) -> None:
        self._octets = SystemEntropy().octets(64)

    def octets(self, size: int) -> bytes:
        return self._octets[:size]

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        raise NotImplementedError


class _Counterpart:
    """The client and the monitor of one connection, served by the same loop."""

    def __init__(self, loop: Loop, monitor: Endpoint, cipher: str) -> None:
        self._loop = loop
        self._monitor = monitor
        self._socket, served = socket.socketpair()
        self._fixed = _Fixed()
        self._reader, self._writer = PacketReader(1 << 40), PacketWriter(self._fixed, 1 << 40)
        self._cipher = cipher
        self._version = b""
        self._server_kexinit = b""
        self._keys: dict[Direction, DirectionKeys] = {}
        self._channel = 0
        self._received = 0
        names = ((_KEX,), (_HOST_KEY,), (cipher,), (cipher,), ("none",), ("none",), ("none",), ("none",))
        self._kexinit = KexInit(bytes(16), *names).encode()
        self._method = KEX_METHODS[_KEX]
        # A curve has no sides: who responds to a point with one secret twice has the point of it, and what is shared.
        some_point = self._method.respond(SystemEntropy(), (9).to_bytes(32, "little")).reply
        self._public = self._method.respond(self._fixed, some_point).reply
        assign = Assign(
            b"SSH-2.0-pysshd", (_KEX,), ((_HOST_KEY, _BLOB),), (cipher,), (), (_HOST_KEY,), 1 << 30, 3600, 6, 10, 0, 0
        )
        with served:
            monitor.send(assign.encode(), (served.fileno(),))
        monitor.set_blocking(False)
        self._socket.setblocking(False)
        self._writer.raw(_OURS + b"\r\n")
        self._say(self._kexinit)
        loop.watch(self._socket.fileno(), READ, self._heard)
        loop.watch(monitor.fileno(), READ, self._asked)

    def __enter__(self) -> "_Counterpart":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._monitor.close()

    def check(self) -> None:
        """Hear how the connection ended."""
        while (received := self._monitor.recv()) is not None:
            said = decode(received.message, TO_MONITOR)
            if isinstance(said, Bye):
                if said.reason != "the client disconnected" or self._received != _KEYSTROKES:
                    raise BoundaryError(f"rehearsal ended early: {said.reason}")
                return
        raise BoundaryError("rehearsal ended without a word")

    # --- the client

    def _say(self, *payloads: bytes) -> None:
        for payload in payloads:
            self._writer.write(payload)
        outgoing = self._writer.outgoing
        data = bytes(outgoing.view())
        self._socket.send(data)
        outgoing.sent(len(data))

    def _heard(self, _: int) -> None:
        data = self._socket.recv(65536)
        if not data:
            self._loop.watch(self._socket.fileno(), 0, self._heard)
            return
        self._reader.feed(memoryview(data))
        self._version = self._version or (self._reader.line(255) or b"").rstrip(b"\r\n")
        while (payload := self._reader.next()) is not None:
            said = bytes(payload)
            if (act := self._SAID.get(said[0])) is not None:
                act(self, said)
        self._reader.keep()

    def _server_offers(self, said: bytes) -> None:
        self._server_kexinit = said
        self._say(KexEcdhInit(self._public).encode())

    def _server_replies(self, said: bytes) -> None:
        reply = KexEcdhReply.decode(said)
        secret = self._method.respond(self._fixed, reply.server_public).secret
        digest = exchange_hash(
            self._method.hash_name,
            client_version=_OURS,
            server_version=self._version,
            client_kexinit=self._kexinit,
            server_kexinit=self._server_kexinit,
            host_key=reply.host_key,
            client_init=self._public,
            server_reply=reply.server_public,
            secret=secret,
        )
        self._keys = {
            side: derive_keys(self._method.hash_name, secret, digest, digest, side, CIPHERS[self._cipher], None)
            for side in (CLIENT_TO_SERVER, SERVER_TO_CLIENT)
        }
        self._say(NewKeys().encode())
        self._writer.take_key(self._keys[CLIENT_TO_SERVER].sealer(), restart=False)

    def _server_takes_keys(self, _: bytes) -> None:
        self._reader.take_key(self._keys[SERVER_TO_CLIENT].opener(), restart=False)
        self._say(ServiceRequest("ssh-userauth").encode())

    def _server_accepts(self, _: bytes) -> None:
        self._say(_authentication("none", b""))

    def _server_refuses(self, _: bytes) -> None:
        self._say(_authentication("publickey", codec.boolean(False) + codec.text(_HOST_KEY) + codec.string(_BLOB)))

    def _server_knows_key(self, _: bytes) -> None:
        signed = codec.boolean(True) + codec.text(_HOST_KEY) + codec.string(_BLOB) + codec.string(_SIGNATURE)
        self._say(_authentication("publickey", signed))

    def _server_lets_in(self, _: bytes) -> None:
        self._say(ChannelOpen("session", _CHANNEL, 1 << 21, 1 << 15).encode())

    def _server_opens(self, said: bytes) -> None:
        self._channel = int.from_bytes(said[5:9])
        env, command = Env(b"LANG", b"C"), Exec(b"true")
        self._say(
            ChannelRequest(self._channel, "env", False, env.encode()).encode(),
            ChannelRequest(self._channel, "exec", True, command.encode()).encode(),
            ChannelData(self._channel, _TYPED).encode(),
        )

    def _server_sends(self, said: bytes) -> None:
        self._received += said[9:] == _TYPED
        more = ChannelData(self._channel, _TYPED) if self._received < _KEYSTROKES else ChannelEof(self._channel)
        self._say(more.encode())

    def _server_closes(self, _: bytes) -> None:
        self._say(ChannelClose(self._channel).encode(), Disconnect(11, b"", b"").encode())
        # Who disconnects and stays is waited for.
        self._socket.shutdown(socket.SHUT_WR)

    _SAID: Mapping[int, Callable[["_Counterpart", bytes], None]] = {
        MessageNumber.KEXINIT: _server_offers,
        MessageNumber.KEX_ECDH_REPLY: _server_replies,
        MessageNumber.NEWKEYS: _server_takes_keys,
        MessageNumber.SERVICE_ACCEPT: _server_accepts,
        MessageNumber.USERAUTH_FAILURE: _server_refuses,
        MessageNumber.USERAUTH_PK_OK: _server_knows_key,
        MessageNumber.USERAUTH_SUCCESS: _server_lets_in,
        MessageNumber.CHANNEL_OPEN_CONFIRMATION: _server_opens,
        MessageNumber.CHANNEL_DATA: _server_sends,
        MessageNumber.CHANNEL_CLOSE: _server_closes,
    }

    # --- the monitor

    def _asked(self, _: int) -> None:
        received = self._monitor.recv()
        if received is None:
            self._loop.watch(self._monitor.fileno(), 0, self._asked)
            return
        asked = decode(received.message, TO_MONITOR)
        if isinstance(asked, RequestExec):
            self._run(asked)
        elif (answer := _ANSWERS.get(type(asked))) is not None:
            self._monitor.send(answer(asked).encode())

    def _run(self, asked: RequestExec) -> None:
        """Start a program that says what it hears, and ends when it hears no more."""
        pipes = [os.pipe() for _ in range(3)]
        (input_, theirs_in), (theirs_out, output), (theirs_error, error) = pipes
        theirs = (theirs_in, theirs_out, theirs_error)
        self._monitor.send(StartAnswer(asked.call, Streams.PIPES).encode(), theirs)
        for descriptor in (*theirs, error):
            os.close(descriptor)
        self._loop.watch(input_, READ, partial(self._heard_by_program, asked.channel, input_, output))

    def _heard_by_program(self, channel: int, input_: int, output: int, _: int) -> None:
        if data := os.read(input_, 64):
            os.write(output, data)
            return
        self._loop.watch(input_, 0, self._asked)
        os.close(input_)
        os.close(output)
        self._monitor.send(Exited(channel, 0, "", False).encode())


def _authentication(method: str, rest: bytes) -> bytes:
    return UserauthRequest(b"rehearsal", "ssh-connection", method, rest).encode()


_ANSWERS: Final[Mapping[type[Call], Callable[[Any], Call]]] = {
    Sign: lambda asked: SignAnswer(asked.call, _SIGNATURE),
    BeginAuth: lambda asked: Offer(asked.call, ("publickey",), ""),
    OfferNone: lambda asked: AuthAnswer(asked.call, 2, ("publickey",)),
    ProbeKey: lambda asked: AuthAnswer(asked.call, 0, ()),
    VerifyKey: lambda asked: AuthAnswer(asked.call, 0, ()),
    OpenChannel: lambda asked: OpenAnswer(asked.call, 0, ""),
    RequestEnv: lambda asked: RequestAnswer(asked.call, True),
}

"""A machine with what it is fed, in the words of the playbooks."""

from itertools import count
from typing import TypeVar

from pysshd.ssh.events.ids import Ticket
from pysshd.ssh.events.kinds import Event, Verdict
from pysshd.ssh.events.userauth import AuthBegun, AuthOffer, AuthVerdict, Outcome
from pysshd.ssh.userauth.machine import UserauthMachine
from pysshd.ssh.userauth.settings import UserauthSettings
from pysshd.ssh.wire.messages.userauth import (
    HOSTBOUND,
    HostboundBody,
    KeyboardInteractiveBody,
    PasswordBody,
    PublickeyBody,
    UserauthFailure,
    UserauthInfoResponse,
    UserauthRequest,
)

METHODS = ("publickey", "password")
NEXT = ("keyboard-interactive",)
FAILED = UserauthFailure(METHODS).encode()

SUCCESS = AuthVerdict(Outcome.SUCCESS, ())
PARTIAL = AuthVerdict(Outcome.PARTIAL, NEXT)
FAILURE = AuthVerdict(Outcome.FAILURE, METHODS)

_E = TypeVar("_E")


def request(method: str, body: bytes = b"", user: bytes = b"alice", service: str = "ssh-connection") -> bytes:
    return UserauthRequest(user, service, method, body).encode()


NONE = request("none")
PASSWORD = request("password", PasswordBody(False, b"secret").encode())
PROBE = request("publickey", PublickeyBody(False, "ssh-ed25519", b"blob").encode())
SIGNED = request("publickey", PublickeyBody(True, "ssh-ed25519", b"blob", b"signature").encode())
BOUND_PROBE = request(HOSTBOUND, HostboundBody(False, "ssh-ed25519", b"blob", b"host key").encode())
BOUND = request(HOSTBOUND, HostboundBody(True, "ssh-ed25519", b"blob", b"host key", b"signature").encode())
INTERACTIVE = request("keyboard-interactive", KeyboardInteractiveBody(b"", b"totp").encode())


def responses(*texts: bytes) -> bytes:
    return UserauthInfoResponse(texts).encode()


class Driver:
    """Feeds a machine and looks at both of its outputs."""

    def __init__(self, settings: UserauthSettings | None = None) -> None:
        self.machine = UserauthMachine(settings or UserauthSettings(), map(Ticket, count(1)))

    def receive(self, payload: bytes) -> tuple[list[Event], list[bytes]]:
        events = self.machine.receive(memoryview(payload))
        return events, self.machine.take_payloads()

    def answer(self, ticket: Ticket, verdict: Verdict) -> tuple[list[Event], list[bytes]]:
        events = self.machine.answer(ticket, verdict)
        return events, self.machine.take_payloads()

    def begin(self, payload: bytes = NONE, offer: AuthOffer | None = None) -> tuple[list[Event], list[bytes]]:
        """The first request, up to what comes after its offer."""
        events, sent = self.receive(payload)
        assert sent == []
        (begun,) = events
        assert isinstance(begun, AuthBegun)
        return self.answer(begun.ticket, offer or AuthOffer(METHODS, ""))

    def asked(self, payload: bytes, kind: type[_E]) -> _E:
        """The one event that a request makes."""
        events, sent = self.receive(payload)
        assert sent == []
        (event,) = events
        assert isinstance(event, kind)
        return event


def started(settings: UserauthSettings | None = None) -> Driver:
    """A driver whose client has asked for `none`, and was refused."""
    driver = Driver(settings)
    events, _ = driver.begin()
    (event,) = events
    assert driver.answer(event.ticket, FAILURE) == ([], [FAILED])  # type: ignore[union-attr]
    return driver

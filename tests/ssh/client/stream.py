"""The raw client over any byte stream."""

from collections.abc import Callable

from pysshd.ssh.wire.messages.transport import ServiceRequest
from pysshd.ssh.wire.messages.userauth import PasswordBody, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.ssh.client.raw import RawClient


class Conversation:
    """Drives a `RawClient` over two functions: `receive()` gives bytes (none at the end), `send(data)` takes all."""

    def __init__(self, client: RawClient, receive: Callable[[], bytes], send: Callable[[bytes], object]) -> None:
        self.client = client
        self._receive = receive
        self._send = send

    def flush(self) -> None:
        """Send what the client has to say."""
        data = self.client.output()
        if data:
            self._send(data)

    def until(self, *numbers: int) -> bytes:
        """The next message with one of these numbers; `EOFError` where the stream ends before."""
        while True:
            self.flush()
            data = self._receive()
            if not data:
                raise EOFError(f"stream ended before one of the messages {numbers}")
            for payload in self.client.receive(data):
                if payload[0] in numbers:
                    self.flush()
                    return payload

    def rest(self) -> list[bytes]:
        """Every message up to the end of the stream."""
        came: list[bytes] = []
        while data := self._receive():
            came += self.client.receive(data)
        return came

    def connect(self) -> None:
        """The first key exchange."""
        self.client.begin()
        while not self.client.exchanges:
            self.until(MessageNumber.NEWKEYS)

    def request_service(self) -> None:
        """Ask for user authentication."""
        self.client.send(ServiceRequest("ssh-userauth").encode())
        self.until(MessageNumber.SERVICE_ACCEPT)

    def log_in(self, user: str, password: str) -> bool:
        """Log in with a password; whether it worked."""
        body = PasswordBody(False, password.encode()).encode()
        self.client.send(UserauthRequest(user.encode(), "ssh-connection", "password", body).encode())
        answer = self.until(MessageNumber.USERAUTH_SUCCESS, MessageNumber.USERAUTH_FAILURE)
        return answer[0] == MessageNumber.USERAUTH_SUCCESS

"""The requests of the connection as a whole."""

from pysshd.processes.boundary.calls.call import OPEN, Call, call
from pysshd.ssh.wire.messages.fields import Boolean, String, Text, Uint32


@call
class RequestGlobal(Call):
    """A global request without a call of its own; answered by `GlobalAnswer`."""

    NUMBER = 32
    PHASES = OPEN
    call: Uint32
    name: Text
    data: String


@call
class GlobalAnswer(Call):
    """The answer to a global request; `data` follows a success."""

    NUMBER = 109
    call: Uint32
    ok: Boolean
    data: String


@call
class RequestForward(Call):
    """tcpip-forward; answered by `ForwardAnswer`."""

    NUMBER = 33
    PHASES = OPEN
    call: Uint32
    address: Text
    port: Uint32


@call
class CancelForward(Call):
    """cancel-tcpip-forward; answered by `GlobalAnswer`."""

    NUMBER = 34
    PHASES = OPEN
    call: Uint32
    address: Text
    port: Uint32


@call
class ForwardAnswer(Call):
    """The answer to tcpip-forward: the port that listens now, or 0 for a refusal."""

    NUMBER = 110
    call: Uint32
    port: Uint32

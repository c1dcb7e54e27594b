"""What the monitor signs with the host keys, which a worker never sees."""

from pysshd.processes.boundary.calls.call import ANY, OPEN, Call, call
from pysshd.processes.boundary.calls.wire import Strings
from pysshd.ssh.wire.messages.fields import String, Text, Uint32


@call
class Sign(Call):
    """Sign an exchange hash with a host key; the first one of a connection becomes its session id."""

    NUMBER = 2
    PHASES = ANY
    call: Uint32
    algorithm: Text
    exchange_hash: String


@call
class SignAnswer(Call):
    """The signature blob that `Sign` asked for."""

    NUMBER = 102
    call: Uint32
    signature: String


@call
class ProveHostKeys(Call):
    """Sign for these host keys of ours, the session id of this connection with them; answered by `GlobalAnswer`."""

    NUMBER = 35
    PHASES = OPEN
    call: Uint32
    keys: Strings

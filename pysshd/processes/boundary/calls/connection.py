"""What a worker is told when it gets a connection, and what either side says at its end."""

from pysshd.processes.boundary.calls.call import ANY, BEFORE, Call, call
from pysshd.processes.boundary.calls.wire import Fields, HostKeys, Strings
from pysshd.ssh.wire.messages.fields import Boolean, NameList, String, Text, Uint32


@call
class Ready(Call):
    """The worker stands in its sandbox and waits for a connection; what holds, a line each, for the start-up log."""

    NUMBER = 1
    PHASES = BEFORE
    holds: Strings


@call
class Assign(Call):
    """A connection to serve: its socket comes with this call, and all that the protocol needs to know."""

    NUMBER = 101
    identification: String
    kex: NameList
    host_keys: HostKeys
    ciphers: NameList
    macs: NameList
    user_key_algorithms: NameList
    rekey_bytes: Uint32
    rekey_seconds: Uint32
    auth_attempts: Uint32
    sessions: Uint32
    keepalive_seconds: Uint32
    keepalive_count: Uint32
    compression: NameList = ("none",)
    require_strict_kex: Boolean = False
    announced: Strings = ()
    """The blobs of all our host keys, for clients to learn."""


@call
class TakeSeat(Call):
    """One more connection for a worker that serves many, with its `Assign` as that is encoded.

    With it come the connection's own socket to the monitor, and the client's. But for `Knock` it is the only call on
    the socket that such a worker was forked with; all else goes over the connection's own.
    """

    NUMBER = 120
    assign: String


@call
class Knock(Call):
    """Is the loop of a worker that serves many still turning? It is owed one `Here`."""

    NUMBER = 121


@call
class Here(Call):
    """It is. Only as the answer to a `Knock`."""

    NUMBER = 43


@call
class Report(Call):
    """Something for the log that only the worker knows; the monitor knows which events and fields. No answer."""

    NUMBER = 41
    PHASES = ANY
    event: Text
    fields: Fields


@call
class EndConnection(Call):
    """Disconnect the client with this reason code and text, then say goodbye."""

    NUMBER = 112
    reason: Uint32
    text: Text


@call
class Bye(Call):
    """The connection is over; the worker exits once this is sent. No answer."""

    NUMBER = 42
    PHASES = ANY
    reason: Text

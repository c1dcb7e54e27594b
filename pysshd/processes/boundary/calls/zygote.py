"""The calls between the monitor and a zygote or nursery: what to fork, and what came of it.

The monitor asks, and the zygote answers each fork in turn. The first call of either side is `Hello`: two processes of
different versions refuse each other, for an upgrade may have changed everything else here. Nothing is ever pickled.
"""

from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

from pysshd.processes.boundary.calls.call import Call, by_number, call
from pysshd.processes.boundary.socket import MAX_DESCRIPTORS
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.fields import Boolean, NameList, String, Structure, Text, Uint32, Wire, counted, structure

_S = TypeVar("_S", bound=Structure)


def _optional(wire: Wire) -> Wire:
    def write(value: object) -> bytes:
        return codec.boolean(False) if value is None else codec.boolean(True) + wire.write(value)

    return Wire(lambda reader: wire.read(reader) if reader.boolean() else None, write)


def _nested(kind: type[_S]) -> Wire:
    return Wire(lambda reader: kind.decode(reader.string()), lambda value: codec.string(value.encode()))


def _read_pair(reader: Reader) -> tuple[bytes, bytes]:
    return reader.string(), reader.string()


def _write_pair(pair: tuple[bytes, bytes]) -> bytes:
    return codec.string(pair[0]) + codec.string(pair[1])


def _read_limit(reader: Reader) -> tuple[int, int, int]:
    kind, soft, hard = reader.uint32(), reader.uint64(), reader.uint64()
    return kind, -1 if soft == _UNLIMITED else soft, -1 if hard == _UNLIMITED else hard


def _write_limit(limit: tuple[int, int, int]) -> bytes:
    kind, soft, hard = limit
    return codec.uint32(kind) + codec.uint64(soft & _UNLIMITED) + codec.uint64(hard & _UNLIMITED)


_UNLIMITED: Final = (1 << 64) - 1
"""On the wire; in Python it is RLIM_INFINITY, -1."""

_UINT32 = Wire(Reader.uint32, codec.uint32)

CONFINEMENT_WORKS: Final = b"works"
"""What the helper that tries to confine a program answers where that works; anything else is the reason why not."""

Strings = Annotated[tuple[bytes, ...], counted(Reader.string, codec.string, 4, 4096)]
Environment = Annotated[tuple[tuple[bytes, bytes], ...], counted(_read_pair, _write_pair, 8, 1024)]
Groups = Annotated[tuple[int, ...], counted(Reader.uint32, codec.uint32, 4, 8192)]
Uint64 = Annotated[int, Wire(Reader.uint64, codec.uint64)]
Limits = Annotated[tuple[tuple[int, int, int], ...], counted(_read_limit, _write_limit, 20, 16)]
Number = Annotated[int | None, _optional(_UINT32)]


@structure
class Account(Structure):
    """Whom to become: exactly these ids, and of supplementary groups exactly these."""

    uid: Uint32
    gid: Uint32
    groups: Groups = ()


@structure
class Confinement(Structure):
    """What a confined program sees of the host, as `sandbox.namespaces` explains it; paths as bytes."""

    home: String
    hidden: Strings = ()
    read_only: Strings = ()
    scratch_bytes: Uint64 = 64 * 1024 * 1024
    processes: Uint32 = 512


@structure
class SessionSpec(Structure):
    """A program to run as a session: all that it will find, nothing is inherited.

    `argv` begins with the name under which the program is called ("-bash" for a login shell). Where `directory` can not
    be entered as the account, it starts in "/". `account` None means the daemon's own user. With `has_pty` the one
    descriptor beside it is the terminal's slave, else there are three: standard input, output and error. `name` is for
    the process list and the log.

    `limits` are (kind, soft, hard) as of setrlimit(2); none: no core files, and as many open files as programs expect.
    With `system` it is a login of an account of the host: a working folder that can not be entered is told, and with
    `greeting` so is the message of the day. `nologin`: the file for which it is turned away, after its text was shown.
    """

    name: Text
    executable: String
    argv: Strings
    environment: Environment
    directory: String = b"/"
    has_pty: Boolean = False
    account: Annotated[Account | None, _optional(_nested(Account))] = None
    umask: Uint32 = 0o022
    confinement: Annotated[Confinement | None, _optional(_nested(Confinement))] = None
    limits: Limits = ()
    system: Boolean = False
    greeting: Boolean = False
    nologin: String = b""


class ZygoteCall(Call):
    """A call between monitor and zygote; the first byte is its number."""

    __slots__ = ()


# --- monitor to zygote ----------------------------------------------------------------------------------------------


@call
class Greet(ZygoteCall):
    """The monitor's version and process id: the first call, before anything may be forked."""

    NUMBER = 1
    version: Text
    pid: Uint32


@call
class ForkWorker(ZygoteCall):
    """Fork a worker: with it come the worker's end of its socket to the monitor, and a pipe for its last words.

    `level` is the sandbox's; `uid` and `gid` are whom the worker becomes, None where the monitor is no root.
    `algorithms` are the names that the policy offers: what is imported only for some of them is there before the fork.
    `descriptors`: how many it may hold open. `shared`: it serves many connections. With `nursery` it serves none: it
    stands by as such a worker would, but for what would keep it from forking, and is asked for workers in its turn; no
    pipe comes with the call then.
    """

    NUMBER = 2
    level: Text = "require"
    uid: Number = None
    gid: Number = None
    algorithms: NameList = ()
    descriptors: Uint32 = 256
    shared: Boolean = False
    nursery: Boolean = False


@call
class ForkHelper(ZygoteCall):
    """Fork a helper of a kind that the zygote knows: with it come its socket, and a pipe for its last words."""

    NUMBER = 3
    kind: Text


@call
class ForkSession(ZygoteCall):
    """Fork a session: with it come a pipe for what fails before the program runs, then its one or three descriptors.

    `number` is the monitor's for this session, and never used again. The session's process group is ended when the
    monitor dies, unless it was released before.
    """

    NUMBER = 4
    number: Uint64
    spec: Annotated[SessionSpec, _nested(SessionSpec)]


@call
class Release(ZygoteCall):
    """The session is over, or somebody else's: its process group stays when the monitor dies. No answer."""

    NUMBER = 5
    number: Uint64


@call
class Adopt(ZygoteCall):
    """Sessions that an earlier zygote forked; their pidfds come with it, in order. No answer."""

    NUMBER = 6
    numbers: Annotated[tuple[int, ...], counted(Reader.uint64, codec.uint64, 8, MAX_DESCRIPTORS)]
    pids: Annotated[tuple[int, ...], counted(Reader.uint32, codec.uint32, 4, MAX_DESCRIPTORS)]


@call
class Become(ZygoteCall):
    """Become this account for good, as the monitor does; answered by `Done` or `Failed`.

    `algorithms` as in `ForkWorker`: their files may be root's.
    """

    NUMBER = 7
    account: Annotated[Account, _nested(Account)]
    algorithms: NameList = ()


@call
class Retire(ZygoteCall):
    """Exit and end nobody: another zygote has adopted every session. No answer."""

    NUMBER = 8


# --- zygote to monitor ----------------------------------------------------------------------------------------------


@call
class Hello(ZygoteCall):
    """The zygote's version and process id, once everything is imported and warm."""

    NUMBER = 101
    version: Text
    pid: Uint32


@call
class Forked(ZygoteCall):
    """The new child of the monitor; its pidfd comes with it. It runs nothing before this is on its way."""

    NUMBER = 102
    pid: Uint32


@call
class Done(ZygoteCall):
    """What was asked is done."""

    NUMBER = 103


@call
class Failed(ZygoteCall):
    """What was asked did not come to be, and why."""

    NUMBER = 104
    reason: Text


TO_ZYGOTE: Final[Mapping[int, type[Call]]] = by_number(
    Greet, ForkWorker, ForkHelper, ForkSession, Release, Adopt, Become, Retire
)
"""What the zygote reads."""

FROM_ZYGOTE: Final[Mapping[int, type[Call]]] = by_number(Hello, Forked, Done, Failed)
"""What the monitor reads."""


@structure
class SessionFailure(Structure):
    """What a session writes to its pipe where it fails before its program runs; the pipe's plain end means success.

    `stage` is what it was doing, `error` an errno (0: none), `text` the whole story for the log.
    """

    stage: Text
    error: Uint32
    text: Text

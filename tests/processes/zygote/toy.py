"""A zygote with programs of its own: workers that do as they are told, to be killed in every way.

Run as `python -I toy.py [VERSION|reluctant]`; with a version it claims to be of that one. Of a reluctant one the forks
that were not let go take their time to end.
"""

import ctypes
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

if sys.argv[1:] not in ([], ["reluctant"]):
    import pysshd.version

    pysshd.version.__version__ = sys.argv[1]

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pysshd.processes.boundary.calls.zygote import ForkWorker
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.sandbox import profile
from pysshd.processes.session import program as session
from pysshd.processes.zygote.born import Programs
from pysshd.processes.zygote.program import serve

SIGNER = ec.generate_private_key(ec.SECP256R1())


def echo_worker(monitor: Endpoint, asked: ForkWorker, parent: int) -> int:
    """Under the sandbox: send back what comes, but for a few commands."""
    profile.confine_worker("best_effort", uid=asked.uid, gid=asked.gid, parent=parent)
    monitor.send(b"ready")
    while (received := monitor.recv()) is not None:
        obey(received.message)
        monitor.send(received.message, received.fds)
        for descriptor in received.fds:
            os.close(descriptor)
    return 3


def obey(command: bytes) -> None:
    """Do a command that does not come back."""
    if command == b"fault":
        ctypes.string_at(0)
    elif command == b"raise":
        raise RuntimeError("told to fail")
    elif command == b"spin":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            pass


def chance_helper(descriptor: int) -> int:
    """Send what must differ in every process: of the kernel, of the library (a key, a signature's r), of `random`."""
    with Endpoint.from_fd(descriptor) as end:
        key = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
        r, _ = decode_dss_signature(SIGNER.sign(b"", ec.ECDSA(hashes.SHA256())))
        end.send(b"".join((os.urandom(32), key, r.to_bytes(32, "big"), random.randbytes(32))))
    return 0


def descriptors_helper(descriptor: int) -> int:
    """Send the numbers of all open descriptors, as text."""
    with Endpoint.from_fd(descriptor) as end:
        end.send(",".join(sorted(name for name in os.listdir("/proc/self/fd"))).encode())
    return 0


def slow_helper(descriptor: int) -> int:
    """Sleep."""
    time.sleep(60)
    return 0


def end_late(status: int, zygote: int = os.getpid(), end: Callable[[int], NoReturn] = os._exit) -> NoReturn:
    """End, a moment later in a fork."""
    if os.getpid() != zygote:
        time.sleep(0.2)
    end(status)


if __name__ == "__main__":
    if sys.argv[1:] == ["reluctant"]:
        os._exit = end_late
    profile.prepare()
    SIGNER.sign(b"", ec.ECDSA(hashes.SHA256()))
    random.seed(1)
    helpers = {"chance": chance_helper, "descriptors": descriptors_helper, "slow": slow_helper}
    serve(Programs(worker=echo_worker, helpers=helpers, session=session.main))

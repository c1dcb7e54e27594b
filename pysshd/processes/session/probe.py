"""A helper that finds out whether this host lets a program be confined, by confining one."""

import socket

from pysshd.processes.boundary.calls.zygote import CONFINEMENT_WORKS
from pysshd.processes.sandbox.namespaces import supported


def main(descriptor: int) -> int:
    """Answer the one question that comes on the SEQPACKET socket with this number; the exit status."""
    with socket.socket(fileno=descriptor) as end:
        try:
            if not end.recv(1):
                return 1
            reason = supported()
            end.send(CONFINEMENT_WORKS if reason is None else reason.encode("utf-8", "backslashreplace")[:4096])
        except OSError:
            return 1
    return 0

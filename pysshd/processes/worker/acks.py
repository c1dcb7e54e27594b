"""An ACK at once, where a client may be waiting for nothing else.

A client that has not set TCP_NODELAY keeps a short message back while one before it is not acknowledged (RFC 896), and
the kernel keeps an ACK back for some 40 ms, so that an answer can carry it (RFC 1122 §4.2.3.2). Where no answer is due,
each waits for the other. OpenSSH's client sets TCP_NODELAY with its first session alone: until then a login has two
such places, after the client's KEXINIT and after its NEWKEYS. Paramiko never does: with it each further program on a
connection waited so, for the end of the channel before it, and each program that was sent a variable.

What is data is left to the kernel: an echo carries the ACK of a keystroke.
"""

import contextlib
import socket


def acknowledge(client: socket.socket) -> None:
    """Have the kernel send the ACK that it keeps back, if there is one (TCP_QUICKACK, tcp(7))."""
    # What is no TCP has nothing to acknowledge.
    with contextlib.suppress(OSError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

"""An errand of paramiko: `ERRAND=… python -m tests.interop.clients.with_paramiko`, with the streams of `ssh`."""

import base64
import contextlib
import json
import os
import socket
import sys
import threading
from typing import Any

import paramiko

from tests.interop.errand import REFUSED, REPORT, Ended, Errand, host_key_blobs, received, seeded, sum_of

PIECE = 1 << 15


class Transport(paramiko.Transport):  # type: ignore[misc,unused-ignore]
    """Counts the key exchanges."""

    exchanges = 0

    def _parse_newkeys(self, message: Any) -> None:
        self.exchanges += 1
        super()._parse_newkeys(message)


def connect(errand: Errand) -> Transport:
    transport = Transport(socket.create_connection(("127.0.0.1", errand.port), timeout=20))
    options = transport.get_security_options()
    for name, wish in (
        ("kex", errand.kex),
        ("key_types", errand.host_key),
        ("ciphers", errand.cipher),
        ("digests", errand.mac),
    ):
        if wish is not None:
            setattr(options, name, (wish,))
    if errand.rekey is not None:
        transport.packetizer.REKEY_BYTES = errand.rekey
    transport.start_client(timeout=20)
    if base64.b64encode(transport.get_remote_server_key().asbytes()).decode() not in host_key_blobs(errand):
        raise paramiko.SSHException("this is another host")
    if errand.key is not None:
        transport.auth_publickey(errand.login, paramiko.PKey.from_path(errand.key))
    else:
        transport.auth_password(errand.login, errand.password or "", fallback=False)
    return transport


def begin(transport: Transport, errand: Errand) -> Any:
    """A channel with its program."""
    channel = transport.open_session(timeout=30)
    for name, value in errand.environment.items():
        channel.set_environment_variable(name, value)
    if errand.terminal:
        channel.get_pty("xterm", 80, 24)
    if errand.command is None:
        channel.invoke_shell()
    else:
        channel.exec_command(errand.command)
    return channel


def feed(channel: Any) -> None:
    # Without the lock of a buffered file: nobody waits for this thread, and an interpreter that ends while a thread
    # holds the lock of standard input aborts.
    # A server that closes first wants no more of it, which the tests see by what came out.
    with contextlib.suppress(OSError):
        while piece := os.read(0, PIECE):
            channel.sendall(piece)
        channel.shutdown_write()


def drain_errors(channel: Any) -> None:
    while piece := channel.recv_stderr(PIECE):
        sys.stderr.buffer.write(piece)


def one(transport: Transport, errand: Errand) -> int:
    channel = begin(transport, errand)
    threads = [
        threading.Thread(target=feed, args=(channel,), daemon=True),
        threading.Thread(target=drain_errors, args=(channel,)),
    ]
    for thread in threads:
        thread.start()
    while piece := channel.recv(PIECE):
        sys.stdout.buffer.write(piece)
    threads[1].join()
    return int(channel.recv_exit_status())


def many(transport: Transport, errand: Errand) -> int:
    ended: list[Ended] = []

    def run(number: int) -> None:
        channel = begin(transport, errand)
        data = seeded(number, errand.amount)

        def send() -> None:
            channel.sendall(data)
            channel.shutdown_write()

        feeder = threading.Thread(target=send)
        feeder.start()
        came = bytearray()
        while piece := channel.recv(PIECE):
            came += piece
        feeder.join()
        ended.append(Ended(number, channel.recv_exit_status(), sum_of(bytes(came))))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(errand.channels)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in ended:
        print(each.text())
    return 0


def main() -> int:
    errand = received()
    try:
        transport = connect(errand)
    except paramiko.SSHException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return REFUSED
    try:
        return (many if errand.channels else one)(transport, errand)
    finally:
        sys.stdout.flush()
        print(REPORT + json.dumps({"exchanges": transport.exchanges}), file=sys.stderr)
        transport.close()


if __name__ == "__main__":
    sys.exit(main())

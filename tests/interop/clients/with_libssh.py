"""An errand of libssh: `ERRAND=… python -m tests.interop.clients.with_libssh`, with the streams of `ssh`."""

import sys
from pathlib import Path
from typing import Any

from pylibsshext.errors import LibsshSessionException
from pylibsshext.logging import ANSIBLE_PYLIBSSH_NOLOG
from pylibsshext.session import Session

from tests.interop.errand import REFUSED, Ended, Errand, received, seeded, sum_of

PIECE = 1 << 15
PATIENCE = 100
"""Milliseconds to wait for the other side where there is nothing to do."""


def connect(errand: Errand) -> Any:
    known_hosts = Path(errand.folder, "known_hosts")
    known_hosts.write_text("".join(f"[127.0.0.1]:{errand.port} {line}\n" for line in errand.host_keys))
    if (errand.cipher, errand.mac, errand.rekey) != (None, None, None):
        raise ValueError("the Python around libssh has no words for its ciphers, MACs and new keys")
    session = Session()
    session.set_log_level(ANSIBLE_PYLIBSSH_NOLOG)
    session.connect(
        host="127.0.0.1",
        port=errand.port,
        user=errand.login,
        knownhosts=str(known_hosts),
        private_key=Path(errand.key).read_bytes() if errand.key else None,
        password=errand.password,
        look_for_keys=False,
        key_exchange_algorithms=errand.kex,
        hostkeys=errand.host_key,
        timeout=30,
    )
    return session


def begin(session: Any, errand: Errand) -> Any:
    channel = session.new_channel()
    if errand.command is None:
        channel.request_shell()
        return channel
    if errand.terminal:
        channel.request_pty()
    channel.request_exec(errand.command)
    return channel


def take(channel: Any, output: Any, errors: Any) -> bool:
    """Whatever is there; whether there was anything."""
    moved = False
    for number, target in ((0, output), (1, errors)):
        while data := channel.recv(stderr=number):
            target.write(data)
            moved = True
    return moved


def finish(channel: Any, output: Any, errors: Any) -> int:
    """Nothing more is sent: the rest of the output, and the exit status."""
    channel.send_eof()
    while take(channel, output, errors) or not channel.is_eof:
        channel.poll(timeout=PATIENCE)
    status = int(channel.get_channel_exit_status())
    channel.close()
    return status


def one(session: Any, errand: Errand) -> int:
    channel = begin(session, errand)
    output, errors = sys.stdout.buffer, sys.stderr.buffer
    while piece := sys.stdin.buffer.read(PIECE):
        channel.write(piece)
        take(channel, output, errors)
    return finish(channel, output, errors)


class Sink:
    """Bytes of one channel."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


def many(session: Any, errand: Errand) -> int:
    channels = [(begin(session, errand), seeded(number, errand.amount), Sink()) for number in range(errand.channels)]
    for start in range(0, errand.amount, PIECE):
        for channel, data, sink in channels:
            channel.write(data[start : start + PIECE])
            take(channel, sink, sink)
    for number, (channel, _, sink) in enumerate(channels):
        status = finish(channel, sink, sink)
        print(Ended(number, status, sum_of(bytes(sink.data))).text())
    return 0


def main() -> int:
    errand = received()
    try:
        session = connect(errand)
    except LibsshSessionException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return REFUSED
    try:
        return (many if errand.channels else one)(session, errand)
    finally:
        session.close()


if __name__ == "__main__":
    sys.exit(main())

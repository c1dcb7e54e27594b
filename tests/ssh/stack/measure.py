"""What the stack costs: CPU seconds per gigabyte of channel data in packets of 32 KiB, by cipher and direction.

    python -m tests.ssh.stack.measure [MEGABYTES]

No socket: the client's packets are made before the clock starts, in reads of 256 KiB, and what is sent is dropped.
"""

import sys
import time
from collections.abc import Iterator

from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.events.channels import DataReceived
from pysshd.ssh.events.ids import ChannelId
from pysshd.ssh.wire.messages.connection import ChannelData
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import House, Link, settings

PACKET = 32 << 10
BATCH = 8
GIGABYTE = 1_000_000_000
CHANNEL = ChannelId(0)


def suites() -> Iterator[tuple[str, str]]:
    """Every cipher, with every MAC where it needs one."""
    for name, spec in CIPHERS.items():
        yield from ((name, mac) for mac in (MACS if spec.needs_mac else [next(iter(MACS))]))


def _link(cipher: str, mac: str) -> Link:
    client = RawClient(ciphers=[cipher], macs=[mac], kex=["curve25519-sha256"])
    return Link(House(settings(rekey_bytes=0)), client).to_session(window=0xFFFFFFFF)


def sending(cipher: str, mac: str, megabytes: int) -> float:
    """CPU seconds per gigabyte from us to the client."""
    stack = _link(cipher, mac).house.stack
    data = memoryview(bytes(PACKET * BATCH))
    turns = megabytes * 1_000_000 // len(data)
    start = time.process_time()
    for _ in range(turns):
        stack.send_data(CHANNEL, data)
        stack.output.sent(len(stack.output.view()))
    return (time.process_time() - start) / (turns * len(data)) * GIGABYTE


def receiving(cipher: str, mac: str, megabytes: int) -> float:
    """CPU seconds per gigabyte from the client to us."""
    link = _link(cipher, mac)
    stack, client = link.house.stack, link.client
    message = ChannelData(0, bytes(PACKET)).encode()
    spent = 0.0
    rounds = max(1, megabytes // 32)
    total = 0
    for _ in range(rounds):
        for _ in range(1000):
            client.send(message)
        wire = memoryview(client.output())
        start = time.process_time()
        for at in range(0, len(wire), 256 << 10):
            for event in stack.receive_data(wire[at : at + (256 << 10)], 1000.0):
                if type(event) is DataReceived:
                    total += len(event.data)
                    stack.consumed(CHANNEL, len(event.data))
        stack.output.sent(stack.output.waiting)
        spent += time.process_time() - start
    assert total == rounds * 1000 * PACKET
    return spent / total * GIGABYTE


def main() -> None:
    """Print a table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    print(f"{'cipher':32}{'mac':34}{'sending':>9}{'receiving':>11}   CPU s/GB")
    for cipher, mac in suites():
        shown = mac if CIPHERS[cipher].needs_mac else ""
        print(f"{cipher:32}{shown:34}{sending(cipher, mac, megabytes):9.2f}{receiving(cipher, mac, megabytes):11.2f}")


if __name__ == "__main__":
    main()

"""Much data one way, by OpenSSH's client: how fast, and what it costs the server."""

import os
from functools import partial
from pathlib import Path

from tests.bench.hands import Hands
from tests.bench.measures.base import Benchmark, Figure, Sizes, Taken
from tests.bench.place import CIPHERS
from tests.bench.servers.base import Running
from tests.bench.ssh_client import connected

SPEED = Figure("speed", "MB/s", more=True)
CPU = Figure("server cpu", "CPU s/GB")
MEGA, GIGA = 1e6, 1e9
BLOCK = 128_000


def download(server: Running, _: Hands, sizes: Sizes, *, cipher: str) -> Taken:
    """From a program of the server to the client."""
    return _transfer(server, cipher, sizes.bulk_bytes, up=False)


def upload(server: Running, _: Hands, sizes: Sizes, *, cipher: str) -> Taken:
    """From the client to a program of the server."""
    return _transfer(server, cipher, sizes.bulk_bytes, up=True)


def _transfer(server: Running, name: str, size: int, *, up: bool) -> Taken:
    cipher, mac = CIPHERS[name]
    count = max(1, size // BLOCK)
    command = "cat > /dev/null" if up else f"dd if=/dev/zero bs={BLOCK} count={count} status=none"
    source = _zeros(server.place.folder / "zeros", count) if up else Path(os.devnull)
    with connected(server, cipher=cipher, mac=mac) as connection, source.open("rb") as reading:
        before = server.kept.settled_cpu()
        seconds = connection.run(command, stdin=reading)
        used = server.kept.settled_cpu() - before
    return {SPEED.name: count * BLOCK / seconds / MEGA, CPU.name: used / (count * BLOCK / GIGA)}


def _zeros(path: Path, count: int) -> Path:
    """A file of `count` blocks that the kernel has in memory.

    Made once: the pages of a new file, or of a hole, are cleared when they are first read, which takes a client longer
    than all else that it does.
    """
    if not path.exists() or path.stat().st_size != count * BLOCK:
        with path.open("wb") as file:
            for _ in range(count):
                file.write(bytes(BLOCK))
    return path


def _benchmark(cipher: str, way: str) -> Benchmark:
    how = {"download": download, "upload": upload}[way]
    return Benchmark(
        f"{way}-{cipher}",
        f"bulk {way} with {' and '.join(filter(None, CIPHERS[cipher]))}",
        "OpenSSH's ssh",
        (SPEED, CPU),
        partial(how, cipher=cipher),
    )


BULK = tuple(_benchmark(cipher, way) for cipher in CIPHERS for way in ("download", "upload"))

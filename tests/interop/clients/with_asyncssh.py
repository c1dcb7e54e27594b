"""An errand of AsyncSSH: `ERRAND=… python -m tests.interop.clients.with_asyncssh`, with the streams of `ssh`."""

import asyncio
import json
import sys
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import asyncssh

from tests.interop.errand import REFUSED, REPORT, Ended, Errand, received, seeded, sum_of

PIECE = 1 << 16
exchanges = 0


def settings(errand: Errand) -> dict[str, Any]:
    known_hosts = Path(errand.folder, "known_hosts")
    known_hosts.write_text("".join(f"[127.0.0.1]:{errand.port} {line}\n" for line in errand.host_keys))
    chosen: dict[str, Any] = {
        "port": errand.port,
        "username": errand.login,
        "known_hosts": str(known_hosts),
        "config": None,
        "agent_path": None,
        "client_keys": [errand.key] if errand.key else [],
        "preferred_auth": "publickey" if errand.key else "password",
        "password": errand.password,
        "login_timeout": 30,
    }
    for name, wish in (
        ("kex_algs", errand.kex),
        ("server_host_key_algs", errand.host_key),
        ("encryption_algs", errand.cipher),
        ("mac_algs", errand.mac),
    ):
        if wish is not None:
            chosen[name] = [wish]
    if errand.rekey is not None:
        chosen["rekey_bytes"] = errand.rekey
    return chosen


class Connection(asyncssh.SSHClientConnection):  # type: ignore[misc,unused-ignore]
    """Counts the key exchanges."""

    def send_newkeys(self, *arguments: Any) -> None:
        global exchanges
        exchanges += 1
        super().send_newkeys(*arguments)


def begin(connection: Any, errand: Errand) -> Any:
    more: dict[str, Any] = {"term_type": "xterm", "term_size": (80, 24)} if errand.terminal else {}
    return connection.create_process(errand.command, env=dict(errand.environment), encoding=None, **more)


async def copy(source: Any, target: BinaryIO) -> None:
    while piece := await source.read(PIECE):
        target.write(piece)


async def feed(process: Any, source: BinaryIO) -> None:
    try:
        while piece := source.read(PIECE):
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.write_eof()
    except BrokenPipeError:
        pass


async def one(connection: Any, errand: Errand) -> int:
    process = await begin(connection, errand)
    await asyncio.gather(
        feed(process, sys.stdin.buffer),
        copy(process.stdout, sys.stdout.buffer),
        copy(process.stderr, sys.stderr.buffer),
    )
    await process.wait_closed()
    status = process.exit_status
    return REFUSED if status is None else int(status)


async def channel(connection: Any, errand: Errand, number: int) -> Ended:
    process = await begin(connection, errand)

    async def send() -> None:
        data = memoryview(seeded(number, errand.amount))
        for start in range(0, len(data), PIECE):
            process.stdin.write(bytes(data[start : start + PIECE]))
            await process.stdin.drain()
        process.stdin.write_eof()

    _, came = await asyncio.gather(send(), process.stdout.read())
    await process.wait_closed()
    return Ended(number, process.exit_status, sum_of(came))


async def many(connection: Any, errand: Errand) -> int:
    for each in await asyncio.gather(*(channel(connection, errand, number) for number in range(errand.channels))):
        print(each.text())
    return 0


async def main() -> int:
    errand = received()
    # It calls some of our algorithms old, and they are meant.
    warnings.simplefilter("ignore")
    # The function that connects makes objects of this class, which has no other way to be watched.
    asyncssh.connection.SSHClientConnection = Connection
    try:
        connection = await asyncssh.connect("127.0.0.1", **settings(errand))
    except (asyncssh.Error, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return REFUSED
    async with connection:
        status = await (many if errand.channels else one)(connection, errand)
    sys.stdout.flush()
    print(REPORT + json.dumps({"exchanges": exchanges}), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

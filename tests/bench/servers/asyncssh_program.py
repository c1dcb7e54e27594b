"""The AsyncSSH server itself. Run as `python -m tests.bench.servers.asyncssh_program PORT HOST_KEY KEYS SHELL`."""

import asyncio
import os
import subprocess
import sys

import asyncssh

from tests.bench.place import CIPHER_NAMES, HOST, KEX, MAC_NAMES, SHELL_LEVEL


async def run(process: "asyncssh.SSHServerProcess[bytes]", shell: str) -> None:
    """Run the command of a session by the shell of its user, as the other servers do."""
    child = subprocess.Popen(
        [shell, "-c", process.command or "true"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **SHELL_LEVEL},
    )
    try:
        # The end of its output is sent with the exit status: a client that has both ends may hang up before that.
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr, send_eof=False)
        await process.stdout.drain()
        process.exit(0)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


async def serve(port: int, host_key: str, keys: str, shell: str) -> None:
    """Serve for ever."""

    async def session(process: "asyncssh.SSHServerProcess[bytes]") -> None:
        await run(process, shell)

    await asyncssh.listen(
        HOST,
        port,
        server_host_keys=[host_key],
        authorized_client_keys=keys,
        process_factory=session,
        encoding=None,
        allow_pty=False,
        agent_forwarding=False,
        gss_host=None,
        kex_algs=[KEX],
        encryption_algs=list(CIPHER_NAMES),
        mac_algs=list(MAC_NAMES),
        compression_algs=["none"],
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:5]))

"""Key exchange methods, MACs, host key types and compression with the real client; what it lacks, by a raw one."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pysshd.ssh.crypto.catalogue import PROFILES
from pysshd.ssh.wire.messages.transport import Ping
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.client import Keys
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import Daemon, serving
from tests.live.wire import wire

COMPATIBLE = PROFILES["compatible"]
CRYPTO = "crypto: {profile: compatible, compression: +zlib@openssh.com}\n"
CURVES = {f"ecdsa-sha2-nistp{bits}": bits for bits in (256, 384, 521)}
CTR_MACS = [(cipher, mac) for cipher in ("aes128-ctr", "aes256-ctr") for mac in COMPATIBLE.macs]
KIB = 1024


def known(kind: str) -> set[str]:
    """What the client of this machine can do."""
    return set(subprocess.run(["ssh", "-Q", kind], capture_output=True, text=True, check=True).stdout.split())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    """All that is served, with a host key of each type."""
    files = [*keys.host_keys(), *(keys.private(f"host_{name}", "ecdsa", bits) for name, bits in CURVES.items())]
    with serving(CRYPTO + OWNER, keys, server=[f"host_keys: [{', '.join(map(str, files))}]"]) as daemon:
        lines = [f"[127.0.0.1]:{daemon.port} {file.with_suffix('.pub').read_text()}" for file in files]
        daemon.client.known_hosts.write_text("".join(lines))
        yield daemon


@pytest.mark.parametrize("kex", COMPATIBLE.kex)
def test_key_exchange_methods_of_the_real_client(house: Daemon, kex: str) -> None:
    if kex not in known("kex"):
        pytest.skip(f"ssh of this machine has no {kex}")
    since = len(house.events())
    sent = os.urandom(300 * KIB)
    # Small enough that keys are exchanged several times.
    done = house.client.run("cat", stdin=sent, KexAlgorithms=kex, Ciphers="aes128-ctr", RekeyLimit="100K")
    assert (done.returncode, digest(done.stdout), done.stderr) == (0, digest(sent), b"")
    assert house.wait_event("login.accepted", since=since)


@pytest.mark.parametrize("kex", COMPATIBLE.kex)
def test_key_exchange_methods_of_the_raw_client(house: Daemon, kex: str) -> None:
    with wire(house, kex=[kex]) as raw:
        assert raw.client.choice is not None
        assert raw.client.choice.kex == kex


ASYNCSSH = """
import asyncio, asyncssh, sys

async def main() -> None:
    port, key, kex = sys.argv[1:]
    options = {"known_hosts": None, "client_keys": [key], "agent_path": None, "config": None, "username": "alice"}
    async with asyncssh.connect("127.0.0.1", int(port), kex_algs=[kex], mac_algs=["hmac-sha2-256"],
                                encryption_algs=["aes128-ctr"], **options) as connection:
        print((await connection.run("echo done")).stdout, end="")

asyncio.run(main())
"""


@pytest.mark.parametrize("kex", COMPATIBLE.kex)
def test_key_exchange_methods_of_asyncssh(house: Daemon, keys: Keys, kex: str) -> None:
    # The only client around that knows the hybrids with NIST curves; it has an implementation of its own of all.
    pytest.importorskip("asyncssh")
    words = [sys.executable, "-W", "ignore", "-c", ASYNCSSH, str(house.port), str(keys.private("alice")), kex]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.security("S06")
@pytest.mark.parametrize(("cipher", "mac"), CTR_MACS)
def test_macs(house: Daemon, cipher: str, mac: str) -> None:
    sent = os.urandom(500 * KIB)
    done = house.client.run("cat", stdin=sent, Ciphers=cipher, MACs=mac, RekeyLimit="200K")
    assert (done.returncode, digest(done.stdout), done.stderr) == (0, digest(sent), b"")


@pytest.mark.parametrize("algorithm", [*CURVES, "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"])
def test_host_keys(house: Daemon, algorithm: str) -> None:
    done = house.client.run("exit 7", HostKeyAlgorithms=algorithm)
    assert (done.returncode, done.stderr) == (7, b"")


@pytest.mark.parametrize(
    # The client changes keys after that many blocks, of which it counts the bytes of the packet at hand as many.
    ("cipher", "limit"),
    [("aes256-gcm@openssh.com", "540K"), ("chacha20-poly1305@openssh.com", "275K"), ("aes128-ctr", "540K")],
)
@pytest.mark.parametrize("mac", ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-256"])
def test_compression_both_ways_with_new_keys(house: Daemon, cipher: str, limit: str, mac: str) -> None:
    sent = b"".join(b"line %d of a text that is like the others\n" % number for number in range(40_000))
    done = house.client.run(
        "cat", stdin=sent, Ciphers=cipher, MACs=mac, RekeyLimit=limit, options=("-C",), LogLevel="DEBUG1"
    )
    said = done.stderr.decode()
    assert (done.returncode, digest(done.stdout)) == (0, digest(sent)), said[-2000:]
    assert "compression: zlib@openssh.com" in said
    assert said.count("SSH2_MSG_NEWKEYS received") > 2
    moved = re.search(r"Transferred: sent (\d+), received (\d+) bytes", said)
    assert moved is not None
    assert all(len(sent) // 100 < int(size) < len(sent) // 3 for size in moved.groups())


def test_compression_of_what_can_not_be_compressed(house: Daemon) -> None:
    sent = os.urandom(3 << 20)
    done = house.client.run("cat", stdin=sent, RekeyLimit="1M", options=("-C",))
    assert (done.returncode, digest(done.stdout), done.stderr) == (0, digest(sent), b"")


@pytest.mark.security("S36")
def test_the_default_serves_none_of_it(daemon: Daemon) -> None:
    weak = {
        "KexAlgorithms": set(COMPATIBLE.kex) - set(PROFILES["default"].kex),
        "MACs": set(COMPATIBLE.macs) - set(PROFILES["default"].macs),
        "HostKeyAlgorithms": set(CURVES),
    }
    for setting, names in weak.items():
        kind = {"KexAlgorithms": "kex", "MACs": "mac", "HostKeyAlgorithms": "key"}[setting]
        offered = ",".join(sorted(names & known(kind)))
        chosen: dict[str, Any] = {setting: offered}
        done = daemon.client.run("exit 0", Ciphers="aes128-ctr", LogLevel="INFO", **chosen)
        assert done.returncode == 255
        assert b"no matching" in done.stderr
    done = daemon.client.run("exit 0", options=("-C",), LogLevel="DEBUG1")
    assert done.returncode == 0
    assert b"compression: zlib" not in done.stderr


@pytest.mark.security("S25")
def test_the_strict_profile(serve: Serve) -> None:
    with serve("crypto: {profile: strict}\n" + OWNER) as daemon:
        assert daemon.client.run("exit 0", KexAlgorithms="curve25519-sha256").returncode == 255
        with wire(daemon, kex=PROFILES["strict"].kex) as raw:
            assert raw.client.strict
        with wire(daemon, exchange=False, kex=PROFILES["strict"].kex, markers=("ext-info-c",)) as lax:
            lax.client.begin()
            assert int.from_bytes(lax.until(MessageNumber.DISCONNECT)[1:5], "big") == 3


@pytest.mark.security("S14")
def test_ping_is_told_of_and_answered_after_login(house: Daemon, keys: Keys) -> None:
    with wire(house) as raw:
        (told,) = [one for one in raw.client.received if one[0] == MessageNumber.EXT_INFO]
        for name in (b"server-sig-algs", b"ping@openssh.com", b"publickey-hostbound@openssh.com"):
            assert name in told
        assert raw.sign_in(b"alice", keys.private("alice"))[0] == MessageNumber.USERAUTH_SUCCESS
        raw.client.send(Ping(b"are you there").encode())
        assert raw.until(MessageNumber.PONG)[5:] == b"are you there"
    with wire(house) as raw:
        raw.client.send(Ping(b"too early").encode())
        assert raw.until(MessageNumber.DISCONNECT, MessageNumber.PONG)[0] == MessageNumber.DISCONNECT

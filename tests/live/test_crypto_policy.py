"""`crypto` of the policy, as clients meet it: what is offered is what the file says, and nothing else is chosen."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pysshd.ssh.crypto.catalogue import ALL_NAMES, PROFILES
from pysshd.ssh.transport.negotiate import EXT_INFO_CLIENT
from pysshd.ssh.wire.messages.transport import ExtInfo, KexInit
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.live.client import Keys
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import Daemon, serving, until
from tests.live.wire import Wire, wire

DEBUG = ("--log-level", "debug")

PEOPLE = """
users: {alice: {keys: ["@@alice@@", "@@rsa2048@@", "@@rsa3072@@", "@@ecdsa@@"]}}
roles: {owner: {shell: true, exec: any, env: {set: {SHLVL: "1"}}}}
grants: [{who: alice, roles: owner}]
"""


@pytest.fixture
def more_keys(keys: Keys) -> Keys:
    keys.private("rsa2048", "rsa", 2048)
    keys.private("rsa3072", "rsa", 3072)
    keys.private("ecdsa", "ecdsa", 256)
    return keys


def offered(at: Wire) -> KexInit:
    (payload,) = [payload for payload in at.client.received if payload[0] == N.KEXINIT]
    return KexInit.decode(payload)


# --- strict key exchange


@pytest.mark.security("S25")
@pytest.mark.parametrize("required", [True, False])
def test_a_peer_without_strict_key_exchange_is_as_the_policy_says(
    serve: Serve, more_keys: Keys, required: bool
) -> None:
    crypto = "crypto: {require_strict_kex: true}\n" if required else ""
    with serve(crypto + PEOPLE, arguments=DEBUG) as daemon:
        lax: dict[str, Any] = {"markers": (EXT_INFO_CLIENT,), "ciphers": ("chacha20-poly1305@openssh.com",)}
        with wire(daemon, exchange=False, **lax) as at:
            if required:
                at.client.begin()
                at.flush()
                numbers, reason = at.end()
                assert (N.NEWKEYS in numbers, N.KEX_ECDH_REPLY in numbers, reason) == (False, False, 3)
                failed = daemon.wait_event("connection.failed")
                assert "kex-strict-c-v00@openssh.com, which the policy requires" in failed["detail"]
            else:
                at.connect()
                assert daemon.wait_event("connection.negotiated")["strict"] == "no"
        with wire(daemon) as at:
            assert at.sign_in(b"alice", more_keys.private("alice"))[0] == N.USERAUTH_SUCCESS


# --- what is offered, and what is chosen

ONE_OF_EACH = """
crypto:
  kex: [curve25519-sha256]
  host_key_algorithms: [rsa-sha2-512]
  ciphers: [aes256-ctr]
  macs: [hmac-sha2-256-etm@openssh.com]
"""
OTHERS = {
    "kex": ("mlkem768x25519-sha256", "curve25519-sha256@libssh.org"),
    "host_keys": ("ssh-ed25519", "rsa-sha2-256"),
    "ciphers": ("chacha20-poly1305@openssh.com", "aes128-ctr"),
    "macs": ("hmac-sha2-512-etm@openssh.com",),
}


@pytest.fixture(scope="module")
def one_of_each(keys: Keys) -> Iterator[Daemon]:
    with serving(ONE_OF_EACH + OWNER, keys, arguments=DEBUG) as daemon:
        yield daemon


def test_what_the_policy_names_is_all_that_is_offered(one_of_each: Daemon) -> None:
    only: dict[str, Any] = {
        "kex": ("curve25519-sha256",), "host_keys": ("rsa-sha2-512",), "ciphers": ("aes256-ctr",),
        "macs": ("hmac-sha2-256-etm@openssh.com",),
    }  # fmt: skip
    with wire(one_of_each, **only) as at:
        told = offered(at)
        assert told.kex_algorithms == ("curve25519-sha256", "kex-strict-s-v00@openssh.com")
        assert told.server_host_key_algorithms == ("rsa-sha2-512",)
        assert told.encryption_client_to_server == told.encryption_server_to_client == ("aes256-ctr",)
        assert told.mac_client_to_server == told.mac_server_to_client == ("hmac-sha2-256-etm@openssh.com",)
        assert told.compression_client_to_server == told.compression_server_to_client == ("none",)
    event = one_of_each.wait_event("connection.negotiated")
    assert (event["kex"], event["host_key"], event["cipher"]) == ("curve25519-sha256", "rsa-sha2-512", "aes256-ctr")
    assert one_of_each.ssh("echo here").stdout == b"here\n"


@pytest.mark.security("S36")
@pytest.mark.parametrize("kind", OTHERS)
def test_a_client_with_others_alone_is_told_no_and_the_log_has_both_lists(one_of_each: Daemon, kind: str) -> None:
    before = len(one_of_each.events())
    names = OTHERS[kind]
    alone: dict[str, Any] = {kind: names}
    with wire(one_of_each, exchange=False, auto=False, **alone) as at:
        at.client.begin()
        at.flush()
        numbers, reason = at.end()
        assert (N.NEWKEYS in numbers, reason) == (False, 3)

    def failures() -> list[str]:
        # An end of the connection before this one may be written late.
        return [event["detail"] for event in one_of_each.events()[before:] if event["event"] == "connection.failed"]

    until(lambda: any(",".join(names) in each for each in failures()), what="both lists in the log")
    detail = next(each for each in failures() if ",".join(names) in each)
    ours = {"kex": "curve25519-sha256", "host_keys": "rsa-sha2-512", "ciphers": "aes256-ctr",
            "macs": "hmac-sha2-256-etm@openssh.com"}[kind]  # fmt: skip
    assert f"this server {ours}" in detail


@pytest.mark.security("S36")
@pytest.mark.parametrize(
    "option",
    ["KexAlgorithms=curve25519-sha256@libssh.org", "Ciphers=aes128-gcm@openssh.com", "HostKeyAlgorithms=ssh-ed25519",
     "MACs=hmac-sha2-512-etm@openssh.com"],
)  # fmt: skip
def test_the_real_client_finds_nothing_in_common(one_of_each: Daemon, option: str) -> None:
    name, _, value = option.partition("=")
    done = one_of_each.ssh("true", LogLevel="INFO", **{name: value})
    assert done.returncode == 255
    assert b"no matching" in done.stderr


# --- keys of users


def server_sig_algs(at: Wire) -> tuple[str, ...]:
    (payload,) = [payload for payload in at.client.received if payload[0] == N.EXT_INFO]
    said = dict(ExtInfo.decode(payload).extensions)
    assert said["publickey-hostbound@openssh.com"] == b"0"
    return tuple(said["server-sig-algs"].decode().split(","))


def test_the_algorithms_of_user_keys_are_told_and_kept_to(serve: Serve, more_keys: Keys) -> None:
    crypto = "crypto: {user_key_algorithms: '-ecdsa-*,rsa-sha2-256', min_rsa_bits: 3072}\n"
    with serve(crypto + PEOPLE) as daemon:
        with wire(daemon) as at:
            assert server_sig_algs(at) == ("ssh-ed25519", "rsa-sha2-512")
        for key, status in (("alice", 0), ("ecdsa", 255), ("rsa2048", 255), ("rsa3072", 0)):
            assert daemon.ssh("true", key=key).returncode == status, key
        only = daemon.ssh("true", key="rsa3072", PubkeyAcceptedAlgorithms="rsa-sha2-256")
        assert only.returncode == 255
        reasons = [event["reason"] for event in daemon.events("login.key_refused")]
        assert "rsa key has 2048 bits, the policy expects at least 3072" in reasons
        warned = [event["detail"] for event in daemon.events("daemon.warning") if "lets nobody in" in event["detail"]]
        assert len(warned) == 2


# --- profiles

COMPATIBLE = PROFILES["compatible"]


@pytest.fixture(scope="module")
def compatible(keys: Keys) -> Iterator[Daemon]:
    hosts = (*keys.host_keys(), keys.private("host_ecdsa", "ecdsa", 256))
    crypto = "crypto: {profile: compatible, compression: +zlib@openssh.com}\n"
    with serving(crypto + OWNER, keys, server=[f"host_keys: [{', '.join(map(str, hosts))}]"]) as daemon:
        known = Path(daemon.client.known_hosts)
        with known.open("a") as file:
            file.write(f"[127.0.0.1]:{daemon.port} {hosts[2].with_suffix('.pub').read_text()}")
        yield daemon


def of_the_client(query: str, kind: str) -> list[str]:
    """What the client that is installed can do of what the profile offers."""
    said = subprocess.run(["ssh", "-Q", query], capture_output=True, text=True, check=True).stdout.split()
    return [name for name in getattr(COMPATIBLE, kind) if name in said]


def test_the_compatible_profile_is_warned_of_by_name_at_the_start(compatible: Daemon) -> None:
    text = "\n".join(event["detail"] for event in compatible.events("daemon.warning"))
    for kind in ("kex", "host_key_algorithms", "macs"):
        for name in set(getattr(COMPATIBLE, kind)) - set(getattr(PROFILES["default"], kind)):
            assert name in text
    ready = [event["event"] for event in compatible.events()].index("daemon.ready")
    assert all("weak" not in str(event.get("detail")) for event in compatible.events()[ready:])


def test_the_real_client_by_every_method_of_the_compatible_profile(compatible: Daemon) -> None:
    names = of_the_client("kex", "kex")
    assert {"ecdh-sha2-nistp256", "diffie-hellman-group16-sha512"} <= set(names)
    for name in names:
        done = compatible.ssh("echo here", KexAlgorithms=name)
        assert done.stdout == b"here\n", (name, done.stderr)


@pytest.mark.parametrize("name", ["ecdsa-sha2-nistp256", "rsa-sha2-256", "ssh-ed25519"])
def test_the_real_client_by_every_kind_of_host_key(compatible: Daemon, name: str) -> None:
    assert compatible.ssh("echo here", HostKeyAlgorithms=name).stdout == b"here\n"


@pytest.mark.parametrize("name", [name for name in COMPATIBLE.macs if "etm" not in name])
def test_the_real_client_by_macs_over_the_plaintext(compatible: Daemon, name: str) -> None:
    done = compatible.ssh("cat", stdin=bytes(300_000), Ciphers="aes128-ctr", MACs=name)
    assert (done.returncode, done.stdout) == (0, bytes(300_000))


def test_the_real_client_compressed(compatible: Daemon) -> None:
    done = compatible.ssh("cat", stdin=bytes(300_000), Compression="yes", LogLevel="DEBUG1")
    assert (done.returncode, done.stdout) == (0, bytes(300_000))
    assert b"compression: zlib@openssh.com" in done.stderr


def test_every_name_that_may_be_offered_is(compatible: Daemon) -> None:
    with wire(compatible) as at:
        told = offered(at)
        assert set(told.kex_algorithms) - {"kex-strict-s-v00@openssh.com"} == ALL_NAMES["kex"]
        assert set(told.mac_client_to_server) == ALL_NAMES["macs"]
        assert told.compression_client_to_server == ("none", "zlib@openssh.com")
        assert "ecdsa-sha2-nistp256" in told.server_host_key_algorithms


def test_the_strict_profile_lets_in_who_is_strict_and_after_quantum(serve: Serve, more_keys: Keys) -> None:
    with serve("crypto: {profile: strict}\n" + PEOPLE) as daemon:
        with wire(daemon) as at:
            assert offered(at).kex_algorithms == ("mlkem768x25519-sha256", "kex-strict-s-v00@openssh.com")
            assert at.sign_in(b"alice", more_keys.private("alice"))[0] == N.USERAUTH_SUCCESS
        with wire(daemon, exchange=False, markers=()) as at:
            at.client.begin()
            at.flush()
            assert at.end()[1] == 3

"""Host keys as clients come to know them: rotation, certificates, and logins that are bound to one."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pysshd.ssh.crypto.keys import parse_public_key
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader
from pysshd.ssh.wire.messages.connection import GlobalRequest
from pysshd.ssh.wire.messages.requests import decode_strings, encode_strings
from pysshd.ssh.wire.messages.userauth import HOSTBOUND
from pysshd.ssh.wire.numbers import MessageNumber as N
from tests.live.client import Keys
from tests.live.conftest import OWNER, Serve
from tests.live.daemon import IS_ROOT, Daemon, open_folder, service_user, until
from tests.live.wire import Wire, wire

ALIAS = "the-host"
PROVE = "hostkeys-prove-00@openssh.com"


class HostFolder:
    """A folder of host keys that a daemon of any mode may read, and what clients know of the host."""

    def __init__(self, stack: ExitStack) -> None:
        self.folder = stack.enter_context(open_folder())
        self.keys = self.folder / "keys"
        self.keys.mkdir()
        self.known = self.folder / "known_hosts"

    def add(self, name: str = "", kind: str = "ed25519", bits: int | None = None) -> str:
        """A new key; its type and base64."""
        file = f"ssh_host_{kind}{f'_{name}' if name else ''}_key"
        made = Keys(self.keys).private(file, kind, bits)
        self.own()
        return " ".join(made.with_suffix(".pub").read_text().split()[:2])

    def remove(self, name: str = "") -> None:
        for path in self.keys.glob(f"ssh_host_ed25519{f'_{name}' if name else ''}_key*"):
            path.unlink()

    def own(self) -> None:
        """Root may have made what the daemon's own user is to own."""
        if IS_ROOT:
            uid = service_user().pw_uid
            for path in (self.keys, *self.keys.iterdir()):
                subprocess.run(["chown", str(uid), str(path)], check=True)

    def know(self, *lines: str) -> None:
        """What the client knows of the host."""
        self.known.write_text("".join(f"{line}\n" for line in lines))

    @property
    def server(self) -> list[str]:
        return [f"host_keys: {{directory: {self.keys}}}"]

    @property
    def client(self) -> dict[str, Any]:
        return {"HostKeyAlias": ALIAS, "UserKnownHostsFile": str(self.known), "UpdateHostKeys": "yes"}


@pytest.fixture
def host() -> Iterator[HostFolder]:
    with ExitStack() as stack:
        yield HostFolder(stack)


def test_a_client_learns_the_next_key_and_comes_in_when_the_old_one_is_gone(host: HostFolder, serve: Serve) -> None:
    old, following, rsa = host.add(), host.add("next"), host.add(kind="rsa", bits=3072)
    host.know(f"{ALIAS} {old}")
    with serve(OWNER, server=host.server) as daemon:
        # The client asks for proofs while its session runs; it ends once it has written them down.
        client = daemon.client.start("cat", **host.client)
        until(lambda: following in host.known.read_text() and rsa in host.known.read_text(), 15, "known_hosts grows")
        client.communicate(timeout=20)
        assert client.returncode == 0
        assert old in host.known.read_text()
        assert not daemon.events("worker.violation")

    host.remove()
    with serve(OWNER, server=host.server) as daemon:
        client = daemon.client.start("cat", **{**host.client, "HostKeyAlgorithms": "ssh-ed25519"})
        until(lambda: old not in host.known.read_text(), 15, "the old key is forgotten")
        client.communicate(timeout=20)
        assert client.returncode == 0
        assert following in host.known.read_text()

    # Whoever never learned it is warned by the client, as by a stranger's key.
    host.know(f"{ALIAS} {old}")
    with serve(OWNER, server=host.server) as daemon:
        refused = daemon.ssh("true", **{**host.client, "HostKeyAlgorithms": "ssh-ed25519"})
        assert refused.returncode == 255


def certified(host: HostFolder, *words: str, key: str = "ssh_host_ed25519_key") -> str:
    """A certificate beside a host key, by an authority of its own; the authority's line."""
    authority = Keys(host.folder).private("authority")
    public = host.keys / f"{key}.pub"
    subprocess.run(
        ["ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", *words, str(public)], check=True
    )  # fmt: skip
    host.own()
    return authority.with_suffix(".pub").read_text().strip()


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_certificate_is_enough_for_whoever_trusts_its_authority(host: HostFolder, serve: Serve, kind: str) -> None:
    host.add(kind=kind, bits=3072 if kind == "rsa" else None)
    authority = certified(host, "-n", ALIAS, key=f"ssh_host_{kind}_key")
    host.know(f"@cert-authority {ALIAS} {authority}")
    with serve(OWNER, server=host.server) as daemon:
        done = daemon.ssh("echo here", **{**host.client, "LogLevel": "DEBUG3"})
        assert done.stdout == b"here\n", done.stderr[-3000:]
        assert b"Server host certificate" in done.stderr
        assert b"publickey-hostbound-v00@openssh.com" in done.stderr
        said = daemon.events("daemon.host_certificate")[0]
        assert (said["names"], said["until"]) == (ALIAS, "for ever")
        name = {"ed25519": "ssh-ed25519", "rsa": "rsa-sha2-512"}[kind]
        assert f"kex: host key algorithm: {name}-cert-v01@openssh.com".encode() in done.stderr
        other = daemon.ssh("true", **{**host.client, "HostKeyAlias": "another-host"})
        assert other.returncode == 255


def test_an_expired_certificate_is_left_out_with_a_warning(host: HostFolder, serve: Serve) -> None:
    public = host.add()
    certified(host, "-n", ALIAS, "-V", "20200101:20210101")
    host.know(f"{ALIAS} {public}")
    with serve(OWNER, server=host.server) as daemon:
        assert daemon.ssh("true", **host.client).returncode == 0
        (warning,) = [e for e in daemon.events("daemon.warning") if "certificate" in e["detail"]]
        assert "expired at 2021-01-01" in warning["detail"]
        assert not daemon.events("daemon.host_certificate")


# --- proofs, without manners


def ask_for_proofs(at: Wire, data: bytes) -> bytes:
    at.say(GlobalRequest(PROVE, True, data).encode())
    return at.until(N.REQUEST_SUCCESS, N.REQUEST_FAILURE, N.DISCONNECT)


def announced(at: Wire) -> tuple[bytes, ...]:
    """The host keys that the server told, right after its success."""
    for payload in at.client.received:
        if payload[0] == N.GLOBAL_REQUEST:
            request = GlobalRequest.decode(payload)
            assert (request.name, request.want_reply) == ("hostkeys-00@openssh.com", False)
            return decode_strings(request.data)
    raise AssertionError("no host keys were told")


@pytest.mark.security("S96")
def test_proofs_are_given_for_our_keys_and_this_session_alone(daemon: Daemon, keys: Keys) -> None:
    with wire(daemon) as at:
        assert at.sign_in(b"alice", keys.private("alice"))[0] == N.USERAUTH_SUCCESS
        # A failure that is sure to come shows that all before it was read.
        assert ask_for_proofs(at, b"")[0] == N.REQUEST_FAILURE
        told = announced(at)
        lines = [key.with_suffix(".pub").read_text().split()[0] for key in keys.host_keys()]
        assert [Reader(blob).string().decode() for blob in told] == lines
        answer = ask_for_proofs(at, encode_strings(told))
        assert answer[0] == N.REQUEST_SUCCESS
        session_id = at.client.session_id
        assert session_id is not None
        for blob, proof in zip(told, decode_strings(answer[1:]), strict=True):
            signed = codec.text(PROVE) + codec.string(session_id) + codec.string(blob)
            parse_public_key(blob).verify(Reader(proof).string().decode(), proof, signed)
        alien = told[0][:-1] + bytes([told[0][-1] ^ 1])
        for junk in (b"\0", bytes(40), b"\xff" * 40, encode_strings([b"junk"]), encode_strings([*told, alien]),
                     encode_strings([codec.text(PROVE) + codec.string(session_id) + codec.string(told[0])]),
                     encode_strings([session_id]), encode_strings(list(told) * 40)):  # fmt: skip
            assert ask_for_proofs(at, junk) == bytes([N.REQUEST_FAILURE])
        assert ask_for_proofs(at, encode_strings(told))[0] == N.REQUEST_SUCCESS
    assert not daemon.events("worker.violation")


@pytest.mark.security("S47")
@pytest.mark.security("S96")
def test_nobody_gets_a_proof_before_the_login(daemon: Daemon, keys: Keys) -> None:
    with wire(daemon) as at:
        at.say(GlobalRequest(PROVE, True, encode_strings([at.client.host_key])).encode())
        numbers, reason = at.end()
        assert (N.REQUEST_SUCCESS in numbers, reason) == (False, 2)


# --- logins that are bound to the host key, without manners


def bound_body(at: Wire, key: Path, host_key: bytes, **options: bytes) -> bytes:
    return at.signed(b"alice", key, method=HOSTBOUND, host_key=host_key, **options)


def test_a_bound_login_is_taken(daemon: Daemon, keys: Keys) -> None:
    with wire(daemon) as at:
        body = bound_body(at, keys.private("alice"), at.client.host_key)
        assert at.request(b"alice", HOSTBOUND, body)[0] == N.USERAUTH_SUCCESS


@pytest.mark.security("S54")
@pytest.mark.parametrize(
    "what", ["other host key", "client's own key", "empty", "as plain", "plain as bound", "swapped"]
)
def test_a_login_bound_to_anything_else_fails(daemon: Daemon, keys: Keys, what: str) -> None:
    alice = keys.private("alice")
    with wire(daemon) as at:
        ours = at.client.host_key
        other = parse_public_key(ours).blob[:-1] + bytes([ours[-1] ^ 1])
        method = HOSTBOUND
        if what == "other host key":
            body = bound_body(at, alice, other)
        elif what == "client's own key":
            body = bound_body(at, alice, bytes(at.key_blob(alice)))
        elif what == "empty":
            body = bound_body(at, alice, b"")
        elif what == "as plain":  # signed for this host, sent without the host key
            body, method = at.signed(b"alice", alice, method=HOSTBOUND, host_key=ours, shown=b""), "publickey"
        elif what == "plain as bound":
            body = at.signed(b"alice", alice, shown=ours)
        else:  # signed over one host key, sent with another
            body = bound_body(at, alice, other, shown=ours)
        assert at.request(b"alice", method, body)[0] == N.USERAUTH_FAILURE
        good = bound_body(at, alice, ours)
        assert at.request(b"alice", HOSTBOUND, good)[0] == N.USERAUTH_SUCCESS


@pytest.mark.security("S54")
def test_a_bound_login_of_another_session_fails(daemon: Daemon, keys: Keys) -> None:
    with wire(daemon) as first, wire(daemon) as second:
        assert first.client.host_key == second.client.host_key
        body = bound_body(first, keys.private("alice"), first.client.host_key)
        assert second.request(b"alice", HOSTBOUND, body)[0] == N.USERAUTH_FAILURE
        assert first.request(b"alice", HOSTBOUND, body)[0] == N.USERAUTH_SUCCESS


def test_the_real_client_binds_its_login(daemon: Daemon) -> None:
    done = daemon.ssh("true", LogLevel="DEBUG3")
    assert done.returncode == 0
    assert b"publickey-hostbound@openssh.com=<0>" in done.stderr
    assert b"using publickey-hostbound-v00@openssh.com" in done.stderr

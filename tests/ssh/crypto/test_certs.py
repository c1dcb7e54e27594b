"""Certificates made by `ssh-keygen` and by hand: what they say, and what is refused."""

import base64
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import InvalidKeyError
from pysshd.ssh.crypto import certs
from pysshd.ssh.crypto.certs import (
    CERTIFICATE_ALGORITHMS,
    CERTIFICATE_TYPES,
    FOREVER,
    CertificateKind,
    certificate_algorithms,
    check_certificate,
    parse_certificate,
    parse_certificate_line,
    plain_algorithm,
)
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import SIGNATURE_ALGORITHMS, parse_public_key, parse_public_key_line
from pysshd.ssh.crypto.private_keys import PrivateKey, private_key_to_openssh
from pysshd.ssh.wire import codec

KEYGEN = shutil.which("ssh-keygen") or ""
needs_keygen = pytest.mark.skipif(not KEYGEN, reason="ssh-keygen is not installed")
KINDS = [("ed25519", None), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 3072)]
every_kind = pytest.mark.parametrize(("kind", "bits"), KINDS, ids=lambda value: str(value))

NOW = 1_800_000_000


@cache
def key(kind: str = "ed25519", bits: int | None = None, number: int = 0) -> PrivateKey:
    return generate_private_key(kind, bits)


def packed(names: tuple[str, ...]) -> bytes:
    return b"".join(map(codec.text, names))


def options(*pairs: tuple[str, bytes]) -> bytes:
    return b"".join(codec.text(name) + codec.string(data) for name, data in pairs)


@dataclass(frozen=True)
class Recipe:
    """A certificate to be made, field by field as PROTOCOL.certkeys lists them."""

    subject: PrivateKey
    authority: PrivateKey
    type: str = ""
    key_type: str = ""
    serial: int = 7
    kind: int = 2
    key_id: bytes = b"the host"
    principals: bytes = packed(("host.example", "host"))
    after: int = 0
    before: int = FOREVER
    critical: bytes = b""
    extensions: bytes = b""
    reserved: bytes = b""
    authority_blob: bytes = b""
    algorithm: str = ""
    behind: bytes = b""
    changed: Callable[[bytes], bytes] = field(default=bytes)

    def make(self) -> bytes:
        plain = self.subject.public
        head = codec.text(plain.key_type)
        body = codec.text(self.type or f"{plain.key_type}-cert-v01@openssh.com") + codec.string(b"n" * 32)
        body += plain.blob[len(head) :] + codec.uint64(self.serial) + codec.uint32(self.kind)
        body += codec.string(self.key_id) + codec.string(self.principals)
        body += codec.uint64(self.after) + codec.uint64(self.before)
        body += codec.string(self.critical) + codec.string(self.extensions) + codec.string(self.reserved)
        body += codec.string(self.authority_blob or self.authority.public.blob)
        signature = self.authority.sign(self.algorithm or self.authority.algorithms[0], body)
        return self.changed(body + codec.string(signature)) + self.behind


HOST = Recipe(key(), key("ecdsa", 256))


def keygen(*arguments: object) -> str:
    words = [KEYGEN, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


@needs_keygen
@every_kind
@pytest.mark.parametrize("authority", [("ed25519", None), ("ecdsa", 384), ("rsa", 3072)], ids=lambda value: value[0])
def test_certificates_of_ssh_keygen(tmp_path: Path, kind: str, bits: int | None, authority: tuple[str, Any]) -> None:
    for name, (of, size) in {"ca": authority, "host": (kind, bits)}.items():
        private = key(of, size, 1)
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_bytes(private_key_to_openssh(private))
        (tmp_path / f"{name}.pub").write_text(f"{private.public.line}\n")
    words = ["-s", tmp_path / "ca", "-h", "-I", "my host", "-n", "a.example,b", "-z", 42]
    keygen("-q", *words, "-V", "20270101000000Z:20280101000000Z", tmp_path / "host.pub")
    line = (tmp_path / "host-cert.pub").read_text()
    made = parse_certificate_line(line)
    assert made.key == parse_public_key_line((tmp_path / "host.pub").read_text())
    assert made.authority == parse_public_key_line((tmp_path / "ca.pub").read_text())
    assert (made.serial, made.kind, made.key_id) == (42, CertificateKind.HOST, "my host")
    assert made.principals == ("a.example", "b")
    assert (made.valid_after, made.valid_before) == (1798761600, 1830297600)
    assert (made.critical_options, made.extensions) == ((), ())
    assert made.algorithms == certificate_algorithms(made.key)
    check_certificate(made, CertificateKind.HOST, 1800000000)


@needs_keygen
def test_user_certificate_of_ssh_keygen(tmp_path: Path) -> None:
    for name in ("ca", "user"):
        keygen("-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name)
    words = ["-s", tmp_path / "ca", "-I", "alice", "-n", "alice", "-O", "force-command=id", "-O", "no-x11-forwarding"]
    keygen("-q", *words, "-O", "source-address=10.0.0.0/8", tmp_path / "user.pub")
    made = parse_certificate_line((tmp_path / "user-cert.pub").read_text())
    assert made.kind is CertificateKind.USER
    assert made.critical_options == (
        ("force-command", codec.string(b"id")),
        ("source-address", codec.string(b"10.0.0.0/8")),
    )
    assert [name for name, _ in made.extensions] == [
        "permit-agent-forwarding",
        "permit-port-forwarding",
        "permit-pty",
        "permit-user-rc",
    ]
    assert (made.valid_after, made.valid_before) == (0, FOREVER)
    with pytest.raises(InvalidKeyError, match="critical option 'force-command'"):
        check_certificate(made, CertificateKind.USER, NOW, "alice")
    check_certificate(made, CertificateKind.USER, NOW, "alice", ("force-command", "source-address"))


@every_kind
def test_certificate_made_by_hand(kind: str, bits: int | None) -> None:
    subject = key(kind, bits)
    made = parse_certificate(replace(HOST, subject=subject).make())
    assert made.key == subject.public
    assert made.key_type == f"{subject.public.key_type}-cert-v01@openssh.com"
    assert made.principals == ("host.example", "host")
    assert made.signature_algorithm == "ecdsa-sha2-nistp256"
    assert [plain_algorithm(name) for name in made.algorithms] == list(subject.algorithms)
    # What its key signs verifies by the plain algorithm (PROTOCOL.certkeys).
    for name in made.algorithms:
        made.key.verify(plain_algorithm(name), subject.sign(plain_algorithm(name), b"hash"), b"hash")


def test_names() -> None:
    assert plain_algorithm("rsa-sha2-512-cert-v01@openssh.com") == "rsa-sha2-512"
    assert plain_algorithm("ssh-ed25519") == "ssh-ed25519"
    assert set(CERTIFICATE_ALGORITHMS.values()) == set(SIGNATURE_ALGORITHMS)
    # SHA-1 has a name of its own as a type, and none as an algorithm.
    assert "ssh-rsa-cert-v01@openssh.com" in CERTIFICATE_TYPES
    assert "ssh-rsa-cert-v01@openssh.com" not in CERTIFICATE_ALGORITHMS


RSA = key("rsa", 3072)


def sha1_signed(blob: bytes) -> bytes:
    """The same, with a signature that calls itself ssh-rsa: SHA-1."""
    # The last 408 bytes: a string of an algorithm's name of 12 bytes and a signature of 384.
    return blob[:-408] + codec.string(codec.text("ssh-rsa") + blob[-388:])


def flipped(blob: bytes) -> bytes:
    return blob[:60] + bytes([blob[60] ^ 1]) + blob[61:]


BAD = {
    "signature of another key": replace(HOST, authority_blob=key("ecdsa", 256, 1).public.blob),
    "nested": replace(HOST, authority_blob=HOST.make()),
    "authority of no kind": replace(HOST, authority_blob=codec.text("ssh-dss") + codec.mpint(5)),
    "small rsa authority": replace(
        HOST, authority_blob=codec.text("ssh-rsa") + codec.mpint(3) + codec.mpint(1 << 1023 | 1)
    ),
    "unknown kind": replace(HOST, kind=3),
    "kind 0": replace(HOST, kind=0),
    "type of another key": replace(HOST, type="ssh-rsa-cert-v01@openssh.com"),
    "unknown type": replace(HOST, type="ssh-dss-cert-v01@openssh.com"),
    "old type": replace(HOST, type="ssh-ed25519-cert-v00@openssh.com"),
    "plain type": replace(HOST, type="ssh-ed25519"),
    "reserved": replace(HOST, reserved=b"x"),
    "bytes behind": replace(HOST, behind=b"\0"),
    "many principals": replace(HOST, principals=packed(("p",)) * 257),
    "cut principals": replace(HOST, principals=packed(("host",))[:-1]),
    "principal not utf-8": replace(HOST, principals=codec.string(b"\xff")),
    "options twice": replace(HOST, critical=options(("a", b""), ("a", b""))),
    "options not in order": replace(HOST, extensions=options(("b", b""), ("a", b""))),
    "many options": replace(HOST, extensions=options(*((f"{n:03}", b"") for n in range(65)))),
    "option without data": replace(HOST, critical=codec.text("a")),
    "too long": replace(HOST, extensions=options(("a", bytes(certs.CERTIFICATE_SIZE_MAX)))),
    "changed": replace(HOST, changed=flipped),
    "sha-1": replace(HOST, authority=RSA, changed=sha1_signed),
}


@pytest.mark.security("S61")
@pytest.mark.parametrize("what", BAD)
def test_bad_certificates(what: str) -> None:
    with pytest.raises(InvalidKeyError):
        parse_certificate(BAD[what].make())


def test_reasons_are_told() -> None:
    for what, why in {
        "nested": "authority of the certificate: public key is of type b'ssh-ed25519-cert-v01@openssh.com'",
        "sha-1": "certificate is signed with 'ssh-rsa', which is not accepted",
        "signature of another key": "certificate is not signed by its authority",
        "unknown type": "certificate is of type 'ssh-dss-cert-v01@openssh.com', which is not accepted",
    }.items():
        with pytest.raises(InvalidKeyError, match=why):
            parse_certificate(BAD[what].make())


def test_certificate_cut_anywhere_is_refused() -> None:
    blob = HOST.make()
    for size in range(len(blob)):
        with pytest.raises(InvalidKeyError):
            parse_certificate(blob[:size])


@given(st.integers(0, 600), st.binary(min_size=1, max_size=8))
def test_certificate_with_other_bytes_is_refused_or_the_same(at: int, noise: bytes) -> None:
    blob = HOST.make()
    changed = blob[:at] + noise + blob[at + len(noise) :]
    try:
        made = parse_certificate(changed)
    except InvalidKeyError:
        return
    assert made.blob == changed
    # Nothing that is signed can be another; an ECDSA signature is no part of what it signs.
    end = blob.index(HOST.authority.public.blob) + len(HOST.authority.public.blob)
    assert changed[:end] == blob[:end]


def test_checks() -> None:
    host = parse_certificate(replace(HOST, after=NOW, before=NOW + 100).make())
    check_certificate(host, CertificateKind.HOST, NOW)
    check_certificate(host, CertificateKind.HOST, NOW + 99.9, "host")
    for kind, now, principal, why in (
        (CertificateKind.USER, NOW, None, "is of kind host, expected user"),
        (CertificateKind.HOST, NOW - 0.1, None, "is not valid yet"),
        (CertificateKind.HOST, NOW + 100, None, "has expired"),
        (CertificateKind.HOST, NOW, "hos", "does not name 'hos'"),
        (CertificateKind.HOST, NOW, "HOST", "does not name"),
        (CertificateKind.HOST, NOW, "host.example,host", "does not name"),
        (CertificateKind.HOST, NOW, "*", "does not name"),
    ):
        with pytest.raises(InvalidKeyError, match=why):
            check_certificate(host, kind, now, principal)
    nobody = parse_certificate(replace(HOST, principals=b"").make())
    with pytest.raises(InvalidKeyError, match="does not name 'root'"):
        check_certificate(nobody, CertificateKind.HOST, NOW, "root")
    critical = parse_certificate(replace(HOST, critical=options(("new", b""))).make())
    with pytest.raises(InvalidKeyError, match="critical option 'new', which is not known here"):
        check_certificate(critical, CertificateKind.HOST, NOW)
    check_certificate(critical, CertificateKind.HOST, NOW, options=["new"])


def test_lines() -> None:
    encoded = base64.b64encode(HOST.make()).decode()
    assert parse_certificate_line(f"ssh-ed25519-cert-v01@openssh.com {encoded} a comment\n").serial == 7
    for line in (
        f"ssh-ed25519 {encoded}",
        f"ssh-rsa-cert-v01@openssh.com {encoded}",
        f"ssh-ed25519-cert-v01@openssh.com {encoded[:-4]}",
        f'cert-authority,principals="x" ssh-ed25519-cert-v01@openssh.com {encoded}',
        "ssh-ed25519-cert-v01@openssh.com",
        "",
    ):
        with pytest.raises(InvalidKeyError):
            parse_certificate_line(line)
    with pytest.raises(InvalidKeyError, match="type"):
        parse_public_key(HOST.make())

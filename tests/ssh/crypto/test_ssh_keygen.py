"""Keys and signatures exchanged with the `ssh-keygen` of this machine, in both directions."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from pysshd.errors import InvalidKeyError
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key_line
from pysshd.ssh.crypto.private_keys import PrivateKey, load_private_key, private_key_to_openssh
from pysshd.ssh.wire import codec
from pysshd.ssh.wire.codec import Reader

KEYGEN = shutil.which("ssh-keygen") or ""
pytestmark = pytest.mark.skipif(not KEYGEN, reason="ssh-keygen is not installed")

NAMESPACE = b"pysshd-test"
MAGIC = b"SSHSIG"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
KINDS = {
    "ssh-ed25519": ["-t", "ed25519"],
    "ecdsa-sha2-nistp256": ["-t", "ecdsa", "-b", "256"],
    "ecdsa-sha2-nistp384": ["-t", "ecdsa", "-b", "384"],
    "ecdsa-sha2-nistp521": ["-t", "ecdsa", "-b", "521"],
    "ssh-rsa": ["-t", "rsa", "-b", "3072"],
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def keygen(*arguments: str | Path, data: bytes = b"") -> bytes:
    return subprocess.run([KEYGEN, *arguments], input=data, capture_output=True, check=True).stdout


def made(folder: Path, kind: str, *options: str, passphrase: str = "") -> Path:
    path = folder / "key"
    keygen("-q", *KINDS[kind], *options, "-N", passphrase, "-C", "comment of mine", "-f", path)
    return path


def signed_data(message: bytes, hash_name: str) -> bytes:
    """What an SSHSIG signature is over (OpenSSH's PROTOCOL.sshsig)."""
    digest = hashlib.new(hash_name, message).digest()
    return MAGIC + b"".join(map(codec.string, (NAMESPACE, b"", hash_name.encode(), digest)))


@every_kind
@pytest.mark.parametrize("options", [[], ["-m", "PEM"], ["-m", "PKCS8"]], ids=["openssh", "pem", "pkcs8"])
def test_its_keys_load(tmp_path: Path, kind: str, options: list[str]) -> None:
    path = made(tmp_path, kind, *options)
    public = parse_public_key_line(path.with_suffix(".pub").read_text())
    assert (public.key_type, public.comment) == (kind, "comment of mine")
    private = load_private_key(path.read_bytes())
    assert private.public == public
    bits, fingerprint = keygen("-l", "-f", path).decode().split()[:2]
    assert (int(bits), fingerprint) == (public.bits, public.fingerprint)


@every_kind
def test_our_keys_load_there(tmp_path: Path, kind: str) -> None:
    words = KINDS[kind]
    key = generate_private_key(words[1], int(words[3]) if len(words) > 2 else None)
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(private_key_to_openssh(key))
    assert parse_public_key_line(keygen("-y", "-f", path).decode()) == key.public
    public = tmp_path / "line.pub"
    public.write_text(key.public.line + "\n")
    assert keygen("-l", "-f", public).decode().split()[1] == key.public.fingerprint


@every_kind
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_its_signatures_verify(tmp_path: Path, kind: str, hash_name: str) -> None:
    path = made(tmp_path, kind)
    message = b"a message\n"
    armour = keygen(
        "-Y", "sign", "-q", "-n", NAMESPACE.decode(), "-O", f"hashalg={hash_name}", "-f", path, data=message
    )
    lines = armour.decode().splitlines()
    assert (lines[0], lines[-1]) == (BEGIN, END)
    reader = Reader(base64.b64decode("".join(lines[1:-1])))
    assert (reader.raw(6), reader.uint32()) == (MAGIC, 1)
    public = parse_public_key_line(path.with_suffix(".pub").read_text())
    assert reader.string() == public.blob
    assert (reader.string(), reader.string(), reader.text()) == (NAMESPACE, b"", hash_name)
    signature = reader.string()
    algorithm = Reader(signature).text()
    assert algorithm in public.algorithms
    public.verify(algorithm, signature, signed_data(message, hash_name))


@every_kind
def test_our_signatures_verify_there(tmp_path: Path, kind: str) -> None:
    key = load_private_key(made(tmp_path, kind).read_bytes())
    message = b"a message\n"
    for algorithm in key.algorithms:
        path = tmp_path / "signature"
        path.write_text(armoured(key, algorithm, message))
        arguments = ("-Y", "check-novalidate", "-n", NAMESPACE.decode(), "-s", path)
        assert key.public.fingerprint in keygen(*arguments, data=message).decode()
        with pytest.raises(subprocess.CalledProcessError):
            keygen(*arguments, data=message + b"!")


def armoured(key: PrivateKey, algorithm: str, message: bytes) -> str:
    public: PublicKey = key.public
    signature = key.sign(algorithm, signed_data(message, "sha512"))
    fields = b"".join(map(codec.string, (public.blob, NAMESPACE, b"", b"sha512", signature)))
    encoded = base64.b64encode(MAGIC + codec.uint32(1) + fields).decode()
    return "\n".join([BEGIN, *(encoded[at : at + 70] for at in range(0, len(encoded), 70)), END, ""])


@every_kind
@pytest.mark.parametrize("options", [[], ["-m", "PEM"], ["-m", "PKCS8"]], ids=["openssh", "pem", "pkcs8"])
def test_its_keys_with_a_passphrase_are_refused_by_name(tmp_path: Path, kind: str, options: list[str]) -> None:
    path = made(tmp_path, kind, *options, "-a", "1", passphrase="secret")
    with pytest.raises(InvalidKeyError, match="passphrase"):
        load_private_key(path.read_bytes())


@pytest.mark.security("S40")
def test_its_small_rsa_keys_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keygen("-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", path)
    with pytest.raises(InvalidKeyError, match="1024 bits"):
        parse_public_key_line(path.with_suffix(".pub").read_text())
    with pytest.raises(InvalidKeyError, match="1024 bits"):
        load_private_key(path.read_bytes())


def test_its_certificates_are_refused_by_type(tmp_path: Path) -> None:
    authority, user = tmp_path / "ca", tmp_path / "user"
    keygen("-q", "-t", "ed25519", "-N", "", "-f", authority)
    keygen("-q", "-t", "ed25519", "-N", "", "-f", user)
    keygen("-q", "-s", authority, "-I", "id", "-n", "alice", user.with_suffix(".pub"))
    with pytest.raises(InvalidKeyError, match="ssh-ed25519-cert-v01"):
        parse_public_key_line((tmp_path / "user-cert.pub").read_text())

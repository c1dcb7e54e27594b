"""The key object given to hooks, held against what ssh-keygen says of the same key."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from pysshd.errors import InvalidKeyError
from pysshd.server.keys import PKey
from pysshd.server.message import Message
from pysshd.ssh.crypto.keys import parse_public_key, parse_public_key_line

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")

KINDS = [("ed25519", "256", "ssh-ed25519"), ("ecdsa", "384", "ecdsa-sha2-nistp384"), ("rsa", "2048", "ssh-rsa")]


def keygen(*words: str) -> str:
    return subprocess.run(["ssh-keygen", *words], check=True, capture_output=True, text=True, timeout=50).stdout


@pytest.fixture(params=KINDS, ids=[kind[0] for kind in KINDS])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[PKey, Path, tuple[str, str, str]]:
    kind = request.param
    path = tmp_path / "key"
    keygen("-q", "-t", kind[0], "-b", kind[1], "-N", "", "-f", str(path))
    return PKey(parse_public_key_line(path.with_suffix(".pub").read_text())), path, kind


def test_a_key_is_what_ssh_keygen_says(made: tuple[PKey, Path, tuple[str, str, str]]) -> None:
    key, path, (_, bits, name) = made
    line = path.with_suffix(".pub").read_text().split()
    assert key.get_name() == name
    assert key.get_bits() == int(bits)
    assert key.get_base64() == line[1]
    assert key.asbytes() == bytes(key) == base64.b64decode(line[1])
    shown = keygen("-l", "-f", f"{path}.pub").split()
    assert key.fingerprint == shown[1]
    md5 = keygen("-l", "-E", "md5", "-f", f"{path}.pub").split()[1].removeprefix("MD5:")
    assert key.get_fingerprint().hex(":") == md5
    assert key.can_sign() is False
    assert key.fingerprint in repr(key)


def test_keys_are_equal_by_their_bytes(made: tuple[PKey, Path, tuple[str, str, str]]) -> None:
    key, _, _ = made
    same = PKey(parse_public_key(key.asbytes(), comment="other"))
    assert key == same
    assert hash(key) == hash(same)
    assert key != key.asbytes()
    assert len({key, same}) == 1


def test_a_signature_of_ssh_keygen_verifies(made: tuple[PKey, Path, tuple[str, str, str]], tmp_path: Path) -> None:
    key, path, _ = made
    data = tmp_path / "data"
    data.write_bytes(b"signed data")
    keygen("-Y", "sign", "-n", "test", "-f", str(path), str(data))
    armour = data.with_suffix(".sig").read_text().splitlines()
    # OpenSSH's PROTOCOL.sshsig: magic, version, key, namespace, reserved, hash name, signature
    blob = Message(base64.b64decode("".join(armour[1:-1])))
    assert blob.get_bytes(6) == b"SSHSIG"
    blob.get_int()
    assert blob.get_binary() == key.asbytes()
    namespace, reserved, digest_name, signature = (blob.get_binary() for _ in range(4))
    assert digest_name == b"sha512"
    digest = hashlib.sha512(b"signed data").digest()
    signed = Message().add_bytes(b"SSHSIG").add(namespace, reserved, digest_name, digest).asbytes()
    assert key.verify_ssh_sig(signed, Message(signature)) is True
    assert key.verify_ssh_sig(signed + b"x", Message(signature)) is False
    assert key.verify_ssh_sig(signed, Message(signature[:-1])) is False
    assert key.verify_ssh_sig(signed, Message(b"")) is False


@pytest.mark.security("S56")
@pytest.mark.parametrize("cut", range(0, 51, 5))
def test_a_mangled_key_is_an_error_and_no_crash(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    keygen("-q", "-t", "ed25519", "-N", "", "-f", str(path))
    blob = parse_public_key_line(path.with_suffix(".pub").read_text()).blob
    with pytest.raises(InvalidKeyError):
        parse_public_key(blob[:cut])

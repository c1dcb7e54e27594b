"""Private keys: what is loaded, what is refused, and that no faulty signature leaves."""

import base64
import copy
import functools
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.private_keys import FILE_SIZE_MAX, PrivateKey, load_private_key, private_key_to_openssh

KINDS: dict[str, Callable[[], Any]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": functools.partial(rsa.generate_private_key, 65537, 3072),
    "ecdsa-256": functools.partial(ec.generate_private_key, ec.SECP256R1()),
    "ecdsa-384": functools.partial(ec.generate_private_key, ec.SECP384R1()),
    "ecdsa-521": functools.partial(ec.generate_private_key, ec.SECP521R1()),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
PEM_FORMATS = [
    (kind, private_format)
    for kind in KINDS
    for private_format in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    if (kind, private_format) != ("ed25519", PrivateFormat.TraditionalOpenSSL)
]


@functools.cache
def private(kind: str) -> Any:
    return KINDS[kind]()


def stored(
    key: Any,
    private_format: PrivateFormat = PrivateFormat.OpenSSH,
    encryption: KeySerializationEncryption | None = None,
    encoding: Encoding = Encoding.PEM,
) -> bytes:
    data: bytes = key.private_bytes(encoding, private_format, encryption or NoEncryption())
    return data


@pytest.mark.parametrize(("kind", "private_format"), [*PEM_FORMATS, *((kind, PrivateFormat.OpenSSH) for kind in KINDS)])
def test_every_format_gives_the_same_key(kind: str, private_format: PrivateFormat) -> None:
    key = load_private_key(stored(private(kind), private_format))
    assert key.public == PrivateKey(private(kind)).public
    for algorithm in key.algorithms:
        key.public.verify(algorithm, key.sign(algorithm, b"data"), b"data")


@every_kind
def test_what_is_written_can_be_loaded(kind: str) -> None:
    key = PrivateKey(private(kind))
    written = private_key_to_openssh(key)
    assert written.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert load_private_key(written).public == key.public


@pytest.mark.parametrize(("kind", "private_format"), PEM_FORMATS)
def test_key_with_a_passphrase_is_refused_by_name(kind: str, private_format: PrivateFormat) -> None:
    with pytest.raises(InvalidKeyError, match="passphrase"):
        load_private_key(stored(private(kind), private_format, BestAvailableEncryption(b"secret")))


@pytest.mark.security("S40")
def test_rsa_host_key_has_3072_bits_at_least() -> None:
    small = stored(rsa.generate_private_key(65537, 2048))
    with pytest.raises(InvalidKeyError, match="2048 bits, expected at least 3072"):
        load_private_key(small)
    assert load_private_key(small, rsa_bits_least=2048).public.bits == 2048
    with pytest.raises(InvalidKeyError, match="1024 bits"):
        load_private_key(stored(rsa.generate_private_key(65537, 1024)), rsa_bits_least=1024)


def other_files() -> dict[str, bytes]:
    good = stored(private("ed25519"))
    body = b"".join(good.split(b"\n")[1:-2])
    blob = base64.b64decode(body)

    def wrapped(changed: bytes) -> bytes:
        encoded = base64.b64encode(changed)
        return b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + encoded + b"\n-----END OPENSSH PRIVATE KEY-----\n"

    at_count = blob.index(b"\0\0\0\1", len(b"openssh-key-v1\0"))
    return {
        "empty": b"",
        "text": b"this is no key\n",
        "public": PrivateKey(private("ed25519")).public.line.encode(),
        "cut": good[:100],
        "no end": good.rsplit(b"-----END", 1)[0],
        "damaged": good.replace(body[20:30], b"AAAAAAAAAA"),
        "magic": wrapped(b"openssh-key-v2\0" + blob[15:]),
        "short": wrapped(blob[:20]),
        "empty container": wrapped(b""),
        "two keys": wrapped(blob[:at_count] + b"\0\0\0\2" + blob[at_count + 4 :]),
        "der": stored(private("ecdsa-256"), PrivateFormat.PKCS8, encoding=Encoding.DER),
        "x25519": stored(x25519.X25519PrivateKey.generate(), PrivateFormat.PKCS8),
        "secp256k1": stored(ec.generate_private_key(ec.SECP256K1()), PrivateFormat.PKCS8),
        "dsa label": b"-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n",
        "huge": good + b"\n" * FILE_SIZE_MAX,
    }


@pytest.mark.parametrize("why", other_files())
def test_other_files_are_refused_and_not_quoted(why: str) -> None:
    data = other_files()[why]
    with pytest.raises(InvalidKeyError) as caught:
        load_private_key(data)
    assert caught.value.__cause__ is None
    for line in data.split(b"\n")[1:-2]:
        assert line[:16].decode("latin-1") not in str(caught.value) or len(line) < 16


def test_any_changed_byte_is_the_same_key_or_refused() -> None:
    good = stored(private("ed25519"))
    public = PrivateKey(private("ed25519")).public
    for at in range(0, len(good), 3):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            key = load_private_key(changed)
        except InvalidKeyError:
            continue
        assert key.public == public  # the comment, or what stands before the key


@pytest.mark.security("S34")
@pytest.mark.parametrize("private_format", [PrivateFormat.OpenSSH, PrivateFormat.TraditionalOpenSSL])
def test_an_rsa_key_with_a_wrong_number_is_refused_or_signs_rightly(private_format: PrivateFormat) -> None:
    good = stored(private("rsa"), private_format)
    public = PrivateKey(private("rsa")).public
    head, *lines, tail = good.strip().split(b"\n")
    body, refused = base64.b64decode(b"".join(lines)), 0
    for at in range(0, len(body), len(body) // 60):
        changed = base64.b64encode(body[:at] + bytes([body[at] ^ 4]) + body[at + 1 :])
        try:
            key = load_private_key(b"\n".join([head, changed, tail]), rsa_bits_least=1024)
        except InvalidKeyError:
            refused += 1
            continue
        # It was a number by which signing is faster; where the result is wrong, it is not used.
        assert key.public == public
        public.verify("rsa-sha2-512", key.sign("rsa-sha2-512", b"data"), b"data")
    assert refused > 10


@pytest.mark.security("S34")
@every_kind
def test_faulty_signature_never_leaves(kind: str) -> None:
    key = PrivateKey(private(kind))
    honest = key._row.sign

    def faulty(material: Any, algorithm: str, data: bytes) -> bytes:
        made = bytearray(honest(material, algorithm, data))
        made[-1] ^= 1
        return bytes(made)

    key._row = replace(key._row, sign=faulty)
    for algorithm in key.algorithms:
        with pytest.raises(InvalidSignatureError):
            key.sign(algorithm, b"data")
    key._row = replace(key._row, sign=lambda material, algorithm, data: honest(material, algorithm, data + b"x"))
    for algorithm in key.algorithms:
        with pytest.raises(InvalidSignatureError):
            key.sign(algorithm, b"data")


@pytest.mark.security("S44")
@every_kind
@pytest.mark.parametrize("algorithm", ["ssh-rsa", "ssh-dss", "none", "", "ecdsa-sha2-nistp192"])
def test_key_signs_by_its_own_algorithms_alone(kind: str, algorithm: str) -> None:
    with pytest.raises(InvalidSignatureError, match="does not fit"):
        PrivateKey(private(kind)).sign(algorithm, b"data")


@pytest.mark.security("S120")
@every_kind
def test_private_half_is_in_no_text_and_no_pickle(kind: str) -> None:
    key = PrivateKey(private(kind))
    assert repr(key) == f"<PrivateKey {key.public.key_type} {key.public.fingerprint}>"
    assert str(key) == repr(key)
    for act in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="private key"):
            act(key)


def test_keys_are_generated_as_asked() -> None:
    assert generate_private_key().public.key_type == "ssh-ed25519"
    assert generate_private_key("ecdsa").public.bits == 256
    assert generate_private_key("ecdsa", 521).public.bits == 521
    assert generate_private_key("rsa", 3072).public.bits == 3072
    assert generate_private_key().public != generate_private_key().public


@pytest.mark.parametrize(
    ("kind", "bits"),
    [("rsa", 2048), ("rsa", 1 << 20), ("ecdsa", 255), ("ed25519", 512), ("dsa", None), ("", None)],
)
def test_other_kinds_and_sizes_are_refused(kind: str, bits: int | None) -> None:
    with pytest.raises(InvalidKeyError, match="expected ed25519"):
        generate_private_key(kind, bits)

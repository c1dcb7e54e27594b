"""RSA: sizes and exponents, and signatures that are too long, too short, or by another hash."""

import functools

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.keys import parse_public_key
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire import codec


def blob(e: int, n: int) -> bytes:
    return codec.text("ssh-rsa") + codec.mpint(e) + codec.mpint(n)


def odd(bits: int) -> int:
    """An odd number of exactly that many bits; whether it has two prime factors is nothing a parser could see."""
    return (1 << bits - 1) + 0x123456789


@functools.cache
def keypair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.security("S40")
@pytest.mark.parametrize("bits", [512, 1024, 2040, 2047, 16385, 16392])
def test_modulus_out_of_range_is_refused(bits: int) -> None:
    with pytest.raises(InvalidKeyError, match=r"expected 2048 to 16384|longer than 2049"):
        parse_public_key(blob(65537, odd(bits)))


@pytest.mark.security("S40")
@pytest.mark.parametrize("bits", [2048, 2049, 3072, 4096, 16384])
def test_modulus_in_range_is_accepted_with_its_size(bits: int) -> None:
    assert parse_public_key(blob(65537, odd(bits))).bits == bits


@pytest.mark.security("S40")
@pytest.mark.parametrize("e", [0, 1, 2, 4, 65536, 2**32, 2**32 + 1, 2**64 + 1, 2**2040 + 1])
def test_exponent_that_is_even_or_out_of_range_is_refused(e: int) -> None:
    with pytest.raises(InvalidKeyError, match="exponent"):
        parse_public_key(blob(e, odd(2048)))


@pytest.mark.security("S40")
def test_exponents_at_the_edges_are_accepted_and_an_even_modulus_is_not() -> None:
    for e in (3, 17, 2**32 - 1):
        parse_public_key(blob(e, odd(2048)))
    with pytest.raises(InvalidKeyError, match="even"):
        parse_public_key(blob(3, odd(2048) + 1))


def signed(algorithm: str, raw: bytes) -> bytes:
    return codec.text(algorithm) + codec.string(raw)


@pytest.mark.parametrize(("algorithm", "hash_type"), [("rsa-sha2-256", SHA256), ("rsa-sha2-512", SHA512)])
def test_signature_by_the_hash_that_the_algorithm_names(algorithm: str, hash_type: type[SHA256] | type[SHA512]) -> None:
    key = PrivateKey(keypair()).public
    raw = keypair().sign(b"data", padding.PKCS1v15(), hash_type())
    key.verify(algorithm, signed(algorithm, raw), b"data")
    other = "rsa-sha2-512" if algorithm == "rsa-sha2-256" else "rsa-sha2-256"
    with pytest.raises(InvalidSignatureError):
        key.verify(other, signed(other, raw), b"data")
    with pytest.raises(InvalidSignatureError):
        key.verify(algorithm, signed(algorithm, raw), b"datb")


@pytest.mark.security("S44")
def test_sha1_is_refused_under_every_name() -> None:
    key = PrivateKey(keypair()).public
    raw = keypair().sign(b"data", padding.PKCS1v15(), SHA1())
    for algorithm in ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"):
        for named in ("ssh-rsa", algorithm):
            with pytest.raises(InvalidSignatureError):
                key.verify(algorithm, signed(named, raw), b"data")


@pytest.mark.security("S42")
def test_signature_longer_than_the_modulus_is_refused_and_a_shorter_one_is_padded() -> None:
    key = PrivateKey(keypair()).public
    algorithm = "rsa-sha2-256"
    for i in range(20_000):
        data = i.to_bytes(4, "big")
        raw = keypair().sign(data, padding.PKCS1v15(), SHA256())
        if raw[0] == 0:
            break
    else:
        pytest.fail("no signature with a leading zero byte was found")
    key.verify(algorithm, signed(algorithm, raw), data)
    key.verify(algorithm, signed(algorithm, raw.lstrip(b"\0")), data)
    for bad in (b"\0" + raw, raw + b"\0", b"", raw[1:] + b"\0"):
        with pytest.raises(InvalidSignatureError):
            key.verify(algorithm, signed(algorithm, bad), data)


@pytest.mark.security("S42")
def test_signature_that_is_not_below_the_modulus_is_refused() -> None:
    key = PrivateKey(keypair()).public
    raw = keypair().sign(b"data", padding.PKCS1v15(), SHA256())
    n = keypair().public_key().public_numbers().n
    larger = int.from_bytes(raw, "big") + n
    if larger.bit_length() > 2048:
        larger = n
    with pytest.raises(InvalidSignatureError):
        key.verify("rsa-sha2-256", signed("rsa-sha2-256", larger.to_bytes(256, "big")), b"data")

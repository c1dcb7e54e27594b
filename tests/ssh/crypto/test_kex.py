"""Key exchange: vectors of RFC 7748 and FIPS 203, agreement with a client, and values that a peer must not send."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import KeyExchangeError
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.curve25519 import exchange
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.kex import (
    CLIENT_TO_SERVER,
    KEX_METHODS,
    SERVER_TO_CLIENT,
    derive_key,
    derive_keys,
    exchange_hash,
)
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.mlkem import ML_KEM_768, ML_KEM_1024, MlKem
from pysshd.ssh.wire import codec
from tests.ssh.client.kex import METHODS
from tests.ssh.crypto import client, plain_mlkem
from tests.ssh.crypto.client import Recorded

HYBRID = KEX_METHODS["mlkem768x25519-sha256"]
CURVE = KEX_METHODS["curve25519-sha256"]
P = 2**255 - 19
Q = 3329


def vector() -> dict[str, bytes]:
    lines = (Path(__file__).parent / "vectors" / "mlkem768.txt").read_text().splitlines()
    return {
        name: bytes.fromhex(value) for name, _, value in (line.partition(" = ") for line in lines if line[0] != "#")
    }


def encapsulation_key(dk: bytes) -> bytes:
    # FIPS 203, Algorithm 16: dk is dk_PKE, ek, H(ek), z
    return dk[1152 : 1152 + 1184]


def test_x25519_of_rfc_7748() -> None:
    # §6.1, as Bob, whose peer is Alice
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    alice_public = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    public, secret = exchange(Recorded(bob), alice_public)
    assert public.hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    assert secret.hex() == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    share = CURVE.respond(Recorded(bob), alice_public)
    assert share.reply == public
    # RFC 8731 §3.1: as an mpint, most significant byte first
    assert share.secret.hex() == "00000020" + secret.hex()


def test_secret_of_curve25519_is_an_mpint_in_its_shortest_form() -> None:
    lengths = set()
    public = METHODS[CURVE.name](Recorded(bytes(range(1, 33)))).public
    for seed in (*range(20), 1382):  # 1382: the secret starts 00 04
        private = random.Random(seed).randbytes(32)
        share = CURVE.respond(Recorded(private), public)
        _, secret = exchange(Recorded(private), public)
        assert share.secret == codec.mpint(int.from_bytes(secret, "big"))
        lengths.add(len(share.secret) - 4)
    assert lengths == {31, 32, 33}


def test_hybrid_composition_with_a_known_encapsulation() -> None:
    # The ML-KEM half from the vector file, the X25519 half from RFC 7748 §6.1.
    known = vector()
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    alice_public = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    ek = encapsulation_key(known["dk"])
    entropy = Recorded(bob, (known["K"], known["c"]))
    share = HYBRID.respond(entropy, ek + alice_public)
    assert entropy.asked == [ek]
    bob_public = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    assert share.reply == known["c"] + bob_public
    agreed = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    assert share.secret == b"\0\0\0\x20" + hashlib.sha256(known["K"] + agreed).digest()


def test_encapsulation_is_that_of_an_independent_implementation() -> None:
    known = vector()
    assert plain_mlkem.decapsulate(known["dk"], known["c"]) == known["K"]
    for _ in range(3):
        secret, ciphertext = SystemEntropy().encapsulate(encapsulation_key(known["dk"]))
        assert (len(secret), len(ciphertext)) == (32, 1088)
        assert plain_mlkem.decapsulate(known["dk"], ciphertext) == secret


@pytest.mark.parametrize("name", METHODS)
def test_both_sides_agree(name: str) -> None:
    for _ in range(3):
        peer = client.start(name)
        method = KEX_METHODS[name]
        assert method.client_init_size in (len(peer.public), None)
        share = method.respond(SystemEntropy(), peer.public)
        assert peer.finish(share.reply) == share.secret
        assert method.respond(SystemEntropy(), peer.public).reply != share.reply


def test_secret_is_not_in_repr() -> None:
    share = CURVE.respond(Recorded(), client.start(CURVE.name).public)
    assert "secret" not in repr(share)


def torsion_encodings() -> list[bytes]:
    """u of every point of order 1, 2, 4 or 8 on the curve and its twist, also not reduced and with the high bit set.

    u = 0 and ±1 by the doubling formula of RFC 7748; the two of order 8 as the roots of what doubles to u = 1.
    """
    a = 486662

    def doubled(u: int) -> int | None:
        below = 4 * u * (u * u + a * u + 1) % P
        return None if below == 0 else (u * u - 1) ** 2 * pow(below, -1, P) % P

    def root(square: int) -> int:
        found = pow(square, (P + 3) // 8, P)
        return found if found * found % P == square % P else found * pow(2, (P - 1) // 4, P) % P

    # (u² - 1)² = 4·u·(u² + a·u + 1) is, with w = u + 1/u, w² - 4·w - 4·a - 4 = 0.
    points = {0, 1, P - 1}
    half = root(a + 2)
    for w in (2 + 2 * half, 2 - 2 * half):
        difference = root(w * w - 4)
        points |= {(w + difference) * pow(2, -1, P) % P, (w - difference) * pow(2, -1, P) % P}
    points = {u for u in points if u in (0, 1, P - 1) or doubled(u) in (1, P - 1)}
    wide = points | {u + P for u in points if u + P < 1 << 255}
    return [value.to_bytes(32, "little") for u in sorted(wide) for value in (u, u | 1 << 255)]


@pytest.mark.security("S29")
def test_points_of_small_order_are_refused() -> None:
    encodings = torsion_encodings()
    assert len(encodings) >= 14
    hybrid_front = client.start(HYBRID.name).public[:1184]
    for encoding in encodings:
        for method, front in ((CURVE, b""), (HYBRID, hybrid_front)):
            with pytest.raises(KeyExchangeError, match=r"small order|zero"):
                method.respond(SystemEntropy(), front + encoding)


@pytest.mark.security("S29")
@pytest.mark.parametrize("size", [0, 1, 31, 33, 64, 1216])
def test_curve25519_value_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(KeyExchangeError, match="expected 32"):
        CURVE.respond(Recorded(), b"\x09" * size)


HYBRIDS = {name: KEX_METHODS[name] for name in KEX_METHODS if name.startswith("mlkem")}
SETS = {"mlkem768x25519-sha256": ML_KEM_768, "mlkem768nistp256-sha256": ML_KEM_768} | {
    "mlkem1024nistp384-sha384": ML_KEM_1024
}


@pytest.mark.security("S30")
@pytest.mark.parametrize(("name", "expected"), list(zip(HYBRIDS, (1216, 1249, 1665), strict=True)))
def test_hybrid_value_of_another_size_is_refused(name: str, expected: int) -> None:
    whole = client.start(name).public
    assert len(whole) == expected
    for size in [*range(expected), expected + 1, expected + 32, 2 * expected]:
        with pytest.raises(KeyExchangeError, match=f"expected {expected}"):
            HYBRIDS[name].respond(Recorded(), (whole * 2)[:size])


def with_coefficient(key: bytes, at: int, value: int, k: int = 3) -> bytes:
    packed = int.from_bytes(key[: 384 * k], "little")
    packed = packed & ~(0xFFF << 12 * at) | value << 12 * at
    return packed.to_bytes(384 * k, "little") + key[384 * k :]


@pytest.mark.security("S30")
@pytest.mark.parametrize("name", HYBRIDS)
def test_every_coefficient_of_the_encapsulation_key_is_range_checked(name: str) -> None:
    kem: MlKem = SETS[name]
    whole = client.start(name).public
    for at in range(256 * kem.k):
        kem.check_key(with_coefficient(whole[: kem.key_size], at, Q - 1, kem.k))
        for value in (Q, Q + 1, 4095):
            with pytest.raises(KeyExchangeError, match="coefficient"):
                kem.check_key(with_coefficient(whole[: kem.key_size], at, value, kem.k))
    with pytest.raises(KeyExchangeError, match="coefficient"):
        HYBRIDS[name].respond(SystemEntropy(), with_coefficient(whole, 700, Q, kem.k))


@pytest.mark.security("S30")
@pytest.mark.parametrize("name", HYBRIDS)
def test_library_refuses_a_bad_encapsulation_key_too(name: str) -> None:
    kem = SETS[name]
    key = client.start(name).public[: kem.key_size]
    for bad in (with_coefficient(key, 3, Q, kem.k), key[:-1], b""):
        with pytest.raises(KeyExchangeError):
            SystemEntropy().encapsulate(bad)


@given(st.sampled_from(sorted(METHODS)), st.binary(max_size=64), st.integers(0, 1700))
def test_any_value_is_answered_or_refused_with_the_one_exception(name: str, noise: bytes, at: int) -> None:
    method, value = KEX_METHODS[name], client.start(name).public
    value = value[:at] + noise + value[at + len(noise) :]
    try:
        share = method.respond(SystemEntropy(), value)
    except KeyExchangeError:
        return
    assert method.client_init_size in (len(value), None)
    assert len(share.reply) in (32, 65, 97, 133, 1120, 1153, 1665) or method.client_init_size is None


def test_exchange_hash_is_over_every_part_in_its_order() -> None:
    # RFC 8731 §3.1: string V_C, V_S, I_C, I_S, K_S, Q_C, Q_S, then K.
    parts = [b"SSH-2.0-c", b"SSH-2.0-s", b"\x14c", b"\x14s", b"host", b"qc", b"qs"]
    names = ["client_version", "server_version", "client_kexinit", "server_kexinit"]
    names += ["host_key", "client_init", "server_reply"]
    secret = codec.mpint(1 << 255)
    data = b"".join(len(part).to_bytes(4, "big") + part for part in parts) + secret
    h = exchange_hash("sha256", **dict(zip(names, parts, strict=True)), secret=secret)
    assert h == hashlib.sha256(data).digest()


def test_keys_are_derived_as_rfc_4253_says() -> None:
    # §7.2: K1 = HASH(K || H || X || session_id), K2 = HASH(K || H || K1), K3 = HASH(K || H || K1 || K2)
    k, h, session_id = codec.mpint(12345), b"h" * 32, b"s" * 32

    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    first = sha(k + h + b"C" + session_id)
    second = sha(k + h + first)
    third = sha(k + h + first + second)
    assert derive_key("sha256", k, h, b"C", session_id, 96) == first + second + third
    for size in (0, 12, 32, 33, 64):
        assert derive_key("sha256", k, h, b"C", session_id, size) == (first + second)[:size]


@pytest.mark.parametrize("cipher", CIPHERS.values(), ids=lambda cipher: cipher.name)
def test_each_direction_has_its_own_keys_and_they_work(cipher: object) -> None:
    spec = next(each for each in CIPHERS.values() if each is cipher)
    mac = MACS["hmac-sha2-256-etm@openssh.com"]
    made = [
        derive_keys("sha256", codec.mpint(7), b"h" * 32, b"s" * 32, direction, spec, mac)
        for direction in (CLIENT_TO_SERVER, SERVER_TO_CLIENT)
    ]
    assert made[0].key != made[1].key
    assert made[0].key == derive_key("sha256", codec.mpint(7), b"h" * 32, b"C", b"s" * 32, spec.key_size)
    assert made[1].iv == derive_key("sha256", codec.mpint(7), b"h" * 32, b"B", b"s" * 32, spec.iv_size)
    assert [len(keys.mac_key) for keys in made] == [32 if spec.needs_mac else 0] * 2
    for keys in made:
        assert keys.sealer().tag == keys.opener().tag
        assert not any(word in repr(keys) for word in ("iv=", " key=", "mac_key="))

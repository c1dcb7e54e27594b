"""Diffie-Hellman in the groups of RFC 3526: the primes, values that a peer must not send, and the choice (S32)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import KeyExchangeError
from pysshd.ssh.crypto import modp
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.kex import KEX_METHODS
from pysshd.ssh.crypto.modp import GROUPS, choose
from pysshd.ssh.wire import codec
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.client.kex import in_group
from tests.ssh.client.primes import PRIMES

FIXED = {
    "diffie-hellman-group14-sha256": 2048,
    "diffie-hellman-group16-sha512": 4096,
    "diffie-hellman-group18-sha512": 8192,
}
every_group = pytest.mark.parametrize("bits", GROUPS)


def test_primes_are_those_of_rfc_3526() -> None:
    assert {bits: group.prime for bits, group in GROUPS.items()} == PRIMES
    assert all(group.prime.bit_length() == bits == group.bits for bits, group in GROUPS.items())
    assert {group.generator for group in GROUPS.values()} == {2}


@pytest.mark.parametrize("bits", [2048, 3072])  # the larger ones take seconds
def test_primes_are_safe_and_the_generator_has_a_large_order(bits: int) -> None:
    p = GROUPS[bits].prime
    base = random.Random(bits).randrange(2, p)
    assert pow(base, p - 1, p) == 1
    assert pow(base, (p - 1) // 2 - 1, (p - 1) // 2) == 1
    assert pow(2, (p - 1) // 2, p) == 1


@every_group
def test_the_library_computes_what_pow_does(bits: int) -> None:
    prime, seed = PRIMES[bits], SeededEntropy("server").octets(64)
    secret = int.from_bytes(seed, "big") | 1 << 511
    peer = in_group(prime, 2)(SeededEntropy("client"))
    share = GROUPS[bits].respond(SeededEntropy("server"), peer.public)
    assert share.reply == codec.mpint(pow(2, secret, prime))[4:]
    assert share.secret == codec.mpint(pow(int.from_bytes(peer.public, "big"), secret, prime))
    assert peer.finish(share.reply) == share.secret


@pytest.mark.parametrize("name", FIXED)
def test_method_uses_its_group(name: str) -> None:
    peer = in_group(PRIMES[FIXED[name]], 2)(SystemEntropy())
    share = KEX_METHODS[name].respond(SystemEntropy(), peer.public)
    assert peer.finish(share.reply) == share.secret
    assert KEX_METHODS[name].hash_name == ("sha256" if "sha256" in name else "sha512")


def body(value: int) -> bytes:
    return codec.mpint(value)[4:]


@pytest.mark.security("S32")
@every_group
def test_values_outside_of_2_to_p_less_2_are_refused(bits: int) -> None:
    group = GROUPS[bits]
    p = group.prime
    for value in (0, 1, p - 1, p, p + 1, 2 * p, 1 << bits, 1 << 16000):
        with pytest.raises(KeyExchangeError, match="outside 2 to p - 2"):
            group.respond(SystemEntropy(), body(value))
    for value in (2, p - 2):
        assert group.respond(SystemEntropy(), body(value)).secret


@pytest.mark.security("S20")
@pytest.mark.security("S32")
def test_numbers_in_another_form_are_refused() -> None:
    for value in (b"\x80", b"\xff" * 256, b"\0\1", b"\0" * 256, b"\0", b"\1" * 3000):
        with pytest.raises(KeyExchangeError, match="malformed"):
            GROUPS[2048].respond(SystemEntropy(), value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_refused(value: bytes) -> None:
    try:
        share = GROUPS[2048].respond(SystemEntropy(), value)
    except KeyExchangeError:
        return
    assert 1 < int.from_bytes(value, "big") < PRIMES[2048] - 1
    assert 1 < int.from_bytes(share.reply, "big") < PRIMES[2048] - 1


CHOICES = [
    # least, wanted, most; RFC 4419 §3. OpenSSH asks for 3072 to 8192 bits, paramiko and older PuTTYs for 1024 at least.
    ((2048, 2048, 8192), 2048),
    ((2048, 3072, 8192), 3072),
    ((2048, 7680, 8192), 8192),
    ((2048, 8192, 8192), 8192),
    ((1024, 2048, 8192), 2048),
    ((1024, 1024, 2048), 2048),
    ((2048, 2049, 8192), 3072),
    ((3072, 5000, 5500), 4096),
    ((2048, 2500, 2600), 2048),
    ((2048, 4000, 16384), 4096),
    ((2048, 16384, 16384), 8192),
    ((8192, 8192, 0xFFFFFFFF), 8192),
]


@pytest.mark.security("S32")
@pytest.mark.parametrize(("asked", "bits"), CHOICES)
def test_group_for_a_request(asked: tuple[int, int, int], bits: int) -> None:
    assert choose(*asked) is GROUPS[bits]


@pytest.mark.security("S32")
@pytest.mark.parametrize(
    "asked",
    [
        (4096, 2048, 8192),
        (2048, 8192, 4096),
        (8192, 4096, 2048),
        (0, 0, 0),
        (1024, 1024, 1024),
        (0, 1024, 2047),
        (8193, 8193, 16384),
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (2049, 2500, 3071),
        (5000, 5000, 5000),
    ],
)
def test_request_that_is_refused(asked: tuple[int, int, int]) -> None:
    with pytest.raises(KeyExchangeError, match="was asked for"):
        choose(*asked)


@given(st.tuples(*[st.integers(0, 20000)] * 3))
def test_a_group_is_always_within_what_was_asked(asked: tuple[int, int, int]) -> None:
    try:
        group = choose(*asked)
    except KeyExchangeError:
        return
    assert max(asked[0], 2048) <= group.bits <= min(asked[2], 8192)


def test_a_secret_draws_enough_and_is_never_short() -> None:
    assert modp.SECRET_SIZE * 8 >= 2 * 192
    with pytest.raises(KeyExchangeError):
        KEX_METHODS["diffie-hellman-group-exchange-sha256"].respond(SystemEntropy(), body(5))

"""Hashes that are made verify, and decoys cost what the real ones cost and match nothing."""

import pytest

from pysshd.identity.hashing import acceptable, decoy_hash, make_hash
from pysshd.identity.verify import parse_phc
from pysshd.policy.passwords import parse_password

CHEAP = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
DEAR = CHEAP.replace("m=256", "m=512")


class Counting:
    """Randomness that counts."""

    def octets(self, size: int) -> bytes:
        return bytes(range(size))


counting = Counting()


def test_a_hash_that_is_made_verifies_and_the_policy_takes_it() -> None:
    made = make_hash("pässword".encode(), counting)
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$")
    assert parse_phc(made).matches("pässword".encode())
    assert (parse_password(made).memory, parse_password(made).iterations, parse_password(made).lanes) == (65536, 3, 4)


@pytest.mark.security("S68")
@pytest.mark.parametrize("password", [b"", b"a\0b", b"\0", b"x" * 1025, b"x" * 200_000])
def test_what_can_be_no_password(password: bytes) -> None:
    assert not acceptable(password)
    with pytest.raises(ValueError, match="not acceptable"):
        make_hash(password, counting)


@pytest.mark.parametrize("password", [b"x", b"\xff\xfe", b"x" * 1024, b" "])
def test_what_can_be_one(password: bytes) -> None:
    assert acceptable(password)


@pytest.mark.security("S70")
@pytest.mark.parametrize(
    ("hashes", "cost"),
    [
        ([], (65536, 3, 4)),
        (["no hash"], (65536, 3, 4)),
        ([CHEAP], (256, 2, 1)),
        ([CHEAP, DEAR], (512, 2, 1)),
        ([DEAR, CHEAP], (512, 2, 1)),
        ([CHEAP, CHEAP, DEAR], (256, 2, 1)),
    ],
)
def test_a_decoy_costs_what_most_hashes_cost(hashes: list[str], cost: tuple[int, int, int]) -> None:
    decoy = parse_phc(decoy_hash(hashes, counting))
    assert (decoy.memory, decoy.iterations, decoy.lanes) == cost
    assert decoy.tag == counting.octets(32)


def test_a_decoy_matches_nothing() -> None:
    decoy = parse_phc(decoy_hash([CHEAP], counting))
    assert not any(decoy.matches(word) for word in (b"password", b"", b"stand-in for a password that is never right"))

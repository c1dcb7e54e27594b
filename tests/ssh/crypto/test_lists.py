"""Edits of a list of algorithms: `a,b`, `+a`, `-a*`, `^a`, and what they do not take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.ssh.crypto.catalogue import ALL_NAMES, PROFILES
from pysshd.ssh.crypto.lists import AlgorithmListError, edit

ALL = ("aes256-gcm", "aes128-gcm", "aes256-ctr", "aes128-ctr", "chacha20")
DEFAULT = ("chacha20", "aes256-gcm", "aes256-ctr")

MADE = [
    ("aes128-ctr", ("aes128-ctr",)),
    ("aes128-ctr,chacha20", ("aes128-ctr", "chacha20")),
    ("  aes128-ctr , chacha20 ", ("aes128-ctr", "chacha20")),
    ("+aes128-ctr", ("chacha20", "aes256-gcm", "aes256-ctr", "aes128-ctr")),
    ("+aes128-ctr,aes256-gcm", ("chacha20", "aes256-gcm", "aes256-ctr", "aes128-ctr")),
    ("+ aes128-ctr", ("chacha20", "aes256-gcm", "aes256-ctr", "aes128-ctr")),
    ("-chacha20", ("aes256-gcm", "aes256-ctr")),
    ("-aes128-ctr", DEFAULT),
    ("-aes*", ("chacha20",)),
    ("-*-ctr,chacha2?", ("aes256-gcm",)),
    ("-aes???-gcm", ("chacha20", "aes256-ctr")),
    ("^aes256-ctr", ("aes256-ctr", "chacha20", "aes256-gcm")),
    ("^aes128-ctr,aes256-gcm", ("aes128-ctr", "aes256-gcm", "chacha20", "aes256-ctr")),
]


@pytest.mark.parametrize(("text", "made"), MADE)
def test_what_comes_of_it(text: str, made: tuple[str, ...]) -> None:
    assert edit(DEFAULT, ALL, text) == made


REFUSED = [
    ("", "", "empty name"),
    ("   ", "", "empty name"),
    ("+", "", "empty name"),
    ("a,,b", "", "empty name"),
    ("chacha20,", "", "empty name"),
    ("3des-cbc", "3des-cbc", "'3des-cbc' is no algorithm of this kind"),
    ("+chacha20,arcfour", "arcfour", "'arcfour' is no algorithm"),
    ("^none", "none", "'none' is no algorithm"),
    ("-cast*", "cast*", "'cast\\*' matches no algorithm"),
    ("-[a]es*", "[a]es*", "matches no algorithm"),
    ("aes*", "aes*", "is a pattern"),
    ("+aes*", "aes*", "is a pattern"),
    ("^aes?", "aes?", "is a pattern"),
    ("+-chacha20", "-chacha20", "is no algorithm"),
    ("AES256-CTR", "AES256-CTR", "is no algorithm"),
    ("chacha20,chacha20", "chacha20", "names 'chacha20' twice"),
    ("-*", "", "leaves nothing of chacha20,aes256-gcm,aes256-ctr"),
    ("-chacha20,aes*", "", "leaves nothing"),
]


@pytest.mark.security("S36")
@pytest.mark.parametrize(("text", "name", "why"), REFUSED)
def test_what_is_refused(text: str, name: str, why: str) -> None:
    with pytest.raises(AlgorithmListError, match=why) as refused:
        edit(DEFAULT, ALL, text)
    assert refused.value.name == name


@given(
    st.sampled_from(["", "+", "^", "-"]),
    st.lists(st.sampled_from([*ALL, "*", "aes*", "x"]), min_size=1, max_size=4),
    st.permutations(ALL),
    st.integers(1, 5),
)
def test_a_list_that_is_made_has_each_name_once_and_only_known_ones(
    sign: str, words: list[str], order: list[str], size: int
) -> None:
    try:
        made = edit(tuple(order[:size]), ALL, sign + ",".join(words))
    except AlgorithmListError:
        return
    assert made
    assert len(set(made)) == len(made)
    assert set(made) <= set(ALL)


def test_a_pattern_of_many_stars_is_fast() -> None:
    names = ["a" * 60 + "b"]
    with pytest.raises(AlgorithmListError):
        edit(("x",), names, "-" + "a*" * 25 + "c")


def test_edits_of_the_profiles() -> None:
    kex = PROFILES["compatible"].kex
    assert edit(kex, ALL_NAMES["kex"], "-diffie-*,ecdh-*,mlkem*nistp*") == PROFILES["default"].kex
    assert (
        edit(PROFILES["default"].compression, ALL_NAMES["compression"], "+zlib@openssh.com")[-1] == "zlib@openssh.com"
    )

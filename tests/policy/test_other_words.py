"""What is said to whoever writes words of other programs."""

import pytest

from pysshd.policy.other_words import (
    colon_without_blank,
    instead_of_address,
    instead_of_methods,
    instead_of_who,
    of_sshd,
)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("PermitRootLogin", "who may log in, and how, is said by the entries of login"),
        ("port", 'write server: {listen: "*:22"}'),
        ("Ciphers", "write crypto"),
        ("Foo", ""),
        # In small letters these are words of other people too.
        ("ciphers", ""),
        ("banner", ""),
    ],
)
def test_keywords_of_sshd(key: str, said: str) -> None:
    assert of_sshd(key) == (f"{said}; pysshd import-sshd-config reads a whole sshd_config" if said else "")


@pytest.mark.parametrize(
    ("key", "said"),
    [("who:alice", "a ':' behind a key has a blank behind it: who: …"), ("whom:alice", ""), ("who", "")],
)
def test_a_colon_without_a_blank(key: str, said: str) -> None:
    assert colon_without_blank(key, ["who"]) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@ops", "for a group write group:ops"),
        ("%ops", "for a group write group:ops"),
        ("@a b", ""),
        ("alice,bob", "for several write a list: [alice, bob]"),
        ("\N{LEFT DOUBLE QUOTATION MARK}alice\N{RIGHT DOUBLE QUOTATION MARK}", 'straight: "alice"'),
        ("web?", "who takes no patterns"),
        ("a b", ""),
    ],
)
def test_whom(text: str, said: str) -> None:
    assert said in instead_of_who(text)
    assert said or not instead_of_who(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("any", "leave from out"),
        ("10.0.0.*", "write a prefix"),
        ("10.0.0.1-9", "write a prefix"),
        ("[::1]", "leave the brackets out"),
        ("x", ""),
    ],
)
def test_addresses(text: str, said: str) -> None:
    assert said in instead_of_address(text)
    assert said or not instead_of_address(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a, b", "alternatives are a list"),
        ("a or b", "alternatives are a list"),
        ("2FA", "did you mean 'totp'?"),
        ("x", ""),
    ],
)
def test_methods(text: str, said: str) -> None:
    assert said in instead_of_methods(text)
    assert said or not instead_of_methods(text)

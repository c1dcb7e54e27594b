"""What is offered by default is what the table of algorithms says, in its order, and all of it exists."""

from dataclasses import fields

import pytest

from pysshd.ssh.crypto import catalogue
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.kex import KEX_METHODS, OPTIONAL_KEX
from pysshd.ssh.crypto.keys import SIGNATURE_ALGORITHMS
from pysshd.ssh.crypto.macs import MACS

OFFERS = {
    "kex": catalogue.DEFAULT_KEX,
    "host_key_algorithms": catalogue.DEFAULT_HOST_KEY_ALGORITHMS,
    "ciphers": catalogue.DEFAULT_CIPHERS,
    "macs": catalogue.DEFAULT_MACS,
    "compression": catalogue.DEFAULT_COMPRESSION,
    "user_key_algorithms": catalogue.DEFAULT_USER_KEY_ALGORITHMS,
}
# What must never be offered, whatever a row is called.
NEVER = ("ssh-rsa", "ssh-dss", "cbc", "3des", "arcfour", "blowfish", "cast", "md5", "-96", "ripemd", "sha1", "group1-")


def test_default_offers_in_their_order() -> None:
    assert OFFERS["kex"] == ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
    assert OFFERS["host_key_algorithms"] == (
        "ssh-ed25519-cert-v01@openssh.com",
        "rsa-sha2-512-cert-v01@openssh.com",
        "rsa-sha2-256-cert-v01@openssh.com",
        "ssh-ed25519",
        "rsa-sha2-512",
        "rsa-sha2-256",
    )
    assert OFFERS["ciphers"] == (
        "chacha20-poly1305@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
    )
    assert OFFERS["macs"] == ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com")


def test_every_offer_exists_once() -> None:
    assert set(OFFERS) == set(catalogue.ALL_NAMES)
    for kind, names in OFFERS.items():
        assert len(set(names)) == len(names)
        assert set(names) <= catalogue.ALL_NAMES[kind]


def test_nothing_broken_has_a_row() -> None:
    for names in catalogue.ALL_NAMES.values():
        for name in names:
            assert not any(word in name for word in NEVER)
    assert "none" not in catalogue.ALL_NAMES["ciphers"] | catalogue.ALL_NAMES["macs"]


def test_rows_are_filed_under_their_own_name() -> None:
    for table in (CIPHERS, MACS, KEX_METHODS):
        for name, row in table.items():
            assert row.name == name
    assert set(SIGNATURE_ALGORITHMS) == catalogue.ALL_NAMES["user_key_algorithms"]


@pytest.mark.security("S36")
def test_profiles() -> None:
    strict, default, compatible = (catalogue.PROFILES[name] for name in ("strict", "default", "compatible"))
    assert set(catalogue.PROFILES) == {"strict", "default", "compatible"}
    # Nothing that a quantum computer could read later, and no NIST curve.
    assert strict.kex == ("mlkem768x25519-sha256",)
    assert strict.require_strict_kex
    assert not default.require_strict_kex
    for field in fields(catalogue.Profile):
        lists = [getattr(profile, field.name) for profile in (strict, default, compatible)]
        if field.name == "require_strict_kex":
            continue
        # What is weaker stands at the end, and is only there where it is asked for.
        assert lists[2][: len(lists[1])] == lists[1]
        assert set(lists[0]) <= set(lists[1])
        for names in lists:
            assert len(set(names)) == len(names)
            assert set(names) <= catalogue.ALL_NAMES[field.name]
    assert set(compatible.kex) == catalogue.ALL_NAMES["kex"]
    assert set(compatible.macs) == catalogue.ALL_NAMES["macs"]
    assert {profile.compression for profile in catalogue.PROFILES.values()} == {("none",)}
    assert all(MACS[name].etm for name in default.macs)
    assert not OPTIONAL_KEX & set(default.kex)


def test_fields_of_a_profile_are_the_kinds_of_names() -> None:
    assert {field.name for field in fields(catalogue.Profile)} == {*catalogue.ALL_NAMES, "require_strict_kex"}

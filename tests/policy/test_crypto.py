"""`crypto`: profiles, lists and edits, what is weak in them said by name, and keys that they leave out."""

import itertools
from dataclasses import fields

import pytest

from pysshd.policy.keyfiles import parse_key_file
from pysshd.policy.load import load_text
from pysshd.policy.settings import Crypto
from pysshd.ssh.crypto.catalogue import ALL_NAMES, PROFILES, Profile
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.generate import generate_private_key
from tests.policy.support import messages

DEFAULT = PROFILES["default"]
ECDSA = generate_private_key("ecdsa").public
RSA = generate_private_key("rsa", 3072).public


def loaded(crypto: str, people: str = "") -> tuple[Crypto, list[str]]:
    """The settings of a section, and the warnings."""
    found = load_text(f"version: 1\n{crypto}\n{people}")
    return found.ruleset.settings.crypto, [warning.message for warning in found.warnings]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_its_lists(name: str) -> None:
    crypto, warnings = loaded(f"crypto: {{profile: {name}}}")
    assert (crypto.profile, crypto.algorithms) == (name, PROFILES[name])
    assert crypto.algorithms.require_strict_kex == (name == "strict")
    assert bool(warnings) == (name == "compatible")


def test_without_a_section_the_default_holds() -> None:
    assert loaded("") == (Crypto(), [])
    assert Crypto().algorithms == DEFAULT
    assert Crypto().min_rsa_bits == 2048


def test_a_list_is_the_list_and_an_edit_edits_the_profiles() -> None:
    crypto, _ = loaded(
        """\
crypto:
  profile: strict
  kex: ^curve25519-sha256
  ciphers: [aes256-ctr, aes256-gcm@openssh.com]
  macs: hmac-sha2-256-etm@openssh.com
  host_key_algorithms: -*cert*,rsa-sha2-256
  user_key_algorithms: "-ecdsa-*"
  compression: +zlib@openssh.com
  require_strict_kex: true
  min_rsa_bits: 4096
"""
    )
    assert crypto.algorithms == Profile(
        kex=("curve25519-sha256", "mlkem768x25519-sha256"),
        host_key_algorithms=("ssh-ed25519", "rsa-sha2-512"),
        ciphers=("aes256-ctr", "aes256-gcm@openssh.com"),
        macs=("hmac-sha2-256-etm@openssh.com",),
        compression=("none", "zlib@openssh.com"),
        user_key_algorithms=("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"),
        require_strict_kex=True,
    )
    assert crypto.min_rsa_bits == 4096
    assert crypto.where["kex"] == "policy.yaml:4:8"


def test_strict_key_exchange_is_required_by_its_key_or_by_the_strict_profile() -> None:
    for profile, key in itertools.product(PROFILES, (False, True)):
        crypto, _ = loaded(f"crypto: {{profile: {profile}{', require_strict_kex: true' if key else ''}}}")
        assert crypto.algorithms.require_strict_kex == (key or profile == "strict")


WEAK = {
    "kex": [name for name in ALL_NAMES["kex"] if "nistp" in name or name.startswith("diffie-hellman")],
    "host_key_algorithms": [name for name in ALL_NAMES["host_key_algorithms"] if name.startswith("ecdsa")],
    "ciphers": [],
    "macs": [name for name in ALL_NAMES["macs"] if not name.endswith("-etm@openssh.com")],
    "compression": [],
    "user_key_algorithms": [],
}
"""What security.md §5 has off by default."""

EVERY = [(field.name, name) for field in fields(Profile) if field.name in ALL_NAMES for name in ALL_NAMES[field.name]]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_what_is_weak_is_legal_and_warned_of_by_name(kind: str, name: str) -> None:
    crypto, warnings = loaded(f"crypto: {{{kind}: [{name}]}}")
    assert getattr(crypto.algorithms, kind) == (name,)
    weak = [warning for warning in warnings if "weak" in warning]
    assert bool(weak) == (name in WEAK[kind])
    assert all(f" {name}:" in warning for warning in weak)


@pytest.mark.parametrize("kind", WEAK)
def test_nothing_weak_is_in_the_default_profile(kind: str) -> None:
    assert not set(WEAK[kind]) & set(getattr(DEFAULT, kind))
    assert not set(WEAK[kind]) & set(getattr(PROFILES["strict"], kind))


def test_the_compatible_profile_names_all_that_is_weak_and_says_how_to_leave_it_out() -> None:
    found = load_text("version: 1\ncrypto: {profile: compatible}\n")
    text = "\n".join(problem.render() for problem in found.warnings)
    for kind, names in WEAK.items():
        for name in names:
            assert (name in text) == (name in getattr(PROFILES["compatible"], kind))
    for edit in (
        "kex: '-*nistp*'",
        "kex: '-diffie-hellman-*'",
        "host_key_algorithms: '-ecdsa-*'",
        "macs: '-hmac-sha2-???'",
    ):
        assert edit in text
    both = "kex: '-*nistp*,diffie-hellman-*', host_key_algorithms: '-ecdsa-*', macs: '-hmac-sha2-???'"
    crypto, warnings = loaded(f"crypto: {{profile: compatible, {both}}}")
    assert (warnings, crypto.algorithms) == ([], DEFAULT)


def test_compression_without_none_is_odd() -> None:
    assert any("without none" in warning for warning in loaded("crypto: {compression: zlib@openssh.com}")[1])
    assert loaded("crypto: {compression: +zlib@openssh.com}")[1] == []


@pytest.mark.security("S36")
@pytest.mark.parametrize("kind", sorted(ALL_NAMES))
@pytest.mark.parametrize("name", ["none", "", "zlib", "ssh-rsa", "aes256-cbc", "hmac-sha1", "3des-cbc", "rsa1"])
def test_what_nobody_should_use_can_not_be_asked_for(kind: str, name: str) -> None:
    if name == "none" and kind == "compression":
        return
    for said in (f"[{name!r}]", repr(f"+{name}"), repr(f"^{name}"), repr(name)):
        assert messages(f"crypto: {{{kind}: {said}}}", "version: 1\n")


@pytest.mark.security("S36")
@pytest.mark.parametrize("kind", sorted(ALL_NAMES))
def test_names_count_letter_by_letter(kind: str) -> None:
    for name in getattr(DEFAULT, kind):
        assert messages(f"crypto: {{{kind}: [{name.upper()}]}}", "version: 1\n")
        assert messages(f"crypto: {{{kind}: ['{name} ']}}", "version: 1\n")


def test_every_cipher_of_a_profile_has_a_mac() -> None:
    for profile in PROFILES.values():
        assert profile.macs or not any(CIPHERS[name].needs_mac for name in profile.ciphers)


# --- keys that the section leaves out

PEOPLE = """\
users:
  alice: {{keys: ["{key}"], groups: g}}
groups: [g]
grants: [{{who: alice, allow: {{exec: any}}}}]
"""


@pytest.mark.parametrize(
    ("crypto", "line", "why"),
    [
        (
            "{user_key_algorithms: '-ecdsa-*'}",
            ECDSA.line,
            "none of ecdsa-sha2-nistp256 is in crypto.user_key_algorithms",
        ),
        ("{user_key_algorithms: ssh-ed25519}", RSA.line, "none of rsa-sha2-512, rsa-sha2-256 is in"),
        ("{min_rsa_bits: 4096}", RSA.line, "it has 3072 bits, and crypto.min_rsa_bits is 4096"),
        ("{min_rsa_bits: 3072, user_key_algorithms: rsa-sha2-256}", RSA.line, ""),
        ("{profile: strict}", ECDSA.line, ""),
    ],
)
def test_a_key_that_lets_nobody_in_is_warned_of(crypto: str, line: str, why: str) -> None:
    _, warnings = loaded(f"crypto: {crypto}", PEOPLE.format(key=line))
    found = [warning for warning in warnings if "lets nobody in" in warning]
    assert bool(found) == bool(why)
    assert all(why in warning for warning in found)


def test_a_key_in_a_file_is_warned_of_too() -> None:
    text = "version: 1\ncrypto: {min_rsa_bits: 4096}\nusers: {alice: {keys: [{file: /k}]}}\n"
    files = {"/k": parse_key_file(f"{ECDSA.line}\n{RSA.line}\n".encode())}
    found = [problem.message for problem in load_text(text, key_files=files).warnings if "nobody in" in problem.message]
    assert len(found) == 1
    assert RSA.fingerprint in found[0]

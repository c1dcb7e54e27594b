"""The host's own hashes, checked by its crypt(3)."""

import time

import pytest

from pysshd.errors import StartupError
from pysshd.identity.host import crypt
from pysshd.identity.host.calls import CheckPassword
from pysshd.identity.host.crypt import host_crypt, is_modern, matches
from pysshd.identity.host.password import check, decoy

# Made with `openssl passwd -6` and `-5`, an implementation of SHA-crypt of its own.
SHA512 = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
SHA256 = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"

try:
    HASHED = {kind: host_crypt()(b"secret", kind.encode()) for kind in ("$y$j9T$saltsalt", "$6$rounds=5000$saltsalt")}
except StartupError:
    HASHED = {}
pytestmark = pytest.mark.skipif(not HASHED, reason="this host has no libcrypt")
MODERN = [hashed.decode() for hashed in HASHED.values() if hashed is not None and not hashed.startswith(b"*")]
NEVER = "19000:0:99999:7:::"


def test_vectors_of_the_specification() -> None:
    for hashed in (SHA512, SHA256):
        assert is_modern(hashed)
        assert matches(host_crypt(), b"Hello world!", hashed)
        assert not matches(host_crypt(), b"Hello world", hashed)


@pytest.mark.parametrize(
    "hashed", ["$1$salt$qJH7.N4xYta3aEG/dfqo/0", "ab01FAX.bQRSU", "", "*", "!", "x", "$6$", "$2$x"]
)
def test_what_is_obsolete_or_none_is_not_checked(hashed: str) -> None:
    assert not is_modern(hashed)


@pytest.mark.security("S68")
def test_the_right_password_of_the_right_account_alone() -> None:
    for hashed in MODERN:
        content = f"alice:{hashed}:{NEVER}\nlocked:!{hashed}:{NEVER}\n".encode()
        assert check(CheckPassword("alice", b"secret"), content, 20000, host_crypt()).matches
        of_alice = [("alice", wrong) for wrong in (b"Secret", b"", b"secret\0", b"s" * 600)]
        for name, password in (*of_alice, *((name, b"secret") for name in ("locked", "bob", "", "alic"))):
            assert not check(CheckPassword(name, password), content, 20000, host_crypt()).matches


@pytest.mark.security("S70")
@pytest.mark.parametrize("setting", ["$y$j9T$saltsalt", "$6$rounds=50000$saltsalt"])
def test_whoever_asks_about_nobody_waits_as_long(setting: str) -> None:
    made = host_crypt()(b"secret", setting.encode())
    assert made is not None
    content = f"root:*:{NEVER}\nalice:{made.decode()}:{NEVER}\nlocked:!{made.decode()}:{NEVER}\n".encode()
    assert decoy(content).startswith(setting.removesuffix("saltsalt"))
    for password in (b"wrong", b"w" * 1000):
        spent: dict[str, list[float]] = {}
        for _ in range(7):
            for name in ("alice", "bob", "locked", ""):
                start = time.process_time()
                assert not check(CheckPassword(name, password), content, 20000, host_crypt()).matches
                spent.setdefault(name, []).append(time.process_time() - start)
        # Others on this machine make some of them longer, by what they take from the caches, and none shorter.
        least = {name: min(found) for name, found in spent.items()}
        print(len(password), least)
        assert max(least.values()) < 1.5 * min(least.values()) + 0.001


def test_a_host_without_the_library_is_told_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypt, "LIBRARIES", ("libnone.so.1",))
    with pytest.raises(StartupError, match=r"libnone\.so\.1"):
        host_crypt.__wrapped__()

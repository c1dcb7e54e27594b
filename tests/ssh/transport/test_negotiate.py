"""What two KEXINITs come to (RFC 4253 §7.1)."""

from dataclasses import replace
from typing import Any

import pytest

from pysshd.errors import DisconnectReason, ProtocolError
from pysshd.ssh.crypto.catalogue import DEFAULT_CIPHERS, DEFAULT_KEX, DEFAULT_MACS
from pysshd.ssh.transport.negotiate import Choice, guessed_right, negotiate, offer
from pysshd.ssh.transport.settings import TransportSettings
from tests.ssh.client.raw import RawClient

SERVER = offer(TransportSettings({"ssh-ed25519": b"", "rsa-sha2-512": b""}), bytes(16), first=True)
CLIENT = RawClient().offer

GCM, CHACHA, CTR = "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr"
SHA256, SHA512 = "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"


def _negotiate(**changes: Any) -> Choice:
    return negotiate(replace(CLIENT, **changes), SERVER)


def test_our_offer() -> None:
    assert SERVER.kex_algorithms == (*DEFAULT_KEX, "kex-strict-s-v00@openssh.com")
    assert SERVER.server_host_key_algorithms == ("ssh-ed25519", "rsa-sha2-512")
    assert SERVER.encryption_client_to_server == SERVER.encryption_server_to_client == DEFAULT_CIPHERS
    assert SERVER.mac_client_to_server == SERVER.mac_server_to_client == DEFAULT_MACS
    assert SERVER.compression_client_to_server == SERVER.compression_server_to_client == ("none",)
    assert not SERVER.first_kex_packet_follows
    later = offer(TransportSettings({"ssh-ed25519": b""}), bytes(16), first=False)
    assert later.kex_algorithms == DEFAULT_KEX


def test_the_order_is_the_clients() -> None:
    choice = _negotiate(
        kex_algorithms=("unknown", *reversed(DEFAULT_KEX)),
        server_host_key_algorithms=("rsa-sha2-512", "ssh-ed25519"),
        encryption_client_to_server=("des", GCM, CHACHA),
    )
    assert choice == Choice("curve25519-sha256@libssh.org", "rsa-sha2-512", (GCM, CHACHA), ("", ""), ("none", "none"))


@pytest.mark.security("S37")
def test_each_direction_chooses_and_a_mac_only_where_one_is_needed() -> None:
    choice = _negotiate(
        encryption_client_to_server=(CTR,),
        mac_client_to_server=("hmac-md5", SHA256, SHA512),
        encryption_server_to_client=(GCM,),
        mac_server_to_client=("hmac-md5",),
    )
    assert (choice.ciphers, choice.macs) == ((CTR, GCM), (SHA256, ""))
    with pytest.raises(ProtocolError, match="mac to the client: none in common; the client offers hmac-md5; this"):
        _negotiate(encryption_server_to_client=(CTR,), mac_server_to_client=("hmac-md5",))


REFUSED: dict[str, tuple[str, ...]] = {
    "kex_algorithms": ("none", "diffie-hellman-group14-sha1", "Curve25519-SHA256", "ecdh-sha2-nistp256"),
    "server_host_key_algorithms": ("none", "ssh-rsa", "ssh-dss", "rsa-sha2-256"),
    "encryption_client_to_server": ("none", "aes128-cbc", "3des-cbc", "arcfour", "AES128-CTR"),
    "encryption_server_to_client": ("none", "aes128-cbc", "3des-cbc", "arcfour", "AES128-CTR"),
    "compression_client_to_server": ("zlib", "zlib@openssh.com"),
    "compression_server_to_client": ("zlib", "zlib@openssh.com"),
}


@pytest.mark.security("S36")
@pytest.mark.parametrize("name", REFUSED)
def test_only_our_own_names_are_chosen(name: str) -> None:
    for offered in [(), *((one,) for one in REFUSED[name]), REFUSED[name]]:
        with pytest.raises(ProtocolError) as error:
            _negotiate(**{name: offered})
        assert error.value.reason == DisconnectReason.KEY_EXCHANGE_FAILED
        assert f"the client offers {','.join(offered)}; this server" in str(error.value)


@pytest.mark.security("S24")
@pytest.mark.parametrize(
    "marker", ["ext-info-c", "ext-info-s", "kex-strict-c-v00@openssh.com", "kex-strict-s-v00@openssh.com"]
)
def test_markers_are_never_chosen(marker: str) -> None:
    with pytest.raises(ProtocolError, match="key exchange method: none in common"):
        _negotiate(kex_algorithms=(marker,))
    assert _negotiate(kex_algorithms=(marker, DEFAULT_KEX[1])).kex == DEFAULT_KEX[1]


def test_a_long_list_is_cut_for_the_log() -> None:
    with pytest.raises(ProtocolError) as error:
        _negotiate(kex_algorithms=tuple(f"name{number}" for number in range(500)))
    assert len(str(error.value)) < 800


def test_a_guess_is_right_where_both_like_the_same_best() -> None:
    assert guessed_right(CLIENT, SERVER)
    assert not guessed_right(replace(CLIENT, kex_algorithms=DEFAULT_KEX[1:]), SERVER)
    assert not guessed_right(replace(CLIENT, server_host_key_algorithms=("rsa-sha2-512", "ssh-ed25519")), SERVER)

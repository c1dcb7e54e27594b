"""What every connection is told: the policy's algorithms, the keys that serve them, and the name of the daemon."""

from dataclasses import replace
from pathlib import Path

import pytest

from pysshd.daemon.host_certificates import HostCertificate
from pysshd.daemon.host_keys import HostKey
from pysshd.daemon.terms import identification, make_signer, make_terms
from pysshd.errors import StartupError
from pysshd.policy.load import load_text
from pysshd.policy.settings import Crypto, Settings
from pysshd.processes.monitor.terms import Terms
from pysshd.processes.worker.program import stack_settings
from pysshd.ssh.crypto.catalogue import PROFILES
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.stack import StackSettings
from pysshd.version import __version__
from tests.processes.monitor.test_host_keys import certificate

FIRST, SECOND, ECDSA = (
    HostKey(Path(f"/keys/{name}"), generate_private_key(kind))
    for name, kind in (("first", "ed25519"), ("second", "ed25519"), ("curved", "ecdsa"))
)
CERTIFICATE = HostCertificate(Path("/keys/first-cert.pub"), certificate(FIRST.key, SECOND.key), FIRST)
CERT_NAME = "ssh-ed25519-cert-v01@openssh.com"


def settings_of(sections: str) -> Settings:
    return load_text(f"version: 1\n{sections}").ruleset.settings


def terms_of(sections: str) -> tuple[Terms, StackSettings]:
    """What the monitor holds a connection to, and what its worker makes of that."""
    settings = settings_of(sections)
    signer = make_signer(settings.crypto, [FIRST, SECOND, ECDSA], [CERTIFICATE], lambda text: None)
    terms = make_terms(settings, signer, (), None)
    return terms, stack_settings(type(terms.assign).decode(terms.assign.encode()))


def test_every_list_of_the_policy_reaches_the_stack() -> None:
    terms, stack = terms_of(
        """\
server: {version_addendum: "of the house"}
crypto:
  profile: strict
  kex: +curve25519-sha256
  ciphers: [aes128-ctr, aes256-gcm@openssh.com]
  macs: -*512*
  host_key_algorithms: [ecdsa-sha2-nistp256, ssh-ed25519]
  user_key_algorithms: [rsa-sha2-512, ssh-ed25519]
  compression: ^zlib@openssh.com
  min_rsa_bits: 4096
  rekey: {bytes: 1MiB, interval: 60s}
"""
    )
    transport = stack.transport
    assert transport.identification == f"SSH-2.0-pysshd_{__version__} of the house".encode()
    assert transport.kex == ("mlkem768x25519-sha256", "curve25519-sha256")
    assert transport.ciphers == ("aes128-ctr", "aes256-gcm@openssh.com")
    assert transport.macs == ("hmac-sha2-256-etm@openssh.com",)
    assert list(transport.host_keys) == ["ecdsa-sha2-nistp256", "ssh-ed25519"]
    assert transport.compression == ("zlib@openssh.com", "none")
    assert transport.require_strict_kex is True
    assert (transport.rekey_bytes, transport.rekey_seconds) == (1 << 20, 60)
    assert transport.server_sig_algs == stack.userauth.key_algorithms == ("rsa-sha2-512", "ssh-ed25519")
    assert stack.connection.host_keys == tuple(one.key.public.blob for one in (FIRST, SECOND, ECDSA))
    assert terms.min_rsa_bits == 4096
    assert transport.extensions["publickey-hostbound@openssh.com"] == b"0"


def test_a_silent_policy_is_the_default_profile() -> None:
    terms, stack = terms_of("")
    default = PROFILES["default"]
    transport = stack.transport
    assert (transport.kex, transport.ciphers, transport.macs) == (default.kex, default.ciphers, default.macs)
    assert (transport.compression, transport.require_strict_kex) == (("none",), False)
    assert dict(transport.host_keys) == {
        CERT_NAME: CERTIFICATE.certificate.blob,
        "ssh-ed25519": FIRST.key.public.blob,
    }
    # The second key of a kind is told to clients, the key of a kind that is not offered is not.
    assert stack.connection.host_keys == (FIRST.key.public.blob, SECOND.key.public.blob)
    assert terms.min_rsa_bits == 2048


@pytest.mark.parametrize(
    ("crypto", "said"),
    [
        ("", ["host key /keys/curved is of no use: profile default offers none of ecdsa-sha2-nistp256"]),
        ("crypto: {host_key_algorithms: +ecdsa-sha2-nistp256}", []),
        (
            "crypto: {host_key_algorithms: ecdsa-sha2-nistp256}",
            ["host key /keys/first is of no use: policy.yaml:2:31 offers none of ssh-ed25519",
             "host key /keys/second is of no use: policy.yaml:2:31 offers none of ssh-ed25519",
             f"host certificate /keys/first-cert.pub is of no use: policy.yaml:2:31 offers none of {CERT_NAME}"],
        ),
        (f"crypto: {{host_key_algorithms: '-{CERT_NAME}'}}",
         ["host key /keys/curved is of no use: policy.yaml:2:31 offers none of ecdsa-sha2-nistp256",
          f"host certificate /keys/first-cert.pub is of no use: policy.yaml:2:31 offers none of {CERT_NAME}"]),
    ],
)  # fmt: skip
def test_keys_that_serve_nobody_are_warned_of(crypto: str, said: list[str]) -> None:
    warned: list[str] = []
    make_signer(settings_of(crypto).crypto, [FIRST, SECOND, ECDSA], [CERTIFICATE], warned.append)
    assert warned == said


def test_of_two_certificates_for_one_algorithm_the_second_serves_nobody() -> None:
    other = HostCertificate(Path("/keys/second-cert.pub"), certificate(SECOND.key, FIRST.key), SECOND)
    warned: list[str] = []
    signer = make_signer(Crypto(), [FIRST, SECOND], [CERTIFICATE, other], warned.append)
    assert signer.public[0] == (CERT_NAME, CERTIFICATE.certificate.blob)
    assert warned == ["host certificate /keys/second-cert.pub is of no use: another one goes before it"]


def test_a_policy_that_no_host_key_can_serve_is_refused_with_its_place() -> None:
    for crypto, where in (("", ""), ("crypto: {host_key_algorithms: rsa-sha2-512}", "policy.yaml:2:31: ")):
        settings = settings_of(crypto)
        signer = make_signer(settings.crypto, [ECDSA], [], lambda text: None)
        with pytest.raises(StartupError) as caught:
            make_terms(settings, signer, (), None)
        algorithms = ", ".join(settings.crypto.algorithms.host_key_algorithms)
        expected = f"{where}host keys: none of them can do any of {algorithms}; run pysshd keygen"
        assert str(caught.value) == expected


def test_the_longest_addendum_still_fits_the_line() -> None:
    longest = settings_of(f"server: {{version_addendum: {'x' * 200}}}").server.version_addendum
    assert len(identification(longest) + b"\r\n") <= 255
    assert identification(None) == f"SSH-2.0-pysshd_{__version__}".encode()


def test_a_banner_is_the_listeners_else_the_servers() -> None:
    server = settings_of(
        "server: {banner: all, listen: "
        '[{address: ["*:1", "*:2"], name: a, banner: own}, {address: "*:3", name: b}, "*:4"]}'
    ).server
    assert [server.banner_of(name) for name in ("a", "b", "*:4", "*:1", "")] == ["own", "all", "all", "all", "all"]
    assert replace(server, banner=None).banner_of("b") is None

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


INSTEAD = {
    "Port ListenAddress AddressFamily": 'write server: {listen: "*:22"}',
    "PermitRootLogin AllowUsers DenyUsers AllowGroups DenyGroups Match PubkeyAuthentication PasswordAuthentication "
    "KbdInteractiveAuthentication AuthenticationMethods PermitEmptyPasswords":
        "who may log in, and how, is said by the entries of login",
    "AuthorizedKeysFile": "keys stand in users, and with accounts: system in the files that sources name",
    "TrustedUserCAKeys": "write authorities",
    "HostKey": "write server: {host_keys: …}",
    "Banner": "write server: {banner: …}, the text itself",
    "Subsystem": "write subsystems in a role",
    "ForceCommand": "write forced in a role",
    "ChrootDirectory": "write confined in a role, or sftp: {mounts: …}",
    "AcceptEnv": "write env: {accept: …} in a role",
    "SetEnv": "write env: {set: …} in a role",
    "PermitTTY": "write pty in a role",
    "AllowTcpForwarding PermitOpen PermitListen GatewayPorts AllowStreamLocalForwarding": "write forward in a role",
    "X11Forwarding": "write x11 in a role",
    "AllowAgentForwarding": "write agent in a role",
    "MaxAuthTries": "write limits: {auth_attempts: …}",
    "MaxSessions": "write limits: {sessions_per_connection: …}",
    "MaxStartups": "write limits: {startups: …}",
    "LoginGraceTime": "write limits: {login_grace: …}",
    "ClientAliveInterval ClientAliveCountMax": "write set: {keepalive: …} in an entry of login",
    "Ciphers MACs KexAlgorithms HostKeyAlgorithms RekeyLimit": "write crypto",
}  # fmt: skip


def test_every_keyword_of_sshd_that_has_something_in_its_place() -> None:
    for keys, said in INSTEAD.items():
        for key in keys.split():
            assert of_sshd(key) == f"{said}; pysshd import-sshd-config reads a whole sshd_config", key
            assert of_sshd(f"X{key}") == ""
    assert of_sshd("match") == of_sshd("Match")
    assert of_sshd("hostkey") == of_sshd("matcH x") == ""


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
        ("+ops", "for a group write group:ops"),
        ("@a b", ""),
        ("ops@", ""),
        ("alice,bob", "for several write a list: [alice, bob]"),
        ("\N{LEFT DOUBLE QUOTATION MARK}alice\N{RIGHT DOUBLE QUOTATION MARK}", 'straight: "alice"'),
        ("\N{LEFT SINGLE QUOTATION MARK}bob\N{RIGHT SINGLE QUOTATION MARK}",
         'these are no quotes to YAML, write them straight: "bob"'),
        ("alice , bob", "for several write a list: [alice, bob]"),
        ("web?", "who takes no patterns: give them a group"),
        ("web*", "who takes no patterns: give them a group"),
        ("a b", ""),
    ],
)  # fmt: skip
def test_whom(text: str, said: str) -> None:
    assert said in instead_of_who(text)
    assert said or not instead_of_who(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((word, "leave from out for every address") for word in ("*", "any", "all", "ANY", "ALL")),
        ("10.0.0.*", "write a prefix, such as 10.0.0.0/24, or several"),
        ("10.0.0.1-9", "write a prefix, such as 10.0.0.0/24, or several"),
        ("[::1]", "leave the brackets out, which stand before a port"),
        ("x", ""),
        ("10.0.*.0", ""),
        ("x[", ""),
    ],
)
def test_addresses(text: str, said: str) -> None:
    assert said in instead_of_address(text)
    assert said or not instead_of_address(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a, b", "alternatives are a list: [publickey, password]; what is asked for together has '+' between"),
        ("a or b", "alternatives are a list"),
        *((word, "did you mean 'publickey'?") for word in ("key", "keys", "ssh-key", "pubkey")),
        *((word, "did you mean 'totp'?") for word in ("otp", "2FA", "2fa", "mfa")),
        ("keyboard-interactive", "it is a way to ask, and what is asked for is totp or pam"),
        ("Any", "name the methods"),
        ("x", ""),
        ("aorb", ""),
    ],
)
def test_methods(text: str, said: str) -> None:
    assert said in instead_of_methods(text)
    assert said or not instead_of_methods(text)

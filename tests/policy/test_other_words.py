"""What is said to whoever writes words of other programs."""

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.other_words import (
    colon_without_blank,
    instead_of_address,
    instead_of_methods,
    instead_of_who,
    of_sshd,
)
from pysshd.policy.problems import PolicyError


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
        ("\N{LEFT DOUBLE QUOTATION MARK}alice\N{RIGHT DOUBLE QUOTATION MARK}", ('these are no quotes to YAML, '
                                                                                'write them straight: "alice"')),
        ("\N{LEFT SINGLE QUOTATION MARK}bob\N{RIGHT SINGLE QUOTATION MARK}",
         'these are no quotes to YAML, write them straight: "bob"'),
        ("alice , bob", "for several write a list: [alice, bob]"),
        ("web?", "who takes no patterns: give them a group"),
        ("web*", "who takes no patterns: give them a group"),
        ("a b", ""),
    ],
)  # fmt: skip
def test_whom(text: str, said: str) -> None:
    assert instead_of_who(text) == said


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
    assert instead_of_address(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a, b", "alternatives are a list: [publickey, password]; what is asked for together has '+' between"),
        ("a or b", "alternatives are a list: [publickey, password]; what is asked for together has '+' between"),
        *((word, "did you mean 'publickey'?") for word in ("key", "keys", "ssh-key", "pubkey")),
        *((word, "did you mean 'totp'?") for word in ("otp", "2FA", "2fa", "mfa")),
        ("keyboard-interactive", "it is a way to ask, and what is asked for is totp or pam"),
        ("Any", "name the methods"),
        ("x", ""),
        ("aorb", ""),
    ],
)
def test_methods(text: str, said: str) -> None:
    assert instead_of_methods(text) == said


def hints(text: str) -> list[str]:
    """The hints of a document that is refused."""
    with pytest.raises(PolicyError) as caught:
        load_text(f"version: 1\n{text}\n", language=True)
    return [problem.hint for problem in caught.value.problems if problem.severity == "error"]


IN_USERS = {
    "roles role allow grants": "write it in grants: {who: NAME, roles: …}",
    "authorized_keys ssh_keys public_keys pubkeys": "write keys: [{file: PATH}]",
    "expires valid_until": "write not_after",
}
IN_GRANTS = {
    "user users person people group groups": "write who: NAME, or who: group:NAME",
    "permit permissions": "write allow",
    "shell exec subsystems pty env signals umask forward agent x11 sftp forced confined": (
        "permissions stand in allow: {…}, or in a role"
    ),
    "days hours timezone": "write when: {%s: …}",
}
IN_PATHS = {
    "read": "reading a file is 'download', looking into a folder 'list'",
    "write": "a new file is 'upload', an old one 'overwrite' or 'append'",
    "create": "a new file is 'upload', a new folder 'mkdir'",
    "remove unlink": "a file is removed by 'delete', a folder by 'rmdir'",
    "execute": "SFTP runs nothing",
    "no none": 'what nobody may do there is denied: deny: {sftp: {paths: {"/in/**": all}}}',
}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("users: {{alice: {{accounts: x, {}: x}}}}", IN_USERS),
        ("users: {{alice: {{accounts: x}}}}\ngrants: [{{who: alice, roles: login-shell, {}: x}}]", IN_GRANTS),
        ("users: {{alice: {{accounts: x}}}}\nlogin: [{{who: alice, methods: publickey, {}: x}}]",
         {"days hours timezone": "write when: {%s: …}"}),
        ("roles: {{r: {{sftp: {{paths: {{/: {}}}}}}}}}", IN_PATHS),
    ],
)  # fmt: skip
def test_what_is_written_instead_of_words_of_other_places(form: str, words: dict[str, str]) -> None:
    for keys, said in words.items():
        for key in keys.split():
            expected = said % key if "%s" in said else said
            (hint,) = hints(form.format(key))
            assert hint == expected, key


def test_what_no_version_will_serve() -> None:
    why = "pysshd writes no records of logins but its own log; leave it to pam_lastlog2 or systemd-logind of the host"
    for key in ("utmp", "wtmp", "lastlog", "last_login"):
        with pytest.raises(PolicyError) as caught:
            load_text(f"version: 1\nserver: {{{key}: x}}\n")
        assert why in caught.value.problems[0].message

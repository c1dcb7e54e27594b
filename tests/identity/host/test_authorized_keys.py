"""Files of authorized keys as their owners write them (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.identity.host.authorized_keys import LINES_MAX, NOTES_MAX, parse_authorized_keys
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import LINE_SIZE_MAX

KEY = generate_private_key("ed25519").public
OTHER = generate_private_key("ed25519").public


@pytest.mark.parametrize(
    "line",
    [
        KEY.line,
        f"{KEY.line} somebody@somewhere",
        f'  \t{KEY.line}\t comment with "quotes" and, commas=',
        f"{KEY.line}\r",
        KEY.line.replace(" ", "\t"),
        f"{KEY.line} caf\xe9",
    ],
)
def test_a_key_alone_counts(line: str) -> None:
    for encoding in ("utf-8", "latin-1"):
        found = parse_authorized_keys(line.encode(encoding) + b"\n")
        assert [key.fingerprint for key in found.keys] == [KEY.fingerprint]
        assert found.notes == ()


@pytest.mark.security("S65")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"restrict {KEY.line}", "options"),
        (f'command="id",no-pty {KEY.line}', "options"),
        (f'command="a b" {KEY.line}', "options"),
        (f'from="10.0.0.1 {KEY.line}', "options"),
        (f"unknown-option {KEY.line}", "options"),
        (f"cert-authority {KEY.line}", "options"),
        (f"{'x' * (LINE_SIZE_MAX + 1)} {KEY.line}", "longer"),
        (f"{KEY.line} {'x' * LINE_SIZE_MAX}", "longer"),
        (KEY.line.replace("ssh-ed25519", "ssh-rsa", 1), "malformed"),
        (KEY.line.replace("ssh-ed25519", "ssh-dss", 1), "malformed"),
        (KEY.line.replace("ssh-ed25519", "SSH-ED25519", 1), "options"),
        (KEY.line.replace(" ", "\N{NO-BREAK SPACE}"), "malformed"),
        (KEY.line.replace(" ", "\x0b"), "malformed"),
        (KEY.line[:-5], "malformed"),
        (KEY.line.split(" ")[1], "options"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "options"),
        (f"\N{ZERO WIDTH NO-BREAK SPACE}{KEY.line}", "options"),
    ],
)
def test_any_other_line_is_passed_over_and_the_next_counts(line: str, why: str) -> None:
    found = parse_authorized_keys(f"{line}\n{OTHER.line}\n".encode())
    assert [key.fingerprint for key in found.keys] == [OTHER.fingerprint]
    assert len(found.notes) == 1
    assert found.notes[0].startswith("line 1 is passed over")
    assert why in found.notes[0]
    assert KEY.line.split(" ")[1][20:40] not in found.notes[0]


def test_comments_and_blank_lines_say_nothing() -> None:
    found = parse_authorized_keys(f"\n# {KEY.line}\n  \t\n   # x\n{OTHER.line}".encode())
    assert len(found.keys) == 1
    assert found.notes == ()


def test_a_file_has_its_bounds() -> None:
    found = parse_authorized_keys(b"options x\n" * (LINES_MAX + 10))
    assert found.keys == ()
    assert len(found.notes) == NOTES_MAX + 1


@given(st.binary(max_size=2000))
def test_whatever_stands_there_nothing_is_raised(content: bytes) -> None:
    parse_authorized_keys(content)

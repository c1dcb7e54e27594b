"""Files of authorized keys as their owners write them (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.identity.host.authorized_keys import LINES_MAX, NOTES_MAX, OPTIONS_SIZE_MAX, parse_authorized_keys
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
        (f'from="10.0.0.1 {KEY.line}', "a quote opens in the options"),
        (f"unknown-option {KEY.line}", "option 'unknown-option' is not known"),
        (f"restrict, {KEY.line}", "option '' is not known"),
        (f"restrict no-pty {KEY.line}", "neither with options nor"),
        (f"command=id {KEY.line}", "option command has no value between double quotes"),
        (f'command="id",command="id" {KEY.line}', "option command stands twice"),
        (f'command="" {KEY.line}', "option command is empty"),
        (f'from="" {KEY.line}', "option from is empty"),
        (f'from="!h.example,*" {KEY.line}', "leaves out a name"),
        (f'from="h.example" {KEY.line}', "holds for no address"),
        (f'pty="x" {KEY.line}', "option pty has a value"),
        (f"verify-required {KEY.line}", "option verify-required can not be kept"),
        (f'expiry-time="2027" {KEY.line}', "option expiry-time has '2027'"),
        (f'permitopen="h" {KEY.line}', "option permitopen has 'h'"),
        (f'tunnel="x" {KEY.line}', "option tunnel names no device"),
        (f'environment="x" {KEY.line}', "option environment sets no variable"),
        (f"restrict {KEY.line[:-5]}", "malformed"),
        ("restrict", "neither with options nor"),
        (f"{'x' * (LINE_SIZE_MAX + 1)} {KEY.line}", "longer"),
        (f"{KEY.line} {'x' * LINE_SIZE_MAX}", "longer"),
        (KEY.line.replace("ssh-ed25519", "ssh-rsa", 1), "malformed"),
        (KEY.line.replace("ssh-ed25519", "ssh-dss", 1), "malformed"),
        (KEY.line.replace("ssh-ed25519", "SSH-ED25519", 1), "neither"),
        (KEY.line.replace(" ", "\N{NO-BREAK SPACE}"), "malformed"),
        (KEY.line.replace(" ", "\x0b"), "malformed"),
        (KEY.line[:-5], "malformed"),
        (KEY.line.split(" ")[1], "neither"),
        (f"{KEY.line.split(' ')[1]}==", "neither"),
        (f"{KEY.line.split(' ')[1]} {KEY.line}", "option of another form is not known"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "neither"),
        (f"\N{ZERO WIDTH NO-BREAK SPACE}{KEY.line}", "neither"),
    ],
)
def test_any_other_line_is_passed_over_and_the_next_counts(line: str, why: str) -> None:
    found = parse_authorized_keys(f"{line}\n{OTHER.line}\n".encode())
    assert [key.fingerprint for key in found.keys] == [OTHER.fingerprint]
    assert len(found.notes) == 1
    assert found.notes[0].startswith("line 1 is passed over")
    assert why in found.notes[0]
    assert KEY.line.split(" ")[1][20:40] not in found.notes[0]


@pytest.mark.security("S65")
@pytest.mark.parametrize(
    "options",
    [
        "restrict",
        "RESTRICT,Pty",
        'command="id",no-pty',
        'command="a \\"b, c\\" d"',
        'from="10.0.0.0/8,!10.1.*,h.example,2001:db8::*"',
        'expiry-time="20270101",permitopen="[::1]:22",permitopen="h:*",permitlisten="8080"',
        'environment="A=b c",tunnel="0",principals="a,b",cert-authority,no-touch-required',
    ],
)
def test_options_that_can_be_kept_stand_beside_their_key(options: str) -> None:
    found = parse_authorized_keys(f"#\n {options}\t {KEY.line} somebody\r\n{OTHER.line}\n".encode())
    assert [(line.key.fingerprint, line.number, line.options) for line in found.lines] == [
        (KEY.fingerprint, 2, options),
        (OTHER.fingerprint, 3, ""),
    ]
    assert found.notes == ()


@pytest.mark.security("S65")
@pytest.mark.parametrize("filler", ["1*,", "\u00e9*,"])
def test_more_options_than_are_read_let_nobody_in(filler: str) -> None:
    """They are read for whoever names the account, before anybody has logged in."""
    size = len('from=""') + 8
    most = (OPTIONS_SIZE_MAX - size) // len(filler.encode())
    options = 'from="10.0.0.1' + "".join(f",{filler[:-1]}" for _ in range(most)) + '"'
    short = len(options.encode())
    assert OPTIONS_SIZE_MAX - 4 <= short <= OPTIONS_SIZE_MAX
    assert [line.options for line in parse_authorized_keys(f"{options} {KEY.line}\n".encode()).lines] == [options]
    longer = options.replace("10.0.0.1", "10.0.0.100/32")
    found = parse_authorized_keys(f"{longer} {KEY.line}\n{KEY.line}\n{OTHER.line}\n".encode())
    assert [key.fingerprint for key in found.keys] == [OTHER.fingerprint]
    assert found.notes[0] == (
        f"line 1 is passed over: its options have {short + 5} bytes, expected {OPTIONS_SIZE_MAX} at most"
    )


def test_the_first_line_of_a_key_counts() -> None:
    found = parse_authorized_keys(f"no-pty {KEY.line}\n{KEY.line}\nno-pty {KEY.line} again\n".encode())
    assert [(line.number, line.options) for line in found.lines] == [(1, "no-pty")]
    assert found.notes == ("line 2 is passed over: its key is that of line 1, which counts",)


@pytest.mark.security("S65")
def test_a_key_whose_options_can_not_be_kept_is_given_by_no_later_line() -> None:
    """sshd may have taken the first one, and narrowed by it."""
    first = parse_authorized_keys(f"verify-required,no-pty {KEY.line}\n{KEY.line}\n{OTHER.line}\n".encode())
    assert [line.number for line in first.lines] == [3]
    assert first.notes[1] == "line 2 is passed over: an earlier line of its key can not be kept"
    later = parse_authorized_keys(f"{KEY.line}\n{OTHER.line}\n".encode(), first.refused)
    assert [line.key for line in later.lines] == [OTHER]


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

"""Options in front of a key, letter by letter; what they leave of requests is in tests/policy/test_narrow.py."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns.key_options import KeyOptionsError, parse_options, split_key_line, split_options
from pysshd.patterns.narrowing import NO_NARROWING, Narrowing, critical_option, shown

TYPES = ("ssh-ed25519", "ssh-rsa")


@pytest.mark.security("S65")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ssh-ed25519 AAAA x", ("", "ssh-ed25519 AAAA x")),
        (" ssh-ed25519\tAAAA\r\n", ("", "ssh-ed25519\tAAAA")),
        ("restrict \t ssh-ed25519 AAAA", ("restrict", "ssh-ed25519 AAAA")),
        ('command="a b",pty ssh-rsa AAAA', ('command="a b",pty', "ssh-rsa AAAA")),
        ('command="a \\"b c\\" d" ssh-rsa AAAA', ('command="a \\"b c\\" d"', "ssh-rsa AAAA")),
        ('command="a\\ b" ssh-rsa AAAA', ('command="a\\ b"', "ssh-rsa AAAA")),
        ("nonsense ssh-rsa AAAA", ("nonsense", "ssh-rsa AAAA")),
        ("no-pty", ("no-pty", "")),
        ("ssh-dss AAAA", ("", "ssh-dss AAAA")),
        ("AAAAB3NzaC1yc2E= x", ("", "AAAAB3NzaC1yc2E= x")),
        ("restrict\N{NO-BREAK SPACE}ssh-rsa AAAA", ("", "restrict\N{NO-BREAK SPACE}ssh-rsa AAAA")),
    ],
)
def test_a_line_is_cut_where_its_options_end(line: str, found: tuple[str, str]) -> None:
    assert split_key_line(line, TYPES) == found


def test_a_quote_that_is_not_closed() -> None:
    for line in ('command="a ssh-rsa AAAA', 'command="a\\" ssh-rsa AAAA'):
        with pytest.raises(KeyOptionsError, match="opens in the options and is not closed"):
            split_options(line)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('command="a"', b"a"),
        ('COMMAND="a, b=c"', b"a, b=c"),
        ('command="say \\"hi\\""', b'say "hi"'),
        ('command="a\\b\\\\c"', b"a\\b\\\\c"),
        ('command="caf\u00e9"', "caf\u00e9".encode()),
        ('command="\udcff"', b"\xff"),
    ],
)
def test_the_value_of_an_option(text: str, command: bytes) -> None:
    assert parse_options(text, UTC) == Narrowing(command)


@pytest.mark.security("S65")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "option '' is not known"),
        ("pty,", "option '' is not known"),
        ("pty,,pty", "option '' is not known"),
        ("pty, no-pty", "of another form"),
        ('command="a"x', "no value between double quotes"),
        ('command="a""b"', "no value between double quotes"),
        ('command="a\\"', "no value between double quotes"),
        ("command='a'", "no value between double quotes"),
        ('command="', "no value between double quotes"),
        ("command", "option command has no value"),
        ('from="10.0.0.1",from="10.0.0.1"', "option from stands twice"),
        ('principals="a",principals="b"', "option principals stands twice"),
        ('principals="a,,b"', "option principals has an empty name"),
        ('expiry-time="20271301"', "option expiry-time has '20271301'"),
        ('expiry-time="20270101z"', "option expiry-time"),
        ('expiry-time="+2027010"', "option expiry-time"),
        ('expiry-time="99991231235959"', ""),
        ('permitopen="a:0"', "option permitopen has 'a:0'"),
        ('permitopen="a:65536"', "option permitopen"),
        ('permitopen="a:1,b:2"', "option permitopen"),
        ('permitopen="::1:22"', "option permitopen"),
        ('permitopen="[::1:22"', "option permitopen"),
        ('permitopen=":22"', "option permitopen"),
        ('permitopen="a/22"', "option permitopen"),
        ('permitlisten="x"', "option permitlisten has '*:x'"),
        ('environment="A B=c"', "which is no name of a variable"),
        ('environment="=c"', "which is no name of a variable"),
        ('tunnel="-1"', "option tunnel names no device"),
        ("pty\0", "control character"),
        ('command="a\x1b"', "control character"),
        ("verify-required", "can not be kept"),
        ('no-touch-required="x"', "has a value, and takes none"),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    if not message:
        assert parse_options(text, UTC).expires is not None
        return
    with pytest.raises(KeyOptionsError) as caught:
        parse_options(text, UTC)
    assert message in str(caught.value)


def test_a_word_that_may_be_a_part_of_a_secret_is_not_repeated() -> None:
    with pytest.raises(KeyOptionsError) as caught:
        parse_options("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU/AAAE,pty", UTC)
    assert "b3bl" not in str(caught.value).lower()


def test_words_for_a_person() -> None:
    text = ('restrict,command="a",from="10.0.0.0/8",expiry-time="20270101Z",permitopen="*:1",permitopen="[::1]:*",'
            'permitlisten="[::1]:2",environment="A=b",cert-authority')  # fmt: skip
    assert str(parse_options(text, UTC)) == (
        "no pty, no agent-forwarding, no x11-forwarding, no port-forwarding, forces 'a', from 10.0.0.0/8, until "
        "2027-01-01T00:00+00:00, opens *:1, [::1]:*, listens [::1]:2, sets A, cert-authority"
    )
    assert str(NO_NARROWING) == ""
    assert shown(b"x" * 100) == repr("x" * 64 + "…")
    assert shown(b"a\xff\x1b") == "'a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}'"


def test_critical_options() -> None:
    found = critical_option(critical_option(NO_NARROWING, "force-command", "a"), "source-address", "10.0.0.0/8")
    assert (found.command, str(found.sources[0])) == (b"a", "10.0.0.0/8")
    assert critical_option(found, "verify-required", "") == found


@given(st.text(alphabet='abcdefgh-=", \\0123456789.*:[]Z/', max_size=60), st.booleans())
def test_whatever_stands_there_it_is_read_or_an_error(text: str, known: bool) -> None:
    try:
        options, _ = split_key_line(f"command={text}" if known else text, TYPES)
        found = parse_options(options, UTC)
    except KeyOptionsError:
        return
    assert found == parse_options(options, UTC)
    assert hash(found) == hash(parse_options(options, UTC))


@given(st.lists(st.sampled_from(["restrict", "pty", "no-pty", "x11-forwarding", "no-agent-forwarding"]), min_size=1))
def test_what_stands_last_counts(options: list[str]) -> None:
    found = parse_options(",".join(options), UTC)
    said = [option for option in options if option in ("restrict", "pty", "no-pty")]
    assert found.pty is (not said or said[-1] == "pty")

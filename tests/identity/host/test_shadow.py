"""Lines of shadow(5): what they allow on which day, by shadow(5), and for locked accounts by sshd(8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.identity.host.shadow import Shadow, ShadowError, entry_of, hashes

TODAY = 20_000
HASH = "$y$j9T$salt$hash"


@pytest.mark.security("S68")
@pytest.mark.parametrize(
    ("fields", "login", "password"),
    [
        (f"{HASH}:19000:0:99999:7:::", "", ""),
        (f"{HASH}:19000::::::", "", ""),
        (f"{HASH}:19000:0:-1:7:-1:-1:", "", ""),
        (f"!{HASH}:19000:0:99999:7:::", "locked", "locked"),
        ("!:19000:0:99999:7:::", "locked", "locked"),
        ("!!:19000:0:99999:7:::", "locked", "locked"),
        ("*:19000:0:99999:7:::", "", "no password"),
        ("x:19000:0:99999:7:::", "", "no password"),
        (":19000:0:99999:7:::", "", "empty"),
        (f"{HASH}:19000:0:99999:7::{TODAY}:", "", ""),
        (f"{HASH}:19000:0:99999:7::{TODAY - 1}:", "has expired", "has expired"),
        (f"{HASH}:19000:0:99999:7::0:", "has expired", "has expired"),
        (f"{HASH}:0:0:99999:7:::", "", "must be changed"),
        (f"{HASH}:{TODAY - 30}:0:30:7:::", "", ""),
        (f"{HASH}:{TODAY - 31}:0:30:7:::", "", "has expired"),
        (f"{HASH}:{TODAY - 35}:0:30:7:5::", "", "has expired"),
        (f"{HASH}:{TODAY - 36}:0:30:7:5::", "too old", "too old"),
    ],
)
def test_what_a_line_allows(fields: str, login: str, password: str) -> None:
    found = entry_of("alice", f"root:*:1::::::\nalice:{fields}\nalicia:!:::::::\n".encode())
    assert found is not None
    for fault, wanted in ((found.fault("alice", TODAY), login), (found.password_fault("alice", TODAY), password)):
        assert (wanted in fault and "alice" in fault) if wanted else fault == ""
    assert "salt" not in repr(found)


def test_a_name_that_is_not_there() -> None:
    content = b"alice:*:1::::::\nbob2:*:1::::::\n"
    assert entry_of("bob", content) is None
    assert entry_of("alic", content) is None
    assert entry_of("", content) is None


@pytest.mark.parametrize("line", ["alice:*", "alice:*:x::::::", "alice:*:1:::::::", "alice:*:99999999999::::::"])
def test_a_malformed_line_is_no_line(line: str) -> None:
    with pytest.raises(ShadowError):
        entry_of("alice", line.encode())


def test_the_hashes_of_a_file() -> None:
    content = b"a:$6$x$y:1::::::\nb:*:1::::::\nc:!$6$z:1::::::\n\nd\ne:$y$j9T$s$h:1::::::\n"
    assert hashes(content) == ["$6$x$y", "$y$j9T$s$h"]


@given(st.binary(max_size=300), st.text(max_size=20))
def test_anything_else_raises_nothing_else(content: bytes, name: str) -> None:
    try:
        found = entry_of(name, content)
    except (ShadowError, UnicodeEncodeError):
        return
    assert found is None or isinstance(found, Shadow)
    hashes(content)

"""One password against one hash, in the process that does nothing else."""

import socket
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st

from pysshd.identity import verify
from pysshd.ssh.wire import codec

# From src/test.c of the reference implementation (P-H-C/phc-winner-argon2): "password" with the salt "somesalt".
REFERENCE = [
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
]
CHEAP = REFERENCE[1]


def test_the_library_has_the_argon2id_of_the_rfc() -> None:
    # RFC 9106 §5.3
    made = Argon2id(
        salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8
    )
    tag = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    assert made.derive(b"\x01" * 32).hex() == tag


@pytest.mark.parametrize("phc", REFERENCE)
def test_hashes_of_the_reference_implementation(phc: str) -> None:
    parsed = verify.parse_phc(phc)
    assert parsed.matches(b"password")
    assert not parsed.matches(b"Password")
    assert not parsed.matches(b"")
    assert "somesalt" not in repr(parsed)


@pytest.mark.parametrize(
    "phc",
    [
        "",
        "password",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        CHEAP + "\n",
        CHEAP + "=",
        CHEAP[:-1] + "5",
        CHEAP.replace("m=256", "m=0"),
        CHEAP.replace("m=256", "m=1048577"),
        CHEAP.replace("m=256", "m=7"),
        CHEAP.replace("t=2", "t=0"),
        CHEAP.replace("t=2", "t=65"),
        CHEAP.replace("p=1", "p=17"),
        CHEAP.replace("p=1", "p=33"),
        CHEAP.replace("c29tZXNhbHQ", "c2E"),
        CHEAP.replace("nf65", "nf6\u0665"),
        CHEAP.ljust(600, "A"),
        "$6$rounds=5000$abcdefgh$" + "x" * 86,
    ],
)
def test_anything_else_is_no_hash_and_is_not_repeated(phc: str) -> None:
    with pytest.raises(ValueError, match="password hash") as caught:
        verify.parse_phc(phc)
    assert "nf65" not in str(caught.value)


def test_questions_have_a_size() -> None:
    with pytest.raises(ValueError, match="longer"):
        verify.question(CHEAP, b"x" * 1025)
    with pytest.raises(ValueError, match="longer"):
        verify.question("x" * 513, b"x")
    assert len(verify.question("x" * 512, b"x" * 1024)) == verify.QUESTION_SIZE_MAX


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (verify.question(CHEAP, b"password"), verify.MATCHES),
        (verify.question(CHEAP, b"wrong"), verify.DIFFERS),
        (verify.question("no hash", b"password"), verify.FAULT),
        (b"", verify.FAULT),
        (b"\x02" + verify.question(CHEAP, b"password")[1:], verify.FAULT),
        (verify.question(CHEAP, b"password") + b"x", verify.FAULT),
        (verify.question(CHEAP, b"password")[:-1], verify.FAULT),
        (b"\x01" + codec.string(b"\xff") + codec.string(b"x"), verify.FAULT),
    ],
)
def test_answers(asked: bytes, answered: bytes) -> None:
    assert verify.answer(asked) == answered
    assert verify.matched(answered) == (answered == b"\x01")


@given(st.binary(max_size=200))
def test_no_bytes_make_a_match_or_a_crash(asked: bytes) -> None:
    assert verify.answer(asked) == verify.FAULT


def ask(message: bytes | None) -> tuple[bytes, int, str]:
    """The answer of a real helper process, its exit status and what it wrote."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        helper = subprocess.Popen(
            [sys.executable, "-m", "pysshd.identity.verify", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        theirs.close()
        ours.settimeout(30)
        if message is None:
            ours.close()
            reply = b""
        else:
            ours.send(message)
            reply = ours.recv(100)
        written, _ = helper.communicate(timeout=30)
    return reply, helper.returncode, written


@pytest.mark.parametrize(
    ("message", "reply", "status"),
    [
        (verify.question(REFERENCE[0], b"password"), verify.MATCHES, 0),
        (verify.question(REFERENCE[2], b"password"), verify.MATCHES, 0),
        (verify.question(REFERENCE[2], b"passwor"), verify.DIFFERS, 0),
        (b"x" * (verify.QUESTION_SIZE_MAX + 50), verify.FAULT, 0),
    ],
)
def test_a_helper_answers_once_and_ends(message: bytes, reply: bytes, status: int) -> None:
    assert ask(message) == (reply, status, "")


def test_a_helper_whose_asker_is_gone_ends_silently() -> None:
    _, status, written = ask(None)
    assert written == ""
    assert status in (0, 1)


def test_a_helper_has_hard_limits_and_stays_lean() -> None:
    script = (
        "import resource, sys\n"
        "from pysshd.identity import verify\n"
        "verify._limit()\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_CORE))\n"
        "print(sorted({'pydantic', 'yaml', 'click', 'asyncio', 'pysshd.policy', 'pysshd.server'} & set(sys.modules)))\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert shown.stdout.splitlines() == ["(30, 30) (0, 0)", "[]"]

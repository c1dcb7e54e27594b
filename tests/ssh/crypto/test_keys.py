"""Public keys of all types: blobs, lines, and the agreement of algorithm, signature and key."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from pysshd.errors import InvalidKeyError, InvalidSignatureError
from pysshd.ssh.crypto.generate import generate_private_key
from pysshd.ssh.crypto.keys import (
    KEY_TYPES,
    LINE_SIZE_MAX,
    SIGNATURE_ALGORITHMS,
    parse_public_key,
    parse_public_key_line,
)
from pysshd.ssh.crypto.private_keys import PrivateKey
from pysshd.ssh.wire import codec

PRIVATE = {
    "ssh-ed25519": generate_private_key("ed25519"),
    "ecdsa-sha2-nistp256": generate_private_key("ecdsa", 256),
    "ecdsa-sha2-nistp384": generate_private_key("ecdsa", 384),
    "ecdsa-sha2-nistp521": generate_private_key("ecdsa", 521),
    "ssh-rsa": PrivateKey(rsa.generate_private_key(65537, 2048)),
}
every_type = pytest.mark.parametrize("name", KEY_TYPES)
ED25519 = PRIVATE["ssh-ed25519"].public


@every_type
def test_blob_comes_back(name: str) -> None:
    key = PRIVATE[name].public
    again = parse_public_key(key.blob, "me@there")
    assert again == key
    assert hash(again) == hash(key)
    assert (again.key_type, again.comment) == (name, "me@there")
    digest = base64.b64encode(hashlib.sha256(key.blob).digest()).decode().rstrip("=")
    assert key.fingerprint == "SHA256:" + digest
    assert again.algorithms == KEY_TYPES[name].algorithms


@pytest.mark.security("S18")
@every_type
def test_blob_cut_anywhere_or_with_a_byte_behind_is_refused(name: str) -> None:
    blob = PRIVATE[name].public.blob
    for size in range(len(blob)):
        with pytest.raises(InvalidKeyError):
            parse_public_key(blob[:size])
    with pytest.raises(InvalidKeyError, match="follow"):
        parse_public_key(blob + b"\0")


@pytest.mark.security("S18")
@every_type
@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x80000000, 0x00100000])
def test_any_length_in_a_blob_may_lie(name: str, length: int) -> None:
    blob = PRIVATE[name].public.blob
    for at in range(len(blob) - 4):
        try:
            parse_public_key(blob[:at] + length.to_bytes(4, "big") + blob[at + 4 :])
        except InvalidKeyError:
            continue


@given(st.sampled_from(list(PRIVATE)), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_changed_blob_is_a_key_or_refused(name: str, at: int, noise: bytes) -> None:
    blob = PRIVATE[name].public.blob
    changed = (blob[:at] + noise + blob[at + len(noise) :])[: len(blob)]
    try:
        key = parse_public_key(changed)
    except InvalidKeyError:
        return
    assert key.blob == changed


@pytest.mark.parametrize(
    "name",
    [b"", b"ssh-dss", b"SSH-ED25519", b"ssh-ed25519\0", b"none", b"\xff" * 20, b"ssh-ed25519-cert-v01@openssh.com"],
)
def test_other_types_are_refused(name: bytes) -> None:
    with pytest.raises(InvalidKeyError, match="not accepted"):
        parse_public_key(codec.string(name) + codec.string(bytes(32)))


def test_huge_blob_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidKeyError, match="at most"):
        parse_public_key(ED25519.blob + bytes(10_000))


@pytest.mark.security("S44")
@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("requested", [*SIGNATURE_ALGORITHMS, "ssh-rsa", "ssh-dss", "none", "", "grün"])
def test_algorithm_of_request_blob_and_key_must_agree(name: str, requested: str) -> None:
    private = PRIVATE[name]
    for made_by in private.algorithms:
        made = private.sign(made_by, b"data")
        for named in (made_by, requested, "ssh-rsa"):
            wire = codec.text(named) + made[4 + len(made_by) :]
            if requested == named == made_by:
                private.public.verify(requested, wire, b"data")
            else:
                with pytest.raises(InvalidSignatureError):
                    private.public.verify(requested, wire, b"data")


@pytest.mark.security("S44")
def test_signature_algorithms_are_exactly_these() -> None:
    assert set(SIGNATURE_ALGORITHMS) == {
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-256",
        "rsa-sha2-512",
    }
    assert {SIGNATURE_ALGORITHMS[name] for name in ("rsa-sha2-256", "rsa-sha2-512")} == {"ssh-rsa"}


@pytest.mark.security("S42")
@every_type
def test_signature_cut_anywhere_or_with_a_byte_behind_is_refused(name: str) -> None:
    private = PRIVATE[name]
    algorithm = private.algorithms[0]
    made = private.sign(algorithm, b"data")
    for size in range(len(made)):
        with pytest.raises(InvalidSignatureError):
            private.public.verify(algorithm, made[:size], b"data")
    for behind in (b"\0", bytes(9000)):
        with pytest.raises(InvalidSignatureError, match=r"follow|at most"):
            private.public.verify(algorithm, made + behind, b"data")


@every_type
def test_signature_by_another_key_is_refused(name: str) -> None:
    for other, private in PRIVATE.items():
        for algorithm in private.algorithms:
            made = private.sign(algorithm, b"data")
            if other != name:
                with pytest.raises(InvalidSignatureError):
                    PRIVATE[name].public.verify(algorithm, made, b"data")


@every_type
@pytest.mark.parametrize("comment", ["", "alice@laptop", "two words", "grün"])
def test_line_comes_back(name: str, comment: str) -> None:
    key = parse_public_key(PRIVATE[name].public.blob, comment)
    for line in (key.line, key.line + "\n", key.line + "\r\n", "  " + key.line.replace(" ", "\t ", 1) + " \t"):
        read = parse_public_key_line(line)
        assert read == key
        assert read.comment == comment


def lines_that_are_refused() -> dict[str, str]:
    encoded = base64.b64encode(ED25519.blob).decode()
    return {
        "empty": "",
        "comment": "# ssh-ed25519",
        "no blob": "ssh-ed25519",
        "option": f"restrict ssh-ed25519 {encoded}",
        "options": f'command="x y",no-pty ssh-ed25519 {encoded}',
        "another type": f"ssh-rsa {encoded}",
        "capitals": f"SSH-ED25519 {encoded}",
        "unknown type": f"ssh-dss {encoded}",
        "no-break space": f"ssh-ed25519\u00a0{encoded}",
        "ideographic space": f"ssh-ed25519\u3000{encoded}",
        "vertical tab": f"ssh-ed25519\v{encoded}",
        "two lines": f"ssh-ed25519 {encoded}\nssh-ed25519 {encoded}",
        "carriage return inside": f"ssh-ed25519 {encoded} a\rb",
        "escape in the comment": f"ssh-ed25519 {encoded} \x1b[2J",
        "c1 control in the comment": f"ssh-ed25519 {encoded} \x9b2J",
        "nul": f"ssh-ed25519 {encoded} a\0b",
        "base64 cut": f"ssh-ed25519 {encoded[:-1]}",
        "base64 with junk": f"ssh-ed25519 {encoded[:10]}!{encoded[11:]}",
        "base64 of another alphabet": "ssh-ed25519 " + encoded[:20] + "-_" + encoded[22:],
        "base64 with padding behind": f"ssh-ed25519 {encoded}====",
        "base64 not ascii": f"ssh-ed25519 {encoded[:-1]}é",
        "long": f"ssh-ed25519 {encoded} " + "x" * LINE_SIZE_MAX,
        "surrogate": f"ssh-ed25519 {encoded[:-1]}\udcff",
    }


@pytest.mark.security("S65")
@pytest.mark.parametrize("why", lines_that_are_refused())
def test_line_that_is_not_one_plain_key_is_refused(why: str) -> None:
    with pytest.raises(InvalidKeyError):
        parse_public_key_line(lines_that_are_refused()[why])


def test_options_are_refused_with_a_word_about_them() -> None:
    with pytest.raises(InvalidKeyError, match="public key line starts with"):
        parse_public_key_line(f"restrict {ED25519.line}")


def test_base64_has_one_form() -> None:
    # A blob whose base64 ends in unused bits that are not zero decodes as well, to the same bytes.
    blob = PRIVATE["ecdsa-sha2-nistp256"].public.blob
    encoded = base64.b64encode(blob).decode()
    assert encoded.endswith("=")
    at = len(encoded.rstrip("=")) - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = encoded[:at] + alphabet[alphabet.index(encoded[at]) ^ 1] + encoded[at + 1 :]
    assert base64.b64decode(other, validate=True) == blob
    with pytest.raises(InvalidKeyError, match="one form"):
        parse_public_key_line(f"ecdsa-sha2-nistp256 {other}")


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    with pytest.raises(InvalidKeyError):
        parse_public_key_line(text)

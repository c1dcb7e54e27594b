"""After the warm-up nothing is imported or opened any more, whatever the peer does; no import here names DH."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pysshd.ssh.crypto
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.warm import warm_up

# A fresh interpreter, for here much is loaded already. Whatever is imported or opened after the warm-up is told by an
# audit hook, as a seccomp filter would tell it.
PROGRAM = """
import sys
from pysshd.errors import PysshdError
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.crypto.kex import KEX_METHODS
from pysshd.ssh.crypto.keys import KEY_TYPES, SIGNATURE_ALGORITHMS, parse_public_key
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.crypto.warm import warm_up, warm_up_optional
from pysshd.ssh.wire import codec

blobs = [bytes.fromhex(word) for word in sys.argv[1:]]
warm_up(SystemEntropy())
warm_up_optional(SystemEntropy(), KEX_METHODS)
before = set(sys.modules)
events = []
sys.addaudithook(lambda name, arguments: events.append((name, arguments)) if name in ("import", "open") else None)

def refused(act):
    try:
        act()
    except PysshdError:
        pass

for method in KEX_METHODS.values():
    respond = method.choose(3000, 5000, 8192).respond if method.choose else method.respond
    size = method.client_init_size or 200
    for value in (b"", b"\\x09" * size, bytes(size), b"\\x04" + bytes(size - 1)):
        refused(lambda: respond(SystemEntropy(), value))
for cipher in CIPHERS.values():
    for mac in MACS.values() if cipher.needs_mac else [None]:
        keys = bytes(cipher.key_size), bytes(cipher.iv_size), mac, bytes(mac.key_size if mac else 0)
        sealer, opener = cipher.sealer(*keys), cipher.opener(*keys)
        packet, sealed = memoryview(bytes(36)), memoryview(bytearray(36 + sealer.tag))
        sealer.seal_into(0, packet, sealed)
        opener.length(0, sealed[:4])
        for sequence in (0, 1):
            refused(lambda: opener.open_into(sequence, sealed, memoryview(bytearray(32))))
for blob in blobs:
    key = parse_public_key(blob)
    refused(lambda: parse_public_key(blob[:-1]))
    for algorithm in key.algorithms:
        for raw in (bytes(64), b"\\1" * 384, codec.mpint(5) + codec.mpint(7)):
            refused(lambda: key.verify(algorithm, codec.text(algorithm) + codec.string(raw), b"data"))
for name in KEY_TYPES:
    refused(lambda: parse_public_key(codec.text(name) + codec.string(b"nistp256") + codec.string(bytes(65))))
print(sorted(set(sys.modules) - before), events)
"""


def test_warm_up_leaves_nothing_to_import_or_open() -> None:
    from pysshd.ssh.crypto.generate import generate_private_key

    kinds = [("ed25519", None), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 3072)]
    blobs = [generate_private_key(kind, bits).public.blob.hex() for kind, bits in kinds]
    run = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM, *blobs], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("[] []\n", "")


def test_warm_up_can_run_again() -> None:
    warm_up(SystemEntropy())
    warm_up(SystemEntropy())


def test_warm_up_fails_where_a_primitive_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from pysshd.ssh.crypto import chacha

    monkeypatch.setattr(chacha, "compare_digest", lambda left, right: True)
    with pytest.raises(AssertionError, match="IntegrityError was accepted"):
        warm_up(SystemEntropy())


def imported(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{each.name}" for each in node.names)}
    return names


def test_nothing_here_imports_broken_ciphers_and_hashes_and_one_module_finite_field_dh() -> None:
    sources = sorted(Path(pysshd.ssh.crypto.__path__[0]).glob("*.py"))
    assert len(sources) > 10
    found = set()
    for path in sources:
        for name in imported(path.read_text()):
            assert name.rpartition(".")[2] not in ("dsa", "SHA1", "MD5", "CBC", "TripleDES", "ARC4")
            if name.endswith(".asymmetric.dh"):
                found.add(path.stem)
    assert found == {"modp"}


def test_finite_field_dh_is_imported_only_where_it_is_asked_for() -> None:
    program = """
import sys
from pysshd.ssh.crypto import catalogue, kex, warm
from pysshd.ssh.crypto.entropy import SystemEntropy
warm.warm_up(SystemEntropy())
warm.warm_up_optional(SystemEntropy(), catalogue.DEFAULT_KEX)
print("pysshd.ssh.crypto.modp" in sys.modules)
warm.warm_up_optional(SystemEntropy(), ["diffie-hellman-group14-sha256"])
print("pysshd.ssh.crypto.modp" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("False\nTrue\n", "")

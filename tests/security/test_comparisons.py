"""What is secret is compared in constant time: by `compare_digest`, or by the library that verifies."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.rows import ROOT

SECRET = re.compile(r"(^|_)(tag|mac|digest|hash|hashed|password|secret|signature|token|cookie)$")
"""Names of what somebody could guess octet by octet, were it compared octet by octet."""

ROOMS = ("ssh/crypto", "ssh/transport", "ssh/userauth", "identity", "processes/monitor", "processes/worker", "server")

ALLOWED = {
    "pysshd/ssh/crypto/curve25519.py: secret == bytes(PUBLIC_SIZE)": "nothing is secret in a secret that is zero",
    "pysshd/ssh/crypto/ciphers.py: self.needs_mac != (mac is not None)": "a yes or no",
}

COMPARING = ("ssh/crypto/chacha.py", "ssh/crypto/ctr_etm.py", "ssh/crypto/ctr_mac.py", "identity/host/crypt.py")
"""Where a tag or a hash is compared by us."""


def compared(path: Path) -> Iterator[str]:
    """Each `==` and `!=` of a file with such a name on either side, that is no None, number or text of ours."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            continue
        sides = (node.left, *node.comparators)
        names = [side.id if isinstance(side, ast.Name) else getattr(side, "attr", "") for side in sides]
        if any(map(SECRET.search, names)) and not any(isinstance(side, ast.Constant) for side in sides):
            yield f"{path.relative_to(ROOT)}: {ast.unparse(node)}"


@pytest.mark.security("S46")
def test_nothing_secret_is_compared_octet_by_octet() -> None:
    found = [
        line for room in ROOMS for path in sorted((ROOT / "pysshd" / room).rglob("*.py")) for line in compared(path)
    ]
    assert [line for line in found if not any(map(line.startswith, ALLOWED))] == []


@pytest.mark.security("S46")
@pytest.mark.parametrize("name", COMPARING)
def test_tags_and_hashes_are_compared_in_constant_time(name: str) -> None:
    calls = [
        node.func
        for node in ast.walk(ast.parse((ROOT / "pysshd" / name).read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert any(ast.unparse(call).endswith("compare_digest") for call in calls)

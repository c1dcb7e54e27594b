"""Values that a peer would choose to forge a log line, or to speak to the terminal that shows it."""

import json
import unicodedata

from pysshd.audit.events import Value

CANARIES: dict[str, Value] = {
    "escape": "\x1b]0;title\x07\x1b[2J",
    "line ends": "a\r\nb\nc\vd\fe\x85f\u2028g\u2029h",
    "nul": "a\0b",
    "override": "abc\u202egpj.exe\u2066\u200f\ufeff",
    "c1": "".join(map(chr, range(0x80, 0xA0))),
    "delete": "\x7f\b\b\b",
    "lone surrogates": "\ud800x\udfff\udc80",
    "tags": "\U000e0001\U000e0041" * 40,
    "private": "\ue000\U0010ffff",
    "spaces": "root from 10.0.0.1:22 is in as root by publickey (policy.yaml:1)\u00a0\u3000",
    "quotes": '"} , {"event": "login.accepted", "x": "\\',
    "braces": "{source} {0} {!r} %s",
    "long": "x" * 100_000,
    "long astral": "\U0001f600" * 50_000,
    "broken utf-8": b"\xff\xfe\xc0\xaf\xed\xa0\x80 \x1b[31m",
    "latin-1": bytes(range(256)),
    "long bytes": b"\xff" * 100_000,
    "empty": "",
    "none": None,
    "number": -1,
    "infinite": float("inf"),
    "yes": True,
}


def harmless(line: str) -> bool:
    """Whether no character of a line does more than to be shown."""
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in set(line))


def record(line: str) -> dict[str, object]:
    """A line of JSON as the object that it must be."""
    made = json.loads(line)
    assert isinstance(made, dict)
    return made

"""A start of a daemon that must fail: what it said, and that it left nothing half started."""

import json
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.live.client import HOST, Keys
from tests.live.daemon import PLAIN, free_port, launch, read_line, whole_policy

OWNER = """
users: {alice: {keys: ["@@alice@@"]}}
grants: [{who: alice, roles: login-shell}]
"""


class Refused(NamedTuple):
    """A start that failed: its exit status, what it said, and what was left of it."""

    status: int
    lines: list[str]
    left: list[str]


def refused(folder: Path, arguments: Sequence[str]) -> Refused:
    """Start pysshd, which must end by itself."""
    keeper = launch(arguments, folder)
    said = read_line(keeper, 10)
    end = json.loads((read_line(keeper, 20) if said else None) or "{}")
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    keeper.wait(10)
    keeper.stdout.close()
    assert end, f"it started: {(folder / 'log').read_text()}"
    lines = (folder / "log").read_text().splitlines()
    assert not [line for line in lines if "Traceback" in line], lines
    # The log's own lines begin with the time.
    return Refused(end["status"], [line for line in lines if not re.match(r"\d{4}-", line)], end["left"])


class Start:
    """One start of a policy that is not to start."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self.keys = keys
        self.port = free_port()
        self.file = folder / "policy.yaml"

    def write(self, policy: str = OWNER, server: Sequence[str] = (), **replaced: str) -> None:
        """Write the policy; `replaced` are texts in it, by name of the key of `server` that they follow."""
        text = whole_policy(policy, self.keys, PLAIN, self.folder, self.port, server)
        for key, value in replaced.items():
            text = re.sub(rf"^  {key}: .*$", f"  {key}: {value}", text, flags=re.M)
        self.file.write_text(text)
        self.file.chmod(0o644)

    def place(self, word: str) -> str:
        """`file:line:column` of a word of the policy, which has it once."""
        for number, line in enumerate(self.file.read_text().splitlines(), 1):
            if word in line:
                return f"{self.file}:{number}:{line.index(word) + 1}"
        raise AssertionError(f"{word} is not in the policy")

    def refuse(self, *arguments: str) -> str:
        """Start it and see that it is refused in one line, with nothing left; that line."""
        before = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.name not in ("log", "home")}
        end = refused(self.folder, arguments or ["--config", str(self.file)])
        assert (end.status, end.left) == (2, []), end
        assert len(end.lines) == 1, end.lines
        after = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.name not in ("log", "home")}
        assert after == before, "a start that fails writes nothing"
        with socket.socket() as probe:
            assert probe.connect_ex((HOST, self.port)) != 0, "nobody listens"
        return end.lines[0]

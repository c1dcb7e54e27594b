"""What ssh-audit (https://github.com/jtesta/ssh-audit) says of a daemon of each profile."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.interop.clients.kit import ENVIRONMENT
from tests.interop.clients.python_ones import missing
from tests.interop.conftest import Houses

GOOD, WARNINGS, FAILURES = 0, 2, 3
"""Its exit statuses."""

NOT_POST_QUANTUM = "does not provide protection against post-quantum attacks"


def audit(houses: Houses, profile: str) -> tuple[int, set[tuple[str, str, str]]]:
    """Its exit status, and what it finds wrong: the algorithm, `warn` or `fail`, and why."""
    why = missing("ssh_audit")
    if why is not None:
        pytest.skip(f"ssh-audit: {why}")
    daemon = houses(f"{{profile: {profile}}}")
    # Without the test of how many connections a second it gets: the policies of tests allow a hundred at once.
    words = ["--json", "--no-colors", "--ipv4", "--skip-rate-test", "--port", str(daemon.port), "127.0.0.1"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ssh-audit")), *words],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**ENVIRONMENT, "HOME": str(daemon.folder)},
        cwd=Path("/"),
        timeout=50,
        check=False,
    )
    assert done.stdout.startswith(b"{"), done
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["cves"] == []
    assert said["kex"]
    wrong = {
        (algorithm["algorithm"], level, reason)
        for kind in ("kex", "key", "enc", "mac")
        for algorithm in said[kind]
        for level in ("warn", "fail")
        for reason in algorithm["notes"].get(level, ())
    }
    return done.returncode, wrong


def test_the_strict_profile_is_good(houses: Houses) -> None:
    assert audit(houses, "strict") == (GOOD, set())


def test_of_the_default_profile_curve25519_alone_is_blamed_for_not_being_post_quantum(houses: Houses) -> None:
    names = ("curve25519-sha256", "curve25519-sha256@libssh.org")
    assert audit(houses, "default") == (WARNINGS, {(name, "warn", NOT_POST_QUANTUM) for name in names})


def test_the_compatible_profile_is_blamed_for_what_the_policy_warns_of(houses: Houses) -> None:
    """Curves of NIST, methods and MACs of old: nothing that `pysshd check` does not call weak, and no broken one."""
    status, wrong = audit(houses, "compatible")
    assert status == FAILURES
    weak = ("nistp", "diffie-hellman-group", "hmac-sha2-512", "hmac-sha2-256")
    blamed = {name for name, _, reason in wrong if reason != NOT_POST_QUANTUM}
    assert blamed
    assert [
        name for name in blamed if not any(word in name for word in weak) or name.endswith("-etm@openssh.com")
    ] == []

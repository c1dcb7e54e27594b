"""A daemon whose policy does not do what its own tests say: it starts and says so loudly, or, strictly, does not."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pysshd.audit.sinks import AuditLog, DescriptorSink
from pysshd.daemon.api import load_policy, load_settings, trusted_owners
from pysshd.policy.problems import PolicyError

POLICY = """\
version: 1
users: {alice: {keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKoSWGoC6WfNe4NFUbVgQQd5UJvm0tK3i2GOUvCzjhQ"]}}
grants: [{who: alice, allow: {pty: true}}]
tests:
  - {as: alice, from: 10.0.0.1, login: publickey, allow: pty xterm}
  - {as: alice, from: 10.0.0.1, login: publickey, deny: pty xterm}
"""


Log = tuple[AuditLog, Callable[[], list[dict[str, Any]]]]


@pytest.fixture
def log() -> Iterator[Log]:
    """A log, and what was written to it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def events() -> list[dict[str, Any]]:
        with contextlib.suppress(BlockingIOError):
            return [json.loads(line) for line in os.read(reading, 65536).splitlines()]
        return []

    yield AuditLog((DescriptorSink(writing, "json"),), lambda: datetime.now(UTC)), events
    os.close(reading)
    os.close(writing)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_it_serves_and_says_so(tmp_path: Path, log: Log) -> None:
    file = written(tmp_path / "policy.yaml", POLICY)
    assert load_policy(file, log[0], trusted_owners()).grants
    warning, loud = log[1]()
    assert warning["detail"].startswith(f"{file}:6:57: test failed: case 2: alice may pty xterm")
    assert (loud["event"], loud["level"]) == ("daemon.tests_failed", "error")
    assert (loud["failed"], loud["count"], loud["policy"]) == (1, 2, str(file))


def test_strictly_it_does_not_serve(tmp_path: Path, log: Log) -> None:
    file = written(tmp_path / "policy.yaml", POLICY)
    with pytest.raises(PolicyError, match="test failed: case 2: alice may pty xterm") as caught:
        load_policy(file, log[0], trusted_owners(), strict=True)
    assert len(caught.value.problems) == 1
    assert log[1]() == []
    good = written(tmp_path / "good.yaml", POLICY.rpartition("  - ")[0])
    assert load_policy(good, log[0], trusted_owners(), strict=True).grants
    assert log[1]() == []


def test_settings_of_a_program_are_judged_too(log: Log) -> None:
    load_settings(POLICY, log[0])
    assert [event["event"] for event in log[1]()] == ["daemon.warning", "daemon.tests_failed"]

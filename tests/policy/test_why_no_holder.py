"""What the log says of a key that lets nobody in: the one question that every administrator has."""

from datetime import UTC, datetime

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.ruleset import Ruleset
from pysshd.ssh.crypto.generate import generate_private_key

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYS = {name: generate_private_key("ed25519").public for name in ("alice", "bob", "carol", "mallory")}


@pytest.fixture(name="ruleset", scope="module")
def loaded() -> Ruleset:
    lines = {name: key.line for name, key in KEYS.items()}
    return load_text(
        f"""version: 1
users:
  alice: {{keys: ["{lines["alice"]}"]}}
  bob: {{keys: ["{lines["bob"]}"], not_after: 2026-01-01}}
  carol:
    keys:
      - {{key: "{lines["carol"]}", not_before: 2027-01-01}}
grants: [{{who: alice, roles: login-shell}}]
"""
    ).ruleset


@pytest.mark.parametrize(
    ("account", "key", "why"),
    [
        ("nobody-here", "alice", "nobody may log in as that"),
        ("alice", "mallory", "it is nobody's key"),
        ("alice", "bob", "it is a key of bob, who may not log in as that"),
        ("bob", "bob", "it is a key of bob and has expired (policy.yaml:4)"),
        ("carol", "carol", "it is a key of carol and is not valid yet (policy.yaml:7)"),
        # One that the file alone would let in: another person has it in a file of keys.
        ("alice", "alice", "it is a key of more than one person"),
    ],
)
def test_the_reason(ruleset: Ruleset, account: str, key: str, why: str) -> None:
    assert ruleset.why_no_holder(account, KEYS[key].fingerprint, NOW) == why


def test_a_key_that_a_file_may_hold() -> None:
    text = "version: 1\nusers:\n  alice: {keys: [{file: alice.pub}]}\n"
    ruleset = load_text(text).ruleset
    why = "neither the policy nor a key file says whose it is"
    assert ruleset.why_no_holder("alice", KEYS["mallory"].fingerprint, NOW) == why
    assert ruleset.why_no_holder("bob", KEYS["mallory"].fingerprint, NOW) == "nobody may log in as that"

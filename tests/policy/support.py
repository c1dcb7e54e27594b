"""What the tests of the policy share: keys, and short ways to load a document and to ask it."""

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest

from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.load import Loaded, load_text
from pysshd.policy.problems import PolicyError, Problem
from pysshd.policy.query import UNKNOWN, Facts, Login, Query, Request, Step, Unknown
from pysshd.policy.ruleset import Ruleset
from pysshd.ssh.crypto.keys import parse_public_key_line

# Made with ssh-keygen for these tests; nobody holds the private halves.
KEYS = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPKoSWGoC6WfNe4NFUbVgQQd5UJvm0tK3i2GOUvCzjhQ key1",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAj/p5mGVq1UUcOhb+pmMQvYq1KLLEy7fRHPiF8Tl74/ key2",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGCsjYE7vHQYfpimEI3C+8IcdbnzSbvx87m/SfiDNcAu key3",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP8y59ZHIkEOY0rvmqRgGplGAgrm3YJebj9IJXZS5hpZ key4",
)
FINGERPRINTS = tuple(parse_public_key_line(key).fingerprint for key in KEYS)
HASH = (
    "$argon2id$v=19$m=64,t=1,p=1"
    "$jxYh9pyVPhN/t2uu/DGLew$ijQrcjQFRy6WrZz24cuf7TQG4wy+EwHP0D0PUmEAbwU"
)  # fmt: skip
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

PEOPLE = f"""\
version: 1
groups: [ops, dba]
users:
  alice: {{groups: [ops, dba], accounts: [alice, git], password: "{HASH}",
    keys: [{{name: laptop, key: "{KEYS[0]}"}}, "{KEYS[1]}"]}}
  bob: {{groups: ops, keys: ["{KEYS[2]}"]}}
  carol: {{keys: ["{KEYS[3]}"], accounts: [carol, git], password: "{HASH}"}}
"""
KEY_OF = {"alice": FINGERPRINTS[0], "bob": FINGERPRINTS[2], "carol": FINGERPRINTS[3]}


def load(more: str = "", people: str = PEOPLE) -> Ruleset:
    """A ruleset of the usual people and more sections."""
    return loaded(more, people).ruleset


def loaded(more: str = "", people: str = PEOPLE) -> Loaded:
    """The same, with its warnings."""
    return load_text(people + more, "p.yaml")


def problems(more: str, people: str = PEOPLE) -> tuple[Problem, ...]:
    """The problems for which a document is refused."""
    with pytest.raises(PolicyError) as caught:
        load_text(people + more, "p.yaml")
    assert any(problem.severity == "error" for problem in caught.value.problems)
    return caught.value.problems


def messages(more: str, people: str = PEOPLE) -> str:
    """Their messages, one in a line."""
    return "\n".join(problem.message for problem in problems(more, people))


def warnings(more: str, people: str = PEOPLE) -> str:
    """The warnings of a document that is accepted, one in a line."""
    return "\n".join(problem.message for problem in loaded(more, people).warnings)


def key_step(person: str = "alice") -> Step:
    """A login step with the first key of one of the usual people."""
    return Step("publickey", KEY_OF[person])


PASSWORD = Step("password")


def facts(
    person: str | None = "alice",
    account: str | None = None,
    source: str | Unknown | None = "10.0.0.1",
    now: datetime = NOON,
    methods: tuple[Step, ...] | None = None,
    listener: str = "127.0.0.1:2222",
) -> Facts:
    """Facts of a login that succeeded with the person's key."""
    address = source if source is None or source is UNKNOWN else ip_address(str(source))
    if methods is None:
        methods = (key_step(person),) if person in KEY_OF else ()
    return Facts(account or person or "nobody", person, address, listener, "SSH-2.0-test", now, methods)


def ask(ruleset: Ruleset, request: Request, *, trace: bool = False, **known: Any) -> Decision:
    """Decide one request under such facts."""
    return decide(ruleset, Query(facts(**known), request), trace=trace)


def login(ruleset: Ruleset, *steps: Step, **known: Any) -> Decision:
    """Decide the last of these steps of a login."""
    return ask(ruleset, Login(tuple(steps[:-1]), steps[-1]), **known)

"""A global request that a policy names is answered with a bare success, and no other one is."""

import pytest

from pysshd.ssh.wire.messages.connection import GlobalRequest
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.client import Keys
from tests.live.daemon import PLAIN, serving
from tests.live.wire import wire

POLICY = """
users: {alice: {keys: ["@@alice@@"]}}
grants:
  - {who: alice, allow: {global_requests: [ping@example.com, other]}}
  - {who: alice, deny: {global_requests: other}}
"""


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("ping@example.com", Number.REQUEST_SUCCESS),
        ("other", Number.REQUEST_FAILURE),
        ("ping@example.org", Number.REQUEST_FAILURE),
    ],
)
def test_what_the_policy_names(keys: Keys, name: str, answer: Number) -> None:
    with serving(POLICY, keys, mode=PLAIN) as daemon, wire(daemon) as held:
        assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        held.say(GlobalRequest(name, True, b"").encode())
        assert held.until(Number.REQUEST_SUCCESS, Number.REQUEST_FAILURE)[0] == answer

"""Changes that would allow what is refused, where little can be offered, or something that is rarely asked for."""

from ipaddress import ip_address

import pytest

from pysshd.policy.ways_net import LookUpWay
from tests.policy.test_explain import changes, explained

TREES = """\
roles:
  inbox: {sftp: {mounts: {/: /srv}, paths: {/in: list}}}
  outbox: {sftp: {paths: {/out: list}}}
grants:
  - {name: boxes, who: bob, roles: [inbox, outbox]}
"""


def test_of_two_permissions_of_files_none_is_chosen_to_be_widened() -> None:
    added = ['add a grant: {who: bob, allow: {sftp: {paths: {"/in": [upload]}}}}']
    assert changes("sftp upload /in", policy=TREES) == [added]
    one = TREES.replace("[inbox, outbox]", "inbox")
    widened = [
        'change that path to sftp: {paths: {"/in": [list, upload]}} in the role inbox, which boxes gives (p.yaml:12)'
    ]
    assert changes("sftp upload /in", policy=one) == [widened, added]


def test_whom_an_exception_meets_is_told_of_the_exception() -> None:
    policy = (
        "grants:\n  - {name: inside, who: bob, unless: {from: 192.0.2.0/24}, allow: {shell: true, confined: true}}\n"
    )
    assert changes("shell", policy=policy, source=ip_address("192.0.2.1")) == [
        ["let inside match: it asks for unless: {from: 192.0.2.0/24} (p.yaml:9)"],
        ["add a grant: {who: bob, allow: {shell: true, confined: true}}"],
    ]


@pytest.mark.parametrize(("text", "signal"), [("signal KILL", "KILL"), ("break", "BREAK")])
def test_a_signal_is_added_to_the_role_whose_program_would_get_it(text: str, signal: str) -> None:
    policy = "grants:\n  - {name: quiet, who: bob, allow: {shell: true, confined: true, signals: INT}}\n"
    assert changes(text, policy=policy) == [
        [f"add signals: [{signal}] to the allow of quiet (p.yaml:9)"],
        [f"add a grant: {{who: bob, allow: {{signals: [{signal}]}}}}"],
    ]


def test_a_command_that_no_file_could_hold_is_not_offered() -> None:
    """A policy is UTF-8: nothing but `any` could permit these bytes, and that is not offered for one command."""
    policy = "grants:\n  - {name: list, who: bob, allow: {exec: ls, confined: true}}\n"
    assert changes("exec caf\udce9", policy=policy) == []
    (added, _) = changes("exec café", policy=policy)
    assert added == ['add exec: "café", confined: true to the allow of list (p.yaml:9)']


LOCAL = "grants:\n  - {name: db, who: bob, allow: {forward: {local: %s}}}\n"


@pytest.mark.parametrize(
    ("permitted", "by"),
    [
        ('"localhost:5432"', "localhost:5432"),
        ('["127.0.0.1:5432", "[::1]:5432"]', "127.0.0.1:5432"),
        ('"**.corp:*"', None),
    ],
)
def test_localhost_is_explained_at_its_addresses(permitted: str, by: str | None) -> None:
    """No resolver is asked for `localhost`; where its two addresses are answered alike, one of them is the answer."""
    found = explained("forward localhost:5432", policy=LOCAL % permitted)
    assert found.allowed == (by is not None)
    if by is not None:
        assert found.decision is not None
        assert found.decision.reason == f"db permits it by forward: {{local: {by}}}"


def test_where_its_addresses_are_answered_otherwise_localhost_has_no_answer() -> None:
    found = explained("forward localhost:5432", policy=LOCAL % '"127.0.0.1:5432"')
    assert not found.allowed
    assert found.decision is not None
    assert found.decision.way == LookUpWay("localhost", 5432, named=False)
    for address, allowed in (("127.0.0.1", True), ("::1", False)):
        one = explained(f"forward localhost:5432 {address}", policy=LOCAL % '"127.0.0.1:5432"')
        assert one.allowed == allowed

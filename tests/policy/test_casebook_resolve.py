"""Cases of forwarding: what a name is resolved to is said by the case, and each address is judged by itself."""

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from tests.policy.support import PEOPLE

POLICY = """\
grants:
  - {who: bob, allow: {forward: {local: ["db*.corp:5432", "10.2.0.0/16:443", "loopback:80"]}}}
  - {name: not-that-one, who: "*", deny: {forward: {local: "10.2.9.9:*"}}}
"""


def failures(more: str) -> list[str]:
    text = f"{PEOPLE}{POLICY}tests: [{{as: bob, from: 10.0.0.1, login: publickey, {more}}}]\n"
    (verdict,) = load_text(text, "p.yaml", language=True).verdicts
    return [failure.message for failure in verdict.failures]


@pytest.mark.parametrize(
    "more",
    [
        "resolve: {db1.corp: 192.0.2.5}, allow: {forward: db1.corp:5432}",
        "resolve: {db1.corp: [192.0.2.5, '2001:db8::5']}, allow: {forward: db1.corp:5432}",
        "resolve: {DB1.corp.: 192.0.2.5}, allow: {forward: db1.corp:5432}",
        "resolve: {db1.corp: 10.2.9.9}, deny: {forward: db1.corp:5432}",
        "resolve: {db1.corp: [127.0.0.1, 169.254.169.254]}, deny: {forward: db1.corp:5432}",
        "resolve: {www.corp: 10.2.0.7}, allow: {forward: www.corp:443}",
        "resolve: {www.corp: 10.3.0.7}, deny: {forward: www.corp:443}",
        "allow: [forward 10.2.0.7:443, forward 127.0.0.1:80, 'forward db1.corp:5432 192.0.2.5']",
        "deny: [forward db1.corp:22, forward 10.3.0.7:443, agent, x11, listen 127.0.0.1:9000]",
    ],
)
def test_what_a_policy_does_passes(more: str) -> None:
    assert failures(more) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "resolve: {db1.corp: [192.0.2.5, 10.2.9.9]}, allow: {forward: db1.corp:5432}",
            ["case 1: bob may not forward db1.corp:5432 10.2.9.9: not-that-one denies it, p.yaml:10"],
        ),
        (
            "resolve: {db1.corp: [192.0.2.5, 10.2.9.9]}, deny: {forward: db1.corp:5432}",
            ["case 1: bob may forward db1.corp:5432 192.0.2.5: grant 1 permits it by"],
        ),
    ],
)
def test_each_address_is_judged_by_itself(more: str, expected: list[str]) -> None:
    found = failures(more)
    assert [text[: len(start)] for text, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "allow: {forward: db1.corp:5432}",
            "case 1: the answer depends on what a name is resolved to, which the case does not say",
        ),
        (
            "deny: {forward: www.corp:443}",
            "case 1: the answer depends on what a name is resolved to, which the case does not say",
        ),
        (
            "resolve: {db2.corp: 10.2.0.5}, allow: agent",
            "resolve names db2.corp, and no forward of the case does: it tests nothing",
        ),
        (
            "resolve: {db2.corp: 10.2.0.5}, allow: [forward 10.2.0.5:5432, 'forward db.corp:5432 10.2.0.5', pty x]",
            "resolve names db2.corp, and no forward of the case does: it tests nothing",
        ),
        ("resolve: {10.2.0.5: 10.2.0.5}, allow: agent", "'10.2.0.5' is an address, expected a name"),
        (
            "resolve: {'127.1': 10.2.0.5}, allow: agent",
            "'127.1' is no name of a host: it is a number, and not written as an address of four parts is",
        ),
        (
            "resolve: {db1.corp: db2.corp}, allow: agent",
            "found 'db2.corp', expected an address such as 10.1.2.3: it is no IPv4 or IPv6 address",
        ),
        ("resolve: {}, allow: agent", "found an empty mapping, expected names of hosts and their addresses"),
    ],
)
def test_what_a_case_must_say_and_what_says_nothing(more: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        failures(more)
    assert message in [problem.message for problem in caught.value.problems]

"""`record: required` on what can not be recorded, and limits of what a grant does not permit."""

import pytest

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from tests.policy.support import PEOPLE

FORWARD = 'forward: {local: "*:22"}'


def said(*grants: str) -> str:
    """The errors, or the warnings of a document that is good, one in a line."""
    text = PEOPLE + "grants:\n" + "".join(f"  - {{{grant}}}\n" for grant in grants)
    try:
        found = load_text(text, "p.yaml", language=True).warnings
    except PolicyError as error:
        return "\n".join(problem.message for problem in error.problems if problem.severity == "error")
    return "\n".join(problem.message for problem in found if problem.severity == "warning")


@pytest.mark.parametrize(
    ("grants", "message"),
    [
        ([f"name: a, who: alice, allow: {{{FORWARD}}}, record: required"],
         ('record: required of a can not be enforced: alice has forward: {local: *:22} by p.yaml:9, of '
          'which there is no record')),
        (["name: a, who: group:ops, allow: {agent: true}", "name: b, who: bob, bound: {record: required}"],
         'record: required of b can not be enforced: bob has agent: true by p.yaml:9, of which there is no record'),
        (["name: a, from: 10.0.0.0/8, allow: {x11: true}", "name: b, bound: {record: required}"],
         ('record: required of b can not be enforced: alice from 10.0.0.0 has x11: true by p.yaml:9, of '
          'which there is no record')),
        (['name: a, allow: {forward: {local_unix: "/run/*"}}', "name: b, who: carol, bound: {record: required}"],
         ('record: required of b can not be enforced: carol has forward: {local_unix: /run/*} by '
          'p.yaml:9, of which there is no record')),
        (["name: a, who: alice, allow: {agent: true}", "who: alice, deny: {agent: true}",
          "name: b, who: alice, bound: {record: required}"], ('record: required of b can not be enforced: alice '
                                                              'has agent: true by p.yaml:9, of which there is no '
                                                              'record')),
    ],
)  # fmt: skip
def test_a_record_that_there_can_not_be(grants: list[str], message: str) -> None:
    assert message in said(*grants).splitlines()


@pytest.mark.parametrize(
    "grants",
    [
        ["who: alice, allow: {pty: true}, record: required", f"who: alice, allow: {{{FORWARD}}}"],
        [f"who: alice, allow: {{{FORWARD}}}, record: on"],
        ["who: alice, allow: {agent: true}", "who: bob, allow: {pty: true}", "who: bob, bound: {record: required}"],
        ["from: 10.0.0.0/8, allow: {agent: true, pty: true}", "allow: {pty: true, env: {accept: LANG}}",
         "unless: {from: 10.0.0.0/8}, bound: {record: required}"],
        ["who: alice, allow: {global_requests: x, pty: true}, record: required"],
    ],
)  # fmt: skip
def test_records_that_there_can_be(grants: list[str]) -> None:
    assert said(*grants) == ""


@pytest.mark.parametrize(
    ("grant", "message"),
    [
        ("name: a, allow: {pty: true}, limits: {forwards: 2}", "forwards: 2 of a never matters: a forwards nothing"),
        (
            "name: a, allow: {agent: true}, limits: {forwards: 2}",
            "forwards: 2 of a never matters: a forwards nothing",
        ),
        ("name: a, allow: {pty: true}, limits: {sessions: 2}", "sessions: 2 of a never matters: a runs nothing"),
        ("name: a, allow: {pty: true}, limits: {files: 2}", "files: 2 of a never matters: a has no files by sftp"),
        (
            "name: a, allow: {pty: true}, limits: {file_size: 2B}",
            "file_size: 2B of a never matters: a has no files by sftp",
        ),
        ("name: a, allow: {sftp: {mounts: {/: /srv}, paths: {/: all}}}, limits: {files: 2, file_size: 2B}", ""),
        (f"name: a, allow: {{{FORWARD}}}, limits: {{forwards: 2}}", ""),
        ("name: a, allow: {exec: ls, confined: true}, limits: {sessions: 2, idle: 5m}", ""),
    ],
)
def test_limits_of_what_is_not_permitted(grant: str, message: str) -> None:
    assert said(grant).splitlines() == ([message] if message else [])

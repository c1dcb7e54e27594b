"""Limits of a `bound` that nothing is held to, and limits that guests use up for everybody."""

import pytest

from pysshd.policy.load import load_text
from tests.policy.support import KEYS

PEOPLE = f"""\
version: 1
users:
  alice: {{keys: ["{KEYS[0]}"]}}
  bob: {{keys: ["{KEYS[1]}"]}}
  guest: {{names: ["*"]}}
login: [{{who: guest, methods: none}}, {{methods: publickey}}]
"""


def warned(*grants: str) -> list[str]:
    text = PEOPLE + "grants:\n" + "".join(f"  - {{{grant}}}\n" for grant in grants)
    return [one.message for one in load_text(text, "p.yaml", language=True).warnings if one.severity == "warning"]


FILES = "who: alice, allow: {sftp: {mounts: {/: /srv}, paths: {/: all}}}"
RUNS = "who: alice, allow: {exec: ls, confined: true}"
FORWARDS = "who: alice, allow: {forward: {local: 'x.y:1'}}"
NEVER = "{} of b never matters: nobody whom it means {} while it holds"


@pytest.mark.parametrize(
    ("allow", "limit", "something"),
    [
        (RUNS, "forwards: 2", "may forward anything"),
        (RUNS, "files: 2", "has files by sftp"),
        (RUNS, "file_size: 2B", "has files by sftp"),
        (FORWARDS, "sessions: 2", "may run anything"),
        (RUNS, "sessions: 2", ""),
        (FILES, "sessions: 2", ""),
        (FILES, "files: 2", ""),
        (FORWARDS, "forwards: 2", ""),
        (RUNS, "idle: 5m", ""),
    ],
)
def test_a_limit_of_what_nobody_may(allow: str, limit: str, something: str) -> None:
    told = [NEVER.format(limit, something)] if something else []
    assert warned(allow, f"name: b, who: alice, bound: {{limits: {{{limit}}}}}") == told
    # Whoever may do it later, or somebody else, makes no difference.
    later = "who: bob, allow: {forward: {local: 'x.y:1'}, exec: ls, confined: true}, not_before: 2027-01-01"
    assert warned(allow, later, f"name: b, who: alice, bound: {{limits: {{{limit}}}}}") == told


def test_a_limit_of_what_is_not_permitted_while_it_holds() -> None:
    allow = "who: alice, from: 10.0.0.0/8, allow: {forward: {local: 'x.y:1'}}"
    bound = "name: b, unless: {from: 10.0.0.0/8}, bound: {limits: [{forwards: 2}, {idle: 5m}]}"
    assert warned(allow, RUNS, bound) == [NEVER.format("forwards: 2", "may forward anything")]


EVERYBODY = "everybody: it counts what guest and the others do together"


@pytest.mark.parametrize(
    ("grants", "told"),
    [
        (["name: g, who: [guest, alice], allow: {pty: true}, limits: {connections: 4, per: all}"], True),
        (["name: g, who: [guest, alice], allow: {pty: true}, limits: {bandwidth: 1MB/s, per: all}"], True),
        (["name: g, who: [guest, alice], allow: {pty: true}, limits: {connections: 4, per: source}"], False),
        (["name: g, who: [guest, alice], allow: {pty: true}, limits: {connections: 4}"], False),
        (["name: g, who: guest, allow: {pty: true}, limits: {connections: 4, per: all}"], False),
        (["name: g, who: [alice, bob], allow: {pty: true}, limits: {connections: 4, per: all}"], False),
        # An allow leaves guests out where it does not name them, a bound does not.
        (['name: g, who: "*", allow: {pty: true}, limits: {connections: 4, per: all}'], False),
        (["who: [guest, alice], allow: {pty: true}", "name: g, bound: {limits: {channels: 4, per: all}}"], True),
        (["who: guest, allow: {pty: true}", "name: g, bound: {limits: {channels: 4, per: all}}"], False),
        (["who: alice, allow: {pty: true}", "name: g, bound: {limits: {channels: 4, per: all}}"], False),
        (
            [
                "who: [guest, alice], allow: {pty: true}",
                "name: g, unless: {who: guest}, bound: {limits: {channels: 4, per: all}}",
            ],
            False,
        ),
        (
            [
                "who: [guest, alice], allow: {pty: true}",
                "name: g, who: alice, bound: {limits: {channels: 4, per: all}}",
                "name: h, who: guest, bound: {limits: {channels: 2, per: all}}",
            ],
            False,
        ),
    ],
)
def test_a_limit_that_guests_use_up(grants: list[str], told: bool) -> None:
    assert [one.partition(" for ")[2] for one in warned(*grants)] == ([EVERYBODY] if told else [])


def test_what_guests_use_up_is_told_in_whole() -> None:
    text = (
        f"{PEOPLE}grants: [{{name: g, who: [guest, alice], allow: {{pty: true}}, limits: {{channels: 4, per: all}}}}]\n"
    )
    found = load_text(text, "p.yaml", language=True).warnings
    assert [str(one) for one in found if one.severity == "warning"] == [
        "p.yaml:7:10: warning: channels: 4 per all of g is used up by guests for everybody: it counts what guest and "
        "the others do together (give guests a limit of their own, and leave them out of this one by unless)"
    ]

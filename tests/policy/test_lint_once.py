"""What the lints say once, and what they do not say where they could not look at everything."""

from collections.abc import Sequence

import pytest

from pysshd.policy.conditions import Case, Conditions
from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.worlds import Worlds
from tests.policy.sftp import allow, grants
from tests.policy.support import KEYS, PEOPLE, warnings


def test_what_a_profile_does_to_a_whole_group_is_told_once() -> None:
    text = warnings(
        "server: {accounts: system}\ngrants: [{who: group:ops, allow: {exec: {profile: rsync, paths: /srv}}}]\n"
    )
    assert text.count("its filters can be lines of any file") == 1
    assert "bounds what alice transfers" in text


def test_two_shells_at_another_place_bound_no_paths() -> None:
    def found(shells: str) -> str:
        paths = allow("{/in: list}", who="alice, from: 10.0.0.0/8")
        text = PEOPLE + grants(paths, f"who: alice, from: {shells}, allow: {{shell: true, exec: any, confined: true}}")
        return "\n".join(str(one) for one in load_text(text, "p.yaml", language=True).warnings)

    assert "bounds nothing" not in found("11.0.0.0/8")
    assert found("10.2.0.0/16").count("bounds nothing: alice from 10.2.0.0 has shell: true (confined)") == 1


def test_who_could_not_be_tried_in_every_case_is_not_said_to_be_shut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning that is wrong would be obeyed; one that is missing costs what it costs without the lint."""
    text = """\
login: [{who: bob, refuse: true}, {methods: publickey}]
grants: [{who: bob, allow: {shell: true, confined: true}}]
"""
    assert warnings(text) == "bob can never log in, though a grant names them: p.yaml:8 refuses"
    monkeypatch.setattr("pysshd.policy.lint_people.WORK_MAX", 1)
    assert warnings(text) == ""


LOGIN = "login: [{who: alice, methods: publickey}, {methods: publickey}]\n"


@pytest.mark.parametrize(("work", "enough"), [(2 * 2, True), (2 * 2 - 1, False)])
def test_people_who_are_alike_to_the_login_section_are_tried_once(
    monkeypatch: pytest.MonkeyPatch, work: int, enough: bool
) -> None:
    """Two kinds of people, each in one case, which is held against two entries."""
    monkeypatch.setattr("pysshd.policy.lint_login.WORK_MAX", work)
    assert ("only some of the cases were tried" in warnings(LOGIN)) is not enough


SHUT_OUT = "login: [{who: group:ops, from: 10.0.0.0/8, refuse: true}, {who: carol, methods: publickey}]\n"


@pytest.mark.parametrize(("work", "enough"), [(5 * 2, True), (5 * 2 - 1, False)])
def test_people_who_are_alike_are_shut_out_alike(monkeypatch: pytest.MonkeyPatch, work: int, enough: bool) -> None:
    """Two people of one kind: five places, each of which is held against two entries, once for both of them."""
    people = f"version: 1\ngroups: ops\nusers:\n  ann: {{groups: ops, keys: '{KEYS[0]}'}}\n"
    people += f"  ben: {{groups: ops, keys: '{KEYS[1]}'}}\n  carol: {{keys: '{KEYS[2]}'}}\n"
    monkeypatch.setattr("pysshd.policy.lint_people.WORK_MAX", work)
    told = warnings(f"{SHUT_OUT}grants: [{{who: [ann, ben], allow: {{pty: true}}}}]\n", people)
    assert told.count("can never log in") == (2 if enough else 0)


A, B = "from: 10.0.0.0/8", "from: 192.0.2.0/24"
SFTP = "sftp: {mounts: {/: /srv}, paths: {/: list}}"
APART = {
    "a denied pattern and a shell": [f"{A}, deny: {{exec: rm}}", f"{B}, allow: {{exec: any, confined: true}}"],
    "a record and what has none": [f"{A}, bound: {{record: required}}", f"{B}, allow: {{agent: true}}"],
    "a rule of forward and a shell": [f"{A}, allow: {{forward: {{local: 'a.b:1'}}}}",
                                      f"{B}, allow: {{shell: true, confined: true}}"],
    "paths and a shell": [f"{A}, allow: {{{SFTP}}}", f"{B}, allow: {{shell: true, confined: true}}"],
    "a deny and an allow": [f"{A}, deny: {{pty: true}}", f"{B}, allow: {{pty: true}}"],
    "a bound and an allow": [f"{A}, bound: {{limits: {{files: 2}}}}", f"{B}, allow: {{pty: true}}"],
    "a grant of nobody": ["account: nobody, allow: {pty: true}"],
    "any command and a shell": [f"{A}, allow: {{exec: any, confined: true}}",
                                f"{B}, allow: {{shell: true, confined: true}}"],
    "a program that is not confined, of nobody": ["account: nobody, allow: {exec: ls}"],
    "two ways": [f"{A}, allow: {{forced: [a], confined: true}}", f"{B}, allow: {{forced: [b], confined: true}}"],
}  # fmt: skip
"""Grants of a group that are never of the same moment, so that a check finds nothing and looks at the next person."""


@pytest.mark.parametrize("name", APART)
def test_people_who_are_alike_cost_no_more_than_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    looked: list[str] = []
    together = Worlds.together

    def counted(self: Worlds, person: Person, entries: Sequence[Conditions]) -> Case | None:
        looked.append(person.name)
        return together(self, person, entries)

    monkeypatch.setattr(Worlds, "together", counted)
    counts = []
    for size in (2, 5):
        people = "".join(f"  p{number}: {{groups: g, accounts: [x{number}]}}\n" for number in range(size))
        listed = "".join(f"  - {{who: group:g, {grant}}}\n" for grant in APART[name])
        load_text(f"version: 1\ngroups: g\nserver: {{owner: chief}}\nusers:\n  chief: {{accounts: c}}\n{people}"
                  f"grants:\n{listed}", language=True)  # fmt: skip
        counts.append(len(looked))
        looked.clear()
    assert counts[0] == counts[1] > 0

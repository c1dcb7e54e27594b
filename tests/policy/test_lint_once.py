"""What the lints say once, and what they do not say where they could not look at everything."""

import pytest

from pysshd.policy.load import load_text
from tests.policy.sftp import allow, grants
from tests.policy.support import PEOPLE, warnings


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

"""What a ruleset tells of itself to those who serve it."""

import pytest

from tests.policy.support import load

CONFINED = "{who: bob, allow: {exec: ls, confined: true}}"


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([], None),
        (["{who: alice, allow: {pty: true}}", CONFINED], "p.yaml:11"),
        (["{who: alice, allow: {exec: [date], shell: true}}", CONFINED, CONFINED], "p.yaml:11"),
        (["{who: bob, deny: {exec: ls}}"], None),
        (["{who: alice, allow: {exec: date}}"], None),
    ],
)
def test_the_first_permission_whose_programs_are_confined(entries: list[str], where: str | None) -> None:
    """A daemon that can confine nothing says at its start which line asks for it."""
    text = "server: {owner: alice}\n"
    text += "grants:\n" + "".join(f"  - {entry}\n" for entry in entries) if entries else ""
    assert load(text).first_confined == where

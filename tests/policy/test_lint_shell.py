"""`exec: any` for somebody who has no shell."""

import pytest

from tests.policy.support import loaded

ANY = "exec: any, confined: true"


def warned(*grants: str) -> list[str]:
    text = "".join(f"  - {{{grant}}}\n" for grant in grants)
    return [f"{one.line}: {one.message}" for one in loaded("grants:\n" + text).warnings]


NO_SHELL = "9: exec: any (confined) is a shell, for it runs sh: alice is given no shell, and has one all the same"


@pytest.mark.parametrize(
    ("grants", "told"),
    [
        ([f"who: alice, allow: {{{ANY}}}"], [NO_SHELL]),
        ([f"who: alice, allow: {{shell: true, {ANY}}}"], []),
        ([f"who: alice, allow: {{{ANY}}}", "who: group:ops, allow: {shell: true, confined: true}"], []),
        ([f"who: alice, allow: {{{ANY}}}", "who: bob, allow: {shell: true, confined: true}"], [NO_SHELL]),
        (
            [
                f"who: alice, from: 10.0.0.0/8, allow: {{{ANY}}}",
                "who: alice, unless: {from: 10.0.0.0/8}, allow: {shell: true, confined: true}",
            ],
            [NO_SHELL],
        ),
        ([f"who: alice, allow: {{{ANY}}}", "who: alice, deny: {exec: any}"], [NO_SHELL]),
        ([f"who: bob, account: git, allow: {{{ANY}}}"], ["9: grant 1 matches nobody"]),
        (["who: alice, allow: {exec: [ls, any], confined: true}"], [NO_SHELL]),
        (["who: alice, allow: {exec: 'ls *', confined: true}"], []),
        ([f"who: [alice, bob], allow: {{{ANY}}}"], [NO_SHELL]),
        (
            [f"who: alice, allow: {{shell: [menu], {ANY}}}"],
            [
                "9: exec: any (confined) is a shell, for it runs sh: alice is held to shell: [menu] (confined) by "
                "p.yaml:9, and has one all the same"
            ],
        ),
    ],
)
def test_any_command_without_a_shell(grants: list[str], told: list[str]) -> None:
    assert warned(*grants) == told

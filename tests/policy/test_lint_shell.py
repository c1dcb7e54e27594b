"""`exec: any` for somebody who has no shell."""

import pytest

from tests.policy.support import loaded, messages

ANY = "exec: any, confined: true"


def warned(*grants: str) -> list[str]:
    text = "".join(f"  - {{{grant}}}\n" for grant in grants)
    return [f"{one.line}: {one.message}" for one in loaded("grants:\n" + text).warnings]


NO_SHELL = "9: exec: any (confined) is a shell, for it runs sh: alice is given no shell, and has one all the same"

DENIES_NOTHING = "10: grant 2 denies nothing: no grant allows any of it to anybody whom it means while it holds"


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
        # A shell that is denied is none, and a deny of any command gives nobody one.
        ([f"who: alice, allow: {{{ANY}}}", "who: alice, deny: {shell: true}"], [NO_SHELL, DENIES_NOTHING]),
        (["who: alice, allow: {exec: ls, confined: true}", "who: alice, deny: {exec: any}"], []),
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


def test_beside_a_forced_command_the_clash_alone_is_told() -> None:
    text = f"grants: [{{who: alice, allow: {{{ANY}}}}}, {{who: alice, allow: {{forced: [menu], confined: true}}}}]"
    (told,) = messages(text).splitlines()
    assert told.startswith("clash: forced: [menu] (confined) here and exec: any (confined) at p.yaml:8")

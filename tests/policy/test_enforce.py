"""What can not be enforced is refused: patterns denied beside a shell, and unconfined programs of other people."""

import pytest

from pysshd.policy.keyfiles import KeyFile
from pysshd.policy.load import load_text
from pysshd.policy.query import Exec, Shell, Step
from tests.policy.support import FINGERPRINTS, PEOPLE, ask, load, loaded, messages, problems


@pytest.mark.parametrize(
    "shell", ["exec: any, confined: true", "shell: true, confined: true", "shell: [x], confined: true"]
)
@pytest.mark.parametrize("deny", ['exec: "rm *"', "exec: {literal: rm}", "exec: [any, rm]"])
def test_a_denied_pattern_beside_a_shell(shell: str, deny: str) -> None:
    text = messages(f"grants:\n  - {{who: alice, allow: {{{shell}}}}}\n  - {{who: group:ops, deny: {{{deny}}}}}\n")
    assert "can not be enforced: alice has" in text
    assert "by p.yaml:9" in text


@pytest.mark.parametrize(
    "entries",
    [
        # another person, another source, another effect
        "{who: bob, allow: {exec: any, confined: true}}, {who: alice, deny: {exec: rm}}",
        "{from: 10.0.0.0/8, allow: {exec: any, confined: true}}, {from: 11.0.0.0/8, deny: {exec: rm}}",
        "{who: alice, allow: {exec: any, confined: true}}, {who: alice, deny: {exec: any}}",
        "{who: alice, allow: {exec: [rm, ls], confined: true}}, {who: alice, deny: {exec: rm}}",
        "{who: alice, allow: {exec: any, confined: true}}, {who: alice, deny: all}",
    ],
)
def test_denies_that_can_be_enforced(entries: str) -> None:
    load(f"grants: [{entries}]")


@pytest.mark.parametrize(
    "permission",
    ["shell: true", "shell: [x]", "exec: any", "exec: ls", "exec: {literal: ls}", "forced: [x]", "subsystems: {s: x}"],
)
def test_an_unconfined_program_is_for_the_owner_alone(permission: str) -> None:
    def grant(person: str, more: str = "") -> str:
        return f"  - {{who: {person}, allow: {{{permission}{more}}}}}\n"

    document = "grants:\n" + grant("bob")
    found = loaded(document)
    assert found.ruleset.settings.server.owner == "bob"
    [warning, *more] = found.warnings
    assert "bob may run programs as the daemon's own user" in warning.message
    # Any command without a shell beside it is odd for another reason.
    assert [one.message.partition(" is ")[0] for one in more] == (["exec: any"] if permission == "exec: any" else [])
    named = loaded("server: {owner: bob}\n" + document).warnings
    assert [one.message for one in named] == [one.message for one in more]
    assert "the owner is alice" in messages("server: {owner: alice}\n" + document)
    both = document + grant("alice")
    [first, second] = [problem for problem in problems(both) if problem.severity == "error"]
    assert (first.line, second.line) == (9, 10)
    assert "so may alice by p.yaml:10" in first.message
    assert "so may bob by p.yaml:9" in second.message
    load("grants:\n" + grant("bob", ", confined: true") + grant("alice", ", confined: true"))


def test_confined_programs_make_no_owner() -> None:
    found = loaded('grants: [{who: "*", allow: {shell: true, exec: any, confined: true}}]')
    assert found.ruleset.settings.server.owner is None
    assert found.warnings == ()


def test_one_grant_for_several_people_is_told_once() -> None:
    people = PEOPLE.replace(
        "  bob:", "  dora: {password: " + PEOPLE.split("password: ")[1].split(",\n")[0] + "}\n  bob:"
    )
    text = messages('grants: [{who: "*", roles: login-shell}]', people)
    assert "alice, dora, bob and 1 others may run" in text
    assert "only one person may be that" in text


def test_what_the_file_excludes_makes_no_owner() -> None:
    load("grants: [{who: alice, roles: login-shell}, {who: bob, account: git, roles: login-shell}]")
    load("grants: [{unless: {who: group:ops}, roles: login-shell}]")
    assert "bob may run" in messages(
        "grants: [{who: alice, roles: login-shell}, {who: bob, from: 10.0.0.1, roles: login-shell}]"
    )


def test_denied_permissions_still_make_an_owner() -> None:
    text = messages('grants: [{who: "*", roles: login-shell}, {unless: {who: alice}, deny: all}]')
    assert "only one person may be that" in text


def test_a_person_by_key_may_be_the_owner() -> None:
    found = loaded("grants: [{who: key:laptop, roles: login-shell}]")
    assert found.ruleset.settings.server.owner == "alice"


@pytest.mark.security("S123")
def test_a_key_file_that_changes_makes_no_second_owner() -> None:
    """What a key file holds is known at load alone: what it holds later must not run as the daemon's own user."""
    held, other = FINGERPRINTS[:2]
    ruleset = load_text(
        "version: 1\nserver: {owner: alice}\n"
        "users: {alice: {keys: {file: /k/alice.pub}}, bob: {keys: {file: /k/bob.pub}}}\n"
        f'grants: [{{who: "key:{held}", roles: login-shell}}]\n',
        key_files={"/k/alice.pub": KeyFile((held,)), "/k/bob.pub": KeyFile((other,))},
    ).ruleset
    assert ask(ruleset, Shell(), person="alice", methods=(Step("publickey", held, "/k/alice.pub"),)).allowed
    for request in (Shell(), Exec(b"id")):
        decision = ask(ruleset, request, person="bob", methods=(Step("publickey", held, "/k/bob.pub"),))
        assert (decision.allowed, decision.reason) == (False, "only the owner runs what is not confined")

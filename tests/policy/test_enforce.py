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
        "{who: alice, allow: {exec: [rm, ls], confined: true}}, {who: alice, deny: {exec: rm}}, "
        "{who: alice, deny: {exec: any}}",
    ],
)
def test_denies_that_can_be_enforced(entries: str) -> None:
    load(f"grants: [{entries}]")


def test_a_denied_pattern_is_told_of_once_for_people_who_are_alike() -> None:
    """Whoever has no deny of a pattern keeps nobody from being looked at."""
    grants = "{who: bob, allow: {pty: true}}, {who: [carol, alice], allow: {shell: true, confined: true}}"
    (found,) = problems(f"grants: [{grants}, {{who: [alice, carol], deny: {{exec: rm}}}}]")
    assert str(found) == (
        "p.yaml:8:10: a deny of exec: rm can not be enforced: alice has shell: true (confined) by p.yaml:8, and other "
        "words do the same (deny exec: any and the shell, or allow only what is meant)"
    )
    unlike = grants.replace("[carol, alice], allow", "carol, from: 10.0.0.1, allow")
    told = messages(f"grants: [{unlike}, {{who: [alice, carol], deny: {{exec: rm}}}}]")
    assert told.startswith("a deny of exec: rm can not be enforced: carol from 10.0.0.1 has shell: true (confined) by ")


@pytest.mark.parametrize(
    ("role", "by"), [("{shell: true}", "p.yaml:9"), ("{exec: any, signals: INT}", "p.yaml:9"), ("", "p.yaml:10")]
)
def test_the_line_that_gives_a_shell(role: str, by: str) -> None:
    """It is that of the role, and of the grant where the role is built in."""
    roles = f"roles: {{mine: {role}}}\n" if role else "# a role that is built in\n"
    given = "mine" if role else "login-shell"
    text = messages(
        f"server: {{owner: alice}}\n{roles}grants: [{{who: alice, roles: {given}}}, {{who: '*', deny: {{exec: rm}}}}]"
    )
    assert text.endswith(f" by {by}, and other words do the same")


def test_who_may_run_what_is_not_confined_is_told_in_whole() -> None:
    role = "roles: {mine: {exec: ls}}\n"
    grants = "  - {who: [alice, bob], allow: {exec: id}}\n  - {who: carol, roles: mine}\n"
    found = problems(f"{role}grants:\n{grants}")
    hint = "(write confined: true in the role, or name the one person in server.owner)"
    assert [str(one) for one in found] == [
        "p.yaml:10:39: alice, bob may run a program that is not confined, exec: id, and with accounts: service that is "
        f"to be the daemon's own user; so may carol by p.yaml:11, and only one person may {hint}",
        "p.yaml:11:5: carol may run a program that is not confined, exec: ls (p.yaml:8), and with accounts: service "
        f"that is to be the daemon's own user; so may alice by p.yaml:10, and only one person may {hint}",
    ]


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

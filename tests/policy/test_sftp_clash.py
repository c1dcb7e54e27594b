"""SFTP beside what would answer the same: two folders at one place, other programs, and a shell."""

import pytest

from pysshd.policy.clash import common_request
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from tests.policy.sftp import allow, grants, load
from tests.policy.support import PEOPLE

TREE = "sftp: {mounts: {/: /srv}, paths: {/: list}}"


def refused(text: str) -> str:
    """The errors of a document, one in a line."""
    with pytest.raises(PolicyError) as caught:
        load_text(PEOPLE + text, "p.yaml", language=True)
    return "\n".join(problem.message for problem in caught.value.problems if problem.severity == "error")


def warned(text: str) -> list[str]:
    """The warnings of a document."""
    found = load_text(PEOPLE + text, "p.yaml", language=True).warnings
    return [problem.message for problem in found if problem.severity == "warning"]


def test_both_lines_and_a_request_are_told() -> None:
    text = grants(allow("{/: list}"), allow("{/a: list}", "{/: '/srv/{user}'}", who="group:ops, from: 10.0.0.0/8"))
    assert refused(text) == (
        "clash: sftp: {mounts: {/: /srv/{user}}} here and sftp: {mounts: {/: /srv}} at p.yaml:9 would both answer "
        "sftp list / of alice from 10.0.0.0 (grant 2 at p.yaml:10, grant 1 at p.yaml:9)"
    )


@pytest.mark.parametrize(
    ("first", "second", "request_"),
    [
        (TREE, "sftp: {mounts: {/: /srv/a}}", "sftp list /"),
        (TREE, "sftp: {mounts: {/: '{home}/srv'}}", "sftp list /"),
        ("sftp: {mounts: {/a: '/x/{user}'}}", "sftp: {mounts: {/b: /x, /a: '/x/{account}'}}", "sftp list /a"),
        ("sftp: {mounts: {/: /srv}, start: /a}", "sftp: {paths: {/: list}, start: /b}", "subsystem sftp"),
        (TREE, "forced: [x], confined: true", "subsystem sftp"),
        (TREE, "subsystems: {sftp: [x]}, confined: true", "subsystem sftp"),
    ],
)
def test_pairs_that_clash(first: str, second: str, request_: str) -> None:
    for one, two in ((first, second), (second, first)):
        text = refused(grants(f"who: alice, allow: {{{one}}}", f"who: alice, allow: {{{two}}}"))
        assert f"would both answer {request_} of alice" in text
        assert text.count("clash") == 1


def test_the_same_folder_is_no_clash() -> None:
    ruleset = load(grants(allow("{/: list}", start="/a"), allow("{/: all}", who="bob", start="/a")))
    one, two = (grant.rights.sftp[0] for grant in ruleset.grants)
    for left, right in zip(one.parts, two.parts, strict=True):
        assert common_request(left, right) is None


def test_one_role_can_clash_with_itself() -> None:
    assert "subsystem sftp" in refused(grants(f"who: alice, allow: {{{TREE}, forced: [x], confined: true}}"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TREE, "sftp: {mounts: {/: /srv/./}, paths: {/: all}}"),
        (TREE, "sftp: {mounts: {/a: /srv/b}}"),
        (TREE, "sftp: {mounts: {/: /srv}, start: /a}"),
        (TREE, "sftp: {paths: {'/**': all}}"),
        (TREE, "sftp: {paths: {/: list}, start: /a}"),
        ("sftp: {mounts: {/: '/srv/{user}'}}", "sftp: {mounts: {/: '/srv/{user}'}}"),
        (TREE, "subsystems: {mail: [x]}, confined: true"),
        (TREE, "shell: true, exec: any, confined: true"),
        (TREE, "exec: 'scp -t *', confined: true"),
    ],
)
def test_pairs_that_do_not(first: str, second: str) -> None:
    load(grants(f"who: alice, allow: {{{first}}}", f"who: alice, allow: {{{second}}}"))


def test_what_the_file_excludes_is_none_and_a_deny_excludes_nothing() -> None:
    other = "sftp: {mounts: {/: /other}}"
    load(
        grants(
            f"who: alice, account: git, allow: {{{TREE}}}", f"who: alice, unless: {{account: git}}, allow: {{{other}}}"
        )
    )
    load(grants(f"who: alice, allow: {{{TREE}}}", f"who: bob, allow: {{{other}}}"))
    denied = grants(f"who: alice, allow: {{{TREE}}}", f"who: alice, allow: {{{other}}}", "who: alice, deny: all")
    assert "clash" in refused(denied)


def test_a_deny_clashes_with_nothing() -> None:
    load(grants("who: alice, allow: {forced: [x], confined: true}", "who: alice, deny: {sftp: {paths: {/: all}}}"))


def test_sftp_makes_nobody_the_owner() -> None:
    """It is held to its folders, so that several may have it under `accounts: service`."""
    assert warned(grants(allow("{/: list}"), allow("{/: list}", who="bob"))) == []


SHELL = "name: s, who: alice, allow: {shell: true, confined: true}"


@pytest.mark.parametrize(
    "shell",
    [
        "shell: true, confined: true",
        "exec: any, confined: true",
        "exec: [ls, any], confined: true",
    ],
)
def test_a_shell_beside_path_rights_is_warned_of(shell: str) -> None:
    *more, warning = warned(grants(f"name: s, who: alice, allow: {{{shell}}}", allow("{/: list}", who="group:ops")))
    what = "shell: true" if "shell" in shell else "exec: any"
    assert warning == (
        f"sftp: {{mounts: {{/: /srv}}, paths: {{/: …}}}} bounds nothing: alice has {what} (confined) by p.yaml:9, "
        "and a shell reaches the files themselves"
    )
    assert [one.partition(":")[0] for one in more] == (["exec"] if "exec" in shell else [])


def test_denied_rights_beside_a_shell_are_warned_of() -> None:
    (warning,) = warned(grants(SHELL, 'who: "*", deny: {sftp: {paths: {/a: upload}}}'))
    assert "sftp: {paths: {/a: …}} bounds nothing: alice has shell: true" in warning


@pytest.mark.parametrize(("paths", "mounts"), [("{'/**': all}", "{/: /}"), ("{/: all, '/**': all}", "{/: /srv}")])
def test_almost_everything_is_not_everything(paths: str, mounts: str) -> None:
    assert len(warned(grants(SHELL, allow(paths, mounts)))) == 1


def test_each_permission_is_warned_of_once() -> None:
    shells = "who: alice, allow: {shell: true, confined: true}", "who: alice, allow: {exec: any, confined: true}"
    assert len(warned(grants(*shells, allow("{/: list}")))) == 1


@pytest.mark.parametrize(
    "others",
    [
        ("who: alice, allow: {exec: [ls], confined: true}", allow("{/: list}")),
        ("who: alice, allow: {shell: [menu], confined: true}", allow("{/: list}")),
        (SHELL, allow("{/: list}", who="bob")),
        (SHELL.replace("alice", "alice, account: git"), allow("{/: list}", who="alice, account: alice")),
        # it shows and permits everything, as the shell does
        (SHELL, allow("{'/**': all, /: all}", "{/: /}")),
    ],
)
def test_what_is_not_warned_of(others: tuple[str, str]) -> None:
    assert warned(grants(*others)) == []


@pytest.mark.parametrize("shell", ["shell: true", "exec: any"])
def test_a_shell_that_is_denied_reaches_no_files(shell: str) -> None:
    text = grants(f"name: d, who: alice, deny: {{{shell}}}", allow("{/: list}"), "who: alice, allow: {exec: [id, ls]}")
    assert not [one for one in warned("server: {owner: alice}\n" + text) if "bounds nothing" in one]


@pytest.mark.parametrize(("role", "count"), [("sftp", 0), ("sftp-readonly", 1)])
def test_built_in_roles_beside_a_login_shell(role: str, count: int) -> None:
    text = "server: {accounts: system}\n" + grants(f"who: alice, roles: [login-shell, {role}]")
    found = warned(text)
    assert len(found) == count
    assert all("alice has shell: true by p.yaml:10" in warning for warning in found)


def test_a_grant_that_gives_nothing_new_is_warned_of() -> None:
    (warning,) = warned(grants(allow("{/: list}", who='"*"'), allow("{/: list}")))
    assert "gives nothing" in warning
    assert warned(grants(allow("{/: list}", who='"*"'), allow("{/: all}"))) == []

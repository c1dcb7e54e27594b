"""A policy or arguments that mean nothing are refused at the start, each problem in one line with its place."""

import re

import pytest

from tests.live.refusal import OWNER, Start, refused


@pytest.mark.parametrize(
    ("policy", "word", "says"),
    [
        (OWNER + "colour: blue\n", "colour", "unknown key"),
        (OWNER + "users: {}\n", "users: {}", "twice"),
        (OWNER.replace("login-shell", "loginshell"), "loginshell", "login-shell"),
        (OWNER.replace("who: alice", "who: alcie"), "alcie", "alice"),
        (OWNER + "login: []\n", "[]", ""),
        (OWNER + "totp: yes\n", "totp", "unknown key"),
        (OWNER + "include: [{files: more.yaml}]\n", "include", "may"),
        (OWNER + "limits: {login_grace: soon}\n", "soon", ""),
        (OWNER + "revoked: x\n", "revoked", "not served"),
        (OWNER + "\tx: 1\n", "\tx", "tab"),
        (OWNER + "groups: [a, b\n", "groups", "is not closed"),
        (OWNER + "groups: *anchor\n", "*anchor", "alias"),
    ],
)  # fmt: skip
def test_an_invalid_policy_is_refused_with_its_place(start: Start, policy: str, word: str, says: str) -> None:
    start.write(policy)
    line = start.refuse()
    assert re.match(rf"{re.escape(str(start.file))}:\d+:\d+: ", line), line
    if word:
        assert line.startswith(start.place(word).rpartition(":")[0]), line
    assert says in line


def test_an_ambiguous_policy_is_refused_with_its_place(start: Start) -> None:
    roles = 'roles: {a: {forced: ["true"]}, b: {forced: ["false"]}}\n'
    start.write(OWNER.replace("roles: login-shell", "roles: [a, b]") + roles)
    line = start.refuse()
    assert re.match(rf"{re.escape(str(start.file))}:\d+:\d+: ", line), line


def test_every_problem_is_told_in_one_run(start: Start) -> None:
    start.write(OWNER + "colour: blue\nshape: round\n")
    end = refused(start.folder, ["--config", str(start.file)])
    assert end.status == 2
    assert len(end.lines) == 2


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00v", b"version: 1\0\n", b"- 1\n", b"version: 2\n"])
def test_a_policy_that_is_none(start: Start, content: bytes) -> None:
    start.file.write_bytes(content)
    assert start.refuse().startswith(f"{start.file}:")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--colour"],
        ["serve"],
        ["--config"],
        ["--config", "x", "quickstart"],
        ["--log-level", "shout"],
        ["--config", ""],
    ],
    ids=" ".join,
)
def test_arguments_that_mean_nothing(start: Start, arguments: list[str]) -> None:
    end = refused(start.folder, arguments)
    assert (end.status, end.left) == (2, [])
    assert 1 <= len(end.lines) <= 4


def test_a_secret_in_a_broken_line_is_not_shown(start: Start) -> None:
    start.write(OWNER.replace('keys: ["@@alice@@"]', 'keys: ["@@alice@@"], password: "canary-secret"'))
    assert "canary" not in start.refuse()

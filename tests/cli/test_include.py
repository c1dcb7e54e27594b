"""The tools on a policy of several files: each names the file in which something stands."""

import json
from pathlib import Path

import pytest

from pysshd.policy.model_schema import fragment_schema
from tests.cli.test_commands import run
from tests.policy.support import HASH, KEYS

MAIN = f"""\
version: 1
include:
  - {{files: "users.d/*.yaml", may: users}}
  - {{files: access.yaml, may: [roles, grants, tests]}}
server: {{owner: bob}}
groups: [ops]
users: {{bob: {{keys: ["{KEYS[1]}"]}}}}
"""
ALICE = f'users:\n  alice: {{groups: ops, keys: ["{KEYS[0]}"], password: "{HASH}"}}\n'
ACCESS = """\
roles: {lists: {exec: ls, confined: true}}
grants:
  - {who: [group:ops, bob], roles: lists}
  - {name: not-bob, who: bob, deny: all}
tests:
  - {as: alice, from: 10.0.0.1, login: publickey, allow: [{exec: ls}]}
"""
GUARD = "keep that in the main file, or guard them as you guard that"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "users.d").mkdir(mode=0o755)
    for name, text in (("policy.yaml", MAIN), ("users.d/alice.yaml", ALICE), ("access.yaml", ACCESS)):
        write(tmp_path / name, text)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)


def said(house: Path, status: int, *words: str, errors: bool = False) -> str:
    ended = run(*words[:1], str(house / "policy.yaml"), *words[1:])
    assert ended.returncode == status, ended.stderr
    assert b"Traceback" not in ended.stderr
    return (ended.stderr if errors else ended.stdout).decode().replace(str(house), "")


def test_check(house: Path) -> None:
    assert said(house, 0, "check", errors=True).splitlines() == [
        "/policy.yaml:4:32: warning: these files may hold roles or grants: whoever writes one of them may grant "
        f"({GUARD})",
        "    4 |   - {files: access.yaml, may: [roles, grants, tests]}",
        "                                       ^",
        "/policy.yaml: good, with 1 warning, 2 included files",
    ]
    found = json.loads(said(house, 0, "check", "--json"))
    assert found["files"] == ["/policy.yaml", "/access.yaml", "/users.d/alice.yaml"]


def test_check_shows_the_line_of_the_file_that_it_is_in(house: Path) -> None:
    write(house / "users.d" / "alice.yaml", ALICE.replace("password", "groups: opps, password"))
    write(house / "access.yaml", ACCESS.replace("exec: ls, ", "exec: ls, sehll: true, ", 1).replace("{exec: ls}", "x"))
    first, source, caret, *_ = said(house, 2, "check", errors=True).splitlines()
    assert first.startswith("/access.yaml:1:27: unknown key 'sehll', expected one of shell, ")
    assert (source, caret) == ("    1 | roles: {lists: {exec: ls, sehll: true, confined: true}}", " " * 34 + "^")
    text = said(house, 2, "check", errors=True)
    assert "/users.d/alice.yaml:2:" in text
    assert HASH[20:] not in text
    found = json.loads(said(house, 2, "check", "--json"))
    assert {problem["file"] for problem in found["problems"]} == {"/access.yaml", "/users.d/alice.yaml"}
    assert (found["files"], HASH[20:] in str(found)) == ([], False)


@pytest.mark.ordinary_user
def test_what_may_not_be_read_is_refused(house: Path) -> None:
    file, folder = house / "users.d" / "alice.yaml", house / "users.d"
    place = "/policy.yaml:3:13: "
    for path, mode, said in (
        (file, 0o000, "/users.d/alice.yaml: it can not be opened: Permission denied"),
        (folder, 0o300, "/users.d: the folder can not be read: Permission denied"),
        (folder, 0o600, "/users.d: the folder can not be read: Permission denied"),
    ):
        path.chmod(mode)
        found = said_of_check(house)
        folder.chmod(0o755)
        file.chmod(0o600)
        assert place + said in found


def said_of_check(house: Path) -> list[str]:
    return said(house, 2, "check", errors=True).splitlines()


def test_check_against(house: Path) -> None:
    write(house / "new.yaml", MAIN.replace("owner: bob", "owner: bob, isolation: shared"))
    ended = run("check", str(house / "new.yaml"), "--against", str(house / "policy.yaml"))
    assert ended.returncode == 0
    assert b"server.isolation waits for restart" in ended.stderr
    write(house / "users.d" / "alice.yaml", "users: x\n")
    ended = run("check", str(house / "policy.yaml"), "--against", str(house / "policy.yaml"))
    assert b"/users.d/alice.yaml:1:8: found a text" in ended.stderr


def test_explain_names_the_lines_of_all_files(house: Path) -> None:
    text = said(house, 0, "explain", "--as", "alice", "--from", "10.0.0.1", "exec", "ls")
    assert "grant 1 of access.yaml" in text
    assert "/access.yaml:3" in text
    text = said(house, 1, "explain", "--as", "bob", "--from", "10.0.0.1", "exec", "ls")
    assert "not-bob denies it (/access.yaml:4)" in text


def test_tests_of_an_included_file(house: Path) -> None:
    assert "1 case" in said(house, 0, "test") + said(house, 0, "test", errors=True)
    write(house / "access.yaml", ACCESS.replace("{exec: ls}", "{exec: id}"))
    assert "/access.yaml:6:" in said(house, 1, "test", errors=True)
    assert "/access.yaml:6:" in said(house, 2, "check", errors=True)


def test_to_cut_a_policy_into_files_gives_nobody_more(house: Path) -> None:
    whole = MAIN.replace("users: {bob", "users: {%%, bob").replace("%%", ALICE.partition("\n")[2].strip()) + ACCESS
    lines = whole.splitlines(keepends=True)
    write(house / "whole.yaml", "".join(lines[:1] + lines[4:]))
    ended = run("diff", str(house / "whole.yaml"), str(house / "policy.yaml"))
    assert (ended.returncode, ended.stdout.decode()) == (0, "nothing was gained, 0 lost\n"), ended.stderr
    write(house / "access.yaml", ACCESS.replace("exec: ls,", "exec: [ls, id],"))
    ended = run("diff", str(house / "whole.yaml"), str(house / "policy.yaml"))
    assert ended.returncode == 1
    assert f"{house}/access.yaml:3" in ended.stdout.decode()


def test_matrix_and_roles(house: Path) -> None:
    found = json.loads(said(house, 0, "matrix", "--json"))
    assert [person["person"] for person in found["people"]] == ["bob", "alice"]
    assert "/access.yaml:3" in json.dumps(found)
    found = json.loads(said(house, 0, "roles", "--json"))
    (lists,) = (role for role in found["roles"] if role["name"] == "lists")
    assert (lists["where"], lists["given_by"][0]["where"]) == ("/access.yaml:1", "/access.yaml:3")


def test_migrate_looks_at_every_file(house: Path) -> None:
    assert said(house, 0, "migrate").splitlines() == [
        "/policy.yaml: version 1, the only one there is; nothing to do",
        "/access.yaml: version 1, as the file that includes it; nothing to do",
        "/users.d/alice.yaml: version 1, as the file that includes it; nothing to do",
    ]
    write(house / "access.yaml", "version: 2\n")
    assert "/access.yaml:1:1: section 'version' stands in the main file only" in said(house, 2, "migrate", errors=True)


def test_the_schema_of_included_files() -> None:
    ended = run("schema", "--fragment")
    assert json.loads(ended.stdout) == fragment_schema()
    ended = run("schema", "--fragment", "--reference")
    assert ended.returncode == 2
    assert b"--reference and --fragment" in ended.stderr

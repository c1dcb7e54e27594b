"""`pysshd diff` and `pysshd migrate`: what they say, and the status that a pipeline reads."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import run
from tests.docs.pages import ROOT
from tests.policy.support import HASH, PEOPLE

GRANT = "grants: [{name: lists, who: alice, allow: {exec: ls, confined: true}}]\n"
MORE = "grants: [{name: lists, who: alice, from: 10.0.0.0/8, allow: {exec: [ls, id], confined: true}}]\n"


def written(folder: Path, **texts: str) -> list[str]:
    """Policies in files that only their owner may write to."""
    paths = []
    for name, text in texts.items():
        file = folder / f"{name}.yaml"
        file.write_text(text)
        file.chmod(0o600)
        paths.append(str(file))
    return paths


def test_access_gained_and_lost(tmp_path: Path) -> None:
    old, new = written(tmp_path, old=PEOPLE + GRANT, new=PEOPLE + MORE)
    ended = run("diff", old, new)
    assert ended.returncode == 1, ended.stderr
    text = ended.stdout.decode()
    assert "+ alice: exec: id (confined)\n" in text
    assert "where   who: alice, from: 10.0.0.0/8\n" in text
    assert "such as alice from 10.0.0.0: exec 'id'\n" in text
    assert f"new     {new}:8 (lists at {new}:8)" in text or f"new     {new}:8\n" in text
    assert "- alice: exec: ls (confined)\n" in text
    assert text.endswith("1 gained, 0 may have been gained, 1 lost\n")
    assert "\x1b" not in text


def test_nothing_gained(tmp_path: Path) -> None:
    old, new = written(tmp_path, old=PEOPLE + GRANT, new=PEOPLE + "# other words\n" + GRANT.replace("lists", "other"))
    ended = run("diff", old, new)
    assert (ended.returncode, ended.stdout.decode()) == (0, "nothing was gained, 0 lost\n")
    (less,) = written(tmp_path, less=PEOPLE)
    ended = run("diff", old, less)
    assert ended.returncode == 0
    assert ended.stdout.decode().endswith("nothing was gained, 1 lost\n")


def test_json(tmp_path: Path) -> None:
    old, new = written(tmp_path, old=PEOPLE + GRANT, new=PEOPLE + MORE)
    ended = run("diff", "--json", old, new)
    assert ended.returncode == 1
    found = json.loads(ended.stdout)
    assert [one["people"] for one in found["gained"]] == [["alice"]]
    assert found["gained"][0]["what"] == "exec: id (confined)"
    assert found["gained"][0]["sure"] is True
    assert set(found["gained"][0]) == {"people", "what", "sure", "conditions", "example", "new", "old"}
    assert len(found["lost"]) == 1


def test_what_can_not_be_compared(tmp_path: Path) -> None:
    good, bad = written(tmp_path, good=PEOPLE, bad="version: 1\nnonsense: 1\n")
    for words in ((good, bad), (bad, good), (good, str(tmp_path / "no.yaml"))):
        ended = run("diff", *words)
        assert ended.returncode == 2
        assert ended.stdout == b""
        assert b": refused; pysshd check " in ended.stderr
        assert b"Traceback" not in ended.stderr


def test_no_secret_is_told(tmp_path: Path) -> None:
    login = "login: [{methods: [publickey, password]}]\n"
    other = HASH.replace("jxYh9", "jxYh8")
    old, new = written(tmp_path, old=PEOPLE + login, new=PEOPLE.replace(HASH, other) + login)
    for words in ((), ("--json",)):
        ended = run("diff", *words, old, new)
        assert ended.returncode == 1
        assert b"another password" in ended.stdout
        assert b"argon2" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", ["login-server", "quickstart"])
def test_migrate_has_nothing_to_do(tmp_path: Path, name: str) -> None:
    (file,) = written(tmp_path, policy=(ROOT / "config" / f"{name}.yaml").read_text())
    ended = run("migrate", file)
    assert (ended.returncode, ended.stdout.decode()) == (
        0, f"{file}: version 1, the only one there is; nothing to do\n",
    )  # fmt: skip
    (file,) = written(tmp_path, policy="version: 2\n")
    ended = run("migrate", file)
    assert ended.returncode == 2
    assert b"expected 1" in ended.stderr

"""The name of a compiled version: of what was read, not of where or when."""

from pathlib import Path

from pysshd.patterns.narrowing import Narrowing
from pysshd.policy.keyfiles import KeyFile, KeyFolder
from pysshd.policy.load import load_file, load_text
from pysshd.policy.version import version_of
from tests.server.house import ALICE, BOB, line_of

TEXT = "version: 1\nusers: {alice: {keys: [{file: alice.pub}]}}\ngrants: [{who: alice, roles: login-shell}]\n"


def version(folder: Path, text: str = TEXT, key: str = line_of(ALICE), name: str = "policy.yaml") -> str:
    folder.mkdir(exist_ok=True)
    (folder / "alice.pub").write_text(key + "\n")
    (folder / name).write_text(text)
    for file in folder.iterdir():
        file.chmod(0o600)
    return load_file(str(folder / name), owner_uids={(folder / name).stat().st_uid}).ruleset.version


def test_the_same_content_is_the_same_version_wherever_it_lies(tmp_path: Path) -> None:
    first = version(tmp_path / "a")
    assert first == version(tmp_path / "b", name="other.yaml")
    assert len(first) == 12
    assert set(first) <= set("0123456789abcdef")


def test_another_text_and_another_key_in_a_file_are_other_versions(tmp_path: Path) -> None:
    first = version(tmp_path)
    assert version(tmp_path, TEXT + "# a comment\n") != first
    assert version(tmp_path, key=line_of(BOB)) != first
    assert version(tmp_path) == first


def test_options_in_front_of_a_key_make_another_version() -> None:
    read = [KeyFile(("SHA256:x",), narrowings=said) for said in ((), (("SHA256:x", Narrowing(b"id")),))]
    assert len({version_of(["a"], {"/a": file}) for file in read}) == 2
    assert len({version_of(["a"], None, {"/k/*": KeyFolder((("alice", file),))}) for file in read}) == 2


def test_a_text_has_a_version_too() -> None:
    text = TEXT.replace("{file: alice.pub}", f'"{line_of(ALICE)}"')
    assert load_text(text).ruleset.version == load_text(text).ruleset.version != ""


def test_the_name_of_a_content_is_the_same_in_every_release() -> None:
    """People compare it between hosts. By hand: the digests of the texts, and of the sorted keys, sorted and hashed."""
    assert version_of(["version: 1\n"], None) == "c0b1b68ac5e2"
    files = {"/b": KeyFile(("SHA256:y",)), "/a": KeyFile(("SHA256:x",))}
    assert version_of(["a", "b"], files) == version_of(["b", "a"], files) == "f91d6ccb0d4e"

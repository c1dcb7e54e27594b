"""What a helper says of the host's accounts, asked in this process: of whoever runs this, and of nobody."""

import os
import pwd
from pathlib import Path

import pytest

from pysshd.identity.host.calls import Found, LookUp
from pysshd.identity.host.environment import environment_of
from pysshd.identity.host.lookup import Host
from pysshd.ssh.crypto.generate import generate_private_key

ME = pwd.getpwuid(os.geteuid())
KEY = generate_private_key("ed25519").public


def ask(folder: Path, *, key_files: tuple[str, ...] = (), name: str = ME.pw_name, **more: object) -> Found:
    """Ask about one account; the shadow file is one of the test's own."""
    fields = {"min_uid": 0, "groups": (), "stand_in": "", **more}
    asked = LookUp((name,), (name,), key_files=key_files, **fields)  # type: ignore[arg-type]
    # The folder of an ordinary user is none that a shadow file may lie in: where the test has none, nobody has one.
    shadow = folder / "shadow" if (folder / "shadow").exists() else Path("/no-shadow-here")
    found = Host(asked, 20000, str(shadow), str(folder / "environment")).answer()
    assert Found.decode(found.encode()) == found
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.mark.security("S113")
def test_an_account_with_its_groups(folder: Path) -> None:
    own = [name for name in ("root", "nogroup", "users", ME.pw_name) if _knows(name)]
    (account,) = ask(folder, groups=(*own, "no-such-group")).accounts
    assert (account.uid, account.gid) == (ME.pw_uid, ME.pw_gid)
    assert sorted(account.groups) == sorted(os.getgrouplist(ME.pw_name, ME.pw_gid))
    assert account.unknown_groups == ("no-such-group",)
    assert account.member_of == tuple(name for name in own if _knows(name) in account.groups)
    assert (account.home, account.shell) == (ME.pw_dir.encode(), (ME.pw_shell or "/bin/sh").encode())


def _knows(group: str) -> int | None:
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def test_nobody_of_that_name_is_nobody(folder: Path) -> None:
    for name in ("no-such-account", "", "x\0y", "a" * 300):
        found = ask(folder, name=name, key_files=("~/.ssh/authorized_keys",), stand_in=ME.pw_name)
        assert (found.accounts, found.people, found.keys) == ((), (), ())


def test_a_person_of_the_source_has_a_uid_that_is_one(folder: Path) -> None:
    assert ask(folder, min_uid=ME.pw_uid).people
    assert not ask(folder, min_uid=ME.pw_uid + 1).people


@pytest.mark.root
def test_a_locked_account_and_a_shadow_file_that_says_nothing(folder: Path) -> None:
    shadow = folder / "shadow"
    for line, fault in ((f"{ME.pw_name}:!:1::::::", "locked"), (f"{ME.pw_name}:*:1", "does not say"), ("x:*:1", "")):
        shadow.write_text(line + "\n")
        shadow.chmod(0o600)
        (account,) = ask(folder).accounts
        assert fault in account.fault if fault else account.fault == "", line
    shadow.chmod(0o666)
    assert "does not say" in ask(folder).accounts[0].fault


@pytest.mark.security("S66")
def test_keys_of_files_that_can_be_trusted(folder: Path) -> None:
    file = folder / ME.pw_name
    file.write_text(KEY.line + "\n")
    file.chmod(0o600)
    pattern = f"{folder}/{{user}}"
    (held,) = ask(folder, key_files=(pattern,)).keys
    assert [(digest.hex(), line, options) for digest, line, options in held.keys] == [(_digest(), 1, "")]
    assert held.path == bytes(file)
    file.chmod(0o620)
    found = ask(folder, key_files=(pattern,))
    assert [held.keys for held in found.keys] in ([()], [])
    assert "group or world may write it" in found.notes[0]
    file.unlink()
    os.mkfifo(file)
    found = ask(folder, key_files=(pattern,))
    assert "not a regular file" in found.notes[0]


def _digest() -> str:
    from hashlib import sha256

    return sha256(KEY.blob).hexdigest()


def test_variables_of_etc_environment() -> None:
    text = b"# x\nA=1\n export B='two words' \nC=\"x\nD\n=x\n1E=x\nF=\xff\nA=2\nG=#no comment\n"
    assert dict(environment_of(text)) == {
        b"A": b"2",
        b"B": b"two words",
        b"C": b'"x',
        b"F": b"\xff",
        b"G": b"#no comment",
    }

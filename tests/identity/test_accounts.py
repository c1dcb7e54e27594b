"""As whom sessions run under `accounts: service`."""

import os
import pwd
from pathlib import Path

import pytest

from pysshd.identity.accounts import ServiceAccounts, ServiceUser
from pysshd.policy.people import Person

USER = ServiceUser(os.geteuid(), "/home/service", "/bin/bash")


def accounts(state: Path, *people: Person) -> ServiceAccounts:
    return ServiceAccounts(USER, state, {person.name: person for person in people})


def test_the_owner_has_the_daemons_home_and_shell(tmp_path: Path) -> None:
    account = accounts(tmp_path, Person("alice")).account("alice", "git", False)
    assert (account.name, account.person, account.home, account.shell) == ("git", "alice", "/home/service", "/bin/bash")
    assert (account.uid, account.gid, account.groups) == (None, None, ())
    assert list(tmp_path.iterdir()) == []


def test_a_confined_home_is_made_on_first_use(tmp_path: Path) -> None:
    maker = accounts(tmp_path, Person("alice"), Person("bob"))
    umask = os.umask(0)
    try:
        account = maker.account("bob", "bob", True)
    finally:
        os.umask(umask)
    home = tmp_path / "homes" / "bob"
    assert account.home == str(home)
    assert account.shell == "/bin/sh"
    assert [path.stat().st_mode & 0o777 for path in (home, home.parent)] == [0o700, 0o700]
    assert [path.name for path in (tmp_path / "homes").iterdir()] == ["bob"]
    (home / "file").write_text("kept")
    assert maker.account("bob", "bob", True) == account
    assert (home / "file").read_text() == "kept"


def test_a_home_of_the_file_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    assert accounts(tmp_path, Person("bob", home=str(own))).account("bob", "bob", True).home == str(own)
    with pytest.raises(OSError, match="missing"):
        accounts(tmp_path, Person("bob", home=str(tmp_path / "missing"))).account("bob", "bob", True)


def test_a_person_that_the_policy_has_not(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="mallory"):
        accounts(tmp_path, Person("alice")).account("mallory", "alice", False)


def test_a_symlink_a_file_or_an_open_folder_is_no_home(tmp_path: Path) -> None:
    homes = tmp_path / "homes"
    homes.mkdir(mode=0o700)
    (homes / "link").symlink_to("/etc")
    (homes / "file").write_text("")
    (homes / "open").mkdir()
    (homes / "open").chmod(0o755)
    maker = accounts(tmp_path, *map(Person, ("link", "file", "open")))
    for name in ("link", "file", "open"):
        with pytest.raises(OSError, match=name):
            maker.account(name, name, True)


@pytest.mark.root
def test_a_folder_of_someone_else_is_no_home(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    os.chown(other, 65534, 65534)
    with pytest.raises(PermissionError, match="uid 65534"):
        accounts(tmp_path, Person("bob", home=str(other))).account("bob", "bob", True)


def test_the_user_comes_from_passwd() -> None:
    entry = pwd.getpwuid(0)
    assert ServiceUser.from_passwd(entry, 0) == ServiceUser(0, entry.pw_dir, entry.pw_shell)
    assert ServiceUser.from_passwd(None, 7) == ServiceUser(7, "/", "/bin/sh")

"""The state folder, and as whom the daemon and its workers run."""

import os
import pwd
import stat
from pathlib import Path
from typing import Any

import pytest

from pysshd.daemon import users
from pysshd.daemon.state import default_state_directory, prepare_state_directory
from pysshd.errors import StartupError
from pysshd.policy.people import AskedSource, KeyCommand, SystemSource
from pysshd.policy.ruleset import Ruleset, ruleset_of
from pysshd.policy.settings import Server, Settings
from pysshd.policy.templates import parse_template

ME = os.geteuid()


@pytest.mark.parametrize(
    ("environment", "uid", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y", "HOME": "/h"}, 0, "/var/lib/x"),
        ({"HOME": "/root"}, 0, "/var/lib/pysshd"),
        ({"HOME": "/home/a"}, 1000, "/home/a/.local/state/pysshd"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/x"}, 1000, "/x/pysshd"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "x/y"}, 1000, "/home/a/.local/state/pysshd"),
        ({"HOME": "/home/a", "STATE_DIRECTORY": ""}, 1000, "/home/a/.local/state/pysshd"),
    ],
)
def test_where_it_lies(environment: dict[str, str], uid: int, expected: str) -> None:
    assert default_state_directory(environment, uid) == Path(expected)


def test_it_is_made_for_its_user_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = prepare_state_directory(tmp_path / "a" / "b", ME)
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made, made.parent)} == {0o700}
    assert prepare_state_directory(made, ME) == made


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert prepare_state_directory(tmp_path / "link", ME) == tmp_path / "real"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o720])
def test_a_folder_that_others_write_is_refused(mode: int, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(StartupError, match=f"mode is {mode:04o}"):
        prepare_state_directory(tmp_path, ME)
    tmp_path.chmod(0o700)


def test_what_is_no_folder_or_anothers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="is no folder"):
        prepare_state_directory(tmp_path / "file", ME)
    with pytest.raises(StartupError, match="state folder"):
        prepare_state_directory(tmp_path / "file" / "x", ME)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StartupError, match="state folder"):
        prepare_state_directory(tmp_path / "dangling", ME)


@pytest.mark.ordinary_user
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="belongs to uid"):
        prepare_state_directory(tmp_path, ME + 1)


@pytest.mark.root
def test_root_makes_it_for_the_user_that_it_becomes(tmp_path: Path) -> None:
    made = prepare_state_directory(tmp_path / "a" / "b", 65534)
    assert (made.stat().st_uid, made.parent.stat().st_uid) == (65534, 65534)
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 1234, -1)
    with pytest.raises(StartupError, match="belongs to uid 1234, expected 65534"):
        prepare_state_directory(tmp_path, 65534)


# --- users


def as_uid(patch: pytest.MonkeyPatch, uid: int) -> None:
    patch.setattr("pysshd.daemon.users.os.geteuid", lambda: uid)


def server(**values: Any) -> Server:
    return Server(**values)


def test_an_ordinary_user_stays_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    as_uid(monkeypatch, 1000)
    assert users.service_identity(server(), ["alice"], root_may_serve=False) is None
    assert users.worker_identity(server(worker_user="nobody")) == (None, None)


def test_root_must_be_told_whom_to_become(monkeypatch: pytest.MonkeyPatch) -> None:
    as_uid(monkeypatch, 0)
    with pytest.raises(StartupError, match=r"server.user: is absent.*server: \{user: NAME\}"):
        users.service_identity(server(), ["alice"], root_may_serve=False)
    assert users.service_identity(server(), ["alice"], root_may_serve=True) is None
    with pytest.raises(StartupError, match="has 2 people, expected one"):
        users.service_identity(server(), ["alice", "bob"], root_may_serve=True)
    given = users.service_identity(server(user="nobody"), ["alice", "bob"], root_may_serve=True)
    assert given is not None
    assert given.name == "nobody"
    found = users.service_identity(server(user="nobody"), ["alice"], root_may_serve=False)
    assert found is not None
    assert found.uid == pwd.getpwnam("nobody").pw_uid
    for name, match in (("root", "is root"), ("no-such-user-here", "has no user 'no-such-user-here'")):
        with pytest.raises(StartupError, match=match):
            users.service_identity(server(user=name), ["alice"], root_may_serve=False)


def test_whom_workers_become(monkeypatch: pytest.MonkeyPatch) -> None:
    as_uid(monkeypatch, 0)
    found, warning = users.worker_identity(server(worker_user="nobody"))
    assert found is not None
    assert (found.name, warning) == ("nobody", None)
    for name, match in (("root", "is root"), ("no-such-user-here", "server.worker_user: the host has no user")):
        with pytest.raises(StartupError, match=match):
            users.worker_identity(server(worker_user=name))
    monkeypatch.setattr(users, "WORKER_USERS", ("no-such-user-here", "nobody"))
    found, warning = users.worker_identity(server())
    assert found is not None
    assert found.name == "nobody"
    assert warning is not None
    assert "run as nobody" in warning
    monkeypatch.setattr(users, "WORKER_USERS", ("no-such-user-here",))
    with pytest.raises(StartupError, match="neither"):
        users.worker_identity(server())


def test_accounts_of_the_host_need_root(monkeypatch: pytest.MonkeyPatch) -> None:
    as_uid(monkeypatch, 1000)
    with pytest.raises(StartupError, match="accounts: is system, which needs root, but this is uid 1000"):
        users.service_identity(server(accounts="system"), ["alice"], root_may_serve=False)
    as_uid(monkeypatch, 0)
    assert users.service_identity(server(accounts="system"), ["alice", "bob"], root_may_serve=False) is None


def asking(*accounts: str | None) -> Ruleset:
    """A policy whose programs run as these accounts; the first one's is a source, the others' are of the host's."""
    first, *others = (
        KeyCommand((parse_template(f"/bin/k{number}"), parse_template("{user}")), account, where=f"p.yaml:{number}")
        for number, account in enumerate(accounts)
    )
    source = SystemSource(1000, commands=tuple(others)) if others else None
    return ruleset_of(Settings(), (), (), (), source, asked=AskedSource(first))


def test_accounts_of_programs_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    users.check_programs(asking(None, "root", "nobody"))
    users.check_programs(ruleset_of(Settings(), (), (), ()))
    with pytest.raises(StartupError, match="the host has no user 'no-such-user'"):
        users.check_programs(asking("nobody", "no-such-user"))
    root = users.find_user("root", "run_as")
    monkeypatch.setattr(users, "find_user", lambda name, key: root)
    users.check_programs(asking("root"))
    with pytest.raises(StartupError, match="toor is root by another name"):
        users.check_programs(asking("toor"))

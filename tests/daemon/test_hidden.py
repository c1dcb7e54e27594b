"""What confined programs do not see of the daemon, and whose home is refused for it."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from pysshd.daemon.hidden import HIDDEN_MAX, hidden_from_programs, hidden_with, refuse_open_homes
from pysshd.errors import StartupError
from pysshd.policy.people import Person, PersonKey
from pysshd.policy.ruleset import Ruleset

NOBODY = 65534
HOMES = Path("/srv/state/homes")


@pytest.mark.parametrize(
    ("folders", "files", "hidden"),
    [
        (["/srv/state"], ["/etc/pysshd/policy.yaml"], ["/etc/pysshd", "/etc/pysshd/policy.yaml", "/srv/state"]),
        ([], ["/etc/policy.yaml"], ["/etc/policy.yaml"]),
        ([], ["/opt/policy.yaml"], ["/opt/policy.yaml"]),
        ([], ["/usr/local/etc/policy.yaml"], ["/usr/local/etc/policy.yaml"]),
        ([], ["/usr/local/etc/x/policy.yaml"], ["/usr/local/etc/x", "/usr/local/etc/x/policy.yaml"]),
        ([], ["/usr/share/x/policy.yaml"], ["/usr/share/x/policy.yaml"]),
        ([], ["/policy.yaml"], ["/policy.yaml"]),
        (["/etc"], [], []),
        ([], ["/home/op/policy.yaml"], ["/home/op", "/home/op/policy.yaml"]),
        ([], ["/usrlocal/policy.yaml"], ["/usrlocal", "/usrlocal/policy.yaml"]),
    ],
)
def test_hides_files_and_the_folders_that_are_not_the_systems(
    folders: list[str], files: list[str], hidden: list[str]
) -> None:
    assert hidden_from_programs(map(Path, folders), map(Path, files)) == tuple(hidden)


def test_hides_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "policy.yaml").touch()
    (tmp_path / "link").symlink_to("real/policy.yaml")
    hidden = hidden_from_programs([], [tmp_path / "link"])
    assert str(tmp_path / "real" / "policy.yaml") in hidden


def refusal(home: str, hidden: tuple[str, ...] = ("/srv/state",), uid: int = NOBODY) -> str | None:
    try:
        refuse_open_homes([Person("bob", home=home, where="p.yaml:7"), Person("eve")], hidden, uid, HOMES)
    except StartupError as error:
        return str(error)
    return None


@pytest.mark.parametrize("home", ["/srv", "/srv/state", "/srv/../srv/state", "/"])
def test_refuses_a_home_that_holds_what_is_hidden(home: str) -> None:
    said = refusal(home)
    assert said is not None
    assert said.startswith("p.yaml:7: home ")


@pytest.mark.parametrize("home", ["/srv/state/homes/bob", "/srv/bob", "/srv/state2"])
def test_takes_a_home_of_its_own(home: str) -> None:
    assert refusal(home) is None


def test_refuses_a_home_that_a_link_leads_to_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "home").symlink_to(tmp_path)
    assert refusal(str(tmp_path / "home"), (str(tmp_path / "state"),)) is not None


def test_refuses_a_home_that_holds_the_daemons_code() -> None:
    assert refusal(os.path.realpath(sys.prefix)) is not None


def test_refuses_the_daemon_users_own_home() -> None:
    uid = os.getuid()
    assert refusal(pwd.getpwuid(uid).pw_dir, uid=uid) is not None


def of_keys(home: str | None, file: str, homes: Path = HOMES) -> str:
    """What is said of bob's home, where the keys of alice stand in a file."""
    alice = Person("alice", keys=(PersonKey(file, file=file),), where="p.yaml:6")
    try:
        refuse_open_homes([alice, Person("bob", home=home, where="p.yaml:7")], (), NOBODY, homes)
    except StartupError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("home", "file"),
    [
        ("/srv/bob", "/srv/bob/alice.pub"),
        ("/srv/bob", "/srv/bob/keys/alice.pub"),
        ("/srv/bob", "/srv/bob/../keys/alice.pub"),
        ("/srv", "/srv/keys/alice.pub"),
        (None, "/srv/state/homes/bob/keys/alice.pub"),
    ],
)
def test_refuses_a_home_that_holds_a_file_of_keys(home: str | None, file: str) -> None:
    named = home or "/srv/state/homes/bob"
    assert of_keys(home, file) == (
        f"p.yaml:7: home {named} of bob holds {file}, which is the daemon's; expected a folder of its own"
    )


@pytest.mark.parametrize("file", ["/srv/alice.pub", "/srv/bobby/alice.pub", "/etc/pysshd/keys/alice.pub"])
def test_takes_a_home_beside_a_file_of_keys(file: str) -> None:
    assert of_keys("/srv/bob", file) == ""
    assert of_keys(None, file) == ""


def test_refuses_a_home_through_which_a_file_of_keys_is_found(tmp_path: Path) -> None:
    """Whoever may write a folder may turn a link in it elsewhere."""
    (home := tmp_path / "bob").mkdir()
    (keys := tmp_path / "keys").mkdir()
    (keys / "alice.pub").touch()
    (home / "keys").symlink_to(keys)
    (tmp_path / "link").symlink_to("bob/keys/../keys/alice.pub")
    (tmp_path / "loop").symlink_to("loop")
    for file in (home / "keys" / "alice.pub", tmp_path / "link"):
        assert str(file) in of_keys(str(home), str(file))
    assert of_keys(str(home), str(keys / "alice.pub")) == ""
    assert of_keys(str(home), str(tmp_path / "loop")) == ""


def with_files(hidden: tuple[str, ...], *files: str, folders: tuple[str, ...] = ()) -> tuple[str, ...]:
    return hidden_with(hidden, Ruleset(files=files, folders=folders))


@pytest.mark.parametrize(
    ("files", "folders", "more"),
    [
        (["/etc/pysshd/policy.yaml", "/etc/pysshd/u.d/a.yaml"], ["/etc/pysshd/u.d"], ["/etc/pysshd/u.d"]),
        (["/etc/pysshd/policy.yaml", "/srv/teams/a/u.yaml", "/srv/teams/b/u.yaml"], ["/srv/teams"], ["/srv/teams"]),
        (["/srv/shared/users.yaml", "/srv/shared/roles.yaml"], [], ["/srv/shared"]),
        (["/etc/users.yaml"], ["/etc"], ["/etc/users.yaml"]),
        ([], ["/srv/users.d"], ["/srv/users.d"]),
        ([], [], []),
    ],
)  # fmt: skip
def test_hides_the_folders_of_all_files_of_the_policy(files: list[str], folders: list[str], more: list[str]) -> None:
    always = ("/etc/pysshd", "/etc/pysshd/policy.yaml")
    assert with_files(always, *files, folders=tuple(folders)) == tuple(sorted({*always, *more}))


def test_hides_what_a_link_to_an_included_file_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "alice.yaml").touch()
    (tmp_path / "users.d").mkdir()
    (tmp_path / "users.d" / "alice.yaml").symlink_to("../real/alice.yaml")
    found = with_files((), str(tmp_path / "users.d" / "alice.yaml"), folders=(str(tmp_path / "users.d"),))
    assert found == (str(tmp_path / "real"), str(tmp_path / "users.d"))


def test_more_places_than_can_be_hidden_are_refused() -> None:
    """Each program that is started is told of them."""
    few = [f"/etc/{number:04}.yaml" for number in range(HIDDEN_MAX // 14)]
    assert set(few) <= set(with_files((), *few))
    with pytest.raises(StartupError, match=r"^/etc/0000\.yaml: include: its 2341 files lie in more places than can be"):
        with_files((), *few, "/etc/more.yaml")


@pytest.mark.parametrize("home", ["/srv/state/homes/bob", "/srv/bob"])
@pytest.mark.parametrize("place", ["{}/users.d", "{}/users.d/alice.yaml"])
def test_refuses_a_home_that_holds_a_file_of_the_policy(home: str, place: str) -> None:
    """Also one of no one's choosing: whoever lives there would say who comes in."""
    bob = Person("bob", home=home if home == "/srv/bob" else None, where="p.yaml:7")
    said = (
        f"p.yaml:7: home {home} of bob holds {place.format(home)}, which is the daemon's; expected a folder of its own"
    )
    with pytest.raises(StartupError) as caught:
        refuse_open_homes([bob], (), NOBODY, HOMES, [place.format(home)])
    assert str(caught.value) == said
    refuse_open_homes([bob], (), NOBODY, HOMES, ["/srv/policy/users.d/alice.yaml"])

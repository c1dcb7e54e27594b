"""Policies of several files, live: a reload reads all of them anew, whole or not at all."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import Daemon, open_folder
from tests.live.test_reload import ctl, goes_on, replace_with, running

MAIN = """
include:
  - {files: "@PLACE@/users.d/*.yaml", may: users}
  - {files: "@PLACE@/roles.yaml", may: roles}
limits: {startups: {start: 100, rate: 30%, full: 200}}
groups: ops
grants:
  - {name: access, who: group:ops, roles: access}
"""
ROLE = "roles: {access: {exec: any, confined: true}}\n"
OWNERS = ROLE.replace(", confined: true", "")
ALICE = "users: {alice: {groups: ops, keys: ['@@alice@@']}}\n"
BOB = "users:\n  bob: {groups: ops, keys: ['@@bob@@']}\n"


class House:
    """The included files of one daemon."""

    def __init__(self, place: Path, keys: Keys) -> None:
        self.place = place
        self._keys = keys

    @property
    def policy(self) -> str:
        return MAIN.replace("@PLACE@", str(self.place))

    def write(self, name: str, text: str) -> Path:
        """Put a file in its place, whole at once."""
        file = self.place / name
        file.parent.mkdir(exist_ok=True)
        draft = file.with_name("draft")
        draft.write_text(self._keys.filled(text))
        draft.chmod(0o644)
        draft.rename(file)
        return file


@pytest.fixture
def house(keys: Keys) -> Iterator[House]:
    with open_folder() as folder:
        house = House(folder, keys)
        house.write("users.d/alice.yaml", ALICE)
        house.write("roles.yaml", OWNERS)
        yield house


def as_bob(daemon: Daemon, command: str = "exit 7") -> int:
    return daemon.ssh(command, login="bob", key="bob").returncode


def test_a_person_of_a_new_file_comes_in_by_a_reload_and_is_out_without_it(serve: Serve, house: House) -> None:
    house.write("roles.yaml", ROLE)
    with serve(house.policy) as daemon:
        assert as_bob(daemon) == 255
        first = daemon.events("daemon.rules")[0]["rules"]
        file = house.write("users.d/bob.yaml", BOB)
        said = ctl(daemon, "reload")
        assert said.returncode == 0, said.stderr
        second = daemon.wait_event("reload.accepted")["rules"]
        assert second != first
        assert as_bob(daemon) == 7
        assert daemon.wait_event("login.accepted", person="bob")["rules"] == second
        client, _ = running(daemon, login="bob", key="bob")
        file.unlink()
        os.kill(daemon.pid, signal.SIGHUP)
        assert client.wait(20) == 255
        assert daemon.wait_event("connection.revoked")["person"] == "bob"
        assert daemon.wait_event("reload.accepted", rules=first)
        assert as_bob(daemon) == 255


def test_the_log_names_the_line_of_the_file_that_decides(serve: Serve, house: House) -> None:
    house.write("access.yaml", "# of all\ngrants:\n- {name: access, who: group:ops, roles: access}\n")
    main, _, _ = house.policy.partition("grants:\n")
    main = main.replace("limits:", f'  - {{files: "{house.place}/access.yaml", may: grants}}\nlimits:', 1)
    with serve(main, server=["owner: alice"]) as daemon:
        assert daemon.ssh("exit 7").returncode == 7
        assert f"{house.place}/access.yaml:3" in daemon.wait_event("request.allowed")["decided_by"]
        house.write("access.yaml", "grants:\n- {name: none, who: alice, deny: all}\n")
        assert ctl(daemon, "reload").returncode == 0
        assert daemon.ssh("exit 7").returncode == 255
        assert f"{house.place}/access.yaml:2" in daemon.wait_event("request.refused")["decided_by"]


BROKEN = {
    "no YAML": ("users: {bob: {\n", "bob.yaml:2:1: the mapping that begins"),
    "another section": ("grants: [{who: alice, roles: login-shell}]\n", "bob.yaml:1:1: section 'grants' may not"),
    "a key twice": (ALICE, "bob.yaml:1:9: key 'alice' stands twice, the first time at "),
    "nothing": ("", "bob.yaml: the file is empty"),
}


@pytest.mark.security("S123")
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_keeps_the_last_good_version(serve: Serve, house: House, fault: str) -> None:
    with serve(house.policy, server=["owner: alice"]) as daemon:
        client, _ = running(daemon)
        text, said = BROKEN[fault]
        house.write("users.d/bob.yaml", text)
        house.write("roles.yaml", "roles: {access: {exec: ls}}\n")
        ended = ctl(daemon, "reload")
        assert ended.returncode == 1
        assert said.partition(" ")[0] in ended.stderr
        assert any(said.partition("the mapping")[0] in event["detail"] for event in daemon.events("reload.problem"))
        assert daemon.wait_event("reload.refused")["rules"] == daemon.events("daemon.rules")[0]["rules"]
        goes_on(client)
        assert daemon.ssh("exit 7").returncode == 7, "nothing of the new version is in force"
        (house.place / "users.d" / "bob.yaml").unlink()
        assert ctl(daemon, "reload").returncode == 0
        assert daemon.ssh("exit 7").returncode == 255


@pytest.mark.security("S123")
def test_a_file_that_others_may_write_stays_out(serve: Serve, house: House) -> None:
    with serve(house.policy, server=["owner: alice"]) as daemon:
        house.write("users.d/bob.yaml", BOB).chmod(0o666)
        said = ctl(daemon, "reload")
        assert said.returncode == 1
        assert f"{house.place}/users.d/bob.yaml: the file has mode 0666" in said.stderr
        (house.place / "users.d").chmod(0o777)
        assert f"{house.place}/users.d: the folder has mode 0777" in ctl(daemon, "reload").stderr
        assert daemon.ssh("exit 7").returncode == 7


@pytest.mark.root
def test_confined_programs_see_none_of_the_files(serve: Serve, keys: Keys) -> None:
    """Neither those of the start nor those of a reload; /opt itself is the system's, and is seen."""
    with tempfile.TemporaryDirectory(prefix="pysshd-tests-", dir="/opt") as made:
        place = Path(made)
        place.chmod(0o755)
        (place / "seen").write_text("seen\n")
        (place / "seen").chmod(0o644)
        (place / "a").mkdir()
        house = House(place / "a", keys)
        house.write("users.d/bob.yaml", BOB)
        house.write("roles.yaml", ROLE)
        names = f"{place}/a/users.d/bob.yaml {place}/a/roles.yaml {place}/b/alice.yaml"
        look = f"cat {place}/seen {names}; ls -A {place}/a {place}/b | grep yaml"
        with serve(house.policy) as daemon:
            assert daemon.ssh(look, login="bob", key="bob").stdout == b"seen\n"
            (place / "b").mkdir()
            House(place / "b", keys).write("alice.yaml", ALICE)
            text = daemon.policy.read_text()
            replace_with(daemon, text.replace("limits:", f'  - {{files: "{place}/b/*.yaml", may: users}}\nlimits:', 1))
            said = ctl(daemon, "reload")
            assert said.returncode == 0, said.stderr
            assert daemon.ssh("exit 7").returncode == 7, "alice is of a file in b"
            assert daemon.ssh(look, login="bob", key="bob").stdout == b"seen\n"


def test_a_home_that_holds_included_files_is_refused(serve: Serve, house: House) -> None:
    house.write("roles.yaml", ROLE)
    with serve(house.policy) as daemon:
        home = house.place / "home"
        house.write("users.d/bob.yaml", BOB.replace("groups", f"home: {home}, groups"))
        assert ctl(daemon, "reload").returncode == 0
        text = daemon.policy.read_text()
        (home / "more.d").mkdir(parents=True)
        replace_with(daemon, text.replace("limits:", f'  - {{files: "{home}/more.d/*", may: users}}\nlimits:', 1))
        said = ctl(daemon, "reload")
        assert said.returncode == 1
        assert f"{house.place}/users.d/bob.yaml:2: home {home} of bob holds" in said.stderr

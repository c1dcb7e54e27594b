"""Which parts of the host a confined program sees: the plan alone."""

import pytest

from pysshd.errors import SandboxError
from pysshd.processes.sandbox.tree import Confinement, Kind, plan

SYSTEM = ("/usr", "/etc", "/opt")
ALWAYS = {
    "/dev": Kind.DEVICES,
    "/proc": Kind.PROCESSES,
    "/tmp": Kind.SCRATCH,
    "/run": Kind.SCRATCH,
}


def parts(home: str = "", hidden: tuple[str, ...] = (), read_only: tuple[str, ...] = ()) -> dict[str, Kind]:
    entries = plan(Confinement(home, hidden, read_only), SYSTEM)
    depths = [entry.path.count("/") for entry in entries]
    assert depths == sorted(depths), "a part is put before what it stands on"
    return {entry.path: entry.kind for entry in entries}


def test_without_a_home_there_is_the_system() -> None:
    assert parts() == ALWAYS | dict.fromkeys(SYSTEM, Kind.READ_ONLY)


def test_a_home_in_the_hidden_state_is_there_and_what_lies_beside_it_is_not() -> None:
    found = parts("/opt/pysshd/state/homes/bob", ("/opt/pysshd/state", "/etc/pysshd"))
    assert found["/opt/pysshd/state"] is Kind.HIDDEN
    assert found["/opt/pysshd/state/homes/bob"] is Kind.HOME
    assert found["/etc/pysshd"] is Kind.HIDDEN


def test_the_state_in_a_home_is_hidden() -> None:
    found = parts("/home/svc", ("/home/svc/.local/state/pysshd",))
    assert found["/home/svc"] is Kind.HOME
    assert found["/home/svc/.local/state/pysshd"] is Kind.HIDDEN


def test_what_is_hidden_is_hidden_even_where_it_was_to_be_read() -> None:
    found = parts("/home/bob", ("/opt", "/srv/state"), ("/srv/tools", "/srv/state/tools", "/opt/tools"))
    assert found["/opt"] is Kind.HIDDEN
    assert found["/srv/tools"] is Kind.READ_ONLY
    assert not {"/srv/state/tools", "/opt/tools"} & found.keys()


@pytest.mark.parametrize("home", ["/usr", "/tmp", "/run", "/dev", "/proc/1", "/dev/shm/x", "/srv"])
def test_a_home_that_is_or_holds_a_part_is_refused(home: str) -> None:
    with pytest.raises(SandboxError, match=f"home {home} meets "):
        parts(home, (), ("/srv/tools",))


def test_a_hidden_home_is_refused() -> None:
    with pytest.raises(SandboxError, match="home /home/bob is itself to be hidden"):
        parts("/home/bob", ("/home/bob",))


@pytest.mark.parametrize("path", ["/", "home", "/home/../etc", "/home/", "//home", "/a\0b", "/a/./b"])
def test_paths_that_are_not_plain_are_refused(path: str) -> None:
    for arguments in ((path, ()), ("", (path,)), ("", (), (path,))):
        with pytest.raises(SandboxError, match="expected an absolute one below /"):
            parts(*arguments)


def test_hiding_everything_is_refused() -> None:
    with pytest.raises(SandboxError, match="hide the whole system"):
        parts("", SYSTEM)

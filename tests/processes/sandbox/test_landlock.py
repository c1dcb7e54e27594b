"""Landlock, by trying what it must refuse."""

import os
import pathlib
import signal
import socket
import tempfile
from collections.abc import Iterator

import pytest

from pysshd.errors import SandboxError
from pysshd.processes.sandbox import landlock, process
from pysshd.processes.sandbox.landlock import FileRight
from tests.processes.sandbox.forks import as_ordinary_user, in_child, outcomes

ABI = landlock.abi_version()
needs_landlock = pytest.mark.skipif(not ABI, reason="this kernel has no Landlock")
needs_scope = pytest.mark.skipif(ABI < 6, reason="Landlock of this kernel has no scopes")
needs_network = pytest.mark.skipif(ABI < 4, reason="Landlock of this kernel does not judge TCP")


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        path = pathlib.Path(name)
        path.chmod(0o777)
        yield path


@pytest.mark.parametrize(
    ("abi", "rights", "network", "scope"),
    [
        (0, 0, False, False),
        (1, 0x1FFF, False, False),
        (2, 0x3FFF, False, False),
        (3, 0x7FFF, False, False),
        (4, 0x7FFF, True, False),
        (5, 0xFFFF, True, False),
        (6, 0xFFFF, True, True),
        (99, 0xFFFF, True, True),
    ],
)
def test_what_each_version_knows(abi: int, rights: int, network: bool, scope: bool) -> None:
    assert landlock.file_rights(abi) == rights
    assert (landlock.has_network(abi), landlock.has_scope(abi)) == (network, scope)


@needs_landlock
def test_deny_everything_denies_files_and_keeps_what_is_open(folder: pathlib.Path) -> None:
    (folder / "file").write_text("kept")

    def work() -> object:
        kept = os.open(folder / "file", os.O_RDONLY)
        process.set_no_new_privs()
        abi = landlock.deny_everything()
        attempts = {
            "read": lambda: os.open(folder / "file", os.O_RDONLY),
            "list": lambda: os.listdir(folder),
            "create": lambda: os.open(folder / "new", os.O_CREAT | os.O_WRONLY),
            "remove": lambda: os.unlink(folder / "file"),
            "folder": lambda: os.mkdir(folder / "sub"),
            "link": lambda: os.symlink("x", folder / "link"),
            "run": lambda: os.execv("/bin/true", ["true"]),
            "truncate": lambda: os.truncate(folder / "file", 0),
        }
        return abi, os.read(kept, 10).decode(), outcomes(attempts)

    abi, text, results = as_ordinary_user(work)
    assert (abi, text) == (ABI, "kept")
    if ABI < 3:
        del results["truncate"]
    assert set(results.values()) == {"PermissionError 13"}, results


@needs_network
def test_deny_everything_denies_tcp() -> None:
    def work() -> object:
        process.set_no_new_privs()
        landlock.deny_everything()
        return outcomes(
            {
                "connect": lambda: socket.socket().connect(("127.0.0.1", 1)),
                "bind": lambda: socket.socket().bind(("127.0.0.1", 0)),
            }
        )

    assert set(as_ordinary_user(work).values()) == {"PermissionError 13"}


@needs_scope
@pytest.mark.security("S117")
def test_scopes_keep_processes_of_the_same_user_apart() -> None:
    name = f"\0pysshd-test-{os.getpid()}"

    def work() -> object:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(name)
        listener.listen()
        other = os.getpid()
        process.set_no_new_privs()

        def confined() -> object:
            landlock.keep_inside()
            return outcomes(
                {
                    "signal": lambda: os.kill(other, signal.SIGCONT),
                    "connect": lambda: socket.socket(socket.AF_UNIX).connect(name),
                    "itself": lambda: os.kill(os.getpid(), signal.SIGCONT),
                    "files": lambda: os.listdir("/"),
                }
            )

        return in_child(confined)

    results = as_ordinary_user(work)
    assert results == {
        "signal": "PermissionError 1",
        "connect": "PermissionError 1",
        "itself": "done",
        "files": "done",
    }


@needs_landlock
def test_an_allow_list_allows_what_it_names(folder: pathlib.Path) -> None:
    for name in ("open", "closed"):
        (folder / name).mkdir(mode=0o777)
        (folder / name).chmod(0o777)
        (folder / name / "file").write_text(name)
        (folder / name / "file").chmod(0o666)

    def work() -> object:
        process.set_no_new_privs()
        landlock.allow_only(
            {
                str(folder / "open"): FileRight.READ_FILE | FileRight.READ_DIR,
                str(folder / "closed" / "file"): FileRight.WRITE_FILE | FileRight.MAKE_DIR,
            },
            network=False,
        )
        return outcomes(
            {
                "read": lambda: os.open(folder / "open/file", os.O_RDONLY),
                "write": lambda: os.open(folder / "open/file", os.O_WRONLY),
                "list other": lambda: os.listdir(folder / "closed"),
                "write other": lambda: os.open(folder / "closed/file", os.O_WRONLY),
                "read other": lambda: os.open(folder / "closed/file", os.O_RDONLY),
            }
        )

    assert as_ordinary_user(work) == {
        "read": "done",
        "write": "PermissionError 13",
        "list other": "PermissionError 13",
        "write other": "done",
        "read other": "PermissionError 13",
    }


@needs_landlock
def test_an_allow_list_with_a_path_that_is_not_there_is_refused(folder: pathlib.Path) -> None:
    with pytest.raises(SandboxError, match=r"landlock: .*/missing: the kernel refused .*: No such file"):
        landlock.allow_only({str(folder / "missing"): FileRight.READ_FILE}, network=True)


def test_without_landlock_an_allow_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi_version", lambda: 0)
    with pytest.raises(SandboxError, match="landlock: this kernel has none"):
        landlock.allow_only({}, network=True)
    assert landlock.deny_everything() == 0
    assert landlock.keep_inside() is False

"""Sessions as real processes: what they find, whom they are, how they end, and what is said where they fail."""

import contextlib
import errno
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysshd.processes.boundary.calls.zygote import Account, Confinement, SessionSpec
from pysshd.processes.monitor.children import ExitStatus
from pysshd.processes.monitor.launcher import SessionFailedError
from pysshd.processes.sandbox import namespaces
from tests.processes.zygote.house import (
    ACCOUNT,
    IS_ROOT,
    NOBODY,
    PATH,
    House,
    children,
    in_house,
    is_running,
    no_descriptor_more,
    until,
    zygote_pid,
)

UID = NOBODY if IS_ROOT else os.getuid()

# 32 and 33, which glibc keeps to itself: its posix_spawn leaves them ignored, and lets nobody change that.
LIBC_SIGNALS = 0b11 << 31


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_an_exit_status_comes_through(status: int) -> None:
    async def test(house: House) -> None:
        child, _ = await house.shell(f"exit {status}")
        assert await child.wait() == ExitStatus(status)
        child.close()

    in_house(test)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGRTMIN + 1]
)
def test_a_signal_comes_through(number: int) -> None:
    async def test(house: House) -> None:
        child, _ = await house.shell("exec sleep 1000")
        assert child.signal(number)
        status = await child.wait()
        # A core would need a limit that no session has by default.
        assert status == ExitStatus(None, number, core=False)
        assert not str(status).isdigit()
        child.close()

    in_house(test)


@pytest.mark.security("S115")
def test_a_session_has_three_descriptors_and_the_environment_of_its_specification() -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell("echo /proc/$$/fd/*")
        # The shell itself opens the folder to list it, as the first number that is free.
        assert await streams.read() == " ".join(f"/proc/{child.pid}/fd/{number}" for number in range(4)) + "\n"
        await child.wait()
        child.close()

    async def raw(house: House) -> None:
        environment = ((b"B", b"2"), (b"ODD", b"\xff\n="), (b"A", b"1"))
        spec_argv = (b"cat", b"/proc/self/environ")
        child, streams = await house.shell("", executable=b"/bin/cat", argv=spec_argv, environment=environment)
        os.close(streams.input)
        streams.input = -1
        assert os.read(streams.output, 4096) == b"B=2\0ODD=\xff\n=\0A=1\0"
        await child.wait()
        child.close()

    in_house(test)
    in_house(raw)


def test_a_session_finds_signals_limits_and_umask_as_a_login_does() -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell(
            "grep -E '^Sig(Blk|Ign)' /proc/self/status; ulimit -c; ulimit -n; umask; pwd", umask=0o027
        )
        lines = (await streams.read()).split("\n")
        blocked, ignored = (int(line.split()[1], 16) for line in lines[:2])
        assert (blocked, ignored & ~LIBC_SIGNALS) == (0, 0)
        assert lines[2:6] == ["0", "1024", "0027", "/"]
        await child.wait()
        child.close()

    in_house(test)


def test_a_session_leads_its_own_session_and_group() -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell("read line")
        assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
        os.write(streams.input, b"\n")
        await child.wait()
        child.close()

    in_house(test)


@pytest.mark.root
@pytest.mark.security("S113")
@pytest.mark.parametrize("groups", [(), (65534,), (4242, 4243)])
def test_a_session_has_the_groups_of_its_account_and_no_other(groups: tuple[int, ...]) -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell(
            "grep -E '^(Uid|Gid|Groups|CapEff|CapPrm|CapInh|CapAmb)' /proc/self/status",
            account=Account(NOBODY, 4242, groups),
        )
        found = dict(line.split(":", 1) for line in (await streams.read()).splitlines())
        assert found["Uid"].split() == [str(NOBODY)] * 4
        assert found["Gid"].split() == ["4242"] * 4
        assert set(map(int, found["Groups"].split())) == set(groups)
        assert {int(found[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
        await child.wait()
        child.close()

    in_house(test)


@pytest.mark.root
def test_a_session_of_root_must_be_asked_for_by_name() -> None:
    async def test(house: House) -> None:
        with pytest.raises(SessionFailedError, match="would run as root by omission"):
            await house.shell("id", account=None)
        child, streams = await house.shell("id -u; id -G", account=Account(0, 0, (0,)))
        assert await streams.read() == "0\n0\n"
        await child.wait()
        child.close()

    in_house(test)


@pytest.mark.ordinary_user
def test_an_ordinary_user_can_start_a_session_as_nobody_else() -> None:
    async def test(house: House) -> None:
        with pytest.raises(SessionFailedError) as caught:
            await house.shell("id", account=Account(os.getuid() + 1, os.getgid()))
        assert caught.value.failure.stage == "account"

    in_house(test)


def test_the_working_folder_is_entered_as_the_account(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    if IS_ROOT:
        os.chmod(closed, 0o700)
    else:
        os.chmod(closed, 0)

    async def test(house: House) -> None:
        for directory, expected in (
            (b"/usr", "/usr\n"),
            (bytes(closed), "/\n"),
            (b"/nonexistent", "/\n"),
            (b"", "/\n"),
        ):
            child, streams = await house.shell("pwd", directory=directory)
            assert await streams.read() == expected
            await child.wait()
            child.close()

    in_house(test)


@pytest.mark.parametrize(
    ("options", "stage", "number", "text"),
    [
        (
            {"executable": b"/nonexistent"},
            "program",
            errno.ENOENT,
            "b'/nonexistent': No such file or directory (ENOENT)",
        ),
        ({"executable": b"/etc"}, "program", errno.EACCES, "EACCES"),
        ({"executable": b"/bin/\0sh"}, "program", 0, "null"),
        ({"argv": (b"sh", b"-c", b"\0")}, "program", 0, "null"),
        ({"argv": ()}, "program", 0, "argv"),
        ({"environment": ((b"A=B", b"c"),)}, "program", 0, "illegal environment variable name"),
        ({"has_pty": True}, "session", errno.ENOTTY, "ENOTTY"),
    ],
)
def test_a_session_that_fails_says_where(options: dict[str, object], stage: str, number: int, text: str) -> None:
    async def test(house: House) -> None:
        with no_descriptor_more(), open(os.devnull, "rb+") as null:
            values = {
                "name": "sh",
                "executable": b"/bin/sh",
                "argv": (b"sh", b"-c", b"exit 0"),
                "environment": PATH,
                "account": ACCOUNT,
            }
            spec = SessionSpec(**{**values, **options})  # type: ignore[arg-type]
            fds = [null.fileno()] * (1 if spec.has_pty else 3)
            with pytest.raises(SessionFailedError) as caught:
                await house.launcher.session(spec, fds)
            await until(lambda: children() == [zygote_pid()])
        failure = caught.value.failure
        assert (failure.stage, failure.error) == (stage, number)
        assert text in failure.text

    in_house(test)


def test_a_terminal_is_the_sessions_own() -> None:
    async def test(house: House) -> None:
        master, slave = os.openpty()
        script = b"tty; exec 3</dev/tty && echo controlling; ls /proc/self/fd | tr '\\n' ' '"
        spec = SessionSpec("pty", b"/bin/sh", (b"-sh", b"-c", script), PATH, account=ACCOUNT, has_pty=True)
        name = os.ttyname(slave)
        if IS_ROOT:
            os.fchown(slave, NOBODY, 5)
        child = await house.launcher.session(spec, (slave,))
        os.close(slave)
        assert await child.wait() == ExitStatus(0)
        # A terminal gives what each write left in it, one by one, and then that nobody holds it.
        text = b""
        with contextlib.suppress(OSError):
            while data := os.read(master, 4096):
                text += data
        os.close(master)
        assert text.decode().split() == [name, "controlling", "0", "1", "2", "3", "4"]
        child.close()

    in_house(test)


def test_a_closed_master_hangs_the_session_up() -> None:
    async def test(house: House) -> None:
        master, slave = os.openpty()
        spec = SessionSpec("pty", b"/bin/sleep", (b"sleep", b"1000"), PATH, account=ACCOUNT, has_pty=True)
        child = await house.launcher.session(spec, (slave,))
        os.close(slave)
        os.close(master)
        assert await child.wait() == ExitStatus(None, signal.SIGHUP)
        child.close()

    in_house(test)


@pytest.mark.security("S116")
@pytest.mark.parametrize(
    ("script", "grace", "least"),
    [
        # Where the first signal is enough nobody waits for the next one, which is ten seconds and more away.
        ("sleep 1000 & echo $!; wait", 20.0, 0.0),
        ("sleep 1000 & echo $!", 20.0, 0.0),
        ("sleep 1000 & echo $!; kill -STOP $! $$", 20.0, 0.0),
        ("trap '' HUP; sleep 1000 & echo $!; wait", 1.0, 0.45),
        ("trap '' HUP TERM; sleep 1000 & echo $!; wait", 1.0, 0.95),
        ("trap '' HUP TERM; sleep 1000 & echo $!", 1.0, 0.95),
    ],
)
@pytest.mark.parametrize("old_kernel", [False, True])
def test_a_session_ends_with_its_whole_group(
    script: str, grace: float, least: float, old_kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if old_kernel:
        # An unknown flag is refused as the known one is by a kernel before 6.9.
        monkeypatch.setattr("pysshd.processes.boundary.groups._PIDFD_SIGNAL_PROCESS_GROUP", 1 << 30)

    async def test(house: House) -> None:
        child, streams = await house.shell(script)
        job = int(await streams.line())
        if "wait" not in script and "STOP" not in script:
            await child.wait()
        assert is_running(job)
        start = time.monotonic()
        await child.end(grace=grace)
        took = time.monotonic() - start
        assert not is_running(job)
        assert child.exit is not None
        assert least <= took < 10

    in_house(test)


def test_what_left_the_group_stays() -> None:
    async def test(house: House) -> None:
        child, streams = await house.shell("setsid sleep 1000 & echo $!; wait")
        job = int(await streams.line())
        while os.getsid(job) != job:
            time.sleep(0.01)
        await child.end()
        assert is_running(job)
        os.kill(job, signal.SIGKILL)

    in_house(test)


@pytest.fixture(scope="module")
def confinable() -> None:
    """Skip where this host lets no program be confined."""
    if reason := namespaces.supported(*((NOBODY, NOBODY) if IS_ROOT else ())):
        pytest.skip(reason)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder that the account can reach, which pytest's own are not for another user."""
    path = Path(f"/var/tmp/pysshd-test-{os.getpid()}")
    path.mkdir(mode=0o700)
    if IS_ROOT:
        os.chown(path, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


@pytest.mark.usefixtures("confinable")
def test_a_confined_session_runs_and_ends_like_any_other(home: Path) -> None:
    async def test(house: House) -> None:
        confinement = Confinement(bytes(home), ())
        child, streams = await house.shell(
            "id -u; pwd; echo $$; ls /proc/self/fd | wc -l; echo kept > file; exit 7",
            confinement=confinement,
            directory=bytes(home),
        )
        lines = (await streams.read()).split()
        assert lines[:2] == [str(UID), str(home)]
        assert int(lines[2]) < 10
        assert lines[3] == "4"
        assert await child.wait() == ExitStatus(7)
        child.close()
        assert (home / "file").read_text() == "kept\n"
        child, streams = await house.shell("trap '' HUP; echo ready; sleep 1000", confinement=confinement)
        await streams.line()
        await child.end(grace=1.0)
        assert child.exit == ExitStatus(None, signal.SIGTERM)
        streams.close()

    in_house(test)


@pytest.mark.usefixtures("confinable")
@pytest.mark.parametrize(
    ("options", "stage", "text"),
    [
        ({"executable": b"/nonexistent"}, "program", "ENOENT"),
        ({"confinement": Confinement(b"/nonexistent/home", ())}, "confinement", "/nonexistent/home"),
    ],
)
def test_a_confined_session_that_fails_says_where(
    options: dict[str, object], stage: str, text: str, home: Path
) -> None:
    async def test(house: House) -> None:
        with pytest.raises(SessionFailedError) as caught:
            await house.shell("exit 0", **{"confinement": Confinement(bytes(home), ()), **options})
        assert caught.value.failure.stage == stage
        assert text in caught.value.failure.text

    in_house(test)


def test_limits_are_those_of_the_call_and_else_what_programs_expect() -> None:
    async def test(house: House) -> None:
        told: list[list[str]] = []
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        for limits in ((), ((resource.RLIMIT_CORE, 0, 0), (resource.RLIMIT_NOFILE, 777, most))):
            child, streams = await house.shell("ulimit -Sn; ulimit -Sc", limits=limits)
            told.append((await streams.read()).split())
            await child.wait()
            child.close()
            streams.close()
        assert told == [[str(min(1024, most)), "0"], ["777", "0"]]

    in_house(test)


def test_who_is_turned_away_reads_why_and_runs_nothing() -> None:
    async def test(house: House) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="pysshd-nologin-") as file:
            os.chmod(file.name, 0o644)
            file.write("closed\n")
            file.flush()
            for path, words in (
                (file.name, "closed\n"),
                ("/nonexistent", "This host lets nobody log in at the moment.\n"),
            ):
                child, streams = await house.shell("echo ran; echo ran >&2", nologin=path.encode())
                assert await child.wait() == ExitStatus(254)
                assert await streams.read() == words
                child.close()
                streams.close()

    in_house(test)

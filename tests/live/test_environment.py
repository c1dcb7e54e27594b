"""The environment of a session: what the daemon says, what a client may add, where it starts."""

import os
import pwd
from collections.abc import Iterator

import pytest

from tests.live.client import HOST, Keys
from tests.live.daemon import MODES, PLAIN, Daemon, serving, user_of

POLICY = """
users: {alice: {keys: ["@@alice@@"], accounts: [alice, any]}}
roles:
  few: {exec: any, env: {accept: [LANG, "LC_*"], set: {FIXED: "of {user}", SHLVL: "1"}}}
  many: {exec: any, env: {accept: ["*"], set: {SHLVL: "1"}}}
grants:
  - {who: alice, account: alice, roles: few}
  - {who: alice, account: any, roles: many}
"""

NEVER = """
LD_PRELOAD LD_LIBRARY_PATH BASH_ENV ENV IFS PATH PYTHONPATH PYTHONSTARTUP SSH_CLIENT SSH_ORIGINAL_COMMAND SSH_X
BASH_FUNC_x SHELLOPTS PS4 HOME USER LOGNAME SHELL PERL5LIB PERL5OPT RUBYOPT NODE_OPTIONS JAVA_TOOL_OPTIONS GCONV_PATH
LOCPATH TERMINFO TMPDIR GIT_SSH_COMMAND GIT_TRACE PROMPT_COMMAND TERM DYLD_INSERT_LIBRARIES MALLOC_CHECK_ CDPATH MAIL
"""
"""Names that no policy can accept, and a policy that accepts everything least of all."""


@pytest.fixture(scope="module", params=MODES)
def house(request: pytest.FixtureRequest, keys: Keys) -> Iterator[Daemon]:
    with serving(POLICY, keys, mode=request.param) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def plain(keys: Keys) -> Iterator[Daemon]:
    with serving(POLICY, keys, mode=PLAIN) as daemon:
        yield daemon


def environment(daemon: Daemon, sent: dict[str, str] | None = None, login: str = "alice") -> dict[str, str]:
    """What a program is given where the client sends `sent`."""
    options = tuple(word for name in sent or () for word in ("-o", f"SendEnv={name}"))
    # The client needs its own PATH and HOME; SetEnv says what it sends.
    setting = " ".join(f'"{name}={value}"' for name, value in (sent or {}).items())
    more = {"SetEnv": setting} if sent else {}
    done = daemon.ssh("cat /proc/$$/environ; true", login=login, options=() if sent else options, **more)
    assert done.returncode == 0, done.stderr
    return dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if item)


def test_what_the_daemon_says(house: Daemon) -> None:
    user: pwd.struct_passwd = user_of(house.mode)
    found = environment(house)
    client = found.pop("SSH_CLIENT").split()
    assert [client[0], client[2]] == [HOST, str(house.port)]
    assert found.pop("SSH_CONNECTION").split() == [HOST, client[1], HOST, str(house.port)]
    assert house.wait_event("connection.opened", source=f"{HOST}:{client[1]}")
    assert found.pop("PATH").split(":")[-2:] == ["/usr/bin", "/bin"]
    found.pop("MAIL", None)
    home = user.pw_dir
    assert found == {
        "USER": "alice", "LOGNAME": "alice", "HOME": home, "SHELL": user.pw_shell, "FIXED": "of alice", "SHLVL": "1",
    }  # fmt: skip


def test_it_starts_at_home_as_the_account_with_a_terminal_s_name_only_on_one(house: Daemon) -> None:
    user = user_of(house.mode)
    done = house.ssh("pwd -P; id -u; id -g; id -G; umask; ulimit -c; echo ${SSH_TTY:-none}")
    folder, uid, gid, groups, umask, core, tty = done.stdout.decode().splitlines()
    assert folder == (os.path.realpath(user.pw_dir) if os.path.isdir(user.pw_dir) else "/")
    assert (int(uid), int(gid)) == (user.pw_uid, user.pw_gid)
    if house.mode != "rootless":
        assert set(map(int, groups.split())) == set(os.getgrouplist(user.pw_name, user.pw_gid))
    assert (umask, core, tty) == ("0022", "0", "none")


@pytest.mark.security("S85")
def test_accepted_by_pattern(plain: Daemon) -> None:
    sent = {"LANG": "C.UTF-8", "LC_TIME": "en_GB", "LC_": "x", "LANGUAGE": "de", "X": "1", "FIXED": "mine", "lc_x": "y"}
    found = environment(plain, sent)
    assert {name: found.get(name) for name in sent} == {
        "LANG": "C.UTF-8", "LC_TIME": "en_GB", "LC_": "x", "LANGUAGE": None, "X": None, "FIXED": "of alice",
        "lc_x": None,
    }  # fmt: skip


@pytest.mark.security("S85")
def test_never_accepted_even_where_everything_is(plain: Daemon) -> None:
    before = environment(plain, login="any")
    sent = dict.fromkeys([*NEVER.split(), *(name.lower() for name in ("LD_AUDIT", "Bash_Env"))], "/tmp/evil")
    found = environment(plain, {**sent, "HARMLESS": "yes"}, login="any")
    assert found["HARMLESS"] == "yes"
    fixed = before.keys() - {"SSH_CLIENT", "SSH_CONNECTION"}
    assert {name: found.get(name) for name in fixed} == {name: before[name] for name in fixed}
    assert found.keys() - before.keys() == {"HARMLESS"}
    assert "/tmp/evil" not in found.values()


@pytest.mark.security("S85")
@pytest.mark.parametrize("value", ["() { :; }; echo bad", "() {x", " () { :;}"])
def test_functions_are_refused(plain: Daemon, value: str) -> None:
    assert "HARMLESS" not in environment(plain, {"HARMLESS": value}, login="any")

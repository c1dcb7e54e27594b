"""Profiles of `exec` with the real clients: git, rsync, borg and scp reach their folder, and nothing beside it."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.client import HOST, Keys
from tests.live.daemon import PLAIN, Daemon, open_folder, service_user, serving

POLICY = """
users: {{alice: {{keys: ["@@alice@@"], accounts: [alice, reader, single, home]}}}}
roles:
  writer:
    exec:
      - {{profile: git, paths: "{srv}/{{user}}", relative_to: "{srv}/{{user}}"}}
      - {{profile: rsync, paths: "{srv}/{{user}}", relative_to: "{srv}/{{user}}"}}
      - {{profile: borg, paths: "{srv}/{{user}}", append_only: true, quota: 100MB}}
      - {{profile: scp, paths: "{srv}/{{user}}", relative_to: "{srv}/{{user}}"}}
    env: {{accept: GIT_PROTOCOL, set: {{PATH: "/usr/local/bin:/usr/bin:/bin"}}}}
  reader:
    exec:
      - {{profile: git, paths: "{srv}/{{user}}", relative_to: "{srv}/{{user}}", read_only: true}}
      - {{profile: rsync, paths: "{srv}/{{user}}", relative_to: "{srv}/{{user}}", read_only: true}}
      - {{profile: scp, paths: "{srv}/{{user}}", relative_to: "{srv}/{{user}}", read_only: true}}
grants:
  - {{who: alice, account: [alice, home], roles: writer}}
  - {{who: alice, account: home, allow: {{env: {{set: {{HOME: "{srv}/{{user}}"}}}}}}}}
  - {{who: alice, account: reader, roles: reader}}
  - {{who: alice, account: single, allow: {{exec: {{profile: git, paths: ["{srv}/one.git", "{srv}/two"]}}}}}}
"""


@pytest.fixture(scope="module")
def house() -> Iterator[Path]:
    """A folder of the user as whom programs run, `srv/alice`, with another one beside it and one of the client's."""
    with open_folder() as folder:
        user = service_user()
        for name in ("srv", "srv/alice", "srv/bob", "client"):
            (folder / name).mkdir()
            os.chown(folder / name, user.pw_uid, user.pw_gid)
        (folder / "srv" / "bob" / "secret").write_text("secret")
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def daemon(keys: Keys, house: Path) -> Iterator[Daemon]:
    with serving(POLICY.format(srv=house / "srv"), keys, mode=PLAIN) as daemon:
        yield daemon


def client(daemon: Daemon, house: Path, *words: str, program: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a client over `ssh`, in the client's folder."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"needs {words[0]}")
    ssh = shlex.join(daemon.client.words()[:-1])
    home = str(house / "client")
    identity = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "GIT_SSH_COMMAND": ssh,
        "RSYNC_RSH": ssh, "BORG_RSH": ssh, "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes", "GIT_CONFIG_NOSYSTEM": "1", **identity,
    }  # fmt: skip
    return subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, timeout=50, check=False)


def bare_repository(house: Path, name: str) -> Path:
    """An empty one, of the user as whom programs run."""
    path = house / "srv" / name
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True, env={"PATH": os.environ["PATH"]})
    user = service_user()
    for folder, _, files in os.walk(path):
        for one in (folder, *(os.path.join(folder, file) for file in files)):
            os.chown(one, user.pw_uid, user.pw_gid)
    return path


def test_git(daemon: Daemon, house: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    bare_repository(house, "alice/x.git")
    bare_repository(house, "bob/y.git")

    def git(*words: str) -> "subprocess.CompletedProcess[str]":
        return client(daemon, house, "git", *words)

    assert git("init", "-q", "-b", "main", "work").returncode == 0
    assert git("-C", "work", "commit", "-q", "--allow-empty", "-m", "first").returncode == 0
    done = git("-C", "work", "push", "-q", f"alice@{HOST}:x.git", "main")
    assert (done.returncode, done.stderr) == (0, "")
    done = git("clone", "-q", "-b", "main", f"ssh://reader@{HOST}{house}/srv/alice/x", "again")
    assert (done.returncode, done.stderr) == (0, "")
    assert git("-C", "again", "log", "--format=%s").stdout == "first\n"
    assert git("archive", f"--remote=alice@{HOST}:x.git", "main").returncode == 0
    assert git("-C", "again", "push", "-q", f"reader@{HOST}:x.git", "main").returncode == 128
    assert git("ls-remote", f"alice@{HOST}:{house}/srv/bob/y.git").returncode == 128
    assert git("ls-remote", f"alice@{HOST}:../bob/y.git").returncode == 128


def test_a_repository_of_git_is_not_found_by_another_name(daemon: Daemon, house: Path) -> None:
    """git tries `two.git` where there is no `two`."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    for name in ("one.git", "two.git"):
        bare_repository(house, name)
    assert client(daemon, house, "git", "ls-remote", f"single@{HOST}:{house}/srv/one.git").returncode == 0
    for name in ("one", "two", "two/", "two.git"):
        assert client(daemon, house, "git", "ls-remote", f"single@{HOST}:{house}/srv/{name}").returncode == 128


def test_rsync(daemon: Daemon, house: Path) -> None:
    tree = house / "client" / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "a b").write_text("hello")
    (tree / "out").symlink_to("/etc")

    def rsync(*words: str) -> "subprocess.CompletedProcess[str]":
        return client(daemon, house, "rsync", *words)

    kept = house / "srv" / "alice"
    done = rsync("-aO", "--delete", "tree/", f"alice@{HOST}:one/")
    assert (done.returncode, done.stderr) == (0, "")
    assert (kept / "one" / "inner" / "a b").read_text() == "hello"
    done = rsync("-aO", "--link-dest=../one", "tree/", f"alice@{HOST}:two/")
    assert (done.returncode, done.stderr) == (0, "")
    assert (kept / "two" / "inner" / "a b").samefile(kept / "one" / "inner" / "a b")
    # A link that a client sends leads nowhere while it lies there, and is itself again when it is fetched.
    assert not (kept / "one" / "out").exists()
    done = rsync("-a", f"reader@{HOST}:one/", "fetched/")
    assert (done.returncode, done.stderr) == (0, "")
    assert (house / "client" / "fetched" / "out").readlink() == Path("/etc")
    assert rsync("-a", f"alice@{HOST}:one/inner/a?b", "fetched/").returncode != 0
    assert rsync("-a", "tree/", f"reader@{HOST}:three/").returncode != 0
    assert rsync("-a", f"alice@{HOST}:{house}/srv/bob/", "fetched/").returncode != 0
    assert rsync("-a", f"alice@{HOST}:../bob/", "fetched/").returncode != 0
    assert rsync("-a", "--rsync-path=rsync --log-file=/tmp/x", "tree/", f"alice@{HOST}:x/").returncode != 0
    assert not (house / "client" / "fetched" / "secret").exists()


def test_borg(daemon: Daemon, house: Path) -> None:
    def borg(*words: str) -> "subprocess.CompletedProcess[str]":
        return client(daemon, house, "borg", *words)

    (house / "client" / "file").write_text("x")
    inside, outside = (f"ssh://alice@{HOST}{house}/srv/{name}/backup" for name in ("alice", "bob"))
    done = borg("init", "-e", "none", inside)
    assert (done.returncode, done.stderr) == (0, "")
    assert borg("--info", "create", f"{inside}::first", "file").returncode == 0
    assert borg("list", "--short", inside).stdout == "first\n"
    done = borg("init", "-e", "none", outside)
    assert done.returncode == 2
    assert "restrict-to-path" in done.stderr or "not allowed" in done.stderr
    assert not (house / "srv" / "bob" / "backup").exists()


def test_scp(daemon: Daemon, house: Path) -> None:
    words = daemon.client.words()[1:-1]
    words[words.index("-p")] = "-P"

    def scp(*more: str) -> "subprocess.CompletedProcess[str]":
        return client(daemon, house, "scp", "-O", *words, *more)

    (house / "client" / "sent").write_text("sent")
    done = scp("-p", "sent", f"alice@{HOST}:")
    assert (done.returncode, done.stderr) == (0, "")
    assert (house / "srv" / "alice" / "sent").read_text() == "sent"
    done = scp("-r", f"reader@{HOST}:{house}/srv/alice/sent", "got")
    assert (done.returncode, done.stderr) == (0, "")
    assert (house / "client" / "got").read_text() == "sent"
    assert scp("sent", f"reader@{HOST}:other").returncode != 0
    assert scp(f"alice@{HOST}:{house}/srv/bob/secret", "stolen").returncode != 0
    assert scp(f"alice@{HOST}:../bob/secret", "stolen").returncode != 0
    assert not (house / "client" / "stolen").exists()


def test_what_a_client_puts_into_the_home_is_not_run(daemon: Daemon, house: Path) -> None:
    """`home` has the folder as its home into which it may write: git and Python run what files of a home say."""
    for program in ("git", "rsync", "borg"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    kept, mine = house / "srv" / "alice", house / "client" / "dots"
    mine.mkdir()
    hook = f'[uploadpack]\n\tpackObjectsHook = "touch {kept}/ran-git;"\n'
    (mine / ".gitconfig").write_text(hook)
    (mine / ".config" / "git").mkdir(parents=True)
    (mine / ".config" / "git" / "config").write_text(hook)
    for version in range(8, 20):
        site = mine / f".local/lib/python3.{version}/site-packages"
        site.mkdir(parents=True)
        (site / "usercustomize.py").write_text(f"open('{kept}/ran-borg', 'w')\n")
    done = client(daemon, house, "rsync", "-rO", "dots/", f"home@{HOST}:.")
    assert (done.returncode, done.stderr) == (0, "")
    assert (kept / ".gitconfig").read_text() == hook

    bare_repository(house, "alice/hooked.git")
    assert client(daemon, house, "git", "init", "-q", "-b", "main", "hooked").returncode == 0
    assert client(daemon, house, "git", "-C", "hooked", "commit", "-q", "--allow-empty", "-m", "x").returncode == 0
    for words in (("-C", "hooked", "push", "-q", f"home@{HOST}:hooked.git", "main"),
                  ("clone", "-q", "-b", "main", f"home@{HOST}:hooked.git", "cloned")):  # fmt: skip
        done = client(daemon, house, "git", *words)
        assert (done.returncode, done.stderr) == (0, "")
    done = client(daemon, house, "borg", "init", "-e", "none", f"ssh://home@{HOST}{kept}/hooked-backup")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(kept.glob("ran-*")) == []

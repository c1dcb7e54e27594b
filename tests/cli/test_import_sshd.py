"""`pysshd import-sshd-config`: its statuses, where it reads and writes, and what it says."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pysshd.cli.host_files import HostFiles
from pysshd.cli.import_sshd import import_sshd_config
from pysshd.errors import StartupError
from pysshd.policy.load import load_text
from tests.importing.ground import GROUP, PASSWD, key


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The file tree of a host."""
    tree = tmp_path / "root"
    for name in ("etc/ssh/sshd_config.d", "usr/lib/openssh", "etc/pam.d"):
        (tree / name).mkdir(parents=True)
    (tree / "etc/passwd").write_text(PASSWD)
    (tree / "etc/group").write_text(GROUP)
    (tree / "usr/lib/openssh/sftp-server").touch()
    (tree / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
    (tree / "etc/ssh/sshd_config").write_text("Include sshd_config.d/*.conf\n" + PLAIN)
    return tree


PLAIN = "PermitRootLogin no\nAllowTcpForwarding no\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\n"


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(import_sshd_config, ["--root", str(root), *words])


def test_what_has_an_equivalent_throughout_ends_with_0(root: Path) -> None:
    ended = run(root)
    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (0, "policy: everything has an equivalent")
    assert load_text(ended.stdout).ruleset.settings.server.accounts == "system"


def test_what_has_none_is_named_and_ends_with_1(root: Path) -> None:
    (root / "etc/ssh/sshd_config.d/more.conf").write_text("\nStrictModes no\n")
    ended = run(root)
    assert ended.exit_code == 1
    wanted = "/etc/ssh/sshd_config.d/more.conf:2: warning: StrictModes no: files of keys that others may write to"
    assert any(line.startswith(wanted) for line in ended.stderr.splitlines())
    assert f"# {wanted}" in ended.stdout
    assert ended.stderr.splitlines()[-1] == "policy: without an equivalent: 1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("etc/ssh/sshd_config", "Prot 22"), "/etc/ssh/sshd_config:1: keyword 'Prot' is none of sshd's"),
        (("etc/ssh/sshd_config", None), "etc/ssh/sshd_config: can not be opened: No such file or directory"),
        (("etc/passwd", None), "etc/passwd: can not be opened: No such file or directory"),
        (("etc/ssh/sshd_config", "Port 22\0"), "etc/ssh/sshd_config: has a NUL and is no text"),
    ],
)
def test_trouble_says_why_and_writes_nothing(root: Path, change: tuple[str, str | None], message: str) -> None:
    path, text = root / change[0], change[1]
    path.unlink()
    if text is not None:
        path.write_text(text)
    ended = run(root, "-o", str(root / "policy.yaml"))
    assert isinstance(ended.exception, StartupError)
    assert message in str(ended.exception)
    assert not (root / "policy.yaml").exists()


def test_a_new_file_is_for_its_owner_alone_and_never_overwritten(root: Path) -> None:
    made = root / "policy.yaml"
    assert run(root, "-o", str(made)).exit_code == 0
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    text = made.read_text()
    ended = run(root, "-o", str(made))
    assert str(ended.exception) == f"{made}: is there already; name a new file"
    assert made.read_text() == text


def test_keys_of_an_account_come_from_the_tree_of_the_host(root: Path) -> None:
    (root / "root").mkdir()
    (root / "root/keys").write_text(f'expiry-time="20300101",restrict {key(1).line}\n')
    ended = run(root, "--authorized-keys", "alice=/root/keys")
    assert ended.exit_code == 0
    # The beginning of the day in Paris.
    assert 'not_after: "2029-12-31T23:00:00Z"' in ended.stdout
    assert key(1).fingerprint in ended.stdout
    assert load_text(ended.stdout).ruleset.people["alice"].keys


@pytest.mark.parametrize("option", ["alice", "=/keys", "a/b=/keys", "alice="])
def test_keys_of_nobody_are_refused(root: Path, option: str) -> None:
    ended = run(root, "--authorized-keys", option)
    assert ended.exit_code == 2
    assert f"--authorized-keys {option}: expected USER=FILE" in ended.stderr


def test_a_banner_is_taken_in(root: Path) -> None:
    (root / "etc/issue.net").write_text("Authorised use only.\n")
    with (root / "etc/ssh/sshd_config").open("a") as file:
        file.write("Banner /etc/issue.net\n")
    ended = run(root)
    assert ended.exit_code == 0
    assert load_text(ended.stdout).ruleset.settings.server.banner == "Authorised use only.\n"


def test_what_is_not_served_yet_is_left_out_unless_asked_for(root: Path) -> None:
    (root / "etc/ssh/sshd_config").write_text("PermitRootLogin no\n")
    ended = run(root)
    assert ended.exit_code in (0, 1)
    load_text(ended.stdout)
    whole = run(root, "--language")
    assert whole.exit_code == 0
    assert "forward:" in whole.stdout
    load_text(whole.stdout, language=True)


def test_other_ports_to_try_it_beside_sshd(root: Path) -> None:
    with (root / "etc/ssh/sshd_config").open("a") as file:
        file.write("Port 22\nPort 2200\nListenAddress ::1\nListenAddress 192.0.2.1:22\n"
                   "Match LocalPort 2200\n  PermitTTY no\n")  # fmt: skip
    assert ports_of(run(root)) == {("::1", 22), ("::1", 2200), ("192.0.2.1", 22)}
    ended = run(root, "--port", "2222")
    assert ended.exit_code == 0
    assert ports_of(ended) == {("::1", 2222), ("::1", 2223), ("192.0.2.1", 2222)}
    assert "note: Port: the policy listens on 2222 instead of 22, 2223 instead of 2200" in ended.stderr
    # What sshd does on each of its ports is what the policy does on the one in its place.
    assert all(verdict.passed for verdict in load_text(ended.stdout).verdicts)


def ports_of(ended: Result) -> set[tuple[str, int]]:
    return {(one.host, one.port) for one in load_text(ended.stdout).ruleset.settings.server.listen or ()}


def test_keys_of_an_account_that_the_host_has_not_are_refused(root: Path) -> None:
    (root / "keys").write_text(key(1).line + "\n")
    ended = run(root, "--authorized-keys", "alcie=/keys")
    assert ended.exit_code == 2
    assert "--authorized-keys alcie=/keys: the host has no account 'alcie' (did you mean 'alice'?)" in ended.stderr
    assert ended.stdout == ""


def test_an_account_that_stands_in_no_file_is_looked_up_on_this_host_alone(root: Path) -> None:
    assert not HostFiles(root).knows("root")
    assert HostFiles(Path("/")).knows("root")
    assert not HostFiles(Path("/")).knows("pysshd-nobody-has-this-name")


def test_help_teaches(root: Path) -> None:
    ended = run(root, "--help")
    assert ended.exit_code == 0
    for words in ("Exit status", "pysshd import-sshd-config --port 2222 -o policy.yaml", "--authorized-keys USER=FILE"):
        assert words in ended.stdout

"""What the examples of a git host and of a backup target permit."""

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from pysshd.policy.query import Exec, Facts, Query, Shell, Step, UnixFacts
from pysshd.policy.ways import Program

CONFIG = Path(__file__).parents[2] / "config"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(file: str, person: str, account: str, command: str, source: str = "10.0.0.1") -> str | None:
    """The words that are run, or None."""
    ruleset = load_text((CONFIG / file).read_text("utf-8"), file).ruleset
    key = ruleset.people[person].keys[0]
    facts = Facts(account, person, ip_address(source), "*:2222", "SSH-2.0-x", NOON,
                  (Step("publickey", key.fingerprint, key.label),), unix=UnixFacts(account, 990))  # fmt: skip
    way = decide(ruleset, Query(facts, Exec(command.encode()) if command else Shell())).way
    assert way is None or isinstance(way, Program)
    return b" ".join(way.argv).decode() if way is not None else None


@pytest.mark.parametrize(
    ("person", "command", "words"),
    [
        ("ci", "git-upload-pack 'x.git'", "git upload-pack /srv/git/x.git"),
        ("ci", "git-receive-pack 'x.git'", None),
        ("alice", "git-receive-pack 'x.git'", "git receive-pack /srv/git/x.git"),
        ("alice", "git-upload-pack '/srv/git/releases/1.git'", "git upload-pack /srv/git/releases/1.git"),
        ("alice", "git-receive-pack 'releases/1.git'", None),
        ("alice", "git-receive-pack '/srv/other'", None),
        ("alice", "id", None),
        ("alice", "", None),
    ],
)
def test_the_git_host(person: str, command: str, words: str | None) -> None:
    assert run("git-host.yaml", person, "git", command) == words


@pytest.mark.parametrize(
    ("person", "command", "words"),
    [
        ("web1", "borg serve", "borg serve --append-only --storage-quota=500000000000 "
                               "--restrict-to-path /srv/backup/web1/borg"),
        ("web1", "rsync --server -re.Lsf . etc/", "rsync --server --munge-links -re.Lsf . /srv/backup/web1/files/etc/"),
        ("web1", "rsync --server --sender -re.Lsf . etc/", None),
        ("web1", "rsync --server -re.Lsf . /srv/backup/db1/files", None),
        ("web1", "", None),
        ("operator", "rsync --server --sender -re.Lsf . /srv/backup/db1/files",
         "rsync --server --sender --munge-links -re.Lsf . /srv/backup/db1/files"),
        ("operator", "rsync --server -re.Lsf . /srv/backup/db1/files", None),
        ("operator", "borg serve", None),
    ],
)  # fmt: skip
def test_the_backup_target(person: str, command: str, words: str | None) -> None:
    assert run("backup-target.yaml", person, "backup", command) == words
    if person == "web1":
        assert run("backup-target.yaml", person, "backup", command, "192.0.2.1") is None

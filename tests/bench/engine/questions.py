"""Requests of every kind, of people of a document and from its networks."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address

from pysshd.policy.people import Person
from pysshd.policy.query import (
    Connect,
    Env,
    Exec,
    Facts,
    Login,
    Pty,
    Query,
    Request,
    Session,
    Sftp,
    Shell,
    Signal,
    Step,
    Subsystem,
    UnixFacts,
)
from pysshd.policy.ruleset import Ruleset

WORDS = (b"systemctl status nginx", b"tail -n 50 /var/log/syslog", b"uptime", b"journalctl -u ssh", b"rm -rf /")
SHELL_LINES = (b"ls -l | wc", b"cd /srv && make", b"for i in 1 2 3; do echo $i; done")

KINDS: dict[str, Callable[[random.Random, Step], Request]] = {
    "login": lambda chance, step: Login((), step),
    "session": lambda chance, step: Session(),
    "shell": lambda chance, step: Shell(),
    "exec of words": lambda chance, step: Exec(chance.choice(WORDS)),
    "exec of anything": lambda chance, step: Exec(chance.choice(SHELL_LINES)),
    "exec of git": lambda chance, step: Exec(b"git-upload-pack '/srv/git/x.git'"),
    "sftp": lambda chance, step: Sftp(
        chance.choice(["list", "download", "upload"]), chance.choice([b"/", b"/in/a/b", b"/out/x"])
    ),
    "subsystem": lambda chance, step: Subsystem("sftp"),
    "connect": lambda chance, step: Connect(chance.choice(["db1.corp", "10.2.3.4", "x.example"]), 5432, None),
    "pty": lambda chance, step: Pty("xterm-256color"),
    "env": lambda chance, step: Env(chance.choice(["LANG", "LC_ALL", "GIT_PROTOCOL"]), b"C"),
    "signal": lambda chance, step: Signal("INT", Exec(b"uptime")),
}


def queries(ruleset: Ruleset, count: int) -> dict[str, list[Query]]:
    """So many queries of each kind; the same ones each time."""
    chance, names = random.Random(2), sorted(ruleset.people)
    found: dict[str, list[Query]] = {}
    for kind, make in KINDS.items():
        for _ in range(count):
            person = ruleset.people[chance.choice(names)]
            step = Person.step(person.keys[0], person.keys[0].fingerprint or "")
            found.setdefault(kind, []).append(Query(_facts(person, step, chance), make(chance, step)))
    return found


def _facts(person: Person, step: Step, chance: random.Random) -> Facts:
    return Facts(
        person.name,
        person.name,
        ip_address(f"10.{chance.randrange(24)}.1.2"),
        "127.0.0.1:2222",
        "SSH-2.0-OpenSSH_10.0",
        datetime(2026, 11, 23, chance.randrange(24), tzinfo=UTC),
        (step,),
        unix=UnixFacts(person.name, 1000, home=f"/home/{person.name}"),
        own_addresses=frozenset(),
    )

"""Passwords against real hashes: a crowd of wrong ones holds up neither the right one nor a key."""

import os
import threading
import time

import pytest

from pysshd.identity.hashing import make_hash
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import Daemon
from tests.live.watch import least_times
from tests.live.wire import wire

CROWD = 21
RIGHT = b"correct horse"
POLICY = """
limits: {startups: {start: 100, rate: 30%, full: 200}, auth_attempts: 6}
users:
  alice: {keys: ["@@alice@@"], password: "HASH"}
login: [{who: alice, methods: [publickey, password]}]
grants: [{who: alice, roles: login-shell}]
"""


@pytest.fixture(scope="module")
def policy() -> str:
    """A policy with a hash as `pysshd hash-password` makes it: argon2id with four lanes."""
    made = make_hash(RIGHT, SystemEntropy())
    assert made.startswith("$argon2id$")
    assert ",p=4$" in made
    return POLICY.replace("HASH", made)


def hash_time(daemon: Daemon) -> float:
    """Seconds of one right password, for the refusal of a wrong one is padded."""
    with wire(daemon) as held:
        start = time.monotonic()
        assert held.password(b"alice", RIGHT)[0] == Number.USERAUTH_SUCCESS
        return time.monotonic() - start


@pytest.mark.security("S70")
@pytest.mark.parametrize(
    "place", [pytest.param(0, marks=pytest.mark.long), pytest.param(10, marks=pytest.mark.long), 20]
)
def test_the_right_password_is_in_among_twenty_wrong_ones(serve: Serve, keys: Keys, policy: str, place: int) -> None:
    with serve(policy) as daemon:
        times = [hash_time(daemon) for _ in range(3)]
        took: dict[int, float] = {}
        wrong: list[int] = []
        turns = [threading.Event() for _ in range(CROWD + 1)]
        turns[0].set()

        def enter(number: int) -> None:
            with wire(daemon) as held:
                turns[number].wait(20)
                start = time.monotonic()
                turns[number + 1].set()
                answer = held.password(b"alice", RIGHT if number == place else b"wrong %d" % number)
                took[number] = time.monotonic() - start
                if (answer[0] == Number.USERAUTH_SUCCESS) != (number == place):
                    wrong.append(number)

        crowd = [threading.Thread(target=enter, args=(number,)) for number in range(CROWD)]
        for thread in crowd:
            thread.start()
        turns[-1].wait(20)
        start = time.monotonic()
        with wire(daemon) as held:
            assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
        beside = time.monotonic() - start
        waiting = CROWD - len(took)
        for thread in crowd:
            thread.join(30)
        # Others use this machine too, and not as much before as after.
        times += [hash_time(daemon) for _ in range(3)]
        once = max(times)
        bound = CROWD * once / len(os.sched_getaffinity(0)) + 2
        print(
            f"hash {min(times):.2f} to {once:.2f} s; the right password at place {place} in {took[place]:.2f} s "
            f"of {bound:.2f} s; slowest {max(took.values()):.2f} s; a key in {beside:.2f} s, before {waiting} passwords"
        )
        assert not wrong
        assert len(took) == CROWD
        assert took[place] <= bound
        # It queued behind none of them: most were still to be answered.
        assert waiting > CROWD / 3


@pytest.mark.security("S70")
def test_unknown_people_take_as_long_as_known_ones(serve: Serve, policy: str) -> None:
    with serve(policy) as daemon:

        def one(name: str, turn: int) -> float:
            with wire(daemon) as held:
                start = time.monotonic()
                assert held.password(name.encode(), b"w" * (10 if turn % 2 else 1000))[0] == Number.USERAUTH_FAILURE
                return time.monotonic() - start

        least = least_times(("alice", "mallory", "x" * 70), one, 2.1)
    print(f"a wrong password takes {least} s")
    assert max(least.values()) <= 2.1 * min(least.values())


def test_a_password_that_is_right_and_a_real_client(serve: Serve, policy: str) -> None:
    """With the real client, which asks a program for the password where it has no terminal."""
    with serve(policy) as daemon:
        helper = daemon.folder / "ask"
        helper.write_text(f"#!/bin/sh\necho '{RIGHT.decode()}'\n")
        helper.chmod(0o700)
        done = daemon.ssh(
            "exit 7",
            key=None,
            environment={"SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": "none"},
            BatchMode="no",
            PreferredAuthentications="password",
        )
        assert done.returncode == 7, done.stderr
        assert RIGHT.decode() not in daemon.log
        assert daemon.events("login.accepted")[0]["method"] == "password"

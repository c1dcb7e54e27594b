"""Keys, and the daemons that the tests of all clients share."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from pysshd.identity.hashing import make_hash
from pysshd.ssh.crypto.entropy import SystemEntropy
from tests.interop.clients.kit import InteropKeys
from tests.interop.clients.table import CLIENTS, USER_KEYS
from tests.interop.running import Person
from tests.live.daemon import Daemon, open_folder, serving

PASSWORD = "correct horse battery"

POLICY = """
limits: {startups: {start: 100, rate: 30%, full: 200}, sessions_per_connection: 128}
users: {alice: {keys: [KEYS], password: "HASH"}}
login: [{who: alice, methods: [publickey, password]}]
roles: {owner: {shell: true, exec: any, pty: true, env: {accept: ["LC_*"], set: {SHLVL: "1"}}}}
grants: [{who: alice, roles: owner}]
"""
"""One person with keys of every kind and a password."""

ARGUMENTS = ("--log-level", "debug")
"""Then the log says what was negotiated."""


@pytest.fixture(scope="session")
def keys() -> Iterator[InteropKeys]:
    """Keys of clients and hosts, made once."""
    with open_folder() as folder:
        folder.chmod(0o700)
        yield InteropKeys(folder)


@pytest.fixture(scope="session")
def policy(keys: InteropKeys) -> str:
    """`POLICY` with its keys and its hash."""
    lines = ", ".join(f'"{keys.user(kind).with_suffix(".pub").read_text().strip()}"' for kind in USER_KEYS)
    return POLICY.replace("KEYS", lines).replace("HASH", make_hash(PASSWORD.encode(), SystemEntropy()))


@pytest.fixture(params=list(CLIENTS))
def person(request: pytest.FixtureRequest, keys: InteropKeys) -> Person:
    """Somebody with each of the clients; without it the test is skipped."""
    found = Person(request.param, keys)
    found.need()
    return found


RUNNING_MAX = 6
"""Daemons at once: their processes are the service user's, of whom other tests have a limited number."""


class Houses:
    """Daemons by their section `crypto`, each started when it is asked for; those asked for longest ago end."""

    def __init__(self, policy: str, keys: InteropKeys) -> None:
        self._policy, self._keys = policy, keys
        self._running: dict[str, tuple[AbstractContextManager[Daemon], Daemon]] = {}
        # To end is mostly to wait.
        self._threads = ThreadPoolExecutor(RUNNING_MAX)
        self._ending: list[Future[object]] = []

    def __call__(self, crypto: str) -> Daemon:
        """The daemon of this section, such as `{profile: strict}`."""
        found = self._running.pop(crypto, None)
        if found is None:
            while len(self._running) >= RUNNING_MAX:
                self._end(next(iter(self._running)))
            serves = serving(f"{self._policy}crypto: {crypto}\n", self._keys, arguments=ARGUMENTS)
            found = serves, serves.__enter__()
        # The order of the table is that of the last question.
        self._running[crypto] = found
        return found[1]

    def _end(self, crypto: str) -> None:
        serves, _ = self._running.pop(crypto)
        self._ending.append(self._threads.submit(serves.__exit__, None, None, None))

    def stop(self) -> None:
        """End them all; what went wrong in one that has ended is raised here."""
        for crypto in list(self._running):
            self._end(crypto)
        with self._threads:
            for ended in self._ending:
                ended.result()


@pytest.fixture(scope="session")
def houses(policy: str, keys: InteropKeys) -> Iterator[Houses]:
    """See `Houses`."""
    made = Houses(policy, keys)
    yield made
    made.stop()


@pytest.fixture
def daemon(houses: Houses) -> Daemon:
    """The daemon that most tests share: everything that we serve, and new keys after every MiB."""
    return houses("{profile: compatible, rekey: {bytes: 1MiB}}")

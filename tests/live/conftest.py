"""Keys, and daemons that many tests share."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.live.client import Keys
from tests.live.daemon import IS_ROOT, MODES, PLAIN, Daemon, open_folder, service_user, serving
from tests.live.refusal import Start

Serve = Callable[..., AbstractContextManager[Daemon]]
"""`serve(policy, mode=…, server=[…], expected=[…])`: see `daemon.serving`."""

OWNER = """
limits: {startups: {start: 100, rate: 30%, full: 200}, sessions_per_connection: 40}
users: {alice: {keys: ["@@alice@@"]}}
roles: {owner: {shell: true, exec: any, pty: true, env: {accept: [LANG, "LC_*"], set: {SHLVL: "1"}}}}
grants: [{who: alice, roles: owner}]
"""
"""One person with a key, who may do everything that is served.

SHLVL keeps bash from the ~/.bashrc of whoever runs the tests, which it else reads for commands of an SSH session.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a client there is nothing to test here, and the summary says so."""
    if shutil.which("ssh") is None:
        for item in items:
            if "/live/" in item.nodeid or item.nodeid.startswith("live/"):
                item.add_marker(pytest.mark.skip(reason="needs ssh (openssh-client)"))


@pytest.fixture(scope="session")
def keys() -> Iterator[Keys]:
    """Keys of clients and hosts, made once."""
    with open_folder() as folder:
        folder.chmod(0o700)
        yield Keys(folder)


@pytest.fixture
def serve(keys: Keys) -> Serve:
    """Starts a daemon of a test's own: `with serve(POLICY) as daemon:`."""
    return partial(serving, keys=keys)


@pytest.fixture(scope="module", params=MODES)
def every_daemon(request: pytest.FixtureRequest, keys: Keys) -> Iterator[Daemon]:
    """A daemon of `OWNER` in each mode that this user can start."""
    with serving(OWNER, keys, mode=request.param) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def daemon(keys: Keys) -> Iterator[Daemon]:
    """A daemon of `OWNER` in one mode, for what is the same in each."""
    with serving(OWNER, keys, mode=PLAIN) as daemon:
        yield daemon


@pytest.fixture
def start(keys: Keys) -> Iterator[Start]:
    """A policy that can be started, until a test changes it, in a folder with an empty state folder."""
    with open_folder() as folder:
        (folder / "state").mkdir(mode=0o700)
        if IS_ROOT:
            os.chown(folder / "state", *(service_user()[2:4]))
        made = Start(folder, keys)
        made.write()
        yield made

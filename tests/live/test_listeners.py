"""Several listeners of one daemon: their names in conditions, their banners, and what the daemon calls itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pysshd.version import __version__
from tests.live.client import HOST, Client
from tests.live.conftest import Serve
from tests.live.daemon import Daemon, free_port
from tests.live.wire import wire


@contextmanager
def client_at(daemon: Daemon, port: int) -> Iterator[Client]:
    """A client for another port of the same daemon."""
    folder = daemon.folder / f"client-{port}"
    folder.mkdir()
    client = Client(folder, port, daemon.client.keys, daemon.client.user)
    try:
        yield client
    finally:
        client.close()


LISTENERS = """
users: {alice: {keys: ["@@alice@@"]}}
login:
  - {who: alice, listener: [internal, "127.0.0.1:PLAIN"], methods: publickey}
roles: {owner: {shell: true, exec: any, env: {set: {SHLVL: "1"}}}}
grants: [{who: alice, listener: internal, roles: owner}]
"""


def test_a_listener_has_a_name_for_conditions_and_a_banner_of_its_own(serve: Serve) -> None:
    also, public, plain = free_port(), free_port(), free_port()
    listen = (
        f'listen: [{{address: ["{HOST}:@PORT@", "{HOST}:{also}"], name: internal, banner: "come in\\n"}}, '
        f'{{address: "{HOST}:{public}", name: public, banner: "go away\\n"}}, "{HOST}:{plain}"]'
    )
    policy = LISTENERS.replace("PLAIN", str(plain))
    with serve(policy, server=[listen, 'banner: "who are you\\n"']) as daemon:
        done = daemon.ssh("echo in", LogLevel="INFO")
        assert (done.stdout, done.stderr) == (b"in\n", b"come in\n")
        expected = [(also, b"come in\n", 0), (public, b"go away\n", 255), (plain, b"who are you\n", 255)]
        for port, banner, status in expected:
            with client_at(daemon, port) as client:
                done = client.run("echo in", LogLevel="INFO")
                assert done.returncode == status
                assert done.stderr.startswith(banner)
        # By the public one nobody gets in; by the one without a name a login is good for nothing.
        names = [event["listener"] for event in daemon.events("connection.opened")]
        assert names == ["internal", "internal", "public", f"{HOST}:{plain}"]
        assert len(daemon.events("login.accepted")) == 3
        assert len(daemon.events("request.refused")) == 1


@pytest.mark.parametrize("addendum", ["Debian-2+deb12u3", "of the house", "x" * 200])
def test_the_version_has_an_addendum(serve: Serve, addendum: str) -> None:
    policy = 'users: {alice: {keys: ["@@alice@@"]}}\ngrants: [{who: alice, roles: login-shell}]\n'
    with serve(policy, server=[f'version_addendum: "{addendum}"']) as daemon:
        with wire(daemon) as at:
            assert at.client.server_identification == f"SSH-2.0-pysshd_{__version__} {addendum}".encode()
        done = daemon.ssh("true", LogLevel="DEBUG1")
        assert done.returncode == 0
        # The client shows a hundred characters of it.
        assert b"remote software version " + f"pysshd_{__version__} {addendum}"[:100].encode() in done.stderr

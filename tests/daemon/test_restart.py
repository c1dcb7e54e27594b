"""What a reload can not change stays as it was, by name, and the rest applies."""

import pytest

from pysshd.daemon.restart import kept
from pysshd.policy.load import load_text
from pysshd.policy.settings import Settings


def settings(server: str = "", more: str = "") -> Settings:
    return load_text(f"version: 1\nserver: {{banner: hello{server}}}\n{more}").ruleset.settings


STARTED = settings()


@pytest.mark.parametrize(
    ("new", "waits"),
    [
        (settings(), ()),
        (settings(", isolation: shared"), ("server.isolation",)),
        (settings(", accounts: system"), ("server.accounts",)),
        (settings(", sandbox: best_effort"), ("server.sandbox",)),
        (settings(", user: daemon, worker_user: nobody"), ("server.user", "server.worker_user")),
        (settings(", state: /srv/state"), ("server.state",)),
        (settings(", interface: 'a:B'"), ("server.interface",)),
        (settings(", host_keys: {directory: /srv/keys}"), ("server.host_keys",)),
        (settings(", listen: '127.0.0.1:2223'"), ("server.listen",)),
        (settings(", listen: {address: '127.0.0.1:2222', name: inside}"), ("server.listen",)),
        (settings(more="crypto: {kex: '+diffie-hellman-group14-sha256'}"), ("crypto.kex",)),
        (settings(more="crypto: {compression: '+zlib@openssh.com'}"), ("crypto.compression",)),
        (settings(more="limits: {sessions_per_connection: 20}"), ("limits.sessions_per_connection",)),
        (settings(more="limits: {sessions_per_connection: 5, connections: 10000, login_grace: 5s}"), ()),
        (settings(", version_addendum: x, timezone: Europe/Paris", "crypto: {profile: strict}"), ()),
    ],
)
def test_what_waits(new: Settings, waits: tuple[str, ...]) -> None:
    found = kept(STARTED, new)
    assert found.waits == waits
    again = kept(STARTED, found.settings)
    assert again.waits == ()
    assert again.settings == found.settings
    if not waits:
        assert found.settings == new


def test_what_waits_is_as_it_was_and_what_stands_beside_it_applies() -> None:
    found = kept(
        STARTED, settings(", isolation: shared, timezone: Europe/Paris", "limits: {auth_attempts: 2}")
    ).settings
    assert found.server.isolation == "connection"
    assert found.server.timezone == "Europe/Paris"
    assert found.limits.auth_attempts == 2


def test_a_banner_of_a_listener_applies_and_another_address_does_not() -> None:
    listen = ", listen: {{address: '127.0.0.1:{}', name: a, banner: {}}}"
    started = settings(listen.format(2222, "old"))
    assert kept(started, settings(listen.format(2222, "new"))).settings.server.banner_of("a") == "new"
    assert kept(started, settings(listen.format(2223, "new"))).settings.server.banner_of("a") == "old"


def test_shared_workers_have_room_for_as_many_connections_as_at_the_start() -> None:
    started = settings(", isolation: shared")
    found = kept(started, settings(", isolation: shared", "limits: {connections: 1000}"))
    assert found.waits == ("limits.connections",)
    assert found.settings.limits.connections == started.limits.connections
    fewer = kept(started, settings(", isolation: shared", "limits: {connections: 10}"))
    assert fewer.waits == ()
    assert fewer.settings.limits.connections == 10

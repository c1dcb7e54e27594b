"""`listener`: which listener accepted the connection."""

from pysshd.policy.query import Pty
from tests.policy.support import ask, load


def test_listener_by_its_text() -> None:
    ruleset = load(
        'server: {listen: ["*:2222", "127.0.0.1:2022"]}\n'
        'grants: [{who: alice, listener: "127.0.0.1:2022", allow: {pty: true}}]'
    )
    assert [listen.name for listen in ruleset.settings.server.listen] == ["*:2222", "127.0.0.1:2022"]
    assert ask(ruleset, Pty("xterm"), listener="127.0.0.1:2022").allowed
    assert not ask(ruleset, Pty("xterm"), listener="*:2222").allowed


def test_the_default_listeners_have_names_too() -> None:
    ruleset = load('grants: [{who: alice, listener: "[::1]:2222", allow: {pty: true}}]')
    assert ask(ruleset, Pty("xterm"), listener="[::1]:2222").allowed
    assert not ask(ruleset, Pty("xterm")).allowed

"""Every refusal has an id: the client is told it, the log has it with the trace, and it says nothing of the policy."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pysshd.ssh.wire.messages.connection import ChannelOpen, ChannelOpenFailure
from pysshd.ssh.wire.messages.transport import Disconnect
from pysshd.ssh.wire.messages.userauth import PasswordBody, UserauthBanner, UserauthRequest
from pysshd.ssh.wire.numbers import MessageNumber
from tests.live.channel import session
from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import Daemon, serving
from tests.live.wire import Wire, wire
from tests.server.house import CHEAP

POLICY = f"""
users:
  alice: {{keys: ["@@alice@@"], password: "{CHEAP}"}}
  bob: {{keys: ["@@bob@@"]}}
login: [{{who: "*", methods: [publickey, password]}}]
roles: {{list: {{exec: ls *}}}}
grants:
  - {{name: lists, who: alice, roles: list}}
  - {{name: elsewhere, who: alice, from: 192.0.2.0/24, allow: {{shell: true}}}}
"""
ID = re.compile(r"\(id ([0-9a-hjkmnp-tv-z]{10})\)")


def id_in(text: str) -> str:
    found = ID.search(text)
    assert found is not None, text
    return found[1]


def why(daemon: Daemon, decision: str) -> str:
    words = [sys.executable, "-I", "-m", "pysshd", "why", decision, "--log", str(daemon.folder / "log")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def said(connection: Wire, number: int) -> list[bytes]:
    return [payload for payload in connection.client.received if payload[0] == number]


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    with serving(POLICY, keys, server=["owner: alice"]) as daemon:
        yield daemon


@pytest.fixture
def daemon(house: Daemon) -> Daemon:
    """A daemon of `POLICY`, which has told nothing yet but its rules."""
    house.forget()
    return house


@pytest.mark.security("S121")
def test_a_command_and_a_shell_that_are_refused(serve: Serve) -> None:
    with serve(POLICY, server=["owner: alice"]) as daemon:
        for words, options in ((["cat /etc/passwd"], ()), ([], ("-T",))):
            client = daemon.ssh(*words, options=options)
            text = client.stderr.decode()
            decision = id_in(text)
            told = why(daemon, decision)
            assert f"rules       {daemon.events('daemon.rules')[0]['rules']}" in told
            assert "tried:" in told
            for secret in ("lists", "elsewhere", "192.0.2", "policy", "grant"):
                assert secret not in text
        assert "elsewhere" in why(daemon, daemon.events("request.refused")[1]["decision"])
        assert "from" in why(daemon, daemon.events("request.refused")[1]["decision"])


def test_a_terminal_that_is_refused(daemon: Daemon) -> None:
    with session(daemon, "alice") as channel:
        assert not channel.pty()
        assert id_in(channel.errors.decode()) == daemon.wait_event("request.refused")["decision"]
        assert channel.exec("ls /")
        assert channel.end() == 0


def test_a_notice_comes_before_the_answer(daemon: Daemon) -> None:
    with session(daemon, "alice") as channel:
        assert not channel.exec("cat")
        assert id_in(channel.errors.decode()) == daemon.wait_event("request.refused")["decision"]
        assert channel.exec("ls /")
        assert channel.end() == 0


def test_a_channel_that_is_not_opened(daemon: Daemon) -> None:
    with wire(daemon) as connection:
        connection.sign_in(b"bob", daemon.client.keys.private("bob"))
        connection.say(ChannelOpen("session", 0, 1 << 20, 1 << 15).encode())
        refused = ChannelOpenFailure.decode(connection.until(MessageNumber.CHANNEL_OPEN_FAILURE))
        decision = daemon.wait_event("request.refused")["decision"]
        assert refused.description == f"refused (id {decision})".encode()


@pytest.mark.security("S121")
def test_a_login_that_is_refused_and_one_time_too_many(daemon: Daemon) -> None:
    """Whoever is named, the words are the same, and the last of them come with the end."""
    for user in (b"alice", b"nobody-here"):
        with wire(daemon) as connection:
            for number in range(5):
                connection.password(user, b"wrong")
                banners = said(connection, MessageNumber.USERAUTH_BANNER)
                assert len(banners) == number + 1
                event = daemon.events("login.refused")[-1]
                assert UserauthBanner.decode(banners[-1]).message == f"login refused (id {event['decision']})\r\n"
            body = PasswordBody(False, b"wrong").encode()
            connection.say(UserauthRequest(user, "ssh-connection", "password", body).encode())
            last = connection.rest()[-1]
            assert last[0] == MessageNumber.DISCONNECT
            decision = daemon.events("login.refused")[-1]["decision"]
            assert Disconnect.decode(last).description == (
                f"too many authentication attempts: login refused (id {decision})".encode()
            )
            assert "password does not match" in why(daemon, decision) or user != b"alice"

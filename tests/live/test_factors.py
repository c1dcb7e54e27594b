"""Where somebody comes from, and one factor after the other: raw clients that try every order (S59, S64)."""

from collections.abc import Iterator

import pytest

from pysshd.identity.hashing import make_hash
from pysshd.ssh.crypto.entropy import SystemEntropy
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.live.channel import opened
from tests.live.client import Keys
from tests.live.daemon import PLAIN, Daemon, serving
from tests.live.wire import Wire, wire

SECRET = b"correct horse"
HERE = "127.0.0.2"
POLICY = f"""
limits: {{auth_attempts: 20}}
networks: {{here: {HERE}/32}}
users:
  alice:
    keys: [{{name: bound, key: "@@bound@@"}}, {{name: free, key: "@@free@@"}}]
    password: "{make_hash(SECRET, SystemEntropy())}"
  twin: {{keys: ["@@one@@", "@@two@@"]}}
  near: {{keys: ["@@near@@"], password: "{make_hash(SECRET, SystemEntropy())}"}}
login:
  - {{who: near, from: here, methods: [publickey, password]}}
  - {{who: near, refuse: true}}
  - {{who: twin, methods: publickey+publickey}}
  - {{who: alice, methods: publickey+password}}
roles:
  menu: {{forced: [/bin/echo, the menu], confined: true}}
  tools: {{exec: ["echo *"], confined: true}}
grants:
  - {{who: "key:bound", roles: menu}}
  - {{who: "key:free", unless: {{who: "key:bound"}}, roles: tools}}
  - {{who: [twin, near], roles: tools}}
"""
IN, NOT_YET, NO = "in", "a factor counts", "no"


@pytest.fixture(scope="module")
def house(keys: Keys) -> Iterator[Daemon]:
    """A daemon of that policy, where this host confines programs."""
    from pysshd.processes.sandbox.namespaces import supported

    if (reason := supported()) is not None:
        pytest.skip(f"this host confines no program: {reason}")
    with serving(POLICY, keys, mode=PLAIN) as daemon:
        yield daemon


def said(answer: bytes) -> str:
    """What an answer to a factor means."""
    if answer[0] == Number.USERAUTH_SUCCESS:
        return IN
    assert answer[0] == Number.USERAUTH_FAILURE
    return NOT_YET if answer[-1] else NO


def key(held: Wire, user: str, name: str, keys: Keys) -> str:
    return said(held.sign_in(user.encode(), keys.private(name)))


def output(held: Wire, command: str) -> bytes:
    session = opened(held, 0)
    assert session is not None
    assert session.exec(command)
    assert session.end() == 0
    return session.output


# --- where from


@pytest.mark.security("S59")
def test_an_address_elsewhere_is_refused_whatever_the_method(house: Daemon, keys: Keys) -> None:
    with wire(house) as held:
        assert key(held, "near", "near", keys) == NO
        assert said(held.password(b"near", SECRET)) == NO
        assert said(held.request(b"near", "none", b"")) == NO
        assert key(held, "near", "near", keys) == NO
    before = len(house.events("login.accepted"))
    assert house.ssh("echo in", login="near", key="near", options=("-b", HERE)).stdout == b"in\n"
    assert len(house.events("login.accepted")) == before + 1


# --- one factor after the other


@pytest.mark.security("S64")
@pytest.mark.parametrize("between", ["nothing", "a key that fails", "a better key that is only shown", "wrong words"])
def test_what_the_first_key_is_bound_to_stays(house: Daemon, keys: Keys, between: str) -> None:
    with wire(house) as held:
        assert key(held, "alice", "bound", keys) == NOT_YET
        if between == "a key that fails":
            assert key(held, "alice", "eve", keys) == NO
        elif between == "a better key that is only shown":
            held.probe(b"alice", held.key_blob(keys.private("free")))
        elif between == "wrong words":
            assert said(held.password(b"alice", b"wrong")) == NO
        assert said(held.password(b"alice", SECRET)) == IN
        assert output(held, "echo freedom") == b"the menu\n"


@pytest.mark.security("S64")
def test_another_key_after_the_first_does_not_lift_what_that_is_bound_to(house: Daemon, keys: Keys) -> None:
    with wire(house) as held:
        assert key(held, "alice", "bound", keys) == NOT_YET
        assert key(held, "alice", "free", keys) == NO
        assert said(held.password(b"alice", SECRET)) == IN
        assert output(held, "echo freedom") == b"the menu\n"
    with wire(house) as held:
        assert key(held, "alice", "free", keys) == NOT_YET
        assert said(held.password(b"alice", SECRET)) == IN
        assert output(held, "echo freedom") == b"freedom\n"


@pytest.mark.security("S64")
def test_no_factor_counts_twice_and_none_comes_out_of_turn(house: Daemon, keys: Keys) -> None:
    with wire(house) as held:
        assert key(held, "twin", "one", keys) == NOT_YET
        assert key(held, "twin", "one", keys) == NO
        assert key(held, "twin", "one", keys) == NO
        assert key(held, "twin", "alice", keys) == NO
        assert key(held, "twin", "two", keys) == IN
    with wire(house) as held:
        assert said(held.password(b"alice", SECRET)) == NO
        assert said(held.password(b"alice", SECRET)) == NO
        assert key(held, "alice", "bound", keys) == NOT_YET
        assert key(held, "alice", "bound", keys) == NO
    with wire(house) as held:
        assert key(held, "twin", "one", keys) == NOT_YET
        assert opened_before_success(held)


def opened_before_success(held: Wire) -> bool:
    """Whether a channel that is asked for between two factors ends the connection."""
    from pysshd.ssh.wire.messages.connection import ChannelOpen

    held.say(ChannelOpen("session", 0, 1 << 20, 32768).encode())
    came, reason = held.end()
    return reason == 2 and Number.CHANNEL_OPEN_CONFIRMATION not in came

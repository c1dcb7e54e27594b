"""The canary corpus through every field that a client fills (F18): no line is forged, and no secret is kept."""

import json
import re
from collections.abc import Callable

import pytest

from pysshd.ssh.wire import codec
from pysshd.ssh.wire.messages.connection import ChannelOpen
from pysshd.ssh.wire.messages.transport import Disconnect
from pysshd.ssh.wire.numbers import MessageNumber as Number
from tests.audit.canaries import CANARIES, harmless
from tests.live.client import Keys
from tests.live.conftest import Serve
from tests.live.daemon import Daemon
from tests.live.wire import Wire, wire

HASH = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
POLICY = f"""
limits: {{startups: {{start: 300, rate: 30%, full: 400, per_source: 100, per_source_rate: 1000}}}}
users: {{alice: {{keys: ["@@alice@@"], password: "{HASH}"}}}}
login: [{{who: "*", methods: [publickey, password]}}]
roles: {{owner: {{shell: true, exec: any, pty: true, env: {{accept: [LANG]}}}}}}
grants: [{{who: alice, roles: owner}}]
"""
SECRET = b"canary-secret"
_ALL = {
    name: text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    for name, text in CANARIES.items()
    if isinstance(text, str | bytes)
}
CORPUS = tuple(text[:300] for text in _ALL.values())
"""What to say in each of the fields; each of them takes as many bytes."""

MIXED = tuple(
    b"".join(_ALL[name] for name in names)[:300]
    for names in (
        ("escape", "line ends", "nul", "override", "c1", "delete", "private"),
        ("spaces", "quotes", "braces", "tags"),
        ("lone surrogates", "broken utf-8", "latin-1"),
        (),
    )
)
"""The same in less time."""

Say = Callable[[Wire, bytes], None]
s, u = codec.string, codec.uint32


def _raw(number: int, *fields: bytes) -> bytes:
    return codec.byte(number) + b"".join(fields)


def _login(odd: Wire, user: bytes, method: str, body: bytes) -> None:
    odd.say(_raw(50, s(user), s(b"ssh-connection"), codec.text(method), body))
    odd.until(Number.USERAUTH_FAILURE)


def _password(odd: Wire, evil: bytes) -> None:
    _login(odd, b"alice", "password", codec.boolean(False) + s(SECRET + evil))


def _password_change(odd: Wire, evil: bytes) -> None:
    _login(odd, b"alice", "password", codec.boolean(True) + s(SECRET) + s(SECRET + evil))


def _key(odd: Wire, evil: bytes) -> None:
    """A key of which every part but its size is as the client likes it, a comment in the place of a point too."""
    blob = codec.text("ssh-ed25519") + s((b"comment-of-key" + evil)[:32].ljust(32, b"x"))
    _login(odd, b"alice", "publickey", codec.boolean(False) + codec.text("ssh-ed25519") + s(blob))
    _login(odd, b"alice", "publickey", codec.boolean(False) + s(evil) + s(evil))


BEFORE: dict[str, Say] = {
    "user": lambda odd, evil: _login(odd, b"user-name" + evil, "none", b""),
    "user as password": lambda odd, evil: _login(odd, SECRET + evil, "none", b""),
    "method": lambda odd, evil: odd.say(_raw(50, s(b"alice"), s(b"ssh-connection"), s(evil))),
    "service": lambda odd, evil: odd.say(_raw(5, s(b"service-name" + evil))),
    "service of the login": lambda odd, evil: odd.say(_raw(50, s(b"alice"), s(evil), s(b"none"))),
    "password": _password,
    "password change": _password_change,
    "key": _key,
    "submethods": lambda odd, evil: _login(odd, b"alice", "keyboard-interactive", s(b"") + s(evil)),
    "debug": lambda odd, evil: odd.say(_raw(4, codec.boolean(True), s(b"debug-text" + evil), s(evil))),
    "disconnect": lambda odd, evil: odd.say(_raw(1, u(11), s(b"disconnect-text" + evil), s(evil))),
    "noise": lambda odd, evil: odd.say(b"\x32" + evil),
}


def _request(name: bytes, *fields: bytes) -> bytes:
    return _raw(98, u(0), s(name), codec.boolean(True), *fields)


def _global(name: bytes, *fields: bytes) -> bytes:
    return _raw(80, s(name), codec.boolean(True), *fields)


def _open(kind: bytes, *fields: bytes) -> bytes:
    return _raw(90, s(kind), u(9) * 3, *fields)


AFTER: dict[str, Callable[[bytes], bytes]] = {
    "env name": lambda evil: _request(b"env", s(b"ENV_NAME" + evil), s(SECRET)),
    "env value": lambda evil: _request(b"env", s(b"LANG"), s(SECRET + evil)),
    "term": lambda evil: _request(b"pty-req", s(b"term-name" + evil), u(80) * 4, s(b"\0")),
    "modes": lambda evil: _request(b"pty-req", s(b"xterm"), u(80) * 4, s(evil)),
    "x11": lambda evil: _request(b"x11-req", b"\0", s(evil), s(SECRET + evil), u(0)),
    "signal": lambda evil: _request(b"signal", s(b"signal-name" + evil)),
    "request": lambda evil: _request(b"request-name" + evil),
    "subsystem": lambda evil: _request(b"subsystem", s(b"subsystem-name" + evil)),
    "command": lambda evil: _request(b"exec", s(b": exec-command " + evil)),
    "path": lambda evil: _request(b"exec", s(b"/no/such/path" + evil)),
    "channel type": lambda evil: _open(b"channel-type" + evil),
    "socket path": lambda evil: _open(b"direct-streamlocal@openssh.com", s(evil), s(b""), u(0)),
    "destination": lambda evil: _open(b"direct-tcpip", s(evil), u(80), s(evil), u(80)),
    "forward": lambda evil: _global(b"tcpip-forward", s(evil), u(8080)),
    "global name": lambda evil: _global(b"global-name" + evil),
    "global data": lambda evil: _global(b"keepalive@openssh.com", SECRET + evil),
    "prove": lambda evil: _global(b"hostkeys-prove-00@openssh.com", s(evil)),
}

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 (info|notice|warning|error|debug) +\S")

SHOWN = ("client-version", "disconnect-text", "subsystem-name", "exec-command", "/no/such/path", "ENV_NAME")
"""Words that the log has to have: else the corpus never came so far."""


def attack(daemon: Daemon, keys: Keys, corpus: tuple[bytes, ...]) -> int:
    """Say everything in every field; returns how many fields there were."""
    for evil in corpus:
        for identification in (b"SSH-2.0-client-version", b"SSH-2.0-" + evil.replace(b"\n", b"")[:200] + b" canary"):
            with wire(daemon, exchange=False, identification=identification) as odd:
                odd.client.begin()
                try:
                    odd.until(Number.NEWKEYS)
                except EOFError:
                    pass
        for say in BEFORE.values():
            with wire(daemon) as odd:
                try:
                    say(odd, evil)
                    odd.say(Disconnect(11, b"").encode())
                except EOFError:
                    pass
        held: Wire | None = None
        for make in AFTER.values():
            held = held or signed_in(daemon, keys)
            try:
                use_channel(held, make(evil))
            except EOFError:
                held.close()  # some of it is no text at all, and ends the connection
                held = None
        if held is not None:
            held.close()
    return len(BEFORE) + len(AFTER) + 1


def signed_in(daemon: Daemon, keys: Keys) -> Wire:
    held = Wire(daemon)
    held.connect()
    held.request_service()
    assert held.sign_in(b"alice", keys.private("alice"))[0] == Number.USERAUTH_SUCCESS
    return held


def use_channel(held: Wire, message: bytes) -> None:
    """Send a message, on a channel of its own where it is a request of one, and wait for the answer."""
    if message[0] != Number.CHANNEL_REQUEST:
        held.say(message)
        held.until(*range(81, 83), *range(91, 93))
        return
    held.say(ChannelOpen("session", 0, 1 << 20, 32768).encode())
    number = held.until(Number.CHANNEL_OPEN_CONFIRMATION)[5:9]
    held.say(message[:1] + number + message[5:])
    held.until(Number.CHANNEL_SUCCESS, Number.CHANNEL_FAILURE)
    held.say(_raw(Number.CHANNEL_CLOSE, number))


@pytest.mark.security("S57", "S119", "S120")
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_nothing_that_a_client_says_becomes_more_than_text(serve: Serve, keys: Keys, log_format: str) -> None:
    judge(serve, keys, log_format, MIXED if log_format == "json" else MIXED[::3])


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.security("S57", "S119", "S120")
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_nothing_of_the_whole_corpus_becomes_more_than_text(serve: Serve, keys: Keys, log_format: str) -> None:
    judge(serve, keys, log_format, CORPUS)


def judge(serve: Serve, keys: Keys, log_format: str, corpus: tuple[bytes, ...]) -> None:
    expected = ("session.failed",)
    with serve(POLICY, expected=expected, log_format=log_format, arguments=("--log-level", "debug")) as daemon:
        fields = attack(daemon, keys, corpus)
        assert daemon.ssh("exit 7").returncode == 7
        log = (daemon.folder / "log").read_bytes().decode("ascii" if log_format == "json" else "utf-8")
    lines = log.split("\n")
    assert lines.pop() == ""
    print(f"{len(corpus)} texts in each of {fields} fields made {len(lines)} lines of {log_format}")
    for line in lines:
        assert harmless(line), ascii(line)
        if log_format == "json":
            assert isinstance(json.loads(line), dict)
        else:
            assert LINE.match(line), ascii(line)
    assert SECRET.decode() not in log
    for word in SHOWN:
        assert word in log, word

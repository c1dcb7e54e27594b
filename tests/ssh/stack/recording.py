"""Whole sessions with injected randomness: recorded once, and the same byte for byte ever after."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from pysshd.ssh.crypto.catalogue import DEFAULT_KEX, DEFAULT_MACS
from pysshd.ssh.crypto.ciphers import CIPHERS
from pysshd.ssh.crypto.kex import KEX_METHODS
from pysshd.ssh.crypto.macs import MACS
from pysshd.ssh.events.channels import DataReceived
from pysshd.ssh.events.kinds import Event
from pysshd.ssh.stack import StackSettings
from pysshd.ssh.wire.messages import connection as c
from pysshd.ssh.wire.messages import transport as t
from pysshd.ssh.wire.messages.userauth import UserauthRequest
from tests.ssh.client.entropy import SeededEntropy
from tests.ssh.client.raw import RawClient
from tests.ssh.stack.house import House, Link, execute, password, session, settings

FOLDER = Path(__file__).parent / "recorded"
RECORDED = sorted(FOLDER.glob("*.json"))
REKEY_BYTES = 3000
_USUAL_MACS = ("", *DEFAULT_MACS)


@dataclass(frozen=True)
class Turn:
    """What the client sent at once, and what the server said to it."""

    client: bytes
    server: bytes


@dataclass(frozen=True)
class Recording:
    """One session; the events are in the form of their `repr`, with data as bytes."""

    name: str
    encapsulated: list[tuple[bytes, bytes]]
    turns: list[Turn]
    events: list[str]
    echo: bool = True
    """The house sends back what it gets."""

    def house(self) -> House:
        """The house that the session was recorded with, at its beginning; what it says first is in the first turn."""
        return House(_settings(self.name), SeededEntropy(self.name, self.encapsulated), echo=self.echo)

    def save(self) -> None:
        """Write the session to its file."""
        text = json.dumps(
            {
                "encapsulated": [[_text(one) for one in pair] for pair in self.encapsulated],
                "turns": [[_text(turn.client), _text(turn.server)] for turn in self.turns],
                "events": self.events,
            },
            indent=1,
        )
        (FOLDER / f"{self.name}.json").write_text(text + "\n")

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """Read a session from its file."""
        what = json.loads(path.read_text())
        pairs = [(_bytes(secret), _bytes(text)) for secret, text in what["encapsulated"]]
        turns = [Turn(_bytes(client), _bytes(server)) for client, server in what["turns"]]
        return cls(path.stem, pairs, turns, what["events"])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def suites() -> list[tuple[str, str, str]]:
    """Key exchange, cipher and MAC of every session that is recorded: all of the default, and each other one once."""
    default = [
        (kex, cipher, mac)
        for kex in DEFAULT_KEX
        for cipher, spec in CIPHERS.items()
        for mac in (DEFAULT_MACS if spec.needs_mac else [""])
    ]
    others = [(kex, "aes256-gcm@openssh.com", "") for kex in KEX_METHODS if kex not in DEFAULT_KEX]
    return default + others + [(DEFAULT_KEX[1], "aes256-ctr", mac) for mac in MACS if mac not in DEFAULT_MACS]


def name_of(kex: str, cipher: str, mac: str) -> str:
    """The name of a session's file."""
    return "_".join(part.replace("@", "-at-") for part in (kex, cipher, mac) if part)


def _settings(name: str) -> StackSettings:
    """Those that the session was recorded with: what the default has not is offered where it is recorded."""
    others = {
        name_of(*suite) for suite in suites() if suite[0] not in DEFAULT_KEX or suite[2] not in ("", *DEFAULT_MACS)
    }
    if name in others:
        return settings(rekey_bytes=REKEY_BYTES, kex=tuple(KEX_METHODS), macs=tuple(MACS))
    return settings(rekey_bytes=REKEY_BYTES)


class _Recorder(Link):
    def __init__(self, house: House, client: RawClient) -> None:
        super().__init__(house, client)
        self.turns: list[Turn] = []

    def pump(self) -> list[bytes]:
        came: list[bytes] = []
        while True:
            up = self.client.output()
            if up:
                self.house.feed(up)
            down = self.house.output()
            if not up and not down:
                return came
            self.turns.append(Turn(up, down))
            came += self.client.receive(down)


def record(kex: str, cipher: str, mac: str, echo: bool = True) -> Recording:
    """A login, a program that echoes, new keys from both sides, and the end."""
    name = name_of(kex, cipher, mac)
    entropy = SeededEntropy(name)
    house = House(_settings(name), entropy, echo=echo)
    client = RawClient(SeededEntropy("client " + name), kex=[kex], ciphers=[cipher], macs=[mac or next(iter(MACS))])
    link = _Recorder(house, client)
    link.to_auth()
    link.send(UserauthRequest(b"alice", "ssh-connection", "none").encode())
    link.send(password())
    link.send(session(window=5000, packet=400))
    link.send(execute())
    for number in range(3):
        client.say(c.ChannelData(0, bytes([number]) * 500).encode())
        link.pump()
    client.send_kexinit()
    client.say(c.ChannelData(0, b"after new keys").encode(), t.Ping(b"ping").encode())
    link.pump()
    client.say(c.ChannelEof(0).encode(), c.ChannelClose(0).encode(), t.Disconnect(11, b"bye").encode())
    link.pump()
    assert house.stack.closed
    assert client.exchanges >= 2
    return Recording(name, entropy.encapsulated, link.turns, shown(house.events), echo)


def shown(events: list[Event]) -> list[str]:
    """Events as text, data by their bytes."""
    return [
        f"DataReceived(channel={event.channel}, data={bytes(event.data)!r}, extended={event.extended})"
        if isinstance(event, DataReceived)
        else repr(event)
        for event in events
    ]

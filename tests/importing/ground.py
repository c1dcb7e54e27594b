"""The host of the tests, its accounts, and the connections that are simulated on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pysshd.importing.accounts import Host, read_accounts
from pysshd.importing.matching import Connection
from pysshd.importing.notes import Remarks
from pysshd.importing.sshd_config import SshdConfig, parse_sshd_config
from pysshd.ssh.crypto.keys import PublicKey, parse_public_key_line

HERE = Path(__file__).parent
CONFIGS = HERE / "configs"
VECTORS = HERE / "vectors"

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
git:x:998:998::/srv/git:/bin/sh
alice:x:1000:1000::/home/alice:/bin/bash
bob:x:1001:1001::/home/bob:/bin/bash
carol:x:1002:1002::/home/carol:/bin/bash
dave:x:1003:1003::/home/dave:/bin/bash
"""
GROUP = """\
root:x:0:
nogroup:x:65534:
git:x:998:
alice:x:1000:
bob:x:1001:
carol:x:1002:
dave:x:1003:
ops:x:2000:alice,dave
sftponly:x:2001:bob
admins:x:2002:alice
"""
USERS = ("root", "git", "alice", "bob", "carol", "dave", "stranger")
SOURCES = ("10.0.0.5", "10.1.2.3", "192.0.2.7", "2001:db8::7")
LOCALS = (("192.0.2.100", 22), ("192.0.2.101", 2222))
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A connection as `sshd -T -C` takes it."""

    user: str
    source: str
    local: str
    port: int

    def __str__(self) -> str:
        return f"{self.user} {self.source} {self.local} {self.port}"

    @property
    def connection(self) -> Connection:
        """The same for the importer; without UseDNS the name of the peer's host is its address."""
        account = HOST.accounts.get(self.user)
        return Connection(
            self.user,
            account.groups if account is not None else frozenset(),
            ip_address(self.source),
            self.source,
            ip_address(self.local),
            self.port,
            known=account is not None,
            uid0=account is not None and account.uid == 0,
        )


HOST = Host(*read_accounts(PASSWD, GROUP), SFTP_SERVER)
SIMULATED = tuple(
    Simulated(user, source, local, port) for user, source, (local, port) in product(USERS, SOURCES, LOCALS)
)


def names() -> list[str]:
    """The names of the configurations."""
    return sorted(path.stem for path in CONFIGS.glob("*.conf"))


def text_of(name: str) -> str:
    """The text of a configuration, with the folder of its parts filled in."""
    return (CONFIGS / f"{name}.conf").read_text().replace("@DIR@", str(CONFIGS))


def included(pattern: str) -> Sequence[tuple[str, str]]:
    """The parts of a pattern of Include."""
    path = Path(pattern)
    return [(str(one), one.read_text()) for one in sorted(path.parent.glob(path.name))]


def parsed(name: str) -> SshdConfig:
    """A configuration, read."""
    return parse_sshd_config(text_of(name), f"{name}.conf", included, Remarks())


def key(number: int) -> PublicKey:
    """A public key, a different one for each number."""
    public = Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)).public_key()
    return parse_public_key_line(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())

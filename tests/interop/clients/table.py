"""What each client can do: the one place that says it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.interop.clients import command_lines, python_ones
from tests.interop.clients.kit import Call, Kit
from tests.interop.errand import Errand

KEX, HOST_KEY, CIPHER, MAC = "kex", "host_key", "cipher", "mac"
KINDS = (KEX, HOST_KEY, CIPHER, MAC)

_ECDH = ("ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521")
_CURVE25519 = ("curve25519-sha256", "curve25519-sha256@libssh.org")
_GROUP_14 = "diffie-hellman-group14-sha256"
_GROUPS = ("diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512", _GROUP_14)
_GROUP_18 = "diffie-hellman-group18-sha512"
_ECDSA = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_HOST_KEYS = ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256", *_ECDSA)
_CHACHA = "chacha20-poly1305@openssh.com"
_GCM = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com")
_CTR = ("aes256-ctr", "aes192-ctr", "aes128-ctr")
_ETM = ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com")
_PLAIN = ("hmac-sha2-512", "hmac-sha2-256")

USER_KEYS = ("ed25519", "rsa", "ecdsa256", "ecdsa384", "ecdsa521")


@dataclass(frozen=True, slots=True)
class Client:
    """One client: how it is called, and what it knows of what we serve."""

    call: Callable[[Kit, Errand], Call]
    missing: Callable[[], str | None]
    """Why it can not be used here; None where it can."""

    algorithms: dict[str, tuple[str, ...]]
    """By the kinds of `KINDS`, what it knows."""

    holds: frozenset[str] = frozenset(KINDS)
    """The kinds of which it can be told to offer one alone. Of the others the policy names one alone."""

    rekeys: bool = False
    """Begins new keys itself, when told to; where the server begins, all can."""

    environment: bool = True
    needs_terminal: bool = False
    """Asks for a terminal where it has one itself."""

    channels: bool = False
    """Several channels at once on one connection."""

    tells_refusal: bool = True
    """Its exit status says that a login failed."""

    into_file: bool = False
    """Its output goes to a file, for it may not end where the reader of a pipe is late."""


CLIENTS: dict[str, Client] = {
    "openssh": Client(
        command_lines.openssh,
        lambda: command_lines.missing("ssh", "openssh-client"),
        {
            KEX: (*_CURVE25519, *_ECDH, *_GROUPS, _GROUP_18),
            HOST_KEY: _HOST_KEYS,
            CIPHER: (_CHACHA, *_GCM, *_CTR),
            MAC: (*_ETM, *_PLAIN),
        },
        rekeys=True,
        needs_terminal=True,
    ),
    "dropbear": Client(
        command_lines.dropbear,
        lambda: command_lines.missing("dbclient", "dropbear-bin"),
        {
            KEX: (*_CURVE25519, *_ECDH, _GROUP_14),
            HOST_KEY: ("ssh-ed25519", "rsa-sha2-256", *_ECDSA),
            CIPHER: (_CHACHA, "aes256-ctr", "aes128-ctr"),
            MAC: ("hmac-sha2-256",),
        },
        holds=frozenset({CIPHER, MAC}),
        environment=False,
        needs_terminal=True,
        tells_refusal=False,
        # The server's CLOSE may come while a full pipe still keeps it from writing all. When the rest is written it
        # closes its channel and then waits for another packet before it looks whether a channel is left, with
        # OpenSSH's sshd just so: `dbclient HOST 'head -c 70000 /dev/zero' | (sleep 1; wc -c)`.
        into_file=True,
    ),
    "putty": Client(
        command_lines.putty,
        lambda: command_lines.missing("plink", "putty-tools"),
        {
            KEX: (*_CURVE25519, *_ECDH, *_GROUPS, _GROUP_18),
            HOST_KEY: _HOST_KEYS,
            CIPHER: (_CHACHA, *_GCM, *_CTR),
            MAC: ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-256"),
        },
        holds=frozenset(),
        rekeys=True,
        needs_terminal=True,
    ),
    "paramiko": Client(
        python_ones.script("with_paramiko"),
        lambda: python_ones.missing("paramiko"),
        {
            KEX: ("mlkem768x25519-sha256", "curve25519-sha256@libssh.org", *_ECDH, *_GROUPS),
            HOST_KEY: _HOST_KEYS,
            CIPHER: (*_GCM, *_CTR),
            MAC: (*_ETM, *_PLAIN),
        },
        # New keys that it begins itself while data go both ways hang now and then, with OpenSSH's sshd just so.
        rekeys=False,
        channels=True,
    ),
    "asyncssh": Client(
        python_ones.script("with_asyncssh"),
        lambda: python_ones.missing("asyncssh"),
        {
            KEX: (
                "mlkem768x25519-sha256",
                "mlkem768nistp256-sha256",
                "mlkem1024nistp384-sha384",
                *_CURVE25519,
                *_ECDH,
                *_GROUPS,
                _GROUP_18,
            ),
            HOST_KEY: _HOST_KEYS,
            CIPHER: (_CHACHA, *_GCM, *_CTR),
            MAC: (*_ETM, *_PLAIN),
        },
        rekeys=True,
        channels=True,
    ),
    "libssh2": Client(
        python_ones.script("with_libssh2"),
        lambda: python_ones.missing("ssh2"),
        {
            KEX: (*_CURVE25519, *_ECDH, *_GROUPS, _GROUP_18),
            HOST_KEY: _HOST_KEYS,
            CIPHER: (_CHACHA, *_GCM, *_CTR),
            MAC: (*_ETM, *_PLAIN),
        },
        channels=True,
    ),
    "libssh": Client(
        python_ones.script("with_libssh"),
        lambda: python_ones.missing("pylibsshext"),
        {
            KEX: ("mlkem768x25519-sha256", *_CURVE25519, *_ECDH, *_GROUPS, _GROUP_18),
            HOST_KEY: _HOST_KEYS,
            CIPHER: (_CHACHA, *_GCM, *_CTR),
            MAC: (*_ETM, *_PLAIN),
        },
        holds=frozenset({KEX, HOST_KEY}),
        environment=False,
        channels=True,
    ),
}

"""What sshd forwards, in the words of `forward`, and SFTP in a folder of its own, as `sftp`."""

from dataclasses import dataclass
from ipaddress import ip_address

import pytest

from pysshd.importing.cases import ImportCase
from pysshd.importing.importer import Imported, Sources, import_policy
from pysshd.importing.language import Language
from pysshd.importing.rights import Rights
from pysshd.policy.decide import decide
from pysshd.policy.load import load_text
from pysshd.policy.people import Person
from pysshd.policy.query import Facts, Query, Request, UnixFacts
from pysshd.policy.query_net import X11, Agent, Connect, Listen
from tests.importing.asking import NOW
from tests.importing.ground import HOST, key


@dataclass(frozen=True, slots=True)
class Whole(Language):
    """The language with every permission, whatever this version has."""

    def has_right(self, name: str) -> bool:
        return True


EVERYWHERE = ("*:*", "loopback:*", "link-local:*", "multicast:*", "metadata:*")


def made(text: str, lines: str = "", user: str = "alice") -> Imported:
    keys = {user: [("keys", lines)]} if lines else {}
    return import_policy(Sources(text, "sshd_config", lambda path: [], HOST, keys), Whole(), lambda path: None)


def rights(text: str, lines: str = "", user: str = "alice") -> Rights:
    """What somebody may do, by their key with options where they have one."""
    cases = [one for one in made(text, lines, user).cases if one.account == user and one.source.version == 4]
    return _of_key(cases).behaviour.rights


def _of_key(cases: list[ImportCase]) -> ImportCase:
    return next((one for one in cases if one.subject.key is not None), cases[0])


ALICE = "AllowUsers alice root\n"


def test_everything_is_forwarded_where_nothing_is_said() -> None:
    found = rights(ALICE)
    assert (found.local, found.remote) == (EVERYWHERE, ("loopback:1024-65535",))
    assert (found.local_unix, found.remote_unix, found.agent, found.x11) == (True, True, True, False)


@pytest.mark.parametrize(
    ("text", "local", "remote"),
    [
        ("AllowTcpForwarding no", (), ()),
        ("AllowTcpForwarding local", EVERYWHERE, ()),
        ("AllowTcpForwarding remote", (), ("loopback:1024-65535",)),
        ("DisableForwarding yes", (), ()),
        ("PermitOpen none\nPermitListen none", (), ()),
        ("PermitOpen db:5432 [2001:db8::1]:80 *:443\nAllowTcpForwarding local",
         ("db:5432", "[2001:db8::1]:80", "*:443", "loopback:443", "link-local:443", "multicast:443", "metadata:443"),
         ()),
        ("PermitListen 8080 localhost:9000\nAllowTcpForwarding remote", (), ("loopback:8080", "loopback:9000")),
        ("PermitListen 80 8080\nAllowTcpForwarding remote", (), ("loopback:8080",)),
        ("GatewayPorts yes\nAllowTcpForwarding remote", (), ("*:1024-65535", "loopback:1024-65535")),
        ("GatewayPorts clientspecified\nPermitListen 192.0.2.1:8080 localhost:*\nAllowTcpForwarding remote", (),
         ("192.0.2.1:8080", "loopback:1024-65535")),
    ],
)  # fmt: skip
def test_tcp(text: str, local: tuple[str, ...], remote: tuple[str, ...]) -> None:
    found = rights(f"{ALICE}{text}\n")
    assert (found.local, found.remote) == (local, remote)


def test_root_listens_on_every_port() -> None:
    lines = f"no-pty {key(1).line}"
    assert rights("AllowTcpForwarding remote\n", lines, "root").remote == ("loopback:*",)


def test_a_key_takes_forwarding_and_the_rest_away() -> None:
    found = rights("X11Forwarding yes\n", f"restrict {key(1).line}")
    assert found == Rights(shell=True)


def test_a_key_and_the_configuration_permit_what_both_do() -> None:
    lines = f'permitopen="db:5432",permitopen="web:80",permitlisten="8080" {key(1).line}'
    found = rights("PermitOpen db:5432 mail:25\nPermitListen any\n", lines)
    assert (found.local, found.remote) == (("db:5432",), ("loopback:8080",))


def test_what_is_forwarded_is_written_as_a_role() -> None:
    text = made(f"{ALICE}PermitOpen db:5432\nPermitListen 8080\nX11Forwarding yes\n").policy
    assert 'forward: {local: "db:5432", remote: "loopback:8080"' in text.replace('["', '"').replace('"]', '"')
    assert "agent: true" in text
    assert "x11: true" in text


def test_a_destination_that_can_not_be_said_is_named_and_left_out() -> None:
    found = made(f"{ALICE}PermitOpen db.*:5432 web:http\n")
    assert [one.text for one in found.remarks if "PermitOpen" in one.text] == [
        "PermitOpen db.*:5432: it is no destination that is served",
        "PermitOpen web:http: it is no destination that is served",
    ]


@pytest.mark.parametrize(
    ("folder", "command", "jail", "read_only"),
    [
        ("/srv/%u", "internal-sftp", "/srv/{account}", False),
        ("%h", "internal-sftp -R", "{home}", True),
        ("%h/files", "internal-sftp", "{home}/files", False),
    ],
)
def test_sftp_in_a_folder_of_its_own(folder: str, command: str, jail: str, read_only: bool) -> None:
    found = rights(f"{ALICE}ChrootDirectory {folder}\nForceCommand {command}\nDisableForwarding yes\n")
    assert found == Rights(jail=jail, read_only=read_only)


@pytest.mark.parametrize(
    ("folder", "command"),
    [("/srv", "/bin/true"), ("/srv", "internal-sftp -P rename"), ("/srv/%U", "internal-sftp"), ("/srv", "none")],
)
def test_another_root_for_anything_else_is_closed(folder: str, command: str) -> None:
    found = made(f"{ALICE}ChrootDirectory {folder}\nForceCommand {command}\n")
    assert all(not one.behaviour.chains for one in found.cases)
    assert any(one.kind == "refused" and "ChrootDirectory" in one.text for one in found.remarks)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", {"web", "db", "loopback", "listen", "agent"}),
        ("PermitOpen db.example.com:5432\n", {"db", "listen", "agent"}),
        ("AllowTcpForwarding local\nAllowAgentForwarding no\n", {"web", "db", "loopback"}),
        ("PermitListen 9999\nX11Forwarding yes\n", {"web", "db", "loopback", "agent", "x11"}),
        ("DisableForwarding yes\n", set()),
    ],
)
def test_the_policy_forwards_what_sshd_forwards(text: str, allowed: set[str]) -> None:
    """By the language of this version, decided for one who is logged in by a key of the policy."""
    lines = f"no-user-rc {key(1).line}"
    sources = Sources(f"{text}", "sshd_config", lambda path: [], HOST, {"alice": [("keys", lines)]})
    ruleset = load_text(import_policy(sources, Language(), lambda path: None).policy, language=True).ruleset
    person = ruleset.people["alice"]
    step = Person.step(person.keys[0], key(1).fingerprint)
    facts = Facts("alice", "alice", ip_address("192.0.2.7"), "*:22", "SSH-2.0-test", NOW, (step,),
                  unix=UnixFacts("alice", 1000))  # fmt: skip
    requests: dict[str, Request] = {
        "web": Connect("web.example.com", 443),
        "db": Connect("db.example.com", 5432),
        "loopback": Connect("127.0.0.1", 80),
        "listen": Listen("localhost", 8080),
        "low": Listen("localhost", 80),
        "agent": Agent(),
        "x11": X11(False, 0),
    }
    assert {name for name, one in requests.items() if decide(ruleset, Query(facts, one)).allowed} == allowed

"""Each option of authorized keys narrows what the policy lets its key do, or is named; no line widens anything."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from pysshd.importing.authorized_keys import ImportedKey, read_authorized_keys
from pysshd.importing.importer import Imported, Sources, import_policy
from pysshd.importing.language import Language
from pysshd.importing.notes import Remarks
from pysshd.policy.load import load_text
from tests.importing.asking import Answer, of_policy
from tests.importing.ground import HOST, Simulated, key

ONE, TWO = key(11), key(12)
PORTS = "Port 22\n"


@dataclass(frozen=True, slots=True)
class Read:
    """What a line came to."""

    keys: tuple[ImportedKey, ...]
    said: tuple[str, ...]

    @property
    def key(self) -> ImportedKey:
        """The only key."""
        [found] = self.keys
        return found


def read(text: str, zone: str = "UTC") -> Read:
    remarks = Remarks()
    keys = read_authorized_keys(text, "keys", "alice", zone, remarks)
    return Read(keys, tuple(str(one) for one in remarks.all))


def policy(config: str, lines: str, user: str = "alice") -> Imported:
    sources = Sources(PORTS + config, "sshd_config", lambda path: [], HOST, {user: [("keys", lines)]})
    return import_policy(sources, Language(), lambda path: None)


def ask(made: Imported, used: str, user: str = "alice", source: str = "10.0.0.5") -> Answer:
    loaded = load_text(made.policy, "policy.yaml", language=True)
    assert [one for one in getattr(loaded, "verdicts", ()) if not one.passed] == []
    return of_policy(loaded.ruleset, Simulated(user, source, "192.0.2.100", 22), "*:22", (used, "SHA256:other"))


def test_a_plain_key_does_what_its_owner_may() -> None:
    made = policy("", f"# a comment\n\n{ONE.line} alice@laptop\n")
    assert ask(made, ONE.fingerprint).allowed == {"shell", "exec", "pty"}


def test_restrict_takes_everything_but_the_command() -> None:
    made = policy("", f"restrict {ONE.line}\n{TWO.line}\n")
    assert ask(made, ONE.fingerprint).allowed == {"shell", "exec"}
    assert ask(made, TWO.fingerprint).allowed == {"shell", "exec", "pty"}


def test_what_restrict_took_comes_back_by_name_alone() -> None:
    found = read(f"restrict,pty {ONE.line}").key
    assert (found.pty, found.agent, found.x11, found.ports) == (True, False, False, False)
    found = read(f"PTY,Restrict,Agent-Forwarding {ONE.line}").key
    assert (found.pty, found.agent, found.x11, found.ports) == (False, True, False, False)


@pytest.mark.parametrize(
    ("option", "attribute"),
    [
        ("no-pty", "pty"),
        ("no-agent-forwarding", "agent"),
        ("no-X11-forwarding", "x11"),
        ("no-port-forwarding", "ports"),
    ],
)
def test_each_no_takes_one_thing(option: str, attribute: str) -> None:
    found = read(f"{option} {ONE.line}").key
    assert not getattr(found, attribute)
    assert found.is_special


def test_a_command_answers_everything_for_that_key_alone() -> None:
    made = policy("Subsystem sftp internal-sftp\n", f'command="echo \\"hello there\\"" {ONE.line}\n{TWO.line}\n')
    answer = ask(made, ONE.fingerprint)
    assert answer.allowed == {"shell", "exec", "sftp", "netconf", "pty"}
    assert answer.forced[-1] == 'echo "hello there"'
    assert ask(made, TWO.fingerprint).forced == ()


@pytest.mark.parametrize("command", ["", "  "])
def test_an_empty_command_is_one_that_does_nothing(command: str) -> None:
    made = policy("Subsystem sftp internal-sftp\n", f'command="{command}" {ONE.line}\n{TWO.line}\n')
    assert ask(made, ONE.fingerprint).forced == ("/bin/true",)
    assert ask(made, TWO.fingerprint).forced == ()


def test_an_empty_command_in_another_root_lets_nobody_in() -> None:
    made = policy("PasswordAuthentication no\nChrootDirectory /srv\n", f'command="" {ONE.line}\n')
    assert not ask(made, ONE.fingerprint).chains
    assert any("ChrootDirectory /srv has no equivalent" in str(one) for one in made.remarks)


def test_root_with_forced_commands_only_and_an_empty_command_runs_nothing() -> None:
    made = policy("PermitRootLogin forced-commands-only\n", f'command="" {ONE.line}\n', "root")
    assert ask(made, ONE.fingerprint, "root").forced == ("/bin/true",)


def test_without_forcecommand_that_of_a_key_counts() -> None:
    made = policy("ForceCommand None\n", f'command="" {ONE.line}\n{TWO.line}\n')
    assert ask(made, ONE.fingerprint).forced == ("/bin/true",)
    assert ask(made, TWO.fingerprint).forced == ()


REFUSED = [
    'from=""', 'from="127.0.0.1,"', 'from="10.0.0.5,,10.1.2.3"', 'from="!,10.0.0.5"', 'from="10.0.0.5",from="10.0.0.5"',
    'environment=""', 'environment="A"', 'environment="=x"', 'environment="A-B=x"',
    'permitopen=""', 'permitopen="none"', 'permitopen="a"', 'permitopen="::1:80"', 'permitopen="db:0"',
    'permitopen="db:65536"', 'permitopen="db:nosuch"',
    'permitopen="a:1",permitopen=""', 'permitlisten=""', 'permitlisten="none"',
    'principals=""', 'principals="a",principals="b"', 'expiry-time=""', 'tunnel=""', 'tunnel="x"',
    'tunnel="99999999999"', 'command="a"b"c"',
    'no-pty="x"', "no-pty=", 'no-pty=""', 'no-user-rc="x"', 'no-touch-required="x"', 'command=', "command",
]  # fmt: skip
"""Options with which the real sshd (9.2) takes no key."""

TAKEN = ['environment="A="', 'environment="1A=x"', 'permitopen=":80"', 'permitopen="db:080"', 'permitopen="[::1]:*"',
         'permitlisten="8080"', 'permitlisten=":8080"', 'tunnel="any"', 'command=""']  # fmt: skip
"""Options with which it does."""


@pytest.mark.parametrize("options", REFUSED)
def test_a_key_that_sshd_does_not_take_is_left_out_and_named(options: str) -> None:
    found = read(f"{options} {ONE.line}")
    assert found.keys == ()
    assert found.said[-1].endswith("the key is left out") or "the key is left out (" in found.said[-1]


@pytest.mark.parametrize("options", TAKEN)
def test_a_key_that_sshd_takes_is_there(options: str) -> None:
    assert read(f"{options} {ONE.line}").key.key == ONE


def test_forcecommand_of_the_configuration_supersedes_that_of_a_key() -> None:
    made = policy("ForceCommand /bin/false\n", f'command="/bin/true" {ONE.line}\n')
    assert ask(made, ONE.fingerprint).forced[-1] == "/bin/false"


def test_a_key_with_a_from_comes_from_there_alone() -> None:
    made = policy("", f'from="10.0.0.0/8,!10.1.0.0/16" {ONE.line}\n{TWO.line}\n')
    assert ask(made, ONE.fingerprint).chains
    assert not ask(made, ONE.fingerprint, source="10.1.2.3").chains - {("password",)}
    assert not ask(made, ONE.fingerprint, source="192.0.2.7").chains - {("password",)}
    assert ("publickey",) in ask(made, TWO.fingerprint, source="192.0.2.7").chains


def test_a_from_by_name_lets_nobody_in_and_is_named_where_names_are_looked_up() -> None:
    made = policy("UseDNS yes\n", f'from="*.example.com" {ONE.line}\n')
    assert not ask(made, ONE.fingerprint).chains - {("password",)}
    assert any("keys:1: refused: from= asks for the name" in str(one) for one in made.remarks)


def test_root_with_forced_commands_only_comes_in_by_keys_with_a_command() -> None:
    lines = f'command="/bin/true" {ONE.line}\n{TWO.line}\n'
    made = policy("PermitRootLogin forced-commands-only\n", lines, "root")
    assert ask(made, ONE.fingerprint, "root").forced[-1] == "/bin/true"
    assert not ask(made, TWO.fingerprint, "root").chains


def test_two_keys_with_options_in_one_login_permit_nothing() -> None:
    made = policy("AuthenticationMethods publickey,publickey\n", f"no-pty {ONE.line}\nrestrict {TWO.line}\n")
    ruleset = load_text(made.policy, "policy.yaml", language=True).ruleset
    simulated = Simulated("alice", "10.0.0.5", "192.0.2.100", 22)
    both = of_policy(ruleset, simulated, "*:22", (ONE.fingerprint, TWO.fingerprint))
    assert both.allowed == frozenset()


@pytest.mark.parametrize(
    ("value", "zone", "expires"),
    [
        ("20270131", "UTC", datetime(2027, 1, 31, tzinfo=UTC)),
        ("20270131Z", "Europe/Paris", datetime(2027, 1, 31, tzinfo=UTC)),
        ("20270131", "Europe/Paris", datetime(2027, 1, 30, 23, tzinfo=UTC)),
        ("202701311230", "UTC", datetime(2027, 1, 31, 12, 30, tzinfo=UTC)),
        ("20270131123045Z", "UTC", datetime(2027, 1, 31, 12, 30, 45, tzinfo=UTC)),
        ("20270131", "", datetime(2027, 1, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_key_expires_when_sshd_would_refuse_it(value: str, zone: str, expires: datetime) -> None:
    assert read(f'expiry-time="{value}" {ONE.line}', zone).key.expires == expires


def test_a_key_that_has_expired_lets_nobody_in() -> None:
    made = policy("PasswordAuthentication no\n", f'expiry-time="20200101" {ONE.line}\n')
    assert 'not_after: "2020-01-01T00:00:00Z"' in made.policy
    assert not ask(made, ONE.fingerprint).chains


def test_permitopen_and_permitlisten_are_kept() -> None:
    found = read(f'permitopen="db:5432",permitopen="[::1]:80",permitlisten="8080" {ONE.line}').key
    assert (found.opens, found.listens) == (("db:5432", "[::1]:80"), ("8080",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cert-authority {}", "keys:1: warning: cert-authority: the authority's certificates are not imported "
                              "(name it in authorities)"),
        ('environment="A=1" {}', "keys:1: warning: environment: the variable A is not set "
                                 "(env: {set: …} of a role sets variables)"),
        ("no-touch-required {}", "keys:1: warning: no-touch-required: a touch is always required"),
        ("verify-required {}", "keys:1: refused: verify-required has no equivalent, and the key is left out"),
        ("no-user-rc {}", "keys:1: note: no-user-rc: ~/.ssh/rc is never run here"),
        ('tunnel="0" {}', "keys:1: note: tunnel: there are no tunnels here"),
        ('principals="a" {}', "keys:1: note: principals says nothing without cert-authority, to sshd neither"),
        ("no-such-option {}", "keys:1: warning: option 'no-such-option' is none of sshd's: sshd refuses the line too, "
                              "and the key is left out"),
        ('command=/bin/true {}', "keys:1: warning: option command has no value between quotes: sshd refuses the line "
                                 "too, and the key is left out"),
        ('command="a",command="b" {}', "keys:1: warning: command stands twice: sshd refuses the line too, and the key "
                                       "is left out"),
        ('from="10.0.0.1/8" {}', "keys:1: warning: from: it has bits set behind its prefix: write 10.0.0.0/8 for the "
                                 "network: sshd refuses the line too, and the key is left out"),
        ('expiry-time="soon" {}', "keys:1: warning: expiry-time is no date, expected YYYYMMDD or YYYYMMDDHHMM: sshd "
                                  "refuses the line too, and the key is left out"),
    ],
)  # fmt: skip
def test_what_has_no_equivalent_is_named(line: str, said: str) -> None:
    assert read(line.format(ONE.line)).said == (said,)


@pytest.mark.parametrize(
    "line",
    ["ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=", 'command="unclosed ssh-ed25519 AAAA', "restrict", "no key at all",
     'from="a b" '],
)  # fmt: skip
def test_a_malformed_line_is_named_and_gives_no_key(line: str) -> None:
    found = read(f"{line}\n{ONE.line}")
    assert [one.key for one in found.keys] == [ONE]
    assert len(found.said) == 1
    assert found.said[0].startswith("keys:1: warning: ")


def test_of_a_key_that_stands_twice_the_first_line_counts() -> None:
    found = read(f"restrict {ONE.line}\n{ONE.line}")
    assert not found.key.pty
    assert found.said == ("keys:2: note: the key stands before, in line 1, and that one counts",)


def test_a_key_that_is_left_out_is_given_by_no_later_line() -> None:
    found = read(f"verify-required,no-pty {ONE.line}\n{ONE.line}\n")
    assert found.keys == ()
    assert found.said[-1] == "keys:2: note: the key stands before, in line 1, which is left out, and so is this one"


def test_a_quote_hides_commas_blanks_and_other_options() -> None:
    found = read(f'command="a, no-pty \\" b",no-pty {ONE.line}').key
    assert (found.command, found.pty, found.agent) == ('a, no-pty " b', False, True)


def test_from_is_asked_of_the_address() -> None:
    found = read(f'from="10.*" {ONE.line}').key
    assert found.sources == (("10.*",),)

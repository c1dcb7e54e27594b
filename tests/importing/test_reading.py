"""How lines are cut, what sshd would not start with, and what is said of keywords without an equivalent."""

import pytest

from pysshd.importing.accounts import Host
from pysshd.importing.importer import Imported, Sources, import_policy
from pysshd.importing.keywords import DEAD, KEYWORDS
from pysshd.importing.language import Language
from pysshd.importing.leftovers import LEFTOVERS
from pysshd.importing.notes import Remarks, SshdConfigError
from pysshd.importing.sshd_config import parse_sshd_config
from pysshd.importing.words import keyword_of, words_of
from pysshd.policy.load import load_text
from pysshd.policy.problems import Mark
from tests.importing.ground import HERE, HOST

MARK = Mark("sshd_config", 1, 1)


def made(text: str, host: Host = HOST) -> Imported:
    return import_policy(Sources(text, "sshd_config", lambda path: [], host), Language(), lambda path: None)


def said(text: str, host: Host = HOST) -> list[str]:
    """What is said, but for what every configuration of this version hears of."""
    return [str(one) for one in made(text, host).remarks if one.mark.line > 1 or "account root" not in one.text]


@pytest.mark.parametrize(
    ("line", "keyword", "words"),
    [
        ("Port 22", "Port", ("22",)),
        ("  Port\t22  ", "Port", ("22",)),
        ("Port=22", "Port", ("22",)),
        ("Port = 22", "Port", ("22",)),
        ("Port 22 # why", "Port", ("22",)),
        ('Banner "/etc/my banner"', "Banner", ("/etc/my banner",)),
        ("Banner '/etc/my banner'", "Banner", ("/etc/my banner",)),
        ("Banner /etc/my\\ banner", "Banner", ("/etc/my banner",)),
        ('SetEnv A="x # y" B=z', "SetEnv", ("A=x # y", "B=z")),
        ('SetEnv "A=say \\"hi\\""', "SetEnv", ('A=say "hi"',)),
        ("AcceptEnv a#b", "AcceptEnv", ("a#b",)),
        ("# Port 22", "", ()),
        ("   ", "", ()),
    ],
)
def test_a_line_is_cut_as_sshd_cuts_it(line: str, keyword: str, words: tuple[str, ...]) -> None:
    found, rest = keyword_of(line)
    assert (found, words_of(rest, MARK)) == (keyword, words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Prot 22", "sshd_config:1: keyword 'Prot' is none of sshd's (did you mean 'Port'?)"),
        ("\nPort 0", "sshd_config:2: Port 0: expected a whole number from 1 to 65535"),
        ("Port", "sshd_config:1: Port : expected one value"),
        ("PermitRootLogin maybe", "sshd_config:1: PermitRootLogin maybe: expected one of without-password, "
                                  "prohibit-password, forced-commands-only, yes, no"),
        ("Match", "sshd_config:1: Match has no criterion, expected one such as 'User alice' or 'All'"),
        ("Match User", "sshd_config:1: Match User has no pattern behind it"),
        ("Match Userr alice", "sshd_config:1: Match has the criterion 'Userr', expected User, Group, Host, Address, "
                              "LocalAddress, LocalPort, RDomain, Version, Invalid-User or All"),
        ("Match All User alice", "sshd_config:1: Match All stands beside other criteria, expected it alone"),
        ("Match Address 10.0.0.1/8", "sshd_config:1: Match Address 10.0.0.1/8: it has bits set behind its prefix: "
                                     "write 10.0.0.0/8 for the network"),
        ("Match LocalPort ssh", "sshd_config:1: Match LocalPort ssh: expected one port"),
        ("Match User alice\nPort 22", "sshd_config:2: Port behind Match, where sshd does not take it"),
        ('Banner "open', "sshd_config:1: the quote \" is not closed"),
        ("Include", "sshd_config:1: Include has no path behind it"),
        ("SetEnv A", "sshd_config:1: SetEnv A: found 'A', expected NAME=value"),
        ('Banner ""', 'sshd_config:1: Banner "": expected one value'),
        ("ForceCommand", "sshd_config:1: ForceCommand : expected something behind it"),
        ('AuthorizedKeysFile ""', 'sshd_config:1: AuthorizedKeysFile "": expected one value or more'),
        ("AllowUsers", "sshd_config:1: AllowUsers : expected one value or more"),
        ('AllowUsers ""', 'sshd_config:1: AllowUsers "": expected one value or more'),
        ('DenyGroups ""', 'sshd_config:1: DenyGroups "": expected one value or more'),
        ("DenyUsers bob@", "sshd_config:1: DenyUsers bob@: expected a pattern of hosts behind the @, found an empty "
                           "one"),
        ("DenyUsers bob@10.0.0.1,", "sshd_config:1: DenyUsers bob@10.0.0.1,: expected a pattern of hosts behind the @, "
                                    "found an empty one"),
        ('ChrootDirectory ""', 'sshd_config:1: ChrootDirectory "": expected one value'),
        ('RevokedKeys ""', 'sshd_config:1: RevokedKeys "": expected one value'),
        ('Subsystem sftp ""', 'sshd_config:1: Subsystem sftp "": expected a name and a command'),
        ('Subsystem "" x', 'sshd_config:1: Subsystem "" x: expected a name and a command'),
        ("PermitOpen none a:1", "sshd_config:1: PermitOpen none a:1: expected any or none alone, or places"),
        ("PermitListen 80 none", "sshd_config:1: PermitListen 80 none: expected any or none alone, or places"),
        ('AuthenticationMethods ""', 'sshd_config:1: AuthenticationMethods "": expected one value or more'),
        ('PubkeyAuthOptions ""', 'sshd_config:1: PubkeyAuthOptions "": expected one value or more'),
        ('AcceptEnv ""', 'sshd_config:1: AcceptEnv "": expected one value or more'),
        ('Match User ""', "sshd_config:1: Match User has no pattern behind it"),
        ("Match Address 10.0.0.0/8,", "sshd_config:1: Match Address has an empty pattern"),
        ('Include ""', "sshd_config:1: Include has no path behind it"),
        ("LoginGraceTime soon", "sshd_config:1: LoginGraceTime soon: expected a span of time such as 90, 2m or 1h30m"),
        ("MaxStartups 5:1", "sshd_config:1: MaxStartups 5:1: expected a number or start:rate:full"),
    ],
)  # fmt: skip
def test_a_file_that_sshd_would_not_start_with_is_trouble(text: str, message: str) -> None:
    with pytest.raises(SshdConfigError) as caught:
        parse_sshd_config(text, "sshd_config", lambda path: [], Remarks())
    assert str(caught.value) == message


def test_an_include_that_names_itself_ends() -> None:
    with pytest.raises(SshdConfigError, match="Include is nested deeper than 16 files"):
        parse_sshd_config("Include a", "a", lambda path: [("a", "Include a")], Remarks())


def test_a_relative_include_lies_in_etc_ssh() -> None:
    asked: list[str] = []

    def includes(path: str) -> list[tuple[str, str]]:
        asked.append(path)
        return []

    parse_sshd_config("Include a/*.conf /b", "f", includes, Remarks())
    assert asked == ["/etc/ssh/a/*.conf", "/b"]


HANDLED = frozenset(
    ["acceptenv", "addressfamily", "allowagentforwarding", "allowgroups", "allowstreamlocalforwarding",
     "allowtcpforwarding", "allowusers", "authenticationmethods", "authorizedkeysfile", "banner", "chrootdirectory",
     "ciphers", "compression", "denygroups", "denyusers", "disableforwarding", "forcecommand", "gatewayports",
     "hostcertificate", "hostkey", "hostkeyalgorithms", "kbdinteractiveauthentication", "kexalgorithms",
     "listenaddress", "logingracetime", "macs", "maxauthtries", "maxsessions", "maxstartups",
     "passwordauthentication", "permitlisten", "permitopen", "permitrootlogin", "permittty", "persourcemaxstartups",
     "port", "pubkeyacceptedalgorithms", "pubkeyauthentication", "pubkeyauthoptions", "rdomain", "refuseconnection",
     "rekeylimit", "requiredrsasize", "revokedkeys", "setenv", "subsystem", "usedns", "usepam", "versionaddendum",
     "x11forwarding"]
)  # fmt: skip
"""Keywords that become a part of the policy, or close one."""


def test_every_keyword_is_either_said_or_named() -> None:
    assert HANDLED | LEFTOVERS.keys() == KEYWORDS.keys()
    assert not HANDLED & LEFTOVERS.keys()


@pytest.mark.parametrize("keyword", sorted(DEAD))
def test_an_old_keyword_is_named_and_passed_over(keyword: str) -> None:
    assert f"sshd_config:2: note: {keyword} is old, and sshd passes it over too" in said(f"Port 22\n{keyword} x")


REMARKS = [tuple(part.strip() for part in one.splitlines()) for one in (HERE / "remarks.txt").read_text().split("\n\n")]


@pytest.mark.parametrize(("line", "remark"), REMARKS)
def test_what_has_no_equivalent_is_named_with_its_line(line: str, remark: str) -> None:
    assert f"sshd_config:2: {remark}" in said(f"Port 22\n{line}")


def test_a_limit_behind_match_counts_for_everybody_where_it_is_the_smallest() -> None:
    found = made("MaxAuthTries 5\nMatch User alice\nMaxAuthTries 2\nMatch User bob\nMaxAuthTries 9\n")
    assert load_text(found.policy, language=True).ruleset.settings.limits.auth_attempts == 2


def test_settings_of_the_daemon() -> None:
    found = made(
        "Port 22\nPort 2222\nListenAddress 192.0.2.1\nListenAddress [2001:db8::1]:99\n"
        "HostKey /a\nHostCertificate /a-cert\nLoginGraceTime 30\nMaxStartups 5:50:20\nPerSourceMaxStartups 2\n"
        "RekeyLimit 512M 30m\nCompression yes\n"
        "VersionAddendum of the house\nCiphers aes256-gcm@openssh.com\nMACs -hmac-sha2-256*\nRequiredRSASize 3072\n"
    )
    settings = load_text(found.policy, language=True).ruleset.settings
    assert [one.name for one in settings.server.listen] == ["192.0.2.1:22", "192.0.2.1:2222", "[2001:db8::1]:99"]
    assert settings.server.host_keys is not None
    assert (settings.server.host_keys.files, settings.server.host_keys.certificates) == (("/a",), ("/a-cert",))
    assert settings.server.version_addendum == "of the house"
    limits = settings.limits
    assert (limits.login_grace, limits.startups.start, limits.startups.rate, limits.startups.full) == (30, 5, 50, 20)
    assert limits.startups.per_source == 2
    assert settings.crypto.algorithms.ciphers == ("aes256-gcm@openssh.com",)
    assert settings.crypto.algorithms.macs == ("hmac-sha2-512-etm@openssh.com",)
    assert "zlib@openssh.com" in settings.crypto.algorithms.compression


def test_what_is_written_is_the_text_that_was_meant() -> None:
    found = made('SetEnv "A=x: {y} \\"z\\" #" B=null\nVersionAddendum a: #b\n')
    rules = load_text(found.policy, language=True).ruleset
    sets = {one.name: one.value.fill({}) for grant in rules.grants for one in grant.rights.sets}
    assert sets == {"A": 'x: {y} "z" #', "B": "null"}
    assert rules.settings.server.version_addendum == "a: #b"


@pytest.mark.parametrize("text", ["ForceCommand none", "ForceCommand NONE", "Banner none", "ChrootDirectory None"])
def test_none_says_nothing(text: str) -> None:
    found = made(f"Port 22\n{text}\n")
    rules = load_text(found.policy, language=True).ruleset
    assert said(f"Port 22\n{text}") == said("Port 22")
    assert rules.settings.server.banner is None
    assert "forced" not in found.policy


@pytest.mark.parametrize("text", ['ForceCommand ""', "ForceCommand # x", "ForceCommand none # x"])
def test_a_command_that_does_nothing_is_forced_all_the_same(text: str) -> None:
    policy = made(f"{text}\n").policy
    assert "forced" in policy
    assert "shell: true" not in policy


@pytest.mark.parametrize("word", ["none", "NONE", "None none"])
def test_no_file_of_keys_is_none_in_any_letters(word: str) -> None:
    policy = made(f"AuthorizedKeysFile {word}\n").policy
    assert "authorized_keys:" not in policy
    assert "publickey" not in policy


def test_none_is_no_file_of_keys_beside_others() -> None:
    policy = made("AuthorizedKeysFile None .ssh/keys\n").policy
    assert "authorized_keys: " in policy
    assert "~/.ssh/keys" in policy
    assert "~/None" not in policy


@pytest.mark.parametrize("words", ["none verify-required", "touch-required verify-required", "VERIFY-REQUIRED"])
def test_keys_without_a_pin_stay_out_wherever_it_is_asked_for(words: str) -> None:
    assert "publickey" not in made(f"PubkeyAuthOptions {words}\n").policy.split("sources:")[1]


def test_a_device_of_a_method_is_not_the_method() -> None:
    assert "publickey" not in made("AuthenticationMethods publickey:x password\n").policy.split("\nlogin:")[1]

"""Single words and single letters of the language, each of which decides something by itself."""

from datetime import datetime
from ipaddress import ip_address

import pytest

from pysshd.policy.authorities import Authority
from pysshd.policy.decide import settled
from pysshd.policy.keyfiles import KeyFile
from pysshd.policy.load import load_text
from pysshd.policy.people import SecretText
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Connect, ConnectUnix, Exec, Global, Listen, Request
from pysshd.policy.steps import Certificate
from tests.policy.support import FINGERPRINTS, KEYS, PEOPLE, ask, load, loaded, messages, warnings
from tests.policy.test_explain import changes


def test_a_certificate_of_two_principals_names_nobody() -> None:
    """Not even somebody whose name would come of it by chance."""
    staff = Authority("staff", person="principal")
    assert staff.names(Certificate("staff", "key", frozenset(["alice"]))) == "alice"
    assert staff.names(Certificate("staff", "key", frozenset(["alice", "bob"]))) is None
    assert staff.names(Certificate("staff", "key")) is None
    assert staff.names(Certificate("staff", "key", frozenset(["../x"]))) is None
    assert Authority("staff").names(Certificate("staff", "alice", frozenset(["bob", "carol"]))) == "alice"


@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
def test_letters_of_scp(letter: str) -> None:
    ruleset = load("grants: [{who: alice, allow: {exec: {profile: scp, paths: /srv}, confined: true}}]\n")
    asked = ask(ruleset, Exec(f"scp -{letter} -f /srv/x".encode())).allowed
    assert asked == (letter in "vrpdqf")  # `-f` may stand twice, `-t` beside it not


@pytest.mark.parametrize(
    ("option", "allowed"),
    [
        ("--critical", True), ("--error", True), ("--warning", True), ("--info", True), ("--verbose", True),
        ("-v", True), ("--debug", True), ("--log-json", True), ("--debug-topic=a.B_1", True),
        (f"--debug-topic={'a' * 64}", True), (f"--debug-topic={'a' * 65}", False), ("--debug-topic=", False),
        ("--umask=077", True), ("--umask=0077", True), ("--umask=77", False), ("--umask=0o77", False),
        ("--umask=1077", False), ("--storage-quota=1", True), (f"--storage-quota={'1' * 20}", True),
        (f"--storage-quota={'1' * 21}", False), ("--storage-quota=1G", False), ("--show-version", False),
        ("--rsh=sh", False), ("--remote-path=x", False), ("--permit-all", False),
    ],
)  # fmt: skip
def test_options_of_borg(option: str, allowed: bool) -> None:
    ruleset = load("grants: [{who: alice, allow: {exec: {profile: borg, paths: /srv}, confined: true}}]\n")
    assert ask(ruleset, Exec(f"borg serve {option}".encode())).allowed == allowed
    assert not ask(ruleset, Exec(f"borg {option} serve".encode())).allowed


@pytest.mark.parametrize("path", ["/srv//x", "/srv/./x", "/srv/../x", "srv/x", "./srv", "//srv"])
def test_a_folder_has_one_form(path: str) -> None:
    forms = "expected an absolute path, or one that begins with {home}, without empty parts, '.' and '..'"
    expected = f"found {path!r}, {forms}"
    for item in (f"{{profile: git, paths: {path}}}", f"[tail, {{path_under: {path}}}]"):
        assert expected in messages(f"grants: [{{who: alice, allow: {{exec: [{item}], confined: true}}}}]\n")


def test_a_folder_may_end_with_a_slash() -> None:
    for path in ("/srv", "/srv/", "/", "/srv/a.b/..x"):
        load(f"grants: [{{who: alice, allow: {{exec: {{profile: git, paths: {path}}}, confined: true}}}}]\n")


@pytest.mark.parametrize("name", ["keepalive@openssh.com", "no-more-sessions@openssh.com"])
def test_what_is_always_answered_is_so_by_the_language(name: str) -> None:
    found = ask(load(), Global(name))
    assert (found.allowed, found.decided_by, found.reason) == (True, "the language", "it is always answered")


def test_a_key_that_stands_twice_for_one_person() -> None:
    people = PEOPLE.replace(f'"{KEYS[1]}"]', f'{{name: desk, key: "{KEYS[0]}"}}]')
    assert messages("", people) == (f"key {FINGERPRINTS[0]} stands twice for one person, the first time at p.yaml:5")
    named = PEOPLE.replace(f'"{KEYS[1]}"]', f'{{name: laptop, key: "{KEYS[1]}"}}]')
    assert messages("", named) == "name 'laptop' stands twice for one person, the first time at p.yaml:5"


def test_limits_of_a_bound_are_for_whatever_else_is_granted() -> None:
    """That the grant itself permits nothing is what a bound is."""
    text = "grants:\n  - {name: all, bound: {limits: [{sessions: 2}, {forwards: 1}, {files: 3}, {file_size: 1MiB}]}}\n"
    text += "  - {who: alice, allow: {exec: ls, confined: true, sftp: {mounts: {/: /srv}, paths: {/: list}}, "
    text += "forward: {local: 'db.corp:5432'}}}\n"
    found = load_text(PEOPLE + text, "p.yaml", language=True).warnings
    assert [one.message for one in found if one.severity == "warning"] == []


def test_a_starter_with_a_slot_that_is_not_wide() -> None:
    def told(item: str) -> str:
        return warnings(f"grants: [{{who: alice, allow: {{exec: [{item}], confined: true}}}}]\n")

    assert told('[sudo, {regex: "(reboot|halt)"}]') == ""
    wide = told('[sudo, {regex: "[a-z]+"}]')
    assert wide.endswith(" is as good as exec: any: sudo starts what {regex: '[a-z]+'} stands for")


def test_a_chain_that_asks_for_more_than_is_enough() -> None:
    login = (
        "login: [{methods: publickey+password}]\ntests: [{as: alice, from: 10.0.0.1, login: publickey+password+totp}]\n"
    )
    (verdict,) = loaded(login).verdicts
    assert "publickey+password is enough alone, so that totp is not asked for" in verdict.failures[0].message


def test_many_candidates_for_a_change() -> None:
    """One edit is looked for among all of them, however many there are; more at once among a few."""
    grants = "".join(
        f"  - {{name: g{n}, who: bob, from: 192.0.2.{n}, allow: {{exec: date, confined: true}}}}\n" for n in range(30)
    )
    found = changes("exec date", policy=f"grants:\n{grants}", source=ip_address("198.51.100.1"))
    assert [edits[0].split(" match")[0] for edits in found] == ["let g0", "let g1", "let g2", "let g3", "let g4"]
    late = grants.replace("from: 192.0.2.20,", "not_after: 2026-01-01,").replace(
        "allow: {exec: date", "allow: {exec: id"
    )
    late = late.replace("not_after: 2026-01-01, allow: {exec: id", "not_after: 2026-01-01, allow: {exec: date")
    assert changes("exec date", policy=f"grants:\n{late}", source=ip_address("198.51.100.1"))[0] == [
        "let g20 match: it asks for not_after: 2026-01-01 (p.yaml:29)"
    ]


def test_a_folder_may_have_blanks_and_no_line() -> None:
    for path in ("/srv/a b", "/srv/é~"):
        load(f"grants: [{{who: alice, allow: {{exec: {{profile: git, paths: '{path}'}}, confined: true}}}}]\n")
    for path in ("/srv/a\\nb", "/srv/\\x7f", "/srv/\\x1f"):
        text = f'grants: [{{who: alice, allow: {{exec: {{profile: git, paths: "{path}"}}, confined: true}}}}]\n'
        assert messages(text) == "found a path with a control character"


@pytest.mark.parametrize("year", [1999, 2026, 2027, 2028, 2040])
def test_hours_before_a_date_are_looked_at_whenever_it_is(year: int) -> None:
    early = f"who: alice, not_after: {year}-06-01, when: {{days: mon}}"
    late = f"who: alice, not_before: {year}-06-03, when: {{days: mon}}"
    shell, forced = "allow: {shell: true, confined: true}", "allow: {forced: [a], confined: true}"
    assert warnings(f"grants: [{{{early}, {shell}}}, {{{late}, {forced}}}]\n") == ""
    assert messages(f"grants: [{{{early}, {shell}}}, {{{early}, {forced}}}]\n").startswith("clash: ")
    assert messages(f"grants: [{{{late}, {shell}}}, {{{late}, {forced}}}]\n").startswith("clash: ")
    day = f"who: alice, not_before: {year}-06-01, not_after: {year}-06-01"
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    entries = {name: f"grants: [{{{day}, when: {{days: {name}}}, {shell}}}]\n" for name in days}
    empty = [name for name, entry in entries.items() if "matches nobody" in warnings(entry)]
    assert len(empty) == 6
    assert datetime(year, 6, 1).strftime("%a").lower() not in empty


def test_braces_that_are_doubled_are_no_home() -> None:
    text = "grants: [{{who: alice, allow: {{sftp: {{mounts: {{/: '{}'}}}}}}}}]\n"
    for path, folder in (
        ("/srv/{{home}}", "/srv/{home}"),
        ("{home}/{{home}}", "/{home}"),
        ("/srv/x{{home}}y", "/srv/x{home}y"),
    ):
        (right,) = load_text(PEOPLE + text.format(path), "p.yaml", language=True).ruleset.grants[0].rights.sftp
        (mount,) = right.mounts
        filled = mount.folder.fill({})
        assert filled is not None
        assert (filled.path, filled.in_home) == (folder, path.startswith("{home}"))
    for path in ("/srv/{home}", "/{{{home}", "{home}/x/{home}"):
        with pytest.raises(PolicyError, match="may only begin a path"):
            load_text(PEOPLE + text.format(path), "p.yaml", language=True)


@pytest.mark.parametrize(
    ("folder", "given"),
    [(".part", ".part"), (".", "/srv/x"), ("..", "/srv"), ("./y", "/srv/x/y"), ("../y", "/srv/y"), ("/srv/p", "/srv/p"),
     ("/", None), ("../..", None), ("../../y", None), ("/etc", None)],
)  # fmt: skip
def test_a_partial_dir_of_rsync_is_a_name_or_lies_inside(folder: str, given: str | None) -> None:
    """A name alone lies in each folder of the transfer; what leads anywhere is handed on as where it leads."""
    rules = load("grants: [{who: alice, allow: {exec: {profile: rsync, paths: /srv}, confined: true}}]\n")
    way = ask(rules, Exec(f"rsync --server -r --partial-dir={folder} . /srv/x".encode())).way
    words = getattr(way, "argv", None)
    assert (words[words.index(b"--partial-dir") + 1].decode() if words is not None else None) == given


def test_a_secret_is_never_shown() -> None:
    assert (repr(SecretText("hunter2")), str(SecretText("hunter2"))) == ("SecretText(***)", "***")
    assert SecretText("hunter2").reveal() == "hunter2"


@pytest.mark.parametrize(
    "request_", [Connect("127.1", 22), Connect("db", 0), Listen("db.corp", 1), ConnectUnix("x"), Exec(b"\0")]
)
def test_what_the_language_settles_is_a_refusal(request_: Request) -> None:
    found = settled(request_)
    assert found is not None
    assert (found.allowed, found.way, found.decided_by) == (False, None, "the language")
    assert settled(Connect("db", 22)) is None


def test_a_case_from_anywhere_else_begins_with_the_first_address() -> None:
    shell, forced = "allow: {shell: true, confined: true}", "allow: {forced: [a], confined: true}"
    first, second = "unless: {from: 10.0.0.0/8}", "from: [0.0.0.0/0, 10.0.0.0/8]"
    text = messages(f"grants: [{{who: alice, {first}, {shell}}}, {{who: alice, {second}, {forced}}}]\n")
    assert "would both answer shell of alice from 0.0.0.0" in text


@pytest.mark.parametrize(
    ("one", "two", "both"),
    [("a*", "*b", "ab"), ("*", "?", "x"), ("*a", "b*", "ba"), ("*", "*", "x"), ("a*", "b*", None)],
)
def test_the_name_that_two_kinds_of_guests_would_take_is_one(one: str, two: str, both: str | None) -> None:
    text = f"version: 1\nusers:\n  one: {{names: '{one}'}}\n  two: {{names: '{two}'}}\n"
    said = f"names of two and of one at p.yaml:3 both take {both!r}"
    if both is None:
        load_text(text, "p.yaml", language=True)
    else:
        with pytest.raises(PolicyError, match=said):
            load_text(text, "p.yaml", language=True)


def test_a_key_file_of_an_authority_that_can_not_be_used_is_told() -> None:
    text = "version: 1\nauthorities: {staff: {keys: [ca/staff.pub]}}\n"
    with pytest.raises(PolicyError, match=r"p\.yaml:2:30: key file ca/staff\.pub: it has mode 0666"):
        load_text(text, "p.yaml", language=True, key_files={"ca/staff.pub": KeyFile(problem="it has mode 0666")})
    load_text(text, "p.yaml", language=True)


@pytest.mark.parametrize("name", ["USER", "LOGNAME", "SSH_CONNECTION", "SSH_"])
def test_variables_that_the_daemon_sets_itself(name: str) -> None:
    role = "roles: {{r: {{env: {{set: {{{}: x}}}}}}}}\n"
    assert f"variable '{name}' is set by the daemon itself" in messages(role.format(name))
    load(role.format(f"X{name}"))


def test_of_a_grant_that_is_none_whom_it_names_is_looked_up_all_the_same() -> None:
    said = messages("grants: [{who: alcie, from: nowhere}]\nlogin: [{who: bbo}]\n")
    for name in ("alcie", "nowhere", "bbo"):
        assert f"'{name}'" in said

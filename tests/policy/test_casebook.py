"""The section `tests`: what passes, what fails and with which words, and what no test may leave open."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given

from pysshd.policy.casebook import CHOICES_MAX, Verdict
from pysshd.policy.decide import settled
from pysshd.policy.keyfiles import KeyFile
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Login
from pysshd.policy.verbs import say_request
from tests.policy.documents import DOCUMENTS, QUERIES, document
from tests.policy.support import FINGERPRINTS, HASH, KEYS, PEOPLE, ask, loaded, messages

SLOT = FINGERPRINTS[2].replace("/", "_").replace("+", "-")
POLICY = """\
server: {owner: alice}
networks: {office: [10.0.0.0/8]}
login:
  - {who: carol, methods: publickey+password}
  - {who: bob, from: 192.0.2.0/24, refuse: true}
  - {methods: [publickey, password+publickey]}
roles:
  serve: {forced: [serve, "{user}", "{key}"], confined: true}
grants:
  - {name: shell, who: alice, from: office, roles: login-shell}
  - {name: serve, who: bob, roles: serve}
  - {name: list, who: carol, allow: {exec: "ls *", confined: true}}
  - {name: mail, who: carol, with: publickey+password, allow: {subsystems: {mail: [mailer, "{user}"]}, confined: true}}
  - {name: no-pty, who: "*", from: 10.9.0.0/16, deny: {pty: true}}
"""


def verdicts(*cases: str, policy: str = POLICY) -> Sequence[Verdict]:
    return loaded(f"{policy}tests:\n" + "".join(f"  - {{{case}}}\n" for case in cases)).verdicts


def failures(case: str, policy: str = POLICY) -> list[str]:
    (verdict,) = verdicts(case, policy=policy)
    return [failure.message for failure in verdict.failures]


@pytest.mark.parametrize(
    "case",
    [
        "as: alice, from: 10.1.2.3, login: publickey",
        "as: alice, from: 10.1.2.3, login: password+publickey, allow: [shell, {exec: ls; id}, env LANG=C, pty xterm]",
        "as: alice, from: 192.0.2.1, login: publickey, deny: [shell, {exec: ls}, signal INT]",
        "as: alice, from: 10.9.0.1, login: publickey, allow: shell, deny: [pty xterm]",
        "as: alice, from: '::ffff:10.1.2.3', login: publickey, allow: shell",
        "as: alice, account: git, from: 10.1.2.3, login: publickey, allow: shell",
        "as: alice, account: git, from: 10.1.2.3, refused: password+publickey",
        "as: alice, account: carol, from: 10.1.2.3, refused: any",
        "as: alice, from: 10.1.2.3, refused: password",
        f"as: bob, from: 10.1.2.3, login: publickey, allow: {{exec: x}}, runs: [serve, bob, '{SLOT}']",
        "as: bob, from: 192.0.2.1, refused: any",
        "as: bob, from: 10.1.2.3, refused: password+publickey",
        "as: carol, from: 10.1.2.3, refused: publickey",
        "as: carol, from: 10.1.2.3, login: publickey+password, allow: [{exec: ls a}], deny: [{exec: ls -l}]",
        "as: carol, from: 10.1.2.3, login: publickey+password, allow: subsystem mail, runs: [mailer, carol]",
        "as: carol, from: 10.1.2.3, login: publickey+password, allow: {exec: ls 'a b'}, runs: [ls, a b]",
    ],
)
def test_what_a_policy_does_passes(case: str) -> None:
    assert failures(case) == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            "as: bob, from: 192.0.2.1, login: publickey, allow: shell",
            ["case 1: bob is refused with publickey: login entry 2 refuses, p.yaml:12"],
        ),
        (
            "name: carol-needs-two, as: carol, from: 10.1.2.3, login: publickey",
            ["carol-needs-two: carol is refused with publickey: login entry 1 goes on with password, p.yaml:11"],
        ),
        (
            "as: alice, from: 10.1.2.3, login: publickey+password",
            ["case 1: alice is refused with publickey+password: publickey is enough alone, so that password is not "
             "asked for, p.yaml:13"],
        ),
        (
            "as: bob, from: 10.1.2.3, login: publickey+publickey",
            ["case 1: bob is refused with publickey+publickey: bob has 1 key, and publickey+publickey takes 2, "
             "p.yaml:6"],
        ),
        (
            "as: alice, from: 10.1.2.3, refused: any",
            ["case 1: alice is admitted with publickey: login entry 3 is met by publickey, p.yaml:13",
             "case 1: alice is admitted with password+publickey: login entry 3 is met by password+publickey, "
             "p.yaml:13"],
        ),
        (
            "as: alice, from: 192.0.2.1, login: publickey, allow: [shell, {exec: ls}]",
            ["case 1: alice may not shell: no grant allows it; shell (p.yaml:17) would, but for from: office",
             "case 1: alice may not exec ls: no grant allows it; shell (p.yaml:17) would, but for from: office"],
        ),
        (
            "as: alice, from: 10.9.0.1, login: publickey, allow: pty xterm, deny: shell",
            ["case 1: alice may not pty xterm: no-pty denies it, p.yaml:21",
             "case 1: alice may shell: shell permits it by shell: true (built-in role login-shell), p.yaml:17"],
        ),
        (
            "as: carol, from: 10.1.2.3, login: publickey+password, allow: subsystem mail, runs: [mailer]",
            ["case 1: subsystem mail runs [mailer, carol]: mail permits it by subsystem mail: [mailer, {user}] "
             "(confined), p.yaml:20"],
        ),
        (
            "as: alice, from: 10.1.2.3, login: publickey, allow: {exec: ls}, runs: [ls]",
            ["case 1: exec ls runs in the account's own shell: shell permits it by exec: any (built-in role "
             "login-shell), p.yaml:17"],
        ),
    ],
)  # fmt: skip
def test_what_it_does_not_do_is_told_with_the_decision_that_was_made(case: str, expected: list[str]) -> None:
    assert failures(case) == expected


def test_a_failure_stands_where_the_request_does() -> None:
    found = loaded(f"{POLICY}tests:\n  - {{as: alice, from: 192.0.2.1, login: publickey, allow: [pty x, shell]}}\n")
    assert found.tests_failed
    assert [(problem.severity, problem.line, problem.column) for problem in found.warnings] == [
        ("failed", 23, 60), ("failed", 23, 67)
    ]  # fmt: skip
    assert str(found.warnings[1]).startswith("p.yaml:23:67: test failed: case 1: alice may not shell")


def test_without_tests_nothing_failed() -> None:
    assert not loaded(POLICY).tests_failed
    assert not loaded(POLICY).verdicts


def depends(case: str, policy: str, people: str = PEOPLE) -> str:
    return messages(f"{policy}tests: [{{{case}}}]\n", people)


CASE = "as: alice, from: 10.0.0.1, login: publickey, allow: pty xterm"


@pytest.mark.parametrize(
    ("condition", "what", "said"),
    [
        ("not_before: 2026-01-01", "the time", "at: '2027-01-01T00:00Z'"),
        ("not_after: 2026-01-01", "the time", "at: '2026-01-01T23:59:59Z'"),
        ("who: key:laptop", "the key", "key: laptop"),
        ("listener: '127.0.0.1:2222'", "the listener", "listener: '127.0.0.1:2222'"),
    ],
)
def test_a_case_says_what_its_answer_depends_on(condition: str, what: str, said: str) -> None:
    policy = f"grants: [{{allow: {{pty: true}}, {condition}}}]\n"
    assert f"case 1: the answer depends on {what}, which the case does not say" in depends(CASE, policy)
    assert failures(f"{CASE}, {said}", policy) == []


def test_what_bears_on_nothing_need_not_be_said() -> None:
    policy = """grants:
      - {who: alice, allow: {pty: true}}
      - {who: alice, not_before: 2026-01-01, allow: {pty: true}}
      - {who: bob, not_before: 2026-01-01, allow: {pty: true}}
      - {who: "key:laptop", allow: {signals: INT, pty: true}}
      - {listener: '127.0.0.1:2222', allow: {pty: true}}
"""
    assert failures(CASE, policy) == []


def test_the_time_of_a_person_and_of_a_key_counts() -> None:
    people = PEOPLE.replace("bob: {groups: ops,", "bob: {groups: ops, not_after: 2027-01-29,")
    case = "as: bob, from: 10.0.0.1, login: publickey"
    assert "the answer depends on the time" in depends(case, "", people)
    old = f"{{key: '{KEYS[2]}', not_before: 2027-01-29}}"
    people = PEOPLE.replace(f'"{KEYS[2]}"', old)
    assert "the answer depends on the time" in depends(case, "", people)


def test_of_two_keys_the_one_counts_that_is_valid() -> None:
    people = PEOPLE.replace(f'"{KEYS[1]}"]', f"{{key: '{KEYS[1]}', not_after: 2026-01-01}}]")
    policy = f"grants: [{{who: 'key:{FINGERPRINTS[1]}', deny: all}}, {{allow: {{pty: true}}}}]\n"
    text = f"{people}{policy}tests: [{{{CASE}, at: '2027-01-01T00:00Z'}}]\n"
    assert not load_text(text, "p.yaml").tests_failed
    assert "the answer depends on the key" in depends(f"{CASE}, at: '2025-01-01T00:00Z'", policy, people)


SYSTEM = "server: {accounts: system, worker_user: nobody}\n"


def test_groups_of_the_host_are_said_where_they_count() -> None:
    policy = SYSTEM + "grants: [{who: [system-group:a, system-group:b], allow: {pty: true}}]\n"
    assert "the answer depends on the groups of the host" in depends(CASE, policy)
    assert failures(f"{CASE}, system_groups: b", policy) == []
    assert failures(f"{CASE}, system_groups: none", policy) == [
        "case 1: alice may not pty xterm: no grant allows it; grant 1 (p.yaml:9) would, but for who: "
        "[system-group:a, system-group:b]"
    ]


def test_groups_count_together_too() -> None:
    policy = SYSTEM + (
        "grants:\n  - {who: system-group:a, allow: {pty: true}}\n"
        "  - {who: '*', unless: {who: system-group:b}, deny: all}\n  - {who: system-group:c, deny: all}\n"
    )
    assert "the answer depends on the groups of the host" in depends(CASE.replace("allow", "deny"), policy)


def test_people_of_the_host() -> None:
    policy = SYSTEM + (
        "sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}], password: system}]\n"
        "login: [{who: '*', methods: [publickey, password]}, {who: root, methods: publickey}]\n"
        "grants: [{who: '*', roles: login-shell}, {who: dave, allow: {subsystems: {mail: [mail, '{key}']}}}]\n"
    )
    assert failures("as: erin, from: 10.0.0.1, login: publickey, allow: shell, deny: subsystem mail", policy) == []
    assert failures("as: erin, from: 10.0.0.1, login: password, allow: shell", policy) == []
    # Who is uid 0 is nobody until the file names them among its people.
    assert failures("as: root, from: 10.0.0.1, refused: any", policy) == []
    key = f"key: {FINGERPRINTS[3]}"
    slot = FINGERPRINTS[3].replace("/", "_").replace("+", "-")
    case = f"as: dave, from: 10.0.0.1, login: publickey, {key}, allow: subsystem mail, runs: [mail, '{slot}']"
    assert failures(case, policy) == []


def test_keys_of_files_are_known_where_the_files_were_read() -> None:
    people = "version: 1\nusers: {dave: {keys: [{file: /dave.pub}]}}\n"
    policy = f"grants: [{{who: 'key:{FINGERPRINTS[1]}', allow: {{pty: true}}}}]\n"
    text = f"{people}{policy}tests: [{{as: dave, from: 10.0.0.1, login: publickey, allow: pty x}}]\n"
    (verdict,) = load_text(text, key_files={"/dave.pub": KeyFile(FINGERPRINTS[1:2])}).verdicts
    assert verdict.passed
    (verdict,) = load_text(text, key_files={"/dave.pub": KeyFile(FINGERPRINTS[:1])}).verdicts
    assert not verdict.passed
    with pytest.raises(PolicyError, match="depends on the key"):
        load_text(text, key_files={"/dave.pub": KeyFile(FINGERPRINTS[:2])})
    named = text.replace("login: publickey,", f"login: publickey, key: {FINGERPRINTS[1]},")
    assert not load_text(named, key_files={"/dave.pub": KeyFile(FINGERPRINTS[:2])}).tests_failed
    assert not load_text(named).tests_failed  # a file that was not read may hold any key
    with pytest.raises(PolicyError, match="dave has no key"):
        load_text(named, key_files={"/dave.pub": KeyFile(FINGERPRINTS[:1])})


def test_more_choices_of_keys_than_can_be_tried() -> None:
    count = CHOICES_MAX + 1
    files = {f"/{number}.pub": KeyFile((f"SHA256:{number}",)) for number in range(count)}
    keys = ", ".join(f"{{file: /{number}.pub, not_after: 2027-01-01}}" for number in range(count))
    text = f"version: 1\nusers: {{dave: {{keys: [{keys}]}}}}\n"
    case = "tests: [{as: dave, from: 10.0.0.1, login: publickey, at: '2026-01-01T00:00Z'}]\n"
    with pytest.raises(PolicyError, match="depends on the key"):
        load_text(text + case, key_files=files)


def test_two_keys_of_one_login() -> None:
    policy = "login: [{methods: publickey+publickey}]\ngrants: [{who: key:laptop, allow: {pty: true}}]\n"
    assert failures("as: alice, from: 10.0.0.1, login: publickey+publickey, allow: pty x", policy) == []
    key = f"key: [laptop, {FINGERPRINTS[1]}]"
    assert failures(f"as: alice, from: 10.0.0.1, login: publickey+publickey, {key}, allow: pty x", policy) == []
    one = "as: alice, from: 10.0.0.1, login: publickey+publickey, key: [laptop, laptop]"
    assert failures(one, policy) == ["case 1: alice is refused with publickey+publickey: a key counts once, p.yaml:4"]


def test_operations_of_sftp() -> None:
    policy = (
        "roles: {box: {sftp: {mounts: {/: /srv/box}, paths: {/: [list], '/in/**': [upload]}}}}\n"
        "grants: [{who: bob, roles: box}]\n"
    )
    case = "as: bob, from: 10.0.0.1, login: publickey, allow: [subsystem sftp, {sftp: upload /in/x}]"
    tests = f"tests: [{{{case}, deny: [sftp download /in/x]}}, {{{case}, deny: [sftp list /]}}]\n"
    first, second = load_text(PEOPLE + policy + tests, "p.yaml", language=True).verdicts
    assert first.passed
    assert [failure.message.partition(":")[2] for failure in second.failures] == [
        " bob may sftp list /: grant 1 permits it by sftp: {paths: /} (p.yaml:8), p.yaml:9"
    ]


def test_errors_elsewhere_hide_no_error_of_a_case() -> None:
    found = messages("roles: {x: {pty: tru}}\ntests: [{as: alicia, from: 10.0.0.1, login: publickey}]\n")
    assert "unknown person 'alicia' in as" in found
    assert "found 'tru'" in found


BOB = "as: bob, from: 10.0.0.1, listener: '127.0.0.1:2222', at: '2026-11-23T12:00Z'"


@given(DOCUMENTS, QUERIES)
def test_a_case_says_what_the_engine_decides(parts: tuple[str, list[object]], query: object) -> None:
    """Whatever the engine decides of a login by key at noon, a case that says so passes, and its contrary does not."""
    login, entries = parts
    text = document(login, entries)  # type: ignore[arg-type]
    request = query.request  # type: ignore[attr-defined]
    if isinstance(request, Login) or settled(request):
        return
    try:
        ruleset = load_text(text, "p.yaml").ruleset
    except PolicyError:
        return
    said = say_request(request)
    if not said.isprintable() or not said.isascii():
        return
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    allowed = ask(ruleset, request, person="bob", now=now).allowed
    for verb in ("allow", "deny"):
        case = f"{BOB}, client: SSH-2.0-test, login: publickey"
        (verdict,) = load_text(f"{text}tests: [{{{case}, {verb}: ['{said}']}}]\n", "p.yaml").verdicts
        about_the_login = [failure for failure in verdict.failures if "with publickey" in failure.message]
        assert about_the_login or verdict.passed == (allowed == (verb == "allow"))


def test_a_secret_is_in_no_failure() -> None:
    for problem in loaded(f"{POLICY}tests: [{{as: carol, from: 10.0.0.1, login: publickey}}]\n").warnings:
        assert HASH not in str(problem) + problem.render()

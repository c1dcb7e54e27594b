"""What fills the slots of templates in one session, and what the trace says where one has nothing to be filled with."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.decide import decide
from pysshd.policy.decision import Decision
from pysshd.policy.lacking import Wanted, lacking_slots
from pysshd.policy.load import load_text
from pysshd.policy.query import (
    UNKNOWN,
    ConnectUnix,
    Exec,
    Facts,
    ListenUnix,
    Query,
    Request,
    Sftp,
    Shell,
    Signal,
    Subsystem,
    UnixFacts,
)
from pysshd.policy.rights import Rights
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.slot_values import SlotValues, is_word
from pysshd.policy.steps import Certificate, Step
from pysshd.policy.ways import Forced, Words
from tests.policy.support import FINGERPRINTS, KEYS, PASSWORD, PEOPLE, ask, facts, load, messages

AUTHORITY = f"""\
authorities:
  staff: {{keys: ["{KEYS[2]}"], accounts: {{deploy: [web, db], any: ["*"], "{{principal}}": ["*"]}}}}
"""


def policy(*allows: str, people: str = PEOPLE, more: str = AUTHORITY) -> Ruleset:
    grants = "".join(f"  - {{who: alice, allow: {{{allow}}}}}\n" for allow in allows)
    return load_text(f"{people}{more}grants:\n{grants}", "p.yaml", language=True).ruleset


def certified(*principals: str, account: str = "alice", source: Any = "10.0.0.1") -> Facts:
    step = Step("publickey", FINGERPRINTS[3], certificate=Certificate("staff", "alice", frozenset(principals)))
    address = ip_address(source) if isinstance(source, str) else source
    return replace(facts(), account=account, source=address, methods=(step,))


def decided(ruleset: Ruleset, request: Request, known: Facts) -> Decision:
    return decide(ruleset, Query(known, request), trace=True)


PEOPLE_OF_A_CA = f"version: 1\nusers: {{alice: {{accounts: [alice, deploy, any], keys: ['{KEYS[0]}']}}}}\n"
FORCED = policy('forced: [run, "{principal}", "--from={source}"], confined: true', people=PEOPLE_OF_A_CA)


@pytest.mark.parametrize(
    ("principals", "account", "filled"),
    [
        (("web", "x"), "deploy", "web"),
        (("alice", "x"), "alice", "alice"),
        (("x",), "any", "x"),
        (("ops@EXAMPLE.COM",), "any", "ops@EXAMPLE.COM"),
    ],
)
def test_the_principal_is_the_one_by_which_the_account_was_opened(
    principals: tuple[str, ...], account: str, filled: str
) -> None:
    found = decided(FORCED, Shell(), certified(*principals, account=account))
    assert found.way == Forced((b"run", filled.encode(), b"--from=10.0.0.1"), b"", True)


NO_WORD = "{principal} has no value: what would fill it is no word"


@pytest.mark.parametrize(
    ("principals", "account", "why"),
    [
        (("web", "db"), "deploy", "{principal} has no value: several principals of the certificate may use the"
                                  " account"),
        (("-x",), "any", NO_WORD),
        (("..",), "any", NO_WORD),
        (("a/b",), "any", NO_WORD),
        (("a b",), "any", NO_WORD),
        (("$(id)",), "any", NO_WORD),
        (("a\nb",), "any", NO_WORD),
    ],
)  # fmt: skip
def test_a_principal_that_is_no_word_permits_nothing(principals: tuple[str, ...], account: str, why: str) -> None:
    found = decided(FORCED, Shell(), certified(*principals, account=account))
    assert not found.allowed
    [tried] = found.trace
    assert (tried.matched, tried.failed) == (False, why)
    assert not decide(FORCED, Query(certified(*principals, account=account), Shell())).allowed


@pytest.mark.parametrize(
    ("source", "filled"),
    [("2001:db8::1", b"--from=2001:db8::1"), ("::ffff:10.0.0.1", b"--from=10.0.0.1"), (None, None), (UNKNOWN, None)],
)
def test_the_source_is_the_address_of_the_client(source: Any, filled: bytes | None) -> None:
    found = decided(FORCED, Shell(), certified("alice", source=source))
    assert found.allowed is (filled is not None)
    if filled is not None:
        assert isinstance(found.way, Forced)
        assert found.way.argv[2] == filled
    else:
        assert found.trace[0].failed == "{source} has no value: the address of the client is not known"


def test_without_a_certificate_or_a_key_there_is_no_value() -> None:
    ruleset = load('grants: [{who: alice, allow: {shell: [x, "{principal}", "{key}"], confined: true}}]')
    found = ask(ruleset, Shell(), methods=(PASSWORD,), trace=True)
    assert found.trace[0].failed == (
        "{key} has no value: no key was used; {principal} has no value: no certificate was used"
    )
    assert not found.allowed


NO_KEY = "{key} has no value: no key was used"
NO_WORD_OF_IT = "it does not speak of this request"


@pytest.mark.parametrize(
    ("allow", "request_", "why"),
    [
        ("forward: {local_unix: ['/run/{key}', /y]}", ConnectUnix("/run/x"), NO_KEY),
        ("forward: {local_unix: [/x, /y]}", ConnectUnix("/run/x"), NO_WORD_OF_IT),
        ("forward: {local_unix: /y, remote_unix: '/run/{key}'}", ConnectUnix("/run/x"), NO_WORD_OF_IT),
        ("forward: {local_unix: '/run/{key}', remote_unix: '/run/*'}", ListenUnix("/x/y"), NO_WORD_OF_IT),
        ("exec: [[ls, '{key}'], id], confined: true", Exec(b"ls x"), NO_KEY),
        ("exec: [[ls, '{key}'], id], confined: true", Exec(b"id x"), NO_WORD_OF_IT),
        ("exec: [[ls, '{key}', a]], confined: true", Exec(b"ls x b"), NO_WORD_OF_IT),
        ("exec: {profile: borg, paths: '/srv/{key}'}, confined: true", Exec(b"borg serve"), NO_KEY),
        ("exec: {profile: borg, paths: '/srv/{key}'}, confined: true", Exec(b"ls"), NO_WORD_OF_IT),
        ("exec: {profile: git, paths: /srv, relative_to: '/srv/{key}'}, confined: true",
         Exec(b"git-upload-pack x"), NO_KEY),
        ("shell: [menu, '{key}'], confined: true", Shell(), NO_KEY),
        ("subsystems: {a: [x, '{key}'], b: [y]}, confined: true", Subsystem("a"), NO_KEY),
        ("subsystems: {a: [x, '{key}'], b: [y]}, confined: true", Subsystem("c"), NO_WORD_OF_IT),
        ("forced: [x, '{key}'], confined: true", Exec(b"whatever"), NO_KEY),
    ],
)  # fmt: skip
def test_which_slots_a_grant_lacks_for_a_request(allow: str, request_: Request, why: str) -> None:
    ruleset = load_text(PEOPLE + f"grants: [{{who: alice, allow: {{{allow}}}}}]", language=True).ruleset
    found = ask(ruleset, request_, methods=(PASSWORD,), trace=True)
    assert not found.allowed
    assert found.trace[0].failed == why


SYSTEM = "version: 1\nserver: {accounts: system}\n" + PEOPLE_OF_A_CA.removeprefix("version: 1\n")


@pytest.mark.parametrize(
    ("home", "words", "folder"),
    [
        ("/home/alice", (b"ls", b"/home/alice/x"), b"/home/alice"),
        ("/home/alice/", (b"ls", b"/home/alice/x"), b"/home/alice"),
        ("/", (b"ls", b"/x"), b"/"),
    ],
)
def test_the_home_is_that_of_the_account(home: str, words: tuple[bytes, ...], folder: bytes) -> None:
    ruleset = load_text(
        SYSTEM + "grants: [{who: alice, allow: {exec: [[ls, '{home}/x'], \"stat '{home}'\"]}}]", "p.yaml"
    ).ruleset
    known = replace(facts(), unix=UnixFacts("alice", 1000, home=home))
    assert decided(ruleset, Exec(b" ".join(words)), known).way == Words(words, False)
    assert decided(ruleset, Exec(b"stat " + folder), known).way == Words((b"stat", folder), False)


@pytest.mark.parametrize(
    ("home", "why"),
    [
        (None, "no home is known"),
        ("home", "the home is no plain absolute path"),
        ("/home/../x", "the home is no plain absolute path"),
        ("/home/a\nb", "the home is no plain absolute path"),
    ],
)
def test_a_home_that_is_no_path_permits_nothing(home: str | None, why: str) -> None:
    ruleset = load_text(SYSTEM + "grants: [{who: alice, allow: {shell: [ls, '{home}/x']}}]", "p.yaml").ruleset
    found = decided(ruleset, Shell(), replace(facts(), unix=UnixFacts("alice", 1000, home=home)))
    assert found.trace[0].failed == f"{{home}} has no value: {why}"


TREE = "sftp: {mounts: {/: '/srv/{key}'}, paths: {/: all}}"


@pytest.mark.parametrize(
    ("allow", "request_", "why"),
    [
        ("exec: [[cat, '/srv/{key}/*']], confined: true", Exec(b"cat /srv/x/y"), "key"),
        ("exec: ['cat /srv/{key}'], confined: true", Exec(b"cat /srv/x"), "key"),
        ("exec: [[cat, {path_under: '/srv/{key}'}]], confined: true", Exec(b"cat /srv/x/y"), "key"),
        ("exec: {profile: git, paths: '/srv/{key}'}, confined: true", Exec(b"git-upload-pack /srv/x"), "key"),
        ("exec: {profile: git, paths: /srv, relative_to: '/{key}'}, confined: true", Exec(b"git-upload-pack x"), "key"),
        ("subsystems: {mail: [mail, '{key}']}, confined: true", Subsystem("mail"), "key"),
        ("forced: [x, '{key}'], confined: true", Exec(b"anything; at all"), "key"),
        ("exec: [[cat, '/srv/{key}']], confined: true", Signal("INT", Exec(b"cat /srv/x")), "key"),
        (TREE, Subsystem("sftp"), "key"),
        (TREE, Exec(b"scp -f /x"), "key"),
        (TREE, Sftp("list", b"/"), "key"),
        ("forward: {local_unix: '/run/{key}'}", ConnectUnix("/run/x"), "key"),
        ("forward: {local_unix: '{home}/x'}", ConnectUnix("/run/x"), "home"),
        # What does not speak of it anyway
        ("exec: [[cat, '/srv/{key}']], confined: true", Exec(b"ls /srv/x"), ""),
        ("exec: [[cat, '/srv/{key}', x]], confined: true", Exec(b"cat /srv/x"), ""),
        ("exec: [[cat, '/srv/{key}']], confined: true", Exec(b"cat a; id"), ""),
        ("exec: [[cat, '/srv/{key}']], confined: true", Shell(), ""),
        ("exec: [{literal: 'cat {key}'}], confined: true", Exec(b"cat x"), ""),
        ("exec: {profile: git, paths: '/srv/{key}'}, confined: true", Exec(b"borg serve"), ""),
        ("subsystems: {mail: [mail, '{key}']}, confined: true", Subsystem("other"), ""),
        ("forward: {remote_unix: '/run/{key}'}", ConnectUnix("/run/x"), ""),
        ("agent: true", ConnectUnix("/run/x"), ""),
        ("forward: {local_unix: '/x/*'}", ConnectUnix("/run/x"), ""),
    ],
)
def test_the_trace_says_which_slot_of_what_was_asked_for_has_no_value(allow: str, request_: Request, why: str) -> None:
    ruleset = policy(allow, more="")
    found = decided(ruleset, request_, replace(facts(), methods=(PASSWORD,)))
    assert not found.allowed
    [tried] = found.trace
    said = {"key": "{key} has no value: no key was used", "home": "{home} has no value: no home is known"}
    assert tried.failed == said.get(why, "it does not speak of this request")
    assert not tried.matched


def test_what_answers_without_the_slot_is_not_said_to_lack_it() -> None:
    for allow, request in (
        ("exec: [[cat, '/srv/{key}'], 'cat *'], confined: true", Exec(b"cat x")),
        ("exec: [{profile: git, paths: [/srv, '/x/{key}']}], confined: true", Exec(b"git-upload-pack /srv/x")),
        ("forward: {local_unix: ['/run/{key}', '/run/*']}", ConnectUnix("/run/x")),
    ):
        found = decided(policy(allow, more=""), request, replace(facts(), methods=(PASSWORD,)))
        assert found.allowed
        assert [tried.failed for tried in found.trace] == [""]


def test_a_deny_whose_slot_has_no_value_touches_every_word() -> None:
    ruleset = load(
        "grants: [{who: alice, allow: {exec: 'cat *', confined: true}},\n"
        "  {who: alice, deny: {exec: [[cat, '/srv/{key}']]}}]"
    )
    assert not ask(ruleset, Exec(b"cat x"), methods=(PASSWORD,)).allowed
    assert ask(ruleset, Exec(b"cat x")).allowed
    assert not ask(ruleset, Exec(b"cat /srv/laptop")).allowed


def test_wildcards_of_a_word_are_wildcards_and_those_of_a_value_are_not() -> None:
    ruleset = load("grants: [{who: alice, allow: {exec: [[cat, '{user}-*', '/srv/{user}/*']], confined: true}}]")
    assert ask(ruleset, Exec(b"cat alice-x /srv/alice/y")).allowed
    for command in (b"cat bob-x /srv/alice/y", b"cat alice-x /srv/alice/../y", b"cat alice-x /srv/al*ce/y"):
        assert not ask(ruleset, Exec(command)).allowed


def test_two_commands_with_slots_clash_as_words_do() -> None:
    text = messages(
        "grants:\n"
        "  - {who: alice, allow: {exec: [[cat, '/srv/{user}/a*']], confined: true}}\n"
        "  - {who: alice, allow: {exec: [[cat, '{home}/*'], [ls, '/srv/{key}']]}}\n"
    )
    assert "would both answer exec 'cat /srv/x/a' of alice" in text


def test_a_profile_of_the_home_may_meet_any_other() -> None:
    both = (
        "grants:\n"
        "  - {who: alice, allow: {exec: {profile: git, paths: '{home}/x'}, confined: true}}\n"
        "  - {who: alice, allow: {exec: {profile: git, paths: PATH}}}\n"
    )
    assert "would both answer exec" in messages(both.replace("PATH", "/srv/git"))
    assert "would both answer exec" in messages(both.replace("PATH", "'{home}'"))
    load("server: {owner: alice}\n" + both.replace("PATH", "'{home}/y'"))


def test_a_relative_path_that_may_lie_in_a_home_is_any() -> None:
    text = messages(
        "grants:\n"
        "  - {who: alice, allow: {exec: {profile: git, paths: /srv, relative_to: '{home}'}, confined: true}}\n"
        "  - {who: alice, allow: {exec: {profile: git, paths: /srv, relative_to: /srv}, confined: true}}\n"
    )
    assert "would both answer exec 'git-upload-pack ." in text


@given(st.text())
def test_a_word_is_one_part_of_a_path_and_no_option(value: str) -> None:
    if is_word(value):
        assert value
        assert value not in (".", "..")
        assert not value.startswith("-")
        assert not set(value) & set("/ \t\n\0'\"\\$`*?|&;<>()")


@given(st.lists(st.text(), max_size=2), st.sampled_from(["alice", "deploy", "any", "nobody"]))
def test_every_value_is_a_word_or_missing(principals: list[str], account: str) -> None:
    known = certified(*principals, account=account)
    person = FORCED.people["alice"]
    values = SlotValues(FORCED, known, person)
    assert set(values) <= {"user", "account", "key", "principal", "source"}
    assert all(is_word(value) for value in values.values())


def test_nothing_lacks_anything_where_nothing_is_permitted() -> None:
    assert lacking_slots(Rights(), Wanted(Shell(), None, None, False), {}) == frozenset()

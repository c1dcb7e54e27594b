"""`authorities`: whose certificates count, whom they name, and what conditions ask of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pysshd.policy.decide import decide, first_methods
from pysshd.policy.decision import Decision
from pysshd.policy.keyfiles import KeyFile, parse_key_file
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Exec, Facts, Login, Pty, Query, Request, UnixFacts
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate, Step
from pysshd.policy.ways import LoginWay
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON, PASSWORD

PEOPLE = f"""\
version: 1
groups: [ops]
users:
  alice: {{groups: ops, keys: ["{KEYS[0]}"], password: "{HASH}"}}
  bob: {{accounts: [bob, deploy], keys: ["{KEYS[1]}"]}}
authorities:
  staff: {{keys: ["{KEYS[2]}"], accounts: {{deploy: [web, db], "{{principal}}": ["*"]}}}}
  robots: {{keys: [ca/robots.pub], person: principal, accounts: {{backup: ["*"], "{{principal}}": [mirror]}}}}
"""
PTY = "grants: [{{who: {}, allow: {{pty: true}}}}]\n"


def load(more: str = "", people: str = PEOPLE) -> Ruleset:
    return load_text(people + more, "p.yaml", language=True).ruleset


def errors(more: str, people: str = PEOPLE) -> str:
    with pytest.raises(PolicyError) as caught:
        load_text(people + more, "p.yaml", language=True)
    return "\n".join(problem.message for problem in caught.value.problems if problem.severity == "error")


def told_of_files(files: dict[str, KeyFile]) -> list[str]:
    """What is wrong where these key files were read."""
    with pytest.raises(PolicyError) as caught:
        load_text(PEOPLE, "p.yaml", key_files=files)
    return [str(problem) for problem in caught.value.problems]


def step(
    key_id: str = "alice", *principals: str, authority: str = "staff", key: str = FINGERPRINTS[3], **more: Any
) -> Step:
    held = frozenset(principals or (key_id,))
    extensions = more.pop("extensions", frozenset()) | {"permit-pty"}
    return Step("publickey", key, certificate=Certificate(authority, key_id, held, extensions, **more))


def ask(ruleset: Ruleset, request: Request, *steps: Step, account: str | None = None, **more: Any) -> Decision:
    said = steps[0].certificate if steps else None
    name = more.pop("person", said.key_id if said is not None else "alice")
    now = more.pop("now", NOON)
    facts = Facts(account or name, name, None, "127.0.0.1:2222", "SSH-2.0-x", now, tuple(steps))
    return decide(ruleset, Query(facts, request), **more)


def enter(ruleset: Ruleset, *steps: Step, **more: Any) -> Decision:
    return ask(ruleset, Login(tuple(steps[:-1]), steps[-1]), *steps, **more)


def test_a_certificate_is_a_key_and_its_key_id_the_person() -> None:
    ruleset = load(PTY.format("alice"))
    assert enter(ruleset, step()).way == LoginWay(True)
    assert ask(ruleset, Pty("xterm"), step()).allowed
    assert enter(ruleset, step(), person="bob").reason == "a certificate of staff is not that of bob"
    assert enter(ruleset, step("dave"), person="alice").reason == "a certificate of staff is not that of alice"


def test_an_account_below_the_least_uid_stands_in_the_authority_or_the_entry() -> None:
    """For whom the file writes it counts: a principal of the account's name writes nothing, nor does another entry."""
    people = PEOPLE.replace("version: 1\n", "version: 1\nserver: {accounts: system}\n").replace("deploy]", "root]")
    ruleset = load("grants: [{who: '*', allow: {pty: true}}]\n", people)
    mended = load("", people.replace("{deploy: [web, db]", "{root: [web, db]"))

    def reason(rules: Ruleset, name: str, principal: str) -> str:
        one = step(name, principal)
        unix = UnixFacts("root", 5)
        facts = Facts("root", name, None, "127.0.0.1:2222", "SSH-2.0-x", NOON, (one,), None, unix)
        return decide(rules, Query(facts, Login((), one))).reason

    for rules, name in ((ruleset, "root"), (ruleset, "dave"), (mended, "dave")):
        assert reason(rules, name, "root").endswith(
            f"below min_uid 1000, and the file does not write its name for {name}"
        )
    assert "lets no principal" in reason(ruleset, "dave", "web")
    for rules, name, principal in ((mended, "dave", "web"), (ruleset, "bob", "root")):
        assert reason(rules, name, principal) == "login entry 1 is met by certificate"


def test_a_holder_without_an_entry_is_a_person() -> None:
    ruleset = load(PTY.format("[dave, group:ops]"))
    assert enter(ruleset, step("dave")).allowed
    assert ask(ruleset, Pty("xterm"), step("dave")).allowed
    assert enter(ruleset, step("erin")).allowed
    assert not ask(ruleset, Pty("xterm"), step("erin")).allowed
    assert ruleset.holder_of(Certificate("staff", "dave")) is not None
    assert ruleset.holder_of(Certificate("staff", "alice")) is ruleset.people["alice"]
    assert ruleset.holder_of(Certificate("staff", "../x")) is None
    assert ruleset.holder_of(Certificate("other", "dave")) is None


def test_only_a_certificate_makes_such_a_holder() -> None:
    ruleset = load("login: [{methods: [password+publickey, publickey+password]}]")
    assert enter(ruleset, PASSWORD, person="dave").reason == "nobody is identified"
    assert enter(ruleset, step("dave"), PASSWORD).reason == "dave has no password"
    bare = Step("publickey", FINGERPRINTS[0])
    assert enter(ruleset, step("dave"), bare).reason == "a key is not among the keys of dave"
    assert enter(ruleset, bare, step("dave"), person="dave").reason == "a key is not among the keys of dave"
    found = enter(ruleset, Step("pam"), step("dave"), account="dave", person="dave")
    assert found.reason == "only a certificate makes dave a person"


@pytest.mark.security("S60")
@pytest.mark.parametrize(
    ("key_id", "principals", "account", "reason"),
    [
        ("dave", ("dave",), "dave", ""),
        ("dave", ("web",), "deploy", ""),
        ("dave", ("x", "db"), "deploy", ""),
        ("dave", ("x",), "deploy", "staff lets no principal of the certificate log in as this account"),
        ("dave", ("x",), "dave", "staff lets no principal of the certificate log in as this account"),
        ("dave", ("x,dave",), "dave", "staff lets no principal of the certificate log in as this account"),
        ("dave", ("dave ",), "dave", "staff lets no principal of the certificate log in as this account"),
        ("dave", ("*",), "dave", "staff lets no principal of the certificate log in as this account"),
        ("dave", ("root",), "root", ""),
        ("bob", ("web",), "deploy", ""),
        ("bob", ("alice",), "alice", "bob may not log in as this account"),
        ("alice", ("web",), "deploy", "alice may not log in as this account"),
    ],
)
def test_accounts_by_principal(key_id: str, principals: tuple[str, ...], account: str, reason: str) -> None:
    found = enter(load(), step(key_id, *principals), account=account)
    assert (found.reason if not found.allowed else "") == reason


def test_a_certificate_without_principals_opens_nothing() -> None:
    nothing = replace(step().certificate, principals=frozenset())  # type: ignore[type-var]
    assert not enter(load(), Step("publickey", FINGERPRINTS[3], certificate=nothing)).allowed


@pytest.mark.parametrize(
    ("principals", "account", "person", "allowed"),
    [
        (("job",), "backup", "job", True),
        (("job", "other"), "backup", "job", False),
        (("mirror",), "mirror", "mirror", True),
        (("job",), "job", "job", False),
        (("job",), "backup", "id", False),
    ],
)
def test_the_person_may_be_the_one_principal(
    principals: tuple[str, ...], account: str, person: str, allowed: bool
) -> None:
    found = enter(load(), step("id", *principals, authority="robots"), account=account, person=person)
    assert found.allowed is allowed


def test_without_accounts_a_principal_opens_its_own_name() -> None:
    people = PEOPLE.replace(', accounts: {deploy: [web, db], "{principal}": ["*"]}', "")
    assert enter(load("", people), step("dave")).allowed
    assert not enter(load("", people), step("dave", "web"), account="deploy").allowed


def test_keys_of_an_authority_in_every_form() -> None:
    forms = f'"{KEYS[2]}", ca/one.pub, {{file: ca/two.pub, not_after: 2027-01-31}}, {{name: three, key: "{KEYS[3]}"}}'
    people = PEOPLE.replace(f'staff: {{keys: ["{KEYS[2]}"]', f"staff: {{keys: [{forms}]")
    keys = load("", people).authorities["staff"].keys
    assert [key.file for key in keys] == [None, "ca/one.pub", "ca/two.pub", None]
    assert [key.fingerprint for key in keys] == [FINGERPRINTS[2], None, None, FINGERPRINTS[3]]
    assert keys[1].window.end is None
    assert keys[2].window.end is not None
    assert [key.where for key in keys] == ["p.yaml:7"] * 4


def test_an_authority_that_is_gone() -> None:
    assert enter(load(), step(authority="former")).reason == "a certificate is of no authority of the file"


def test_what_restricts_and_is_not_understood_refuses() -> None:
    found = enter(load(), step(options=frozenset(["verify-required", "x"])))
    assert found.reason == "a certificate has the critical option 'verify-required', which is not served"


def test_a_certificate_narrows_what_grants_allow() -> None:
    ruleset = load("grants: [{allow: {pty: true, exec: ls, confined: true}}]")
    bare = Step("publickey", FINGERPRINTS[3], certificate=Certificate("staff", "alice", frozenset(["alice"])))
    own = Step("publickey", FINGERPRINTS[0])
    for steps in ((bare,), (own, bare), (step(key=FINGERPRINTS[1]), bare)):
        found = ask(ruleset, Pty("xterm"), *steps, person="alice")
        assert (found.allowed, found.decided_by) == (False, "the certificate")
        assert found.reason == "the certificate of staff has no permit-pty"
        assert ask(ruleset, Exec(b"ls"), *steps, person="alice").allowed
    assert ask(ruleset, Pty("xterm"), step(), own).allowed


def test_a_certificate_has_its_time() -> None:
    ruleset = load(PTY.format("alice"))
    start, end = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    timed = step(not_before=start, not_after=end)
    assert (enter(ruleset, timed).allowed, enter(ruleset, timed).valid_until) == (False, start)
    found = ask(ruleset, Pty("xterm"), timed, now=start)
    assert (found.allowed, found.valid_until) == (True, end)
    assert not ask(ruleset, Pty("xterm"), timed, now=end).allowed


def test_a_certificate_counts_in_the_time_of_the_key_that_signed_it() -> None:
    end = NOON + timedelta(days=10)
    first = f'{{key: "{KEYS[2]}", not_after: "{end.isoformat()}"}}'
    keys = f'{first}, {{name: next, file: /ca, not_before: "{end.isoformat()}"}}'
    ruleset = load(PTY.format("alice"), PEOPLE.replace(f'keys: ["{KEYS[2]}"]', f"keys: [{keys}]"))
    held, after = (replace(step(), label=label) for label in (FINGERPRINTS[2], "next"))
    assert enter(ruleset, held).allowed
    assert ask(ruleset, Pty("xterm"), held).valid_until == end
    late = ask(ruleset, Pty("xterm"), held, now=end)
    assert (late.allowed, late.reason) == (False, "alice or a key of theirs is not valid at this time")
    assert not enter(ruleset, after).allowed
    assert enter(ruleset, after, now=end).allowed
    gone = enter(ruleset, replace(step(), label=FINGERPRINTS[0]))
    assert gone.reason == "a certificate is of no authority of the file"
    # Where it is not said which key it was, as in a case of `tests`, any may have been.
    assert enter(ruleset, step(), now=end).allowed
    twice = keys.replace("name: next, file: /ca", f'key: "{KEYS[2]}"')
    ruleset = load(PTY.format("alice"), PEOPLE.replace(f'keys: ["{KEYS[2]}"]', f"keys: [{twice}]"))
    assert all(enter(ruleset, held, now=now).allowed for now in (NOON, end))


def test_a_key_that_is_certified_counts_once() -> None:
    ruleset = load("login: [{who: alice, methods: publickey+publickey}]")
    own = Step("publickey", FINGERPRINTS[0])
    assert enter(ruleset, own, step(key=FINGERPRINTS[0])).reason == "a key counts once"
    assert enter(ruleset, own, step()).allowed


@pytest.mark.parametrize(
    ("methods", "steps", "complete"),
    [
        ("publickey", (step(),), True),
        ("certificate", (step(),), True),
        ("certificate", (Step("publickey", FINGERPRINTS[0]),), None),
        ("certificate+password", (step(),), False),
        ("certificate+password", (step(), PASSWORD), True),
        ("publickey+certificate", (step(), step(key=FINGERPRINTS[1])), True),
        ("publickey+certificate", (step(), Step("publickey", FINGERPRINTS[0])), None),
        ("[certificate, publickey+password]", (Step("publickey", FINGERPRINTS[0]),), False),
        ("[certificate, publickey+password]", (step(),), True),
    ],
)
def test_chains(methods: str, steps: tuple[Step, ...], complete: bool | None) -> None:
    ruleset = load(f"login: [{{who: alice, methods: {methods}}}]")
    way = enter(ruleset, *steps, person="alice").way
    assert (way.complete if isinstance(way, LoginWay) else None) is complete


@pytest.mark.parametrize(
    ("wanted", "steps", "holds"),
    [
        ("publickey", (step(),), True),
        ("certificate", (step(),), True),
        ("certificate", (Step("publickey", FINGERPRINTS[0]),), False),
        ("certificate+publickey", (Step("publickey", FINGERPRINTS[0]), step()), True),
        ("publickey+publickey", (Step("publickey", FINGERPRINTS[0]), step()), True),
        ("certificate+publickey", (step(),), False),
        ("certificate+certificate", (Step("publickey", FINGERPRINTS[0]), step()), False),
    ],
)
def test_with(wanted: str, steps: tuple[Step, ...], holds: bool) -> None:
    ruleset = load(f"grants: [{{who: alice, with: {wanted}, allow: {{pty: true}}}}]")
    assert ask(ruleset, Pty("xterm"), *steps, person="alice").allowed is holds


@pytest.mark.parametrize(
    ("who", "held", "holds"),
    [
        ("authority:staff", step("dave"), True),
        ("authority:staff", step("x", "mirror", authority="robots"), False),
        ("principal:staff/web", step("bob", "bob", "web"), True),
        ("principal:staff/web", step("bob", "bob"), False),
        ("principal:robots/web", step("bob", "bob", "web"), False),
        ("extension:staff/admin@example.org", step("dave", extensions=frozenset(["admin@example.org"])), True),
        ("extension:staff/admin@example.org", step("dave"), False),
        ("[alice, principal:staff/web]", step("alice"), True),
        (f"'key:{FINGERPRINTS[3]}'", step("dave"), True),
        (f"'key:{FINGERPRINTS[0]}'", step("dave"), False),
    ],
)
def test_who(who: str, held: Step, holds: bool) -> None:
    said = held.certificate
    assert said is not None
    person = said.key_id if said.authority == "staff" else "mirror"
    found = ask(load(PTY.format(who)), Pty("xterm"), held, person=person, trace=True)
    assert found.allowed is holds
    assert found.trace[0].failed == ("" if holds else "who: " + who.strip("'"))


def test_a_bare_key_matches_no_authority() -> None:
    ruleset = load(PTY.format("authority:staff"))
    assert not ask(ruleset, Pty("xterm"), Step("publickey", FINGERPRINTS[0]), person="alice").allowed


def test_a_deny_by_certificate_concerns_everyone() -> None:
    ruleset = load("grants: [{allow: {pty: true}}, {who: principal:staff/web, deny: all}]")
    assert ask(ruleset, Pty("xterm"), step("dave", "dave")).allowed
    assert not ask(ruleset, Pty("xterm"), step("dave", "dave", "web")).allowed
    assert not ask(ruleset, Pty("xterm"), step("alice", "alice", "web")).allowed


def test_a_deny_that_names_a_holder_and_more() -> None:
    ruleset = load("grants: [{allow: {pty: true}}, {who: [dave, group:ops], deny: all}]")
    assert not ask(ruleset, Pty("xterm"), step("dave")).allowed
    assert not ask(ruleset, Pty("xterm"), step("alice")).allowed
    assert ask(ruleset, Pty("xterm"), step("erin")).allowed


def test_nothing_is_offered_by_who_has_a_certificate() -> None:
    ruleset = load("login: [{who: authority:staff, methods: certificate}, {methods: password}]")
    facts = Facts("x", None, None, "127.0.0.1:2222", "SSH-2.0-x", NOON)
    assert first_methods(ruleset, facts) == ("certificate", "password")


# The checks of a document


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("grants: [{who: authority:staf, allow: {pty: true}}]", "unknown authority 'staf' in who"),
        ("grants: [{who: principal:staff, allow: {pty: true}}]", ("found 'principal:staff', expected "
                                                                  'principal:CA/NAME, the authority and what its '
                                                                  'certificate has')),
        ("grants: [{who: 'extension:staff/', allow: {pty: true}}]", ("found 'extension:staff/', expected "
                                                                     'extension:CA/NAME, the authority and what '
                                                                     'its certificate has')),
        ("login: [{methods: [publickey, certificate]}]", ('chain certificate begins with publickey, which is '
                                                          'enough alone')),
        ("login: [{methods: [certificate+password, publickey]}]", ('chain certificate+password begins with '
                                                                   'publickey, which is enough alone')),
        (
            "login: [{who: principal:staff/web, from: 10.0.0.0/8, methods: certificate+password}, "
            "{methods: certificate}]",
            ('alice is held to certificate+password by p.yaml:9, but this entry admits alice from 11.0.0.0 '
             'by a certificate of staff with alice and web with less: certificate'),
        ),
        (
            "login: [{who: alice, from: 10.0.0.0/8, methods: certificate}, {methods: publickey}]",
            ('alice is held to certificate by p.yaml:9, but this entry admits alice from 11.0.0.0 with less: '
             'publickey'),
        ),
        (
            "login: [{methods: publickey}, {who: authority:staff, methods: certificate}]",
            'login entry is never reached: what it matches is decided before it, by p.yaml:9',
        ),
        (
            "grants: [{who: principal:staff/web, allow: {forced: [a], confined: true}}, "
            "{who: extension:staff/x, allow: {forced: [b], confined: true}}]",
            ('clash: forced: [a] (confined) here and forced: [b] (confined) at p.yaml:9 would both answer '
             'shell of alice by a certificate of staff with alice and web and x (grant 1 at p.yaml:9, grant '
             '2 at p.yaml:9)'),
        ),
        (
            "grants: [{who: authority:staff, roles: login-shell}]",
            ('alice, bob, somebody may run a program that is not confined, shell: true (built-in role '
             "login-shell), and with accounts: service that is to be the daemon's own user; only one person "
             'may be that'),
        ),
    ],
)  # fmt: skip
def test_refused(section: str, message: str) -> None:
    assert message in errors(section).splitlines()


@pytest.mark.parametrize(
    "section",
    [
        "login: [{methods: [certificate, publickey+password]}]",
        "login: [{who: alice, from: 10.0.0.0/8, methods: publickey}, {methods: certificate}]",
        "login: [{who: authority:staff, methods: certificate}, {methods: publickey+password}]",
        # One certificate is of one authority, and a login with one certificate has no two.
        "login: [{methods: certificate}]\n"
        "grants: [{who: authority:staff, allow: {forced: [a], confined: true}}, "
        "{who: authority:robots, allow: {forced: [b], confined: true}}]",
        # Nobody comes to these accounts by that authority.
        "grants: [{who: authority:robots, account: [backup], allow: {forced: [a], confined: true}}, "
        "{who: authority:robots, account: mirror, allow: {forced: [b], confined: true}}]",
    ],
)
def test_accepted(section: str) -> None:
    load(section)


def test_two_certificates_may_be_of_two_authorities() -> None:
    clash = (
        "login: [{methods: publickey+certificate}]\n"
        "grants: [{who: authority:staff, account: dave, allow: {forced: [a], confined: true}}, "
        "{who: authority:robots, allow: {forced: [b], confined: true}}]"
    )
    load(clash)
    assert "clash" in errors(clash.replace("account: dave", "account: deploy").replace("backup: ", "deploy: "),
                             PEOPLE.replace("backup: ", "deploy: "))  # fmt: skip


def test_a_grant_for_an_account_that_no_certificate_opens_is_empty() -> None:
    found = load_text(
        PEOPLE + "grants: [{name: g, who: authority:robots, account: web, allow: {pty: true}}]", language=True
    )
    assert "g matches nobody" in [problem.message for problem in found.warnings]


def test_a_holder_who_is_almost_a_person() -> None:
    found = load_text(PEOPLE + PTY.format("alcie"), language=True)
    assert [problem.hint for problem in found.warnings if "alcie in who" in problem.message] == [
        "did you mean 'alice'?"
    ]


def test_a_key_of_two_authorities() -> None:
    people = PEOPLE.replace("keys: [ca/robots.pub]", f'keys: ["{KEYS[2]}"]')
    assert errors("", people) == f"key {FINGERPRINTS[2]} of the authority robots is also that of staff at p.yaml:7"


def test_it_is_served() -> None:
    found = load_text(PEOPLE.replace("ca/robots.pub", f"'{KEYS[3]}'") + "login: [{methods: certificate}]")
    assert found.ruleset.takes_certificates


def test_a_file_of_an_authority_has_keys_without_options() -> None:
    files = {"ca/robots.pub": parse_key_file(f"cert-authority {KEYS[3]}\n".encode())}
    assert told_of_files(files) == [
        "p.yaml:8:19: key file ca/robots.pub: it has options in front of a key, which are none of an authority (leave "
        "the options out)"
    ]


def test_a_key_of_two_authorities_that_stands_in_a_file() -> None:
    """A file of one's own that says the same key twice is no fault."""
    twice = parse_key_file(f"{KEYS[3]}\n{KEYS[3]}\n".encode())
    assert load_text(PEOPLE, "p.yaml", key_files={"ca/robots.pub": twice}).ruleset.authorities
    files = {"ca/robots.pub": parse_key_file(f"{KEYS[3]}\n{KEYS[2]}\n".encode())}
    assert told_of_files(files) == [
        f"p.yaml:8:19: key {FINGERPRINTS[2]} of the authority robots is also that of staff at p.yaml:7 (a key means "
        "one authority)"
    ]


def test_a_file_of_an_authority_that_is_of_no_use() -> None:
    assert told_of_files({"ca/robots.pub": KeyFile(problem="it holds no key")}) == [
        "p.yaml:8:19: key file ca/robots.pub: it holds no key"
    ]


def test_an_entry_behind_one_for_a_principal_of_one_account_is_reached() -> None:
    """Whoever comes as an account of their own name has a principal of that name, and none of the others."""
    login = "login: [{who: 'principal:staff/web', methods: certificate}, {who: dave, methods: certificate}]\n"
    people = PEOPLE.replace("[web, db]", "[web]")
    assert load_text(people + login, "p.yaml", language=True).ruleset.login[1].chains

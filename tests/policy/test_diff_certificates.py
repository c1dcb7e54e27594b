"""Logins by certificate under two policies: who gets in by a certificate of which authority, as which account."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pysshd.policy.diff import CERTIFIED, Change, Difference, difference
from pysshd.policy.diff_certificates import WORDS_MAX
from pysshd.policy.diff_sessions import Side
from pysshd.policy.keyfiles import parse_key_file
from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.query import Exec, Facts, Login, Pty, Request, Step
from pysshd.policy.ruleset import Ruleset
from pysshd.policy.steps import Certificate
from tests.policy.support import FINGERPRINTS, HASH, KEYS, NOON
from tests.policy.test_diff_properties import has

PEOPLE: Final = f"""\
version: 1
groups: [ops]
users:
  alice: {{groups: ops, keys: ["{KEYS[0]}"], accounts: [alice, deploy], password: "{HASH}"}}
  bob: {{keys: ["{KEYS[1]}"]}}
"""
STAFF: Final = f'authorities: {{staff: {{keys: ["{KEYS[2]}"], accounts: {{deploy: [web], "{{principal}}": ["*"]}}}}}}\n'
PTY: Final = "grants: [{who: %s, allow: {pty: true}}]\n"


def side(text: str, name: str) -> Side:
    return Side(load_text(PEOPLE + text, name, language=True).ruleset)


def compared(old: str, new: str) -> Difference:
    return difference(side(old, "old.yaml"), side(new, "new.yaml"))


def only(changes: tuple[Change, ...]) -> Change:
    (change,) = changes
    return change


def told(changes: tuple[Change, ...]) -> set[str]:
    return {change.what for change in changes}


def test_one_more_principal_for_an_account() -> None:
    found = compared(STAFF, STAFF.replace("[web]", "[web, ci]"))
    assert found.lost == ()
    change = only(found.gained)
    assert change.people == ("alice", CERTIFIED)
    assert change.what == "login by certificate of staff with principal ci as deploy"
    assert (change.sure, change.old, change.new) == (True, "old.yaml:6, not for this account", "new.yaml:6")
    assert only(compared(STAFF.replace("[web]", "[web, ci]"), STAFF).lost).what == change.what


@pytest.mark.parametrize(
    "grants",
    [
        "grants: [{who: alice, allow: {exec: [[serve, '{principal}']], confined: true}}]\n",
        "grants: [{who: alice, allow: {exec: 'cat *', confined: true}},"
        " {who: alice, deny: {exec: [[cat, '{principal}']]}}]\n",
    ],
)
def test_principals_that_fill_a_slot(grants: str) -> None:
    """A certificate with two principals that open an account fills no slot, and with one of them it does."""
    one, two = (STAFF.replace("[web]", words) + grants for words in ("[web]", "[web, ci]"))
    assert compared(one, one) == Difference((), ())
    assert any(change.what.startswith("exec:") for change in compared(two, one).gained)
    renamed = one.replace("staff: {keys", "crew: {keys").replace("principal}']", "principal}' ]")
    assert compared(one, renamed) == Difference((), ())


def test_any_principal_for_an_account() -> None:
    change = only(compared(STAFF, STAFF.replace("[web]", "['*']")).gained)
    assert change.what == "login by certificate of staff with any principal as deploy"
    assert change.example == "alice by a certificate of staff"


def test_an_authority_that_is_new_and_one_that_is_gone() -> None:
    found = compared("", STAFF)
    alice = "login by certificate of staff with principal alice as alice"
    stranger = "login by certificate of staff with any principal as the account of its name"
    assert {alice, stranger} <= told(found.gained)
    assert {change.old for change in found.gained} == {"no authority with this key", "no such person"}
    assert {change.new for change in found.gained} == {"new.yaml:6"}
    assert found.lost == ()
    assert told(compared(STAFF, "").lost) == told(found.gained)


def test_an_authority_is_its_key_whatever_it_is_called() -> None:
    grant = PTY % "'principal:staff/web'"
    renamed = (STAFF + grant).replace("staff", "people")
    assert compared(STAFF + grant, renamed) == Difference((), ())
    other = compared(STAFF, STAFF.replace(KEYS[2], KEYS[3]))
    assert told(other.gained) == told(other.lost) != set()


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        (PTY % "alice", PTY % "[alice, 'principal:staff/web']", True),
        (PTY % "[alice, 'principal:staff/web']", PTY % "alice", False),
        (PTY % "'principal:staff/web'", PTY % "'authority:staff'", True),
        (PTY % "'authority:staff'", PTY % "'principal:staff/web'", False),
        (PTY % "'*'", PTY % "'*', unless: {who: 'extension:staff/guest'}", False),
        (PTY % "'*', unless: {who: 'extension:staff/guest'}", PTY % "'*'", True),
        (PTY % "'principal:staff/web', unless: {who: 'principal:staff/db'}", PTY % "'principal:staff/web'", True),
        (PTY % "'principal:staff/web'", PTY % "'principal:staff/web', unless: {who: 'principal:staff/db'}", False),
        (PTY % "'authority:staff', account: deploy", PTY % "'authority:staff'", True),
        (PTY % "'authority:staff'", PTY % "'authority:staff', account: deploy", False),
        (PTY % f"'key:{FINGERPRINTS[3]}'", PTY % "'authority:staff'", True),
        ("login: [{methods: certificate}]\n", "login: [{methods: publickey}]\n", True),
        ("login: [{methods: publickey}]\n", "login: [{methods: certificate}]\n", False),
        ("login: [{methods: certificate+password}]\n", "login: [{methods: certificate}]\n", True),
        ("login: [{methods: certificate}]\n", "login: [{methods: certificate+password}]\n", False),
        ("login: [{who: 'principal:staff/web', methods: certificate}]\n", "login: [{methods: certificate}]\n", True),
        ("login: [{methods: certificate}]\n", "login: [{who: 'principal:staff/web', methods: certificate}]\n", False),
    ],
)
def test_what_entries_ask_of_certificates(old: str, new: str, more: bool) -> None:
    found = compared(STAFF + old, STAFF + new)
    assert bool(found.gained) is more
    assert all(change.sure for change in found.gained)


def test_the_person_of_a_certificate() -> None:
    principal = STAFF.replace("accounts:", "person: principal, accounts:")
    found = compared(STAFF, principal)
    assert {change.old for change in found.gained} == {"old.yaml:6, where it names another person"}
    # The key id says nothing then, whatever it is.
    assert compared(principal, principal) == Difference((), ())
    assert {"web"} <= {name for change in compared(principal, STAFF).lost for name in change.people}


def test_the_time_of_an_authority_s_key() -> None:
    late = STAFF.replace(f'["{KEYS[2]}"]', f'[{{key: "{KEYS[2]}", not_after: 2027-01-01}}]')
    found = compared(late, STAFF).gained
    assert all("at 2027-01-02" in change.example for change in found)
    assert {change.old for change in found} == {"old.yaml:6, not valid then"}
    assert compared(STAFF, late).gained == ()


def test_somebody_whose_entry_is_gone_is_let_in_by_a_certificate_all_the_same() -> None:
    without = PEOPLE.replace(f'  bob: {{keys: ["{KEYS[1]}"]}}\n', "")
    old = Side(load_text(PEOPLE + STAFF, "old.yaml", language=True).ruleset)
    new = Side(load_text(without + STAFF, "new.yaml", language=True).ruleset)
    found = difference(old, new)
    assert {change.people for change in found.gained} == {("bob",)}
    assert "as deploy" in " ".join(told(found.gained))
    assert told(found.lost) == {f"login by publickey with the key {FINGERPRINTS[1]}"}


def test_another_account_for_somebody_by_a_certificate() -> None:
    more = PEOPLE.replace("accounts: [alice, deploy]", "accounts: [alice, deploy, git]")
    old = Side(load_text(PEOPLE + STAFF, "old.yaml", language=True).ruleset)
    new = Side(load_text(more + STAFF, "new.yaml", language=True).ruleset)
    assert "login by certificate of staff with principal git as git" in told(difference(old, new).gained)


def test_more_principals_than_are_combined() -> None:
    names = [f"p{number}" for number in range(WORDS_MAX + 1)]
    entries = (f"{{name: {name}, who: 'principal:staff/{name}', allow: {{pty: true}}}}" for name in names)
    grants = f"grants: [{', '.join(entries)}]\n"
    found = compared(STAFF + grants, STAFF + grants + "login: [{methods: certificate}]\n")
    assert {change.what for change in found.gained} == {"anything: there are more cases than can be tried"}
    # Those that nothing tells apart count as one.
    many = STAFF.replace("[web]", f"[{', '.join(names)}]")
    assert compared(many, many.replace("p0, ", "")).gained == ()
    assert len(compared(many.replace("p0, ", ""), many).gained) == 1


def test_two_certificates_are_not_compared() -> None:
    twice = "login: [{methods: certificate+certificate}]\n"
    assert compared(STAFF + twice, STAFF + twice) == Difference((), ())
    change = next(one for one in compared(STAFF + twice, STAFF + twice + PTY % "alice").gained if not one.sure)
    assert change.what == "logins by two certificates, which are not compared"


# Whatever is drawn

AUTHORITIES: Final = st.sampled_from(
    [
        f'a: {{keys: ["{KEYS[2]}"]}}',
        f'a: {{keys: ["{KEYS[2]}"], accounts: {{deploy: [web, db]}}}}',
        f'b: {{keys: ["{KEYS[2]}"], accounts: {{deploy: [web], "{{principal}}": ["*"]}}}}',
        f'a: {{keys: ["{KEYS[2]}"], accounts: {{deploy: ["*"], "{{principal}}": [alice, web]}}}}',
        f'a: {{keys: ["{KEYS[2]}"], person: principal, accounts: {{deploy: [alice], "{{principal}}": ["*"]}}}}',
        f'a: {{keys: ["{KEYS[3]}"]}}, b: {{keys: ["{KEYS[2]}"], accounts: {{git: [web], deploy: [dave]}}}}',
        f'a: {{keys: ["{KEYS[2]}", "{KEYS[3]}"], accounts: {{deploy: [web], git: ["*"]}}}}',
    ]
)
WHO: Final = st.sampled_from(
    ["alice", "bob", "dave", "'*'", "group:ops", "'authority:%s'", "'principal:%s/web'", "'principal:%s/db'",
     "[bob, 'extension:%s/guest']", f"'key:{FINGERPRINTS[3]}'"]
)  # fmt: skip
ENTRIES: Final = st.tuples(
    WHO,
    st.sampled_from(["", "account: deploy, ", "from: 10.0.0.0/8, ", "with: certificate, ", "unless: {who: %s}, "]),
    WHO,
    st.sampled_from(["allow: {pty: true}", "allow: {exec: ls, confined: true}", "deny: {pty: true}", "deny: all"]),
)
LOGINS: Final = st.sampled_from(
    [
        "", "", "login: [{methods: certificate}]\n", "login: [{methods: [certificate+password, publickey]}]\n",
        "login: [{who: 'principal:%s/web', refuse: true}, {methods: publickey}]\n",
        "login: [{who: [alice, 'authority:%s'], from: 10.0.0.0/8, methods: certificate}, {methods: password}]\n",
    ]
)  # fmt: skip
CERTIFICATES: Final = st.builds(
    Certificate,
    st.sampled_from(
        [*FINGERPRINTS[2:], *FINGERPRINTS[2:3] * 2]
    ),  # the key that signed it, until a policy has said whose that is
    st.sampled_from(["alice", "bob", "dave", "erin"]),
    st.frozensets(st.sampled_from(["alice", "web", "db", "dave", "deploy", "git", "x"]), min_size=1, max_size=3),
    st.sampled_from([frozenset(["permit-pty"]), frozenset(["permit-pty", "guest"]), frozenset()]),
)
ASKED: Final = st.lists(
    st.tuples(
        CERTIFICATES,
        st.sampled_from(["alice", "bob", "deploy", "deploy", "deploy", "git", "dave", "web"]),
        st.sampled_from(["10.0.0.1", "192.0.2.1"]),
        st.booleans(),
        st.sampled_from([Pty("xterm"), Exec(b"ls"), None]),
    ),
    min_size=40,
    max_size=60,
)


@st.composite
def policies(draw: st.DrawFn) -> tuple[Ruleset, Ruleset]:
    """Two documents with authorities, that have something in common."""
    authorities, login, grants = draw(AUTHORITIES), draw(LOGINS), draw(st.lists(ENTRIES, min_size=1, max_size=3))
    found = []
    for _ in range(2):
        name = authorities[0]
        entries = "".join(
            f"  - {{name: g{number}, who: {who % name if '%' in who else who}, "
            f"{(more % other if '%s' in more else more).replace('%s', name)}{effect}}}\n"
            for number, (who, more, other, effect) in enumerate(grants)
        )
        text = f"authorities: {{{authorities}}}\n{login.replace('%s', name)}grants:\n{entries}"
        try:
            found.append(load_text(PEOPLE + text, "p.yaml", language=True).ruleset)
        except PolicyError:
            assume(False)
        part = draw(st.sampled_from(["authorities", "login", "grants", "one more", "one less"]))
        authorities = draw(AUTHORITIES) if part == "authorities" else authorities
        login = draw(LOGINS) if part == "login" else login
        grants = draw(st.lists(ENTRIES, min_size=1, max_size=3)) if part == "grants" else grants
        grants = [*grants, draw(ENTRIES)] if part == "one more" else grants
        grants = grants[1:] if part == "one less" and len(grants) > 1 else grants
    return found[0], found[1]


def signed(ruleset: Ruleset, certificate: Certificate) -> Certificate:
    """The certificate with the name of the authority that has its key."""
    name = next(
        (one.name for one in ruleset.authorities.values()
         if any(key.fingerprint == certificate.authority for key in one.keys)), "nobody's"
    )  # fmt: skip
    return replace(certificate, authority=name)


def may(ruleset: Ruleset, asked: tuple[Certificate, str, str, bool, Request | None]) -> bool:
    """Whether the holder of a certificate, and of alice's password, gets in, and then what is asked for."""
    certificate, account, source, password, request = asked
    said = signed(ruleset, certificate)
    holder = ruleset.holder_of(said)
    if holder is None:
        return False
    steps = (Step("publickey", FINGERPRINTS[3], None, said), *([Step("password")] if password else []))
    facts = Facts(account, holder.name, ip_address(source), "127.0.0.1:2222", "SSH-2.0-x", NOON, steps, holder)
    # With no request it is asked whether they get in.
    return any(has(ruleset, facts, some, request or Login(steps[:0], steps[0])) for some in (steps, steps[:1]))


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=25)
@given(policies(), ASKED)
def test_what_a_certificate_gains_is_never_passed_over(
    pair: tuple[Ruleset, Ruleset], asked: list[tuple[Certificate, str, str, bool, Request | None]]
) -> None:
    old, new = pair
    found = difference(Side(old), Side(new))
    for one in asked:
        if may(new, one) and not may(old, one):
            assert found.gained, one
        if may(old, one) and not may(new, one):
            assert found.lost, one


def test_the_certificates_that_are_drawn_do_differ() -> None:
    """The property is about something: some pairs gain for certain, and some gain nothing though they differ."""
    seen = {True: 0, False: 0}
    shown: list[bool] = []

    @settings(max_examples=60, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(policies(), ASKED)
    def draw(pair: tuple[Ruleset, Ruleset], asked: list[tuple[Certificate, str, str, bool, Request | None]]) -> None:
        old, new = pair
        seen[bool(difference(Side(old), Side(new)).gained)] += 1
        shown.extend(may(new, one) and not may(old, one) for one in asked)

    draw()
    assert min(seen.values()) > 10
    assert sum(shown) > 10, (sum(shown), seen)


def test_an_authority_with_a_file_of_two_keys_is_one() -> None:
    text = f'version: 1\nusers: {{alice: {{keys: ["{KEYS[0]}"]}}}}\n' + (
        "authorities: {staff: {keys: [{file: ca.pub}]}}\n"
        "login: [{methods: certificate}]\ngrants: [{who: alice, allow: {exec: ls, confined: true}}]\n"
    )
    files = {"ca.pub": parse_key_file(f"{KEYS[1]}\n{KEYS[2]}\n".encode())}
    one = load_text(text, "p.yaml", language=True, key_files=files)
    both = Side(one.ruleset, one.key_files), Side(one.ruleset, one.key_files)
    assert difference(*both) == Difference((), ())

"""People and permissions at a glance."""

import pytest

from pysshd.policy.diff_sessions import Side
from pysshd.policy.keyfiles import parse_key_file
from pysshd.policy.load import load_text
from pysshd.policy.matrix import ANYBODY, CERTIFIED, DENIED, LOGIN, NO, SOMETIMES, YES, Cell, Matrix, matrix
from tests.policy.support import KEYS, PEOPLE

SYSTEM = PEOPLE.replace("users:", "server: {accounts: system}\nusers:")


def made(more: str, people: str = PEOPLE) -> Matrix:
    return matrix(Side(load_text(people + more, "p.yaml").ruleset))


def cell(found: Matrix, person: str, column: str) -> Cell:
    (row,) = (row for row in found.rows if row.person == person)
    return row.cell(column)


def test_a_row_for_each_person_and_a_column_for_each_kind() -> None:
    found = made(
        "grants:\n"
        "  - {name: a, who: alice, allow: {exec: ls, pty: true, env: {accept: LANG, set: {A: b}}, confined: true}}\n"
        "  - {name: b, who: bob, allow: {shell: true, subsystems: {sftp: [x]}, confined: true}}\n"
        "  - {name: c, who: carol, allow: {forced: [serve], confined: true}}\n"
    )
    assert found.columns == (LOGIN, "shell", "exec", "forced", "env", "pty", "subsystem sftp")
    assert [(row.person, row.groups) for row in found.rows] == [
        ("alice", ("dba", "ops")), ("bob", ("ops",)), ("carol", ()),
    ]  # fmt: skip
    assert found.rows[1].where == "p.yaml:6"
    (reason,) = cell(found, "alice", "exec").reasons
    assert (reason.allows, reason.what, reason.conditions, reason.where, reason.name) == (
        True, "exec: ls (confined)", "", "p.yaml:9", "a",
    )  # fmt: skip
    assert cell(found, "alice", "exec").state == YES
    assert cell(found, "carol", "exec").state == NO


@pytest.mark.parametrize(
    ("grants", "state"),
    [
        ("[{who: alice, allow: {pty: true}}]", YES),
        ("[{who: group:dba, allow: {pty: true}}]", YES),
        ("[{account: [alice, git], allow: {pty: true}}]", YES),
        ("[{account: git, allow: {pty: true}}]", SOMETIMES),
        ("[{who: alice, from: 10.0.0.0/8, allow: {pty: true}}]", SOMETIMES),
        ("[{who: key:laptop, allow: {pty: true}}]", SOMETIMES),
        ("[{who: alice, unless: {from: 10.0.0.0/8}, allow: {pty: true}}]", SOMETIMES),
        ("[{who: alice, not_after: 2027-01-01, allow: {pty: true}}]", SOMETIMES),
        ("[{who: alice, allow: {pty: true}}, {who: bob, deny: all}]", YES),
        ("[{who: alice, allow: {pty: true}}, {who: '*', deny: {shell: true}}]", YES),
        ("[{who: alice, allow: {pty: true}}, {who: '*', from: 10.0.0.0/8, deny: all}]", SOMETIMES),
        ("[{who: alice, allow: {pty: true}}, {who: '*', deny: {pty: true}}]", DENIED),
        ("[{who: alice, allow: {pty: true}}, {who: '*', deny: all}]", DENIED),
        ("[{who: bob, allow: {pty: true}}]", NO),
    ],
)
def test_what_a_cell_says(grants: str, state: str) -> None:
    assert cell(made(f"grants: {grants}\n"), "alice", "pty").state == state


def test_a_deny_of_some_of_it() -> None:
    found = made(
        "grants: [{who: alice, allow: {exec: [ls, rm], confined: true}}, {name: d, who: '*', deny: {exec: rm}}]\n"
    )
    there = cell(found, "alice", "exec")
    assert there.state == SOMETIMES
    deny = there.reasons[-1]
    assert (deny.allows, deny.what, deny.name, deny.bare, deny.whole) == (False, "exec: rm", "d", True, False)


def test_logins() -> None:
    found = made("login: [{who: alice, from: 10.0.0.0/8, methods: publickey}, {who: bob, methods: publickey},"
                 " {who: carol, refuse: true}]\n"
                 "grants: [{who: '*', allow: {pty: true}}]\n")  # fmt: skip
    assert [row.cell(LOGIN).state for row in found.rows] == [SOMETIMES, YES, NO]
    (reason,) = found.rows[0].cell(LOGIN).reasons
    assert (reason.what, reason.conditions, reason.where) == ("publickey", "from: 10.0.0.0/8", "p.yaml:8")
    assert reason.sources == ((4, 10 << 24, (11 << 24) - 1),)
    # Whoever can not log in may do nothing, whatever grants say.
    assert [row.cell("pty").state for row in found.rows] == [YES, YES, NO]


def test_whence_a_line_counts() -> None:
    found = made("grants: [{who: alice, unless: {from: 10.0.0.0/8}, allow: {pty: true}},"
                 " {who: bob, unless: {from: 10.0.0.0/8, account: bob}, allow: {pty: true}}]\n")  # fmt: skip
    (alice,), (bob,) = cell(found, "alice", "pty").reasons, cell(found, "bob", "pty").reasons
    assert (alice.sources, alice.others, alice.bare) == (None, ((4, 10 << 24, (11 << 24) - 1),), True)
    assert (bob.others, bob.bare) == ((), False)
    assert alice.conditions == "unless: {from: 10.0.0.0/8}"
    assert bob.conditions == "unless: {account: bob, from: 10.0.0.0/8}"
    both = made("grants: [{who: alice, account: git, from: 10.0.0.0/8, unless: {from: 10.1.0.0/16}, deny: all},"
                " {who: alice, allow: {pty: true}}]\n")  # fmt: skip
    _, deny = cell(both, "alice", "pty").reasons
    assert (deny.allows, deny.what, deny.conditions) == (
        False, "everything", "account: git, from: 10.0.0.0/8, unless: {from: 10.1.0.0/16}"
    )  # fmt: skip


def test_people_of_the_host_and_their_time() -> None:
    source = "sources: [{system: {min_uid: 1000}, keys: [{authorized_keys: ~/.ssh/authorized_keys}]}]\n"
    found = made(source + "grants: [{who: '*', allow: {pty: true}}]\n", SYSTEM)
    assert found.rows[-1].person == ANYBODY
    (reason,) = found.rows[-1].cell("pty").reasons
    assert reason.conditions == "everyone but uid 0"
    timed = made("", PEOPLE.replace("bob: {", "bob: {not_before: 2027-01-01, not_after: 2027-01-29, "))
    assert timed.rows[1].window == "from 2027-01-01T00:00+00:00 until 2027-01-30T00:00+00:00"
    assert timed.rows[0].window == ""
    assert timed.rows[1].cell(LOGIN).state == YES


@pytest.mark.parametrize("login", ["", 'login: [{who: "*", methods: publickey}]\n', "login: [{methods: publickey}]\n"])
@pytest.mark.parametrize("who", ["", "who: '*', "])
def test_who_can_not_be_uid_0_is_not_told_so(login: str, who: str) -> None:
    people = SYSTEM + f'  chief: {{keys: "{KEYS[3]}", accounts: [root, chief]}}\n  boss: {{run_as: root}}\n'
    found = made(f"{login}grants: [{{{who}allow: {{pty: true}}}}]\n", people)
    assert [cell(found, name, "pty").state for name in ("alice", "bob", "carol")] == [YES] * 3
    assert [cell(found, name, LOGIN).state for name in ("alice", "bob", "carol")] == [YES] * 3
    for column in (LOGIN, "pty"):
        there = cell(found, "chief", column)
        assert (there.state, [one.conditions for one in there.reasons]) == (SOMETIMES, ["everyone but uid 0"])


def test_whom_an_entry_leaves_out() -> None:
    guests = (
        SYSTEM
        + "  guest: {names: ['g-*'], run_as: nobody}\n  chief: {accounts: [root, chief], keys: "
        + f'"{KEYS[3]}"}}\n'
    )
    text = guests + "login: [{who: chief, methods: publickey}]\n"
    text += "grants: [{who: ['*', group:ops], allow: {pty: true}}, {allow: {shell: true}}]\n"
    found = matrix(Side(load_text(text, "p.yaml", language=True).ruleset))
    (reason,) = cell(found, "chief", "shell").reasons
    assert reason.conditions == "everyone but uid 0 and guests"
    (reason,) = cell(found, "chief", "pty").reasons
    assert reason.conditions == "who: [*, group:ops], not uid 0 and guests"


def test_forwarding_has_columns_by_the_names_of_the_language() -> None:
    text = "grants: [{who: '*', allow: {forward: {local: 'db.example.com:5432'}, agent: true, x11: true}}]\n"
    found = matrix(Side(load_text(PEOPLE + text, "p.yaml", language=True).ruleset))
    assert found.columns == (LOGIN, "agent", "forward", "x11")


def test_more_cases_than_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pysshd.policy.matrix._CASES_MAX", 0)
    found = made("login: [{from: 10.0.0.0/8, methods: publickey}, {methods: publickey}]\n")
    assert found.rows[0].cell(LOGIN).state == SOMETIMES


AUTHORITY = f"""\
version: 1
users: {{alice: {{accounts: [alice, deploy]}}, bob: {{keys: ["{KEYS[1]}"]}}}}
authorities: {{staff: {{keys: ["{KEYS[0]}"], accounts: {{deploy: [web], "{{principal}}": ["*"]}}}}}}
login: [{{who: [alice, "principal:staff/web"], methods: certificate}}, {{who: dave, methods: certificate}},
        {{who: bob, methods: publickey}}]
grants: [{{who: alice, allow: {{pty: true}}}}, {{name: web, who: "principal:staff/web", allow: {{x11: true}}}}]
"""


def test_who_comes_by_a_certificate() -> None:
    found = matrix(Side(load_text(AUTHORITY, "p.yaml", language=True).ruleset))
    states = {row.person: {column: row.cell(column).state for column in found.columns} for row in found.rows}
    assert states == {
        "alice": {"login": YES, "pty": YES, "x11": SOMETIMES},
        "bob": {"login": YES, "pty": NO, "x11": SOMETIMES},
        "dave": {"login": YES, "pty": NO, "x11": SOMETIMES},
        CERTIFIED: {"login": SOMETIMES, "pty": NO, "x11": SOMETIMES},
    }


def test_more_certificates_than_can_be_told_apart() -> None:
    """The logins that some certificate could be enough for are told, and of the others those that there are."""
    login = ", ".join(f"{{who: 'principal:staff/p{number}', methods: certificate}}" for number in range(9))
    more = (
        f"login: [{login}, {{who: carol, methods: certificate}}, {{who: alice, methods: [password, publickey+totp]}}, "
    )
    found = matrix(Side(load_text(AUTHORITY.replace("login: [", more), "p.yaml", language=True).ruleset))
    there = cell(found, "alice", LOGIN)
    assert there.state == SOMETIMES
    expected = [*range(1, 10), 11, 12]
    assert [(one.what, one.name) for one in there.reasons] == [
        ("publickey+totp" if number == 11 else "certificate", f"login entry {number}") for number in expected
    ]


def test_what_the_key_of_a_file_takes_away() -> None:
    people = "version: 1\nusers: {alice: {keys: [{name: laptop, file: /k}, {name: other, file: /o}]}}\n"
    text = people + "grants: [{who: alice, allow: {pty: true}}]\n"
    files = {
        "/k": parse_key_file(f"no-pty {KEYS[0]}\n".encode(), "/k"),
        "/o": parse_key_file(f"{KEYS[1]}\n".encode(), "/o"),
    }
    found = load_text(text, "p.yaml", key_files=files)
    there = cell(matrix(Side(found.ruleset, found.key_files)), "alice", "pty")
    assert [(one.allows, one.what, one.where) for one in there.reasons] == [
        (True, "pty: true", "p.yaml:3"),
        (False, "pty", "/k:1"),
    ]
    assert there.state == SOMETIMES
    files["/o"] = files["/k"]
    assert cell(matrix(Side(found.ruleset, files)), "alice", "pty").state == DENIED
    assert cell(matrix(Side(found.ruleset)), "alice", "pty").state == YES

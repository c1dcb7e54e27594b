"""How much is tried before a comparison gives up: cases, entries and steps, each of which counts."""

import pytest

from pysshd.policy.diff_people import Comparison, UncomparableError
from pysshd.policy.diff_permissions import Gain
from pysshd.policy.diff_rights import Contents
from pysshd.policy.diff_sessions import covers
from pysshd.policy.people import Person
from pysshd.policy.settings import Listen
from tests.policy.support import FINGERPRINTS, HASH, KEYS, PEOPLE
from tests.policy.test_diff import gained, side

PTY = "grants: [{who: bob, allow: {pty: true}}]\n"


def enough(work: int, old: str, new: str, person: str) -> bool:
    """Whether so much work is enough to compare a person."""
    before, after = side(PEOPLE + old, "old.yaml"), side(PEOPLE + new, "new.yaml")
    who = after.ruleset.people[person]
    try:
        Comparison(after, before, work, Contents()).gains(who, before.ruleset.people[person])
    except UncomparableError:
        return False
    return True


@pytest.mark.parametrize(
    ("old", "new", "person", "work"),
    [
        # One case of one login entry.
        ("", PTY, "bob", 1 + 1),
        # The entry of the new policy alone is tried on a case.
        (PTY, "login: [{who: alice, methods: publickey}, {methods: publickey}]\n" + PTY, "bob", 1 + 2),
        ("login: [{who: alice, methods: publickey}, {methods: publickey}]\n" + PTY, PTY, "bob", 1 + 1),
        # Two accounts; in the first two keys get in, each by one step, and are tried on the two login entries.
        ("", PTY, "alice", (1 + 1) + 2 * (1 + 2) + (1 + 1)),
        # Six places; in each one key gets in, and is tried on two login entries and a grant.
        ("", PTY.replace("who: bob", "who: bob, from: 10.0.0.0/8"), "bob", 5 * ((1 + 1) + (1 + 3)) + (1 + 1)),
    ],
)
def test_all_that_is_tried_counts(old: str, new: str, person: str, work: int) -> None:
    assert enough(work, old, new, person)
    assert not enough(work - 1, old, new, person)


@pytest.mark.parametrize(("count", "too_many"), [(8, False), (9, True)])
def test_so_many_groups_of_the_host_are_combined(count: int, too_many: bool) -> None:
    system = PEOPLE.replace("users:", "server: {accounts: system}\nusers:")
    groups = ", ".join(f"system-group:g{number}" for number in range(count))
    new = f"grants: [{{who: [{groups}], allow: {{pty: true}}}}]\n"
    told = {what for *_, what in gained("", new, system, system)}
    assert told == ({"anything: there are more cases than can be tried"} if too_many else {"pty: true"})


def test_a_key_that_does_not_get_in_hides_none_behind_it() -> None:
    keys = f"keys: [{{name: one, key: '{KEYS[0]}'}}, {{name: two, key: '{KEYS[1]}'}}]"
    people = f"version: 1\nusers: {{amy: {{{keys}}}}}\n"
    login = "login: [{who: key:two, methods: publickey}]\n"
    less = people.replace(f", {{name: two, key: '{KEYS[1]}'}}", "")
    old = "login: [{who: 'key:one', methods: publickey}]\n"
    assert gained(old, login, less, people) == {
        ("amy", "login by publickey with the key SHA256:r5z+qd5rUsICmj4LkQX5EOryWj+OpvaSXmMBtDL41cc (two)")
    }


HOSTS = ["*", "0.0.0.0", "::", "10.0.0.1", "127.0.0.1", "fd00::1", "::1"]
COVERED = {
    "*": {"0.0.0.0", "::", "10.0.0.1", "127.0.0.1", "fd00::1", "::1"},
    "0.0.0.0": {"10.0.0.1", "127.0.0.1"},
    "::": {"fd00::1", "::1"},
}
"""Which addresses to listen on are among those of another one."""


@pytest.mark.parametrize("big", HOSTS)
def test_whoever_reaches_one_listener_reaches_another(big: str) -> None:
    for small in HOSTS:
        one, other = Listen("x", big, 22), Listen("y", small, 22)
        assert covers(one, other) is (big == small or small in COVERED.get(big, ()))
        assert covers(one, Listen("y", small, 23)) is False


def compared(monkeypatch: pytest.MonkeyPatch, old: str, new: str, people: str) -> list[str]:
    """Who is compared, and is not known to be like somebody else."""
    looked: list[str] = []

    def counted(self: Comparison, person: Person, before: Person | None) -> list[Gain]:
        looked.append(person.name)
        return gains(self, person, before)

    gains = Comparison.gains
    monkeypatch.setattr(Comparison, "gains", counted)
    gained(old, new, people, people)
    return sorted(set(looked))


GROUP = "version: 1\ngroups: [g, h]\nusers:\n" + "".join(
    f"  {name}: {{groups: g, keys: [{{name: k, key: '{key}'}}]}}\n" for name, key in zip("abcd", KEYS, strict=True)
)
RUN = "{who: group:g, allow: {exec: ls, confined: true}}"
GRANTS = "grants:\n  - " + RUN + "\n"
MORE = GRANTS + "  - {who: group:g, allow: {pty: true}}\n"


@pytest.mark.parametrize(
    ("old", "new", "people", "looked"),
    [
        # Nobody, where nothing is said otherwise, wherever it stands and whatever it is called.
        (GRANTS, GRANTS, GROUP, ""),
        (GRANTS, "\n" + GRANTS.replace("{who", "{name: other, who"), GROUP, ""),
        (GRANTS, GRANTS + "  - {who: group:h, allow: {pty: true}}\n", GROUP, ""),
        # One of those who are alike.
        (GRANTS, MORE, GROUP, "a"),
        (GRANTS, GRANTS + "  - {who: group:g, account: git, allow: {pty: true}}\n", GROUP, "a"),
        (GRANTS, "login: [{who: group:g, methods: publickey}]\n" + GRANTS, GROUP, "a"),
        # And whoever is another one by a name, an account, a key, or what they may use.
        (GRANTS, GRANTS + "  - {who: [a, d], allow: {pty: true}}\n", GROUP, "a"),
        (GRANTS, GRANTS + "  - {who: group:g, account: c, allow: {pty: true}}\n", GROUP, "ac"),
        (GRANTS, GRANTS + f"  - {{who: ['group:g', 'key:{FINGERPRINTS[1]}'], allow: {{pty: true}}}}\n", GROUP, "ab"),
        (GRANTS, MORE, GROUP.replace("b: {groups: g, ", "b: {groups: [g, h], "), "a"),
        (GRANTS, MORE, GROUP.replace("c: {", "c: {accounts: [c, git], "), "ac"),
        (GRANTS, MORE, GROUP.replace("c: {", "c: {accounts: git, "), "ac"),
        (GRANTS, MORE, GROUP.replace("c: {", "c: {not_after: 2027-01-01, "), "ac"),
        (GRANTS, MORE, GROUP.replace("c: {", f"c: {{password: '{HASH}', "), "ac"),
    ],
)  # fmt: skip
def test_who_is_compared(monkeypatch: pytest.MonkeyPatch, old: str, new: str, people: str, looked: str) -> None:
    assert "".join(compared(monkeypatch, old, new, people)) == looked

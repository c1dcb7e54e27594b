"""Cases of `tests`: when they do not say when, every moment counts; and what `runs` is asked of."""

from tests.policy.support import loaded, messages

NIGHT_AND_DAY = """\
grants:
  - {name: early, who: alice, when: {days: mon-wed}, allow: {shell: true, confined: true}}
  - {name: late, who: alice, when: {days: thu-sun}, allow: {shell: true, confined: true}}
"""
CASE = "tests: [{as: alice, from: 10.0.0.1, login: publickey, allow: shell%s}]\n"


def test_hours_have_no_last_edge_so_that_the_case_says_when() -> None:
    """Every week has its edges: that the answer is the same at all of them could not be seen by trying them."""
    assert messages(NIGHT_AND_DAY + CASE % "") == (
        "case 1: the answer depends on the time, which the case does not say"
    )
    (verdict,) = loaded(NIGHT_AND_DAY + CASE % ", at: '2027-03-01T09:00Z'").verdicts
    assert verdict.passed


def test_dates_have_a_last_edge() -> None:
    dates = NIGHT_AND_DAY.replace("when: {days: mon-wed}", "not_after: 2027-01-01").replace(
        "when: {days: thu-sun}", "not_before: 2027-01-01"
    )
    assert loaded(dates + CASE % "").verdicts[0].passed
    apart = dates.replace("not_before: 2027-01-01", "not_before: 2027-01-03")
    assert "the answer depends on the time" in messages(apart + CASE % "")


def test_runs_is_asked_of_what_runs_alone() -> None:
    policy = "grants: [{who: alice, allow: {exec: 'ls *', pty: true, env: {accept: LANG}, confined: true}}]\n"
    asked = "allow: [{exec: ls x}, pty xterm, env LANG=C], runs: [ls, %s]"
    case = f"tests: [{{as: alice, from: 10.0.0.1, login: publickey, {asked}}}]\n"
    (right,) = loaded(policy + case % "x").verdicts
    assert right.passed
    (wrong,) = loaded(policy + case % "y").verdicts
    assert [failure.message.partition(":")[2] for failure in wrong.failures] == [
        " exec ls x runs [ls, x]: grant 1 permits it by exec: ls * (confined), p.yaml:8"
    ]


def test_what_runs_counts_where_the_case_asks_for_it_alone() -> None:
    """Of two keys each has a name of its own, which is a word of the program."""
    policy = "grants: [{who: alice, allow: {subsystems: {show: [show, '{key}']}, confined: true}}]\n"
    case = "tests: [{as: alice, from: 10.0.0.1, login: publickey, allow: subsystem show%s}]\n"
    assert loaded(policy + case % "").verdicts[0].passed
    assert loaded(policy + case % ", key: laptop, runs: [show, laptop]").verdicts[0].passed
    assert messages(policy + case % ", runs: [show, laptop]") == (
        "case 1: the answer depends on the key, which the case does not say"
    )

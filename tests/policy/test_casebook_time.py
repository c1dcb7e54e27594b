"""Cases of `tests` that do not say when: every moment counts at which something could change."""

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

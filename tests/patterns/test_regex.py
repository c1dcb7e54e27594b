"""Regular expressions: what they match, what is refused, and that no text and no expression makes them slow."""

import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysshd.patterns import regular
from pysshd.patterns.regex import RegexError, parse_regex
from pysshd.patterns.regular import ANY, MAX_POSITIONS, UndecidedError, characters, common_text

CASES = [
    (r"[a-z-]+\.service", ["ssh.service", "a-b.service"], ["sshXservice", ".service", "ssh.service2", "Ssh.service"]),
    (r"[0-9]{1,4}", ["1", "1234"], ["", "12345", "1a", "²", "٣"]),
    (r"a|bc|", ["a", "bc", ""], ["ab", "b"]),
    (r"(?:ab)*c?", ["", "c", "abab", "ababc"], ["aba", "cc"]),
    (r"x{2}", ["xx"], ["x", "xxx"]),
    (r"x{2,}", ["xx", "xxxxx"], ["x"]),
    (r"x{0,2}y", ["y", "xxy"], ["xxxy"]),
    (r"[^/]+", ["a.b", "-", "é", "\udcff"], ["a/b", ""]),
    (r".", ["a", "\t", " ", "\udcff"], ["", "ab", "\n", "\x7f"]),
    (r"\d\w\s\D\W\S", ["1_ a-b"], ["a_ a-b"]),
    (r"[a\]\-^.]+", ["a]-^."], ["b", "\\"]),
    (r"[-a]", ["-", "a"], ["b"]),
    (r"[a-]", ["-", "a"], ["b"]),
    (r"\.\*\\", [".*\\"], ["a"]),
    (r"(a|b)*a(a|b){3}", ["aaaa", "babab"], ["bbbb"]),
    (r"((a*)*)*b", ["b", "aaab"], ["aaa"]),
    (r"()*", [""], ["a"]),
]


@pytest.mark.parametrize(("expression", "matching", "others"), CASES)
def test_what_an_expression_matches(expression: str, matching: list[str], others: list[str]) -> None:
    language = parse_regex(expression)
    assert [word for word in matching if not language.matches(word)] == []
    assert [word for word in others if language.matches(word)] == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("^a", "held to the whole word"),
        ("a$", "held to the whole word"),
        (r"(a)\1", "back-references"),
        (r"a\b", "none of"),
        (r"\n", "none of"),
        ("(?=a)", "look-around"),
        ("(?i)a", "look-around, a flag"),
        ("(?P<n>a)", "or a name"),
        ("a*?", "behind a repetition"),
        ("a++", "behind a repetition"),
        ("a{2}{3}", "behind a repetition"),
        ("*a", "nothing before it"),
        ("a|+", "nothing before it"),
        ("(a", "not closed"),
        ("a)", "closes nothing"),
        ("[a", "not closed"),
        ("[]a]", "nothing in it"),
        ("[z-a]", "between no two characters"),
        (r"[\d-z]", "between no two characters"),
        ("[[:alpha:]]", "inside of a class"),
        ("a\\", "backslash at its end"),
        ("[a\\", "backslash at its end"),
        ("[a-", "not closed"),
        ("a{", "begins no count"),
        ("a{x}", "begins no count"),
        ("a{2,1}", "greater number behind"),
        ("a{0}", "more than 0"),
        ("a{99999}", "begins no count"),
        ("a{257}", "256 characters"),
        ("((a{16}){16}){2}", "256 characters"),
        ("(((){9999}){9999}){9999}", "256 characters"),
        ("(" * 30 + ")" * 30, "nested deeper"),
        ("a\x07", "control character"),
    ],
)
def test_what_is_refused(expression: str, said: str) -> None:
    with pytest.raises(RegexError, match=re.escape(said)):
        parse_regex(expression)


REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"])


def _pieces(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join).map("({})".format),
        st.tuples(inner, REPEATS).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


EXPRESSIONS = st.recursive(st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\.", "c?"]), _pieces, max_leaves=6)


@given(EXPRESSIONS, st.lists(st.text("abc.", max_size=8), max_size=20))
def test_it_matches_what_the_usual_engine_matches(expression: str, words: list[str]) -> None:
    try:
        language = parse_regex(expression)
    except RegexError as error:
        assert "256" in str(error)  # noqa: PT017 (the only reason for which one of these is refused)
        return
    for word in words:
        assert language.matches(word) == (re.fullmatch(expression, word) is not None), (expression, word)


@given(EXPRESSIONS, EXPRESSIONS)
def test_a_common_text_is_in_both_and_none_is_missed(one: str, two: str) -> None:
    try:
        left, right = parse_regex(one), parse_regex(two)
        found = common_text(left, right, ANY, first_not="-", nonempty=True)
    except (RegexError, UndecidedError):
        return
    if found is not None:
        assert found[:1] not in ("", "-")
        assert left.matches(found)
        assert right.matches(found)
        return
    for word in ("a", "b", "c", ".", "ab", "aa", "bb", "ba", "aab", "abab", "aaaa", "bcb"):
        assert not (left.matches(word) and right.matches(word)), word


def test_a_common_text_is_of_allowed_characters() -> None:
    left, right = parse_regex("[$;x-z]"), parse_regex(".")
    assert common_text(left, right, characters("yz"), first_not="", nonempty=False) == "y"
    assert common_text(left, right, characters("ab"), first_not="", nonempty=False) is None
    assert common_text(left, right, characters("yz"), first_not="yz", nonempty=False) is None
    empty = parse_regex("a?")
    assert common_text(empty, parse_regex("b*"), ANY, first_not="", nonempty=False) == ""
    assert common_text(empty, parse_regex("b*"), ANY, first_not="", nonempty=True) is None


def test_a_search_without_an_end_is_given_up() -> None:
    left, right = parse_regex(".{0,255}a"), parse_regex("(.?){0,255}[^a]")
    with pytest.raises(UndecidedError):
        common_text(left, right, ANY, first_not="", nonempty=False)


def steps(work: Callable[[], object]) -> int:
    """How many lines of the matcher are executed."""
    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        work()
    finally:
        sys.settrace(before)
    return count


WORST = ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*a){20}", "(a?){60}a{60}", "(a|b)*a(a|b){60}", "([a-z]+)*[0-9]"]


@pytest.mark.security("S124")
@pytest.mark.parametrize("expression", WORST)
def test_the_steps_grow_with_the_length_and_no_faster(expression: str) -> None:
    language = parse_regex(expression)
    texts = ["ab" * 30 + "a" * length for length in (100, 200, 400)]
    counts = [steps(lambda text=text: language.matches(text)) for text in texts]  # type: ignore[misc]
    assert counts[2] - counts[1] <= 2.5 * (counts[1] - counts[0]) + 50
    assert counts[2] <= 8 * len(texts[2]) * (len(language.chars) + 2)


def test_positions_are_what_is_counted() -> None:
    assert len(parse_regex("a{200}b{56}").chars) == MAX_POSITIONS
    assert len(parse_regex("(ab|c){3,}").chars) == 9


def test_sets_of_characters() -> None:
    some = regular.ranges([(5, 9), (1, 2), (3, 4), (20, 30)])
    assert some == ((1, 9), (20, 30))
    assert regular.without(some, ((2, 3), (9, 25))) == ((1, 1), (4, 8), (26, 30))
    assert regular.both(some, ((8, 21),)) == ((8, 9), (20, 21))

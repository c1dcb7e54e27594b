"""What is no YAML, and what of a file is judged all the same."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pysshd.policy.load import load_text
from pysshd.policy.problems import PolicyError
from pysshd.policy.report import Report, Source
from pysshd.policy.sections import Sections
from pysshd.policy.syntax import syntax_error
from pysshd.policy.tree import read_tree


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_text(text, "p.yaml")
    return [f"{one.line}:{one.column}: {one.message}" for one in caught.value.problems]


def hint(text: str) -> str:
    """The hint for the fault of a text."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        list(yaml.parse(text, Loader=yaml.CSafeLoader))
    return syntax_error("p.yaml", text.split("\n"), caught.value)[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: [x, y #]\nb: z\n",
            (
                "the ']' in line 1 stands behind a '#', where a comment begins: put the text "
                "that has ' #' in it between quotes"
            ),
        ),
        (
            "a:\n  b: {c: d,\n    e: f #}\ng: h\n",
            (
                "the '}' in line 3 stands behind a '#', where a comment begins: "
                "put the text that has ' #' in it between quotes"
            ),
        ),
        ("a: {b: c", "write '}' where it ends, before line 2"),
        ("a: [b\nc: d\n", "write ']' where it ends, before line 2"),
        ("a: {b: [c}\n", "'}' in line 1, column 10 closes another one: close this one first with ']'"),
        (
            "a: {b: c d: e}\n",
            (
                "a ':' stands in line 1, column 11: put ',' before its key, or the text that has ': "
                "' in it between quotes"
            ),
        ),
        ("a: ['b' 'c']\n", "put ',' before line 1, column 9, or the text that goes on there between quotes"),
        ("a: {b: {home}/x}\n", "put a text that begins with a brace between quotes"),
        ('{"a": "b", // c\n"d": e}\n', "a comment begins with '#', also in JSON, and never with '//'"),
        ("a: b: c\n", "put a text that has ': ' in it between quotes, or mind the indentation"),
        ("a:\n  -b: c\n   d: e\n", "the '-' of a list has a blank behind it"),
        ("a: {b: c}}\n", "nothing is open that this '}' would close"),
        (
            "a: 'b'c\n",
            "nothing may follow a closing quote or bracket: put the whole text between quotes, or ',' between two",
        ),
        (
            "a:\n  b:\n - c\n",
            "the '-' of a list begins at least as far to the right as the key that the list belongs to",
        ),
        (
            "a:\n    b: c\n\n    # d\n  e: f\n",
            (
                "mind the indentation: it begins in column 3, and the line above "
                "in column 5; keys that belong together begin in one column"
            ),
        ),
        ("a: - b\n", "begin it on a line of its own, or write [a, b]"),
        ("a: >x\n", "put a text that begins with it between quotes"),
        ("a: b\nc\nd: e\n", "a key has ':' behind it; a text that goes on is indented more than its key"),
        ("a: [b,\n\n", "a bracket above is not closed"),
        ("a: [b, }]\n", "take a bracket or a comma away that is too much"),
        (
            "- a\nb: c\n",
            (
                "each item begins with '-', and the keys of an item in one column behind it; a key of "
                "the level of the list begins further left"
            ),
        ),
        (
            "%YAML 1.1\n---\n  - a\nb: c\n",
            "a policy is sections from its first line to its last: remove what stands above 'version: 1'",
        ),
        ("a: *\n", 'write it between quotes: "*"'),
        ('a: "\\d"\n', "between single quotes a backslash is a backslash"),
    ],
)
def test_a_hint_names_the_likely_cause(text: str, said: str) -> None:
    assert hint(text) == said


def test_a_fault_that_no_rule_knows_has_a_place() -> None:
    error = yaml.MarkedYAMLError("odd", None, "odd", None)
    mark, message, said = syntax_error("p.yaml", ["a"], error)
    assert (mark.line, mark.column, message, said) == (1, 1, "the file is not YAML here", "")


@pytest.mark.parametrize(
    ("lines", "blank"), [(["-a", "b: c: d"], True), (["b: c: d", "-a"], False), (["-a", "", "b: c: d"], False)]
)
def test_a_dash_without_a_blank_is_looked_for_on_the_line_and_above_it(lines: list[str], blank: bool) -> None:
    line = lines.index("b: c: d")
    error = yaml.MarkedYAMLError(None, None, "mapping values are not allowed here", yaml.Mark("x", 0, line, 4, None, 0))
    said = syntax_error("p.yaml", lines, error)[2]
    assert (said == "the '-' of a list has a blank behind it") is blank


@pytest.mark.parametrize(
    ("line", "column", "told"), [(0, 0, (1, 1)), (1, 1, (2, 2)), (1, 2, (2, 3)), (2, 0, (2, 3)), (9, 4, (2, 3))]
)
def test_what_is_behind_the_end_is_told_of_the_last_line(line: int, column: int, told: tuple[int, int]) -> None:
    place = yaml.Mark("p.yaml", 0, line, column, None, 0)
    for error in (yaml.MarkedYAMLError(None, None, "odd", place), yaml.MarkedYAMLError("odd", place, None, None)):
        mark, *_ = syntax_error("p.yaml", ["a", "bc"], error)
        assert (mark.line, mark.column) == told


def test_a_section_with_a_fault_hides_no_other() -> None:
    text = (
        "version: 1\nserver: {listen: x\nusers:\n  alice: {keys: {}\nlimits: {auth_attempts: many}\n"
        "roles:\n   a: {shell: yes}\n  b: {}\ngroups: [a b]\n"
    )
    found = problems(text)
    assert [one.partition(" ")[0] for one in found] == ["2:9:", "4:10:", "5:25:", "8:3:", "9:10:"]


def test_a_tab_in_a_section_hides_no_other() -> None:
    found = problems("version: 1\nusers:\n\talice: x\n\t\n  bob:\tx\nlimits: {auth_attempts: many}\n")
    assert found == [
        "3:1: a tab is not allowed",
        "4:1: a tab is not allowed",
        "5:7: a tab is not allowed",
        "6:25: found 'many', expected a whole number from 1 to 100",
    ]


def test_what_refers_to_a_lost_section_is_not_complained_of() -> None:
    assert problems("version: 1\nusers: {alice: {\ngrants: [{who: alice, roles: login-shell}]\n") == [
        "2:16: the mapping that begins here with '{' is not closed, or a comma is missing"
    ]
    assert len(problems("version: [\nusers: {}\n")) == 2  # and no word of a version that is missing


def test_without_a_section_nothing_more_is_looked_at() -> None:
    assert len(problems("a: b: c\n")) == 1
    assert len(problems("  a: [\n  b: {\n")) == 1
    assert len(problems("[\n")) == 1
    assert problems("\t\n") == ["1:1: a tab is not allowed"]
    assert len(problems('"a": [x\n"b": [y\n\'c\': [z\n')) == 3
    assert problems("a: [\nb: [\n") == ["3:1: a value is expected here"]


def test_a_section_in_quotes_is_one() -> None:
    assert len(problems('"limits": {\n"groups": [a b]\n')) == 3  # the version is missing


def test_as_many_sections_as_there_are_may_be_lost() -> None:
    text = "".join(f"s{chr(97 + number)}: [x\n" for number in range(26))
    assert len(problems(text)) == 16


@given(st.text("a: \n{}[]#'\"-\t", max_size=60))
def test_whatever_is_lost_every_line_keeps_its_place(text: str) -> None:
    report = Report()
    source = Source("p.yaml", text)
    read_tree(source, report)
    assert all(problem.line <= len(source.lines) for problem in report.problems)
    sections = Sections(list(source.lines))
    for line in range(len(source.lines)):
        sections.blank(line)
    assert sections.text == "\n" * (len(source.lines) - 1)


def test_a_line_of_no_section_loses_none() -> None:
    sections = Sections(["", "a: x", "", "b: y"])
    assert not sections.lose(0)
    assert not sections.lose(2)
    assert sections.lose(1)
    assert not sections.lose(1)
    assert (sections.lines, sections.lost) == (["", "", "", "b: y"], {"a": 1})
    assert sections.lose(9)
    assert not sections.lose(9)


HEAD = "version: 1\nusers:\n  alice:\n    password: x\n"


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ("    home: /x #y", False),  # no text that people make up
        ("    keys: ssh-ed25519 AAAA alice #2", True),
        ("    keys:\n      - ssh-ed25519 AAAA alice #2", True),
        ("    keys: [{key: ssh-ed25519 AAAA #2\n      }]", True),
        ("    keys: ssh-ed25519 AAAA alice # laptop", False),
        ("    keys: ssh-ed25519 AAAA alice  #laptop", False),
        ("    keys: ssh-ed25519 AAAA alice ##", False),
        ("    keys: 'ssh-ed25519 AAAA alice' #2", False),
        ("    keys: ssh-ed25519 AAAA alice#2", False),
        ("    keys: ssh-ed25519\n      AAAA alice #2", True),
        ("tests:\n  - {as: alice, key: laptop #2\n    }", False),
    ],
)
def test_a_text_that_is_cut_at_a_comment(line: str, cut: bool) -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(HEAD + line + "\n", "p.yaml")
    found = [one for one in caught.value.problems if one.severity == "warning" and "comment begins" in one.message]
    assert len(found) == cut
    for one in found:
        text = (HEAD + line).split("\n")[one.line - 1]
        assert text[one.column - 1 :].startswith("#2")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("  alice:\u00a0{keys: x}", 9),
        ("\u00a0 alice: x", 1),
        ("  - \u2003x", 5),
        ("  [a,\u00a0b]", 6),
        ("  a: x\u00a0y", 0),
        ('  a: "b: \u00a0c"', 0),
        ("  # so:\u00a0x", 0),
        ("  a: b #:\u00a0x", 0),
    ],
)
def test_a_blank_that_is_none(line: str, told: int) -> None:
    report = Report()
    read_tree(Source("p.yaml", f"version: 1\nusers:\n{line}\n"), report)
    found = [one.column for one in report.problems if "the blank U+" in one.message]
    assert found == ([told] if told else [])

"""What a reader of values promises whatever it is given: nothing is left out without a word, nothing is told twice."""

from typing import Annotated

from pydantic import BeforeValidator

from pysshd.policy.nodes import Broken, Mapping, Scalar, Sequence
from pysshd.policy.problems import Mark
from pysshd.policy.reading import Record, check, listed, read, silent
from pysshd.policy.report import Report

PLACE = Mark("p.yaml", 3, 5)


def told(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


def _says_nothing(node: object) -> object:
    raise silent()


class Odd(Record):
    """A record with a reader that finds fault, and takes it for told already."""

    key: Annotated[object, BeforeValidator(_says_nothing)] = None


def test_a_record_is_never_left_out_without_a_word() -> None:
    report = Report()
    node = Mapping(((Scalar("key", PLACE), Scalar("x", PLACE)),), PLACE)
    assert read(Odd, node, report) is None
    assert told(report) == ["p.yaml:3:5: the record can not be read"]


def test_what_is_broken_was_told_of_when_it_was_read() -> None:
    report = Report()
    assert check(Broken(PLACE), listed, report) is None
    assert told(report) == []


def test_a_list_is_a_list_with_something_in_it() -> None:
    report = Report()
    assert check(Scalar("x", PLACE), listed, report) is None
    assert check(Sequence((), PLACE), listed, report) is None
    assert told(report) == [
        "p.yaml:3:5: found a text, expected a list",
        "p.yaml:3:5: found an empty list, expected at least one item (leave the key out where nothing is meant)",
    ]
    item = Scalar("x", PLACE)
    assert check(Sequence((item,), PLACE), listed, report) == (item,)

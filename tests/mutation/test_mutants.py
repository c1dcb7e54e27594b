"""The mutants of small sources: which there are, and that each is another program."""

import ast

import pytest

from tests.mutation.mutants import mutants_of, mutated
from tests.mutation.swap import CannotSwapError, Functions


def changes(source: str) -> set[str]:
    """Every mutant as the whole source that it is."""
    return {ast.unparse(mutated(source, mutant.number)) for mutant in mutants_of("x.py", source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = a == b", {"x = a != b"}),
        ("x = a in b", {"x = a not in b"}),
        ("x = a is b", {"x = a is not b"}),
        ("x = a < b < c", {"x = a <= b < c", "x = a >= b < c", "x = a < b <= c", "x = a < b >= c"}),
        ("x = a and b", {"x = a or b"}),
        ("x = not a", {"x = a"}),
        ("x = -a", {"x = a"}),
        ("x = a + b", {"x = a - b"}),
        ("x = a | b", {"x = a & b"}),
        ("3", set()),
        ("x = 3", {"x = 4"}),
        ("x = True", {"x = False"}),
        ("x = 'a'", {"x = 'XXa'"}),
        ("x = b''", {"x = b'XX'"}),
        ("x = None", set()),
        ("x = f'a{b:>3}c'", {"x = f'XXa{b:>3}c'", "x = f'a{b:>3}XXc'"}),
        ("x = f(a, b)", {"x = f(b, a)"}),
        ("x = f(a, a)", set()),
        ("x = f(*a, b)", set()),
        ("x = f(a=b, c=d)", {"x = f(c=d)", "x = f(a=b)"}),
        ("x = isinstance(a, B | C)", set()),
        ("x.y = z", {"pass"}),
        ("x[0] = z", {"pass", "x[1] = z"}),
        ("x += 1", {"pass", "x -= 1", "x += 2"}),
        ("f()", {"pass"}),
        ("raise E", {"pass"}),
        ("del x", {"pass"}),
        ("x = a if b else c", {"x = a if True else c", "x = a if False else c"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if True]", "x = [a for a in b if False]"}),
        ("if a:\n    pass", {"if True:\n    pass", "if False:\n    pass"}),
        ("while a:\n    break", {"while True:\n    break", "while False:\n    break", "while a:\n    continue"}),
        ("def f():\n    return a", {"def f():\n    return None"}),
        ("def f():\n    return None", set()),
        ("def f(a: 'int'=1) -> 'int':\n    '''Text.'''", {"def f(a: 'int'=2) -> 'int':\n    \"\"\"Text.\"\"\""}),
        ("x: Literal['a'] = 'b'", {"x: Literal['a'] = 'XXb'"}),
        ("x = Literal['a']", set()),
        ("X: TypeAlias = 'a'", set()),
        ("@d(1)\nclass C:\n    'Text.'\n    x = 1", {"@d(1)\nclass C:\n    \"\"\"Text.\"\"\"\n    x = 2"}),
        ("assert a < b", set()),
        ("import a", set()),
        ("__all__ = ['a']", set()),
        ("if TYPE_CHECKING:\n    x = 1", set()),
    ],
)  # fmt: skip
def test_the_mutants_of(source: str, expected: set[str]) -> None:
    assert changes(source) == expected


def test_a_mutant_says_where_it_is() -> None:
    source = "x = 1\ndef f(a, b=2):\n    return a < b\n"
    found = mutants_of("x.py", source)
    assert [str(one) for one in found] == [
        "x.py:1:5: constant: 1  ->  2",
        "x.py:2:12: constant: 2  ->  3",
        "x.py:3:5: return: return a < b  ->  return None",
        "x.py:3:12: comparison: a < b  ->  a <= b",
        "x.py:3:12: comparison: a < b  ->  a >= b",
    ]
    # What a function has when nothing is given is made when the module is imported.
    assert [one.called for one in found] == [False, False, True, True, True]


SOURCE = """\
LIMIT = 3

def small(a):
    return a < LIMIT

def made():
    def inner(a):
        return a + 1
    return inner

class Thing:
    @property
    def size(self):
        return 7

inner = made()
double = lambda a: a * 2
"""


def loaded() -> dict[str, object]:
    names: dict[str, object] = {"__name__": "loaded"}
    exec(compile(SOURCE, "loaded.py", "exec", dont_inherit=True), names)
    return names


def number_of(before: str) -> int:
    return next(one.number for one in mutants_of("loaded.py", SOURCE) if one.before == before)


@pytest.mark.parametrize(
    ("before", "expression", "was", "now"),
    [
        ("a < LIMIT", "small(3)", False, True),
        ("a + 1", "inner(5)", 6, 4),
        ("7", "Thing().size", 7, 8),
        ("2", "double(2)", 4, 6),
    ],
)
def test_a_mutant_takes_the_place_of_a_function_that_is_there(
    before: str, expression: str, was: object, now: object
) -> None:
    names = loaded()
    assert eval(expression, names) == was
    Functions().swap("loaded.py", SOURCE, number_of(before))
    assert eval(expression, names) == now


def test_what_is_no_function_can_not_be_swapped() -> None:
    names = loaded()
    with pytest.raises(CannotSwapError):
        Functions().swap("loaded.py", SOURCE, number_of("3"))
    assert names["LIMIT"] == 3

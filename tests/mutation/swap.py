"""Puts a mutant into a program that is running: the functions stay, their code is another one.

So nothing has to be imported again, and whoever holds a function already calls the mutant.
"""

import ast
import gc
from collections.abc import Iterator
from types import CodeType, FunctionType

from tests.mutation.mutants import mutated


class CannotSwapError(Exception):
    """The mutant is not in the code of any function that is there."""


class Functions:
    """The functions of a running program, by their code; those that `gc.freeze` has put away are not among them."""

    def __init__(self) -> None:
        self._known: dict[CodeType, list[FunctionType]] = {}
        for found in gc.get_objects():
            if type(found) is FunctionType:
                self._known.setdefault(found.__code__, []).append(found)

    def swap(self, origin: str, source: str, number: int) -> None:
        """Put a mutant of the file `origin` in place, for good; raises CannotSwapError."""
        before, after = (
            compile(one, origin, "exec", dont_inherit=True) for one in (ast.parse(source), mutated(source, number))
        )
        swapped = 0
        for old, new in _differing(before, after):
            for function in self._known.get(old, ()):
                try:
                    function.__code__ = new
                except ValueError:  # it has other variables of the function around it
                    raise CannotSwapError from None
                swapped += 1
        if not swapped:
            raise CannotSwapError


def _differing(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The pieces of code that are not the same, each with what takes its place."""
    olds, news = ([one for one in code.co_consts if isinstance(one, CodeType)] for code in (old, new))
    if [one.co_qualname for one in olds] != [one.co_qualname for one in news]:
        raise CannotSwapError
    for left, right in zip(olds, news, strict=True):
        if left != right:
            yield left, right
            yield from _differing(left, right)

"""The mutants of a source file: every place where one small change makes another program of it.

Not changed are annotations, decorators, docstrings, assertions, imports and `__all__`: they say nothing of what is
decided. All else is, whether it is run when a function is called or when the module is imported, as the tables are.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_OF_TYPES: Final = frozenset(["TypeVar", "cast"])
_TOLD: Final = 100
"""Characters of a piece of source that are shown."""

Make = Callable[[], ast.AST]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. number: its place among those of the file; called: it is run by a function, not by the import.

    before, after: the piece of source that is another one.
    """

    path: str
    number: int
    line: int
    column: int
    kind: str
    before: str
    after: str
    called: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.kind}: {self.before}  ->  {self.after}"


@dataclass(frozen=True, slots=True)
class _Change:
    node: ast.AST
    kind: str
    make: Make
    called: bool


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of their places."""
    found = []
    for number, change in enumerate(_changes(ast.parse(source))):
        place = change.node.target if isinstance(change.node, ast.comprehension) else change.node
        line, column = getattr(place, "lineno", 0), getattr(place, "col_offset", 0) + 1
        before, after = _text(change.node), _text(change.make())
        found.append(Mutant(path, number, line, column, change.kind, before, after, change.called))
    return found


def mutated(source: str, number: int) -> ast.Module:
    """The file with one of its mutants in place."""
    tree = ast.parse(source)
    change = next(one for count, one in enumerate(_changes(tree)) if count == number)
    made = ast.fix_missing_locations(_Replacing(change).visit(tree))
    assert isinstance(made, ast.Module)
    return made


class _Replacing(ast.NodeTransformer):
    def __init__(self, change: _Change) -> None:
        self._change = change

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._change.node:
            return ast.copy_location(self._change.make(), node)
        self.generic_visit(node)
        return node


def _text(node: ast.AST) -> str:
    found = ast.unparse(ast.fix_missing_locations(node)).replace("\n", " ")
    return found if len(found) <= _TOLD else f"{found[:_TOLD]}…"


# Where changes are made


def _changes(node: ast.AST, called: bool = False) -> Iterator[_Change]:
    """Every change of a node and of what is in it."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.JoinedStr) or _is_of_types(node):
        if isinstance(node, ast.JoinedStr):
            yield from _of_joined(node, called)
        return
    for kind, make in _of(node):
        yield _Change(node, kind, make, called)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            yield from _changes(default, called)
        body: Sequence[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else node.body
        for inner in body:
            yield from _changes(inner, True)
        return
    for inner in _inside(node):
        yield from _changes(inner, called)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.ClassDef):
        yield from node.body
    elif isinstance(node, ast.AnnAssign):
        yield from filter(None, [node.value])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
        yield node.args[0]  # another set of classes could only be no class at all
    else:
        yield from ast.iter_child_nodes(node)


def _is_of_types(node: ast.AST) -> bool:
    """Whether a node is for the reader or the type checker alone."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id == "Literal"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _OF_TYPES


def _of_joined(node: ast.JoinedStr, called: bool) -> Iterator[_Change]:
    """Of a text with values in it: each of its pieces, and what makes the values; not how they are written."""
    for piece in node.values:
        yield from _changes(piece.value if isinstance(piece, ast.FormattedValue) else piece, called)


# Which changes


def _of(node: ast.AST) -> Iterator[tuple[str, Make]]:
    """The changes of one node itself."""
    if isinstance(node, ast.Compare):
        yield from _comparison(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "boolean", lambda: ast.BoolOp(other, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield "not" if isinstance(node.op, ast.Not) else "arithmetic", lambda: node.operand
    elif isinstance(node, ast.BinOp):
        operator = _ARITHMETIC[type(node.op)]
        yield "arithmetic", lambda: ast.BinOp(node.left, operator(), node.right)
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.comprehension):
        yield from _filters(node)
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        for value in (True, False):
            yield "condition", lambda value=value: _with(node, test=ast.Constant(value))  # type: ignore[misc]
    elif isinstance(node, ast.stmt):
        yield from _statement(node)


def _comparison(node: ast.Compare) -> Iterator[tuple[str, Make]]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield "comparison", lambda ops=ops: ast.Compare(node.left, ops, node.comparators)  # type: ignore[misc]


def _constant(node: ast.Constant) -> Iterator[tuple[str, Make]]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", lambda: ast.Constant(not value)
    elif isinstance(value, int | float):
        yield "constant", lambda: ast.Constant(value + 1)
    elif isinstance(value, str):
        yield "text", lambda: ast.Constant(f"XX{value}")
    elif isinstance(value, bytes):
        yield "text", lambda: ast.Constant(b"XX" + value)


def _call(node: ast.Call) -> Iterator[tuple[str, Make]]:
    if (
        len(node.args) > 1
        and not any(isinstance(one, ast.Starred) for one in node.args[:2])
        and not _is_isinstance(node)
    ):
        first, second, *rest = node.args
        if ast.dump(first) != ast.dump(second):
            yield "arguments", lambda: ast.Call(node.func, [second, first, *rest], node.keywords)
    for left_out in node.keywords:
        kept = [one for one in node.keywords if one is not left_out]
        if left_out.arg is not None:
            yield "argument", lambda kept=kept: ast.Call(node.func, node.args, kept)  # type: ignore[misc]


def _is_isinstance(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass")


def _filters(node: ast.comprehension) -> Iterator[tuple[str, Make]]:
    for index in range(len(node.ifs)):
        for value in (True, False):
            ifs = [*node.ifs[:index], ast.Constant(value), *node.ifs[index + 1 :]]
            yield "condition", lambda ifs=ifs: _with(node, ifs=ifs)  # type: ignore[misc]


def _statement(node: ast.stmt) -> Iterator[tuple[str, Make]]:
    if isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield "return", lambda: ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield "loop", ast.Break
    elif isinstance(node, ast.Break):
        yield "loop", ast.Continue
    elif isinstance(node, ast.Expr | ast.Raise | ast.Delete | ast.AugAssign) or _sets_something(node):
        yield "statement", ast.Pass
        if isinstance(node, ast.AugAssign):
            operator = _ARITHMETIC[type(node.op)]
            yield "arithmetic", lambda: ast.AugAssign(node.target, operator(), node.value)


def _sets_something(node: ast.stmt) -> bool:
    """Whether a statement only changes something that is there: without one that makes a name, nothing would run."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return bool(targets) and all(isinstance(one, ast.Attribute | ast.Subscript) for one in targets)


def _with(node: ast.AST, **other: object) -> ast.AST:
    """The node with some of its fields replaced."""
    return type(node)(**{name: other.get(name, value) for name, value in ast.iter_fields(node)})

"""Dataclasses that are made with less code: `dataclass` means what that of the standard library does.

The standard library writes and compiles some seven methods for each class. There are hundreds of classes, and a daemon
that starts spent more than half of its imports on that. Here a class gets an `__init__` of its own; the other methods
are the same few functions for all. Fields, `replace`, `asdict` and the rest are the standard library's.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

_MADE: Final = object()
"""Stands for a value that a factory makes."""


def _dataclass(
    cls: type | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    order: bool = False,
    kw_only: bool = False,
) -> Any:
    """As `dataclasses.dataclass`, of whose words these are all that are taken."""

    def made(cls: type) -> type:
        if order:
            return dataclasses.dataclass(frozen=frozen, slots=slots, order=True, kw_only=kw_only)(cls)
        return _record(cls, frozen, slots, eq, kw_only)

    return made if cls is None else made(cls)


def _record(cls: Any, frozen: bool, slots: bool, eq: bool, kw_only: bool) -> type:
    given = {name for name, value in vars(cls).items() if name != "__hash__" or value is not None}
    documented = cls.__doc__ is not None
    if not documented:
        cls.__doc__ = cls.__name__  # else the signature is written there, which takes longer than all the rest
    with _thawed(cls, frozen):
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    made.__dataclass_params__.frozen = frozen
    if not documented:
        made.__doc__ = None
    methods = {"__init__": _init(made, frozen), "__repr__": _shown}
    if eq:
        # What gets the fields by which its records are compared.
        made.__compared__ = _getter([field.name for field in dataclasses.fields(made) if field.compare])
        methods |= {"__eq__": _equal, "__hash__": _hashed if frozen else None}
    if frozen:
        methods |= {"__setattr__": _no_assignment, "__delattr__": _no_deletion}
    if frozen and slots:
        methods |= {"__getstate__": _state, "__setstate__": _take_state}
    for name, method in methods.items():
        if name not in given:
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


@contextmanager
def _thawed(cls: Any, frozen: bool) -> Iterator[None]:
    """What a frozen record is made of, as if it could be changed: else the standard library makes a class only with the
    methods that keep it from being changed.
    """
    bases = [vars(base)["__dataclass_params__"] for base in cls.__mro__[1:] if "__dataclass_params__" in vars(base)]
    if not frozen:
        bases = []
    elif not all(params.frozen for params in bases):
        raise TypeError(f"record {cls.__name__} is frozen, and one of its bases is not")
    for params in bases:
        params.frozen = False
    try:
        yield
    finally:
        for params in bases:
            params.frozen = True


# The method that is called more often than all others


def _init(cls: Any, frozen: bool) -> Any:
    """`__init__`, which sets the fields."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_MADE": _MADE}
    first, named, body = ["self"], list[str](), list[str]()
    for field in dataclasses.fields(cls):
        name, default, factory = field.name, field.default, field.default_factory
        value, otherwise = name, ""
        if default is not dataclasses.MISSING:
            known[f"_default_{name}"] = default
            value, otherwise = (name, f"=_default_{name}") if field.init else (f"_default_{name}", "")
        elif factory is not dataclasses.MISSING:
            known[f"_factory_{name}"] = factory
            made = f"_factory_{name}()"
            value, otherwise = (f"{made} if {name} is _MADE else {name}", "=_MADE") if field.init else (made, "")
        elif not field.init:
            continue
        if field.init:
            (named if field.kw_only else first).append(name + otherwise)
        body.append(_assignment(cls, name, value, known) if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    words = ", ".join([*first, *(["*", *named] if named else [])])
    exec(f"def __init__({words}):\n " + "\n ".join(body or ["pass"]), known)
    found = known["__init__"]
    found.__qualname__ = f"{cls.__qualname__}.__init__"
    found.__module__ = cls.__module__
    return found


def _assignment(cls: Any, name: str, value: str, known: dict[str, Any]) -> str:
    """How a field of a frozen record is set."""
    place: Any = getattr(cls, name, None)
    if not hasattr(place, "__set__"):
        return f"_set(self, {name!r}, {value})"
    # By its slot, which is a third faster than by its name.
    known[f"_slot_{name}"] = place.__set__
    return f"_slot_{name}(self, {value})"


# Those that are the same for all


def _getter(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda self: ()


def _shown(self: Any) -> str:
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = self.__class__.__compared__
    return compared(self) == compared(other)


def _hashed(self: Any) -> int:
    return hash(self.__class__.__compared__(self))


def _no_assignment(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_deletion(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _take_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass

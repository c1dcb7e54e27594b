"""A record is what the standard library's dataclass of the same words would be."""

import copy
import dataclasses
import inspect
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, ClassVar, cast

import pytest

from pysshd.records import dataclass as ours

KINDS: tuple[dict[str, bool], ...] = (
    {"frozen": True, "slots": True},
    {"frozen": True},
    {"slots": True},
    {},
    {"frozen": True, "slots": True, "eq": False},
    {"frozen": True, "slots": True, "order": True},
)
MAKERS = pytest.mark.parametrize("make", [ours, dataclasses.dataclass], ids=["ours", "the standard library's"])
kinds = pytest.mark.parametrize("words", KINDS, ids=lambda words: "+".join(words) or "plain")


def made(make: Any, words: dict[str, bool]) -> Any:
    @make(**words)
    class Point:
        """A place."""

        x: int
        y: "int | None" = 3
        names: tuple[str, ...] = field(default_factory=lambda: ("a",))
        secret: str = field(default="s", repr=False)
        note: str = field(default="", compare=False)
        cached: "int | None" = field(default=None, init=False, compare=False)
        KIND: ClassVar[int] = 7

    return Point


@MAKERS
@kinds
def test_a_record_is_made_shown_and_replaced(make: Any, words: dict[str, bool]) -> None:
    point = made(make, words)
    one = point(1, names=("b",), note="n")
    assert (one.x, one.y, one.names, one.secret, one.note, one.cached) == (1, 3, ("b",), "s", "n", None)
    assert repr(one).endswith("Point(x=1, y=3, names=('b',), note='n', cached=None)")
    assert "secret" not in repr(one)
    assert point(1).names == ("a",)
    assert replace(one, y=4).y == 4
    assert [each.name for each in fields(point)] == ["x", "y", "names", "secret", "note", "cached"]
    assert asdict(one)["names"] == ("b",)
    assert point.__match_args__ == ("x", "y", "names", "secret", "note")
    assert list(inspect.signature(point).parameters) == ["x", "y", "names", "secret", "note"]
    assert point.__doc__ == "A place."
    with pytest.raises(TypeError):
        point()
    with pytest.raises(TypeError):
        point(1, cached=2)


@MAKERS
@kinds
def test_records_are_compared_by_their_fields(make: Any, words: dict[str, bool]) -> None:
    point = made(make, words)
    one, same, other = point(1, note="n"), point(1, note="m"), point(2)
    by_value = words.get("eq", True)
    assert (one == same) is by_value
    assert one != other
    assert one != made(make, words)(1, note="n")  # another class of the same name
    assert one.__eq__(1) is NotImplemented
    if not words.get("frozen") and by_value:
        with pytest.raises(TypeError, match="unhashable"):
            hash(one)
    else:
        assert (hash(one) == hash(same)) is by_value
    if words.get("order"):
        assert sorted([other, one]) == [one, other]


@MAKERS
@kinds
def test_a_frozen_record_stays_as_it_is(make: Any, words: dict[str, bool]) -> None:
    one = made(make, words)(1)
    if not words.get("frozen"):
        one.x = 2
        assert one.x == 2
        return
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        one.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del one.x
    assert one.x == 1


@MAKERS
def test_slots_leave_no_room_for_more(make: Any) -> None:
    assert not hasattr(made(make, {"frozen": True, "slots": True})(1), "__dict__")
    assert hasattr(made(make, {"frozen": True})(1), "__dict__")


@MAKERS
def test_what_a_class_says_itself_stays(make: Any) -> None:
    @make(frozen=True, slots=True)
    class Own:
        x: int
        seen: "list[int]" = field(default_factory=list, compare=False)

        def __post_init__(self) -> None:
            self.seen.append(self.x)

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

    own = cast(Any, Own)
    assert repr(own(1)) == "mine"
    assert own(1) == 5
    assert own(3).seen == [3]
    assert hash(own(1)) == hash(own(1))


@MAKERS
def test_records_of_records(make: Any) -> None:
    @make(frozen=True, slots=True)
    class Base(ABC):
        x: int

        @abstractmethod
        def act(self) -> int: ...

    @make(frozen=True, slots=True, kw_only=True)
    class More(Base):
        y: int = 2

        def act(self) -> int:
            return self.x + self.y

    base, more = cast(Any, Base), cast(Any, More)
    assert more(x=1).act() == 3
    assert more(x=1, y=5) == more(x=1, y=5) != more(x=2, y=5)
    with pytest.raises(TypeError):
        more(1, 2)
    with pytest.raises(TypeError, match="abstract"):
        base(1)


@MAKERS
def test_nothing_at_all(make: Any) -> None:
    @make(frozen=True, slots=True)
    class Nothing:
        pass

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()).endswith("Nothing()")
    assert Nothing.__doc__ in (None, "Nothing()")


@ours(frozen=True, slots=True)
class Kept:
    x: int
    y: tuple[int, ...] = ()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_the_same(again: Callable[[Any], Any]) -> None:
    assert again(Kept(1, (2,))) == Kept(1, (2,))


def test_a_mutable_default_is_refused_as_ever() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @ours(frozen=True, slots=True)
        class _Wrong:
            x: list[int] = []  # noqa: RUF012


@pytest.mark.parametrize("base", [ours, dataclasses.dataclass], ids=["of ours", "of the standard library's"])
@MAKERS
def test_a_record_of_another_one_is_as_frozen_as_that(make: Any, base: Any) -> None:
    @base(frozen=True, slots=True)
    class Base:
        x: int

    @make(frozen=True, slots=True)
    class More(Base):
        y: int = 0

    one = cast(Any, More)(1, 2)
    assert (one.x, one.y) == (1, 2)
    for name in ("x", "y"):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, 3)
    with pytest.raises(FrozenInstanceError):
        cast(Any, Base)(1).x = 3
    with pytest.raises(TypeError, match="frozen"):

        @make(slots=True)
        class _Changing(Base):
            y: int = 0

    @base(slots=True)
    class Open:
        x: int

    with pytest.raises(TypeError, match="frozen"):

        @make(frozen=True, slots=True)
        class _Closed(Open):
            y: int = 0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from imagelock.model.frozen import frozen


@frozen
class Point:
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list)


@frozen
class Size:
    x: int
    y: int = 0


@frozen
class Nothing:
    pass


@frozen(kw_only=True)
class Login:
    user: str
    password: str = field(repr=False)


@frozen
class Typed:
    meaning: int
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ordinary:
    x: int
    y: int = 0


def test_fields_are_given_by_position_by_name_or_by_their_defaults() -> None:
    points = (Point(1, 2, ["a"]), Point(1, names=["a"], y=2), Point(x=1, y=2, names=["a"]))
    assert [(point.x, point.y, point.names) for point in points] == [(1, 2, ["a"])] * 3
    assert (Point(1).y, Point(1).names) == (0, [])


def test_a_default_that_is_made_is_made_for_each() -> None:
    assert Point(1).names is not Point(1).names


@pytest.mark.parametrize(
    ("cls", "positional", "named", "error"),
    [
        (Size, (), {}, "Size needs the field `x`"),
        (Size, (1, 2, 3), {}, "Size takes each field once, and by position no other than: x, y"),
        (Size, (1,), {"x": 1}, "Size takes each field once, and by position no other than: x, y"),
        (Login, ("u", "p"), {}, "Login takes each field once, and by position no other than: "),
        (Size, (1,), {"z": 1}, "Size has no field `z`"),
    ],
)
def test_a_mistake_in_the_fields_is_an_error(
    cls: type[Any], positional: tuple[object, ...], named: dict[str, object], error: str
) -> None:
    with pytest.raises(TypeError) as raised:
        cls(*positional, **named)
    assert str(raised.value) == error


def test_values_are_equal_if_class_and_fields_are() -> None:
    assert Size(1, 2) == Size(1, 2) != Size(1, 3)
    assert Size(1, 2) not in {Ordinary(1, 2), (1, 2)}
    assert {Size(1): "one"}[Size(1, 0)] == "one"


@frozen
class Folded:
    text: str

    @staticmethod
    def __contents__(value: Folded) -> str:
        return value.text.casefold()


def test_a_class_may_say_what_it_compares() -> None:
    assert Folded("A") == Folded("a") != Folded("b")
    assert len({Folded("A"), Folded("a")}) == 1


def test_a_field_may_take_no_part_in_comparison() -> None:
    assert Typed(1, "one") == Typed(1, "1") != Typed(2, "one")
    assert len({Typed(1, "one"), Typed(1, "1")}) == 1


@pytest.mark.parametrize("change", [lambda size: setattr(size, "x", 2), lambda size: delattr(size, "x")])
def test_nothing_changes_a_value(change: Callable[[Size], None]) -> None:
    size = Size(1, 2)
    with pytest.raises(FrozenInstanceError) as raised:
        change(size)
    assert (str(raised.value), size) == ("cannot change the field `x`", Size(1, 2))


def test_a_value_has_room_for_its_fields_only() -> None:
    assert not hasattr(Size(1), "__dict__")


def test_a_value_shows_its_fields_but_no_secret() -> None:
    assert repr(Point(1, names=["a"])) == "Point(x=1, y=0, names=['a'])"
    assert repr(Login(user="me", password="hush")) == "Login(user='me')"  # noqa: S106  nobody's password


def test_what_works_with_dataclasses_works_with_values() -> None:
    assert [each.name for each in fields(Point)] == ["x", "y", "names"]
    assert replace(Size(1, 2), y=3) == Size(1, 3)
    match Size(1, 2):
        case Size(x, y):
            assert (x, y) == (1, 2)


@frozen(order=True)
class Place:
    line: int
    column: int


@frozen(eq=False)
class Node:
    name: str


@frozen(compiled=True)
class Word:
    text: str


def test_values_may_have_an_order() -> None:
    assert sorted([Place(2, 1), Place(1, 9)]) == [Place(1, 9), Place(2, 1)]


def test_values_may_be_equal_to_themselves_alone() -> None:
    node = Node("a")
    assert node == node  # noqa: PLR0124  the point
    assert node != Node("a")


@pytest.mark.parametrize("value", [Place(1, 2), Node("a"), Word("a")])
def test_compiled_values_are_frozen_and_slotted_as_well(value: object) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "b")  # type: ignore[arg-type]
    assert not hasattr(value, "__dict__")


def test_a_value_may_have_no_fields() -> None:
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imagelock.images_file.declaration import NO_COOLDOWN, read_cooldown
from imagelock.images_file.toml import Problems, TableReader
from imagelock.model.cooldown import Cooldown, TooYoung, UnknownAge

_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_WEEK = Cooldown(timedelta(days=7))


def _read(default: Cooldown = NO_COOLDOWN, **keys: str) -> tuple[Cooldown, list[str]]:
    problems = Problems()
    table = {key.replace("_", "-"): value for key, value in keys.items()}
    cooldown = read_cooldown(TableReader(table, (), problems), default)
    return cooldown, [f"{problem.path[-1]} {problem.sentence}" for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "age", "shown"),
    [
        ("7 days", timedelta(days=7), "7 days"),
        ("1 day", timedelta(days=1), "1 day"),
        ("36 hours", timedelta(hours=36), "36 hours"),
        ("24 hours", timedelta(days=1), "1 day"),
        ("2 weeks", timedelta(weeks=2), "14 days"),
        ("1week", timedelta(weeks=1), "7 days"),
    ],
)
def test_an_age_is_a_number_and_a_unit(text: str, age: timedelta, shown: str) -> None:
    cooldown, problems = _read(minimum_age=text)
    assert (cooldown, str(cooldown), problems) == (Cooldown(age), shown, [])


@pytest.mark.parametrize("text", ["", "7", "a week", "7 days ago", "-1 days", "1 month", "99999 days"])
def test_another_age_is_refused(text: str) -> None:
    assert _read(minimum_age=text) == (
        Cooldown(),
        [f'minimum-age `{text}` is no time: write "7 days", "36 hours" or "2 weeks"'],
    )


def test_unknown_ages_are_refused_unless_somebody_accepts_them() -> None:
    assert _read(unknown_age="accept", minimum_age="7 days") == (Cooldown(timedelta(days=7), UnknownAge.ACCEPT), [])
    assert _read(unknown_age="acept")[1] == ['unknown-age must be "accept" or "refuse"; did you mean `accept`?']


def test_an_image_inherits_each_key_of_its_own() -> None:
    assert _read(_WEEK, unknown_age="accept")[0] == Cooldown(timedelta(days=7), UnknownAge.ACCEPT)
    assert not _read(_WEEK, minimum_age="0 days")[0]


@pytest.mark.parametrize(
    ("created", "is_accepted"),
    [
        (_NOW - timedelta(days=7), True),
        (_NOW - timedelta(days=7) + timedelta(seconds=1), False),
        (_NOW + timedelta(days=365), False),
        (None, False),
    ],
)
def test_an_image_is_accepted_from_the_second_on_at_which_it_is_old_enough(
    created: datetime | None,
    is_accepted: bool,  # noqa: FBT001  a table
) -> None:
    assert _WEEK.accepts(created, now=_NOW) == is_accepted


def test_a_tag_that_was_passed_over_says_why() -> None:
    assert str(TooYoung("3.1", _NOW, _WEEK)) == "3.1 was created on 2026-11-23, less than 7 days ago"
    assert str(TooYoung("3.1", None, _WEEK)) == "3.1 has no date, and must be 7 days old"

from __future__ import annotations

import pytest

from imagelock.model.tags.guess import LongerPattern, find_longer_pattern
from imagelock.model.tags.pattern import TagPattern

_TEMURIN = (
    "25-jre-alpine 21-jre-alpine 21.0.4_7-jre-alpine 21.0.5_11-jre-alpine 17.0.2_8-jre-alpine 21.0.4_7-jre latest"
)


def test_a_pattern_that_sees_only_floating_tags_is_told_of_the_one_that_sees_the_others() -> None:
    longer = find_longer_pattern(TagPattern("{version}-jre-alpine"), "25-jre-alpine", _TEMURIN.split())

    assert longer == LongerPattern(TagPattern("{version}_{build}-jre-alpine"), "21.0.5_11-jre-alpine")
    assert str(longer) == (
        "most tags with that ending have more numbers, such as 21.0.5_11-jre-alpine: "
        "`{version}_{build}-jre-alpine` reads it"
    )


@pytest.mark.parametrize(
    ("pattern", "chosen", "tags"),
    [
        ("{version}_{build}-jre-alpine", "21.0.5_11-jre-alpine", _TEMURIN),
        ("{version}-jre-alpine", "25-jre-alpine", "25-jre-alpine 21-jre-alpine 21.0.4_7-jre-alpine"),
        ("{version}-slim", "3.12-slim", "3.12-slim 3.12.1_4 3.12.2_4"),
        ("{version}", "3.12.4", "3.12.4 3.12 3.11.9-slim 20240101"),
    ],
)
def test_nothing_is_proposed_where_the_pattern_sees_most_tags(pattern: str, chosen: str, tags: str) -> None:
    assert find_longer_pattern(TagPattern(pattern), chosen, tags.split()) is None

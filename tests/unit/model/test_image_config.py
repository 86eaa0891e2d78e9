from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from imagelock.errors import InvalidContentError
from imagelock.model.image_config import ImageConfig, parse_image_config


def _parse(**fields: object) -> ImageConfig:
    return parse_image_config(json.dumps(fields).encode(), what="the configuration")


def test_a_configuration_tells_labels_date_and_how_the_image_starts() -> None:
    settings = {
        "Labels": {"org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": 7},
        "Env": ["PATH=/bin", "EMPTY=", "BARE", 1],
        "Entrypoint": ["/app"],
        "Cmd": ["serve"],
    }

    assert _parse(config=settings, created="2026-05-01T12:00:00.123456789Z") == ImageConfig(
        all_labels=(("org.opencontainers.image.version", "1.2.3"),),
        created=datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC),
        environment=(("PATH", "/bin"), ("EMPTY", ""), ("BARE", "")),
        entry_point=("/app",),
        command=("serve",),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"config": None, "created": None},
        {"config": [], "created": 1},
        {"config": {"Labels": None, "Env": None, "Entrypoint": "sh", "Cmd": {}}, "created": "yesterday"},
    ],
)
def test_what_is_missing_or_odd_is_unknown(fields: dict[str, object]) -> None:
    assert _parse(**fields) == ImageConfig()


@pytest.mark.parametrize("date", ["1970-01-01T00:00:00Z", "1980-01-01T00:00:01Z", "0001-01-01T00:00:00Z"])
def test_the_dates_of_reproducible_builds_are_no_dates(date: str) -> None:
    assert _parse(created=date).created is None


def test_a_date_without_zone_is_taken_for_universal_time() -> None:
    assert _parse(created="2026-05-01T12:00:00").created == datetime(2026, 5, 1, 12, tzinfo=UTC)
    zone = timezone(timedelta(hours=2))
    assert _parse(created="2026-05-01T12:00:00+02:00").created == datetime(2026, 5, 1, 12, tzinfo=zone)


def test_a_configuration_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidContentError, match="the configuration is not a JSON object"):
        parse_image_config(b"[]", what="the configuration")

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagelock.errors import InvalidSelectorError, NoTagError
from imagelock.model.reference import parse_repository
from imagelock.model.tags.selection import choose_tag
from imagelock.model.tags.version_range import parse_version_range

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "versions.json").read_text("utf-8"))


def _name(case: dict[str, Any]) -> str:
    return " ".join(str(value) for value in case.values())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=_name)
def test_vector(case: dict[str, Any]) -> None:
    keys = {key: value for key, value in case.items() if key not in {"list", "chosen", "error"}}
    tags = VECTORS["tag-lists"][case["list"]]

    try:
        wanted = parse_version_range(**keys)
        assert wanted is not None
        answer = {"chosen": choose_tag(wanted, tags, repository=parse_repository("example")).tag}
    except InvalidSelectorError as error:
        answer = {"error": "specifier"} if error.field == "version" else {}
    except NoTagError as error:
        answer = {"error": str(error.reason)}

    assert answer == {key: value for key, value in case.items() if key in {"chosen", "error"}}

from __future__ import annotations

import pytest

from imagelock.documents.formats.compose import find_context_names
from imagelock.documents.syntax.reader import Syntax

_BUILD = "services:\n  app:\n    build:\n      additional_contexts: "


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (f"{_BUILD}{{base: ./base, go: docker-image://golang}}\n", {"base", "go"}),
        (f"{_BUILD}[base=./base, {{}}, lone]\n", {"base", "lone"}),
        (f"{_BUILD}nothing\n", set()),
        ("services: {app: {build: .}}\n", set()),
        ("- additional_contexts\n", set()),
        ("additional_contexts: [\n", set()),
    ],
)
def test_builds_of_compose_name_their_contexts_in_two_ways(content: str, names: set[str]) -> None:
    assert find_context_names(content.encode()) == names


@pytest.mark.parametrize(
    ("content", "syntax"),
    [
        (
            'target "a" {\n  contexts = {\n    go-base = "docker-image://golang:${V}"\n    x = "./x"\n  }\n}\n',
            Syntax.HCL,
        ),
        ('{"target": {"a": {"contexts": {"go-base": "target:b", "x": "./x"}}}}', Syntax.JSON),
    ],
)
def test_targets_of_bake_name_their_contexts(content: str, syntax: Syntax) -> None:
    assert find_context_names(content.encode(), syntax) == {"go-base", "x"}

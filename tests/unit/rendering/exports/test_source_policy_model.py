"""The model of BuildKit's policies gives what 82 builds gave on BuildKit 0.32."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.model_builder import Files, ModelImage, ModelRegistry, Request, build, split_options
from tests.support.source_policy import BuildkitPolicy, PolicyError

_VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "source_policy.json").read_text())
_SAYS = {
    "library/golang:1.22": "go-locked",
    "library/golang:moved": "go-moved",
    "library/alpine:3.20": "alpine-locked",
    "library/alpine:latest": "alpine-latest",
}
_DENIED = re.compile(r'source "([^"]*)" denied by policy')


def _registry() -> ModelRegistry:
    images = {
        name: ModelImage(
            index=digests["index"],
            platforms={each: digest for each, digest in digests.items() if each != "index"},
            says=_SAYS.get(name, name),
        )
        for name, digests in _VECTORS["images"].items()
    }
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    return ModelRegistry(images, {"http://127.0.0.1:25500/v2/": empty})


def _outcome(case: dict[str, Any]) -> tuple[int, Files, list[str]]:
    """The exit code, the files, and the source that was denied."""
    policy = case["policy"]
    text = policy if isinstance(policy, str) else json.dumps(policy or {})
    try:
        request = Request(
            dockerfile=case["dockerfile"],
            policy=BuildkitPolicy.parse(text),
            options=split_options(case["opts"]),
            platform=case["platform"] or "linux/amd64",
        )
        return 0, build(request, _registry()), []
    except PolicyError as error:
        return 1, {}, _DENIED.findall(str(error))


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: case["name"])
def test_the_model_builds_what_buildkit_built(case: dict[str, Any]) -> None:
    files = {f"/{name}": text for name, text in case["files"].items()}
    assert _outcome(case) == (case["exit"], files, _DENIED.findall(case["error"] or ""))


def test_there_are_as_many_builds_as_were_recorded() -> None:
    assert len(_VECTORS["cases"]) == 82

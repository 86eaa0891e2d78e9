"""What BuildKit's own parser found in 85 files, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagelock.documents.dockerfile.finder import scan_dockerfile
from imagelock.documents.references import Image, Reference, Scratch, Stage, Unresolved

_PATH = Path(__file__).parents[3] / "vectors" / "dockerfile.json"
_VECTORS: list[dict[str, Any]] = json.loads(_PATH.read_text(encoding="utf-8"))
_TARGETS = {"image": Image, "stage": Stage, "scratch": Scratch, "error": Unresolved}
_BYTES_AS_LATIN_1 = ("invalid UTF-8 in a comment", "NUL-free UTF-16 is an error")


def _content(vector: dict[str, Any]) -> bytes:
    if vector["text"] is None:
        return b"FROM a:1\nRUN " + b"x" * 65536 + b"\n"
    text: str = vector["text"]
    return text.encode("latin-1" if vector["name"] in _BYTES_AS_LATIN_1 else "utf-8")


def _seen(content: bytes, reference: Reference) -> dict[str, Any]:
    start, end = (
        (content.count(b"\n", 0, offset) + 1, offset - (content.rfind(b"\n", 0, offset) + 1))
        for offset in (reference.span.start, reference.span.end)
    )
    return {
        "kind": str(reference.kind),
        "text": reference.text,
        "target": type(reference.target),
        "at": [*start, *end],
        "bytes": [reference.span.start, reference.span.end],
        "expanded": reference.target.text,
    }


def _wanted(reference: dict[str, Any]) -> dict[str, Any]:
    known = {key: reference[key] for key in ("kind", "text", "at", "bytes")}
    return {**known, "target": _TARGETS[reference["target"]], "expanded": reference.get("expanded", reference["text"])}


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_references_are_those_that_buildkit_sees(vector: dict[str, Any]) -> None:
    content = _content(vector)
    scan = scan_dockerfile(content)
    assert [_seen(content, reference) for reference in scan.references] == list(map(_wanted, vector["refs"]))


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_files_that_buildkit_refuses_have_a_problem_and_others_none(vector: dict[str, Any]) -> None:
    assert bool(scan_dockerfile(_content(vector)).problems) == ("error" in vector)


def test_there_are_85_vectors() -> None:
    assert len(_VECTORS) == 85

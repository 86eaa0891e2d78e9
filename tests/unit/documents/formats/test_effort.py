"""Documents made to take long: the work grows as they do."""

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.format_finder import find_references
from imagelock.documents.unread import find_unread_kind
from tests.support.effort import bounded_effort

_CHAIN = "".join(f"  a{n}: {{image: 'a:1', extends: a{n + 1}}}\n" for n in range(10_000))
_MERGES = "a0: &a0 {image: x}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 1500))


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (table.COMPOSE, f"services:\n{_CHAIN}"),
        (table.HELM_VALUES, _MERGES),
        (table.TERRAFORM, "/*" * 500_000),
        (table.TERRAFORM, 'a = "${' * 100_000),
        (table.TERRAFORM, "a = <<E\nE\n" * 30_000),
        (table.DEVCONTAINER, '["/*",' * 150 + "//\n" * 200_000),
        (table.DOTENV, "A='\n" * 100_000),
        (table.QUADLET, "[Container]\nImage=a\\\n" * 100_000),
        (table.KUBERNETES, "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n" + "  - image: a:1\n" * 50_000),
    ],
    ids=lambda value: value.name if isinstance(value, Format) else "",
)
def test_a_scan_grows_with_its_document(kind: Format, document: str) -> None:
    with bounded_effort():
        find_references(document.encode(), kind)


@pytest.mark.parametrize(
    ("path", "text"), [("Makefile", "image"), ("x.json", '"image'), ("x.yml", "a"), ("x.sh", "docker ")]
)
def test_a_look_for_signs_of_images_grows_with_its_file(path: str, text: str) -> None:
    with bounded_effort():
        assert find_unread_kind(path, text.encode() * 200_000) is None

"""Terraform files: Helm values that a resource has as a heredoc."""

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.overlooked import find_overlooked
from imagelock.documents.locked_references import LockedReferences, Retag
from imagelock.documents.pinning import pin
from imagelock.model.reference import PinnedReference, parse_reference
from tests.support.documents import DIGEST, OLD_DIGEST, pinned_text, references


def _release(*lines: str, end: str = "\n", start: str = "<<-EOT") -> str:
    values = end.join(f"    {line}" for line in lines)
    return f'resource "helm_release" "web" {{{end}  values = [{start}{end}{values}{end}    EOT{end}  ]{end}}}{end}'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_helm_values_in_a_heredoc_are_pinned_in_place(end: str) -> None:
    before = _release("image:", "  repository: a", '  tag: "v1"', '  digest: ""', end=end)
    assert pinned_text(before, table.TERRAFORM) == before.replace('digest: ""', 'digest: "D"')


def test_their_tag_moves_with_the_digest() -> None:
    moved = parse_reference(f"a:1.23@{DIGEST}")
    assert isinstance(moved, PinnedReference)
    before = _release("image:", "  repository: a", "  tag: v1.22", f"  digest: {OLD_DIGEST}")
    locked = LockedReferences([moved], names={moved: "a"}, retag=Retag())
    after = before.replace("v1.22", '"1.23"').replace(OLD_DIGEST, DIGEST)
    assert pin(before.encode(), table.TERRAFORM, locked).content.decode() == after


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            _release("image: {repository: a, tag: '${var.tag}', digest: ''}"),
            ["image ${var.tag} = a:${var.tag}: a variable or a template decides the image"],
        ),
        (_release("%{ if var.x }", "replicas: 1", "%{ endif }"), []),
        ('resource "helm_release" "web" {\n  values = [file("values.yaml")]\n}\n', []),
        ('resource "other" "web" {\n  values = [<<EOT\nimage: a:1\nEOT\n  ]\n}\n', []),
    ],
)
def test_only_what_terraform_leaves_as_it_is_counts(document: str, found: list[str]) -> None:
    assert references(document, table.TERRAFORM) == found


def test_values_that_are_no_yaml_before_terraform_runs_are_told() -> None:
    (told,) = references(_release("%{ if var.x }", "image: a:1", "%{ endif }"), table.TERRAFORM)
    assert "it is not YAML" in told


_ENCODED = """resource "helm_release" "web" {
  values = [yamlencode({
    image = { repository = "a", tag = "v1", digest = "" }
    (var.key) = [for each in var.all : each]
    sideImage = "b:1" # why
    other = { image = "${var.registry}/c:1" }
  }), yamlencode(merge({ image = "d:1" }, var.more))]
}
"""


def test_helm_values_for_yamlencode_are_pinned_in_place() -> None:
    pinned = _ENCODED.replace('digest = ""', 'digest = "D"').replace('"b:1"', '"b:1@D"')
    assert pinned_text(_ENCODED, table.TERRAFORM) == pinned
    assert references(_ENCODED, table.TERRAFORM) == [
        "image v1 = a:v1",
        "image b:1",
        "image ${var.registry}/c:1: a variable or a template decides the image",
    ]
    assert [each.text for each in find_overlooked(_ENCODED.encode(), table.TERRAFORM)] == ["d:1"]


def test_what_an_encoder_cannot_be_read_as_is_an_expression() -> None:
    document = 'locals {\n  a = jsonencode({ 1 + 2 = "x" })\n}\nresource "docker_container" "x" {\n  image = "a:1"\n}\n'
    assert references(document, table.TERRAFORM) == ["image a:1"]

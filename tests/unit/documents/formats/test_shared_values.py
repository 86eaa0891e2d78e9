"""Values that an alias gives to something that is no image."""

from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.pinning import pin, unpin
from imagelock.documents.references import Image
from imagelock.model.reference import PinnedReference, parse_reference
from tests.support.documents import DIGEST


def _pins(document: str, kind: Format, *images: str) -> list[str]:
    """Return the lines that pinning changes and the reasons of refusals; unpinning gives the document back."""
    content = document.encode()
    found = [parse_reference(f"{image}@{DIGEST}") for image in images]
    locked = LockedReferences(each for each in found if isinstance(each, PinnedReference))
    pinned = pin(content, kind, locked)
    assert pin(pinned.content, kind, locked).content == pinned.content
    assert unpin(pinned.content, kind, locked=locked).content == content
    lines = zip(document.splitlines(), pinned.content.decode().splitlines(), strict=True)
    changed = [after.strip().replace(DIGEST, "D") for before, after in lines if before != after]
    return [*changed, *(refusal.reason for refusal in pinned.refused)]


_REFUSED = ["an alias uses it for something else, too"]
_KUSTOMIZED = "images:\n- {name: nginx, newTag: &t '1.25'}\n"
_DIGEST_FIELD = "image: {repository: nginx, tag: '1.25', digest: &d ''}\n"


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (table.KUSTOMIZATION, f"{_KUSTOMIZED}commonLabels: {{version: *t}}\n"),
        (table.KUSTOMIZATION, f"{_KUSTOMIZED}labels: [{{pairs: {{version: *t}}}}]\n"),
        (table.KUSTOMIZATION, "nameSuffix: &t '1.25'\nimages: [{name: nginx, newTag: *t}]\n"),
        (table.HELM_VALUES, f"{_DIGEST_FIELD}podLabels: {{digest: *d}}\n"),
        (table.HELM_VALUES, f"{_DIGEST_FIELD}revision: *d\n"),
        (table.HELM_VALUES, "podLabels: {v: &i nginx:1.25}\nimage: *i\n"),
        (table.HELM_VALUES, "image: &i nginx:1.25\nextraEnv: {IMAGE_USED: *i}\n"),
        (table.KUBERNETES, "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: &i nginx:1.25, args: [*i]}]}\n"),
        (table.KUBERNETES, "apiVersion: v1\nkind: Pod\nx: &i nginx:1.25\nspec: {containers: [{image: *i}]}\n"),
        (table.GITLAB, ".v: &i nginx:1.25\na: {image: *i, variables: {X: *i}}\n"),
        (table.GITLAB, ".a: {image: &i nginx:1.25, script: [*i]}\n"),
        (table.CIRCLECI, "jobs:\n  a:\n    docker: [{image: &i nginx:1.25}]\n    environment: {I: *i}\n"),
        (table.GITHUB, "on: push\njobs:\n  a:\n    container: &i nginx:1.25\n    env: {I: *i}\n"),
        (table.COMPOSE, "x-env: &e {I: &i nginx:1.25}\nservices: {a: {image: *i, environment: {<<: *e}}}\n"),
        (table.HELM_VALUES, "{&i nginx:1.25: x, image: *i}\n"),
        (table.HELM_VALUES, "image: &i nginx:1.25\nused: {*i : x}\n"),
        (table.HELM_VALUES, "image: &i nginx:1.25\nused: {? [*i] : x}\n"),
        (table.DRONE, "steps: [{image: &i nginx:1.25}]\nenvironment: {I: *i}\n"),
    ],
)
def test_no_digest_gets_into_what_is_no_image(kind: Format, document: str) -> None:
    assert _pins(document, kind, "nginx:1.25") == _REFUSED


@pytest.mark.parametrize(
    ("kind", "document", "pinned"),
    [
        (table.KUSTOMIZATION, _KUSTOMIZED, "- {name: nginx, newTag: &t '1.25@D'}"),
        (
            table.KUSTOMIZATION,
            f"{_KUSTOMIZED}- {{name: docker.io/library/nginx, newTag: *t}}\n",
            "- {name: nginx, newTag: &t '1.25@D'}",
        ),
        (table.KUSTOMIZATION, "x-tag: &t '1.25'\nimages: [{name: nginx, newTag: *t}]\n", "x-tag: &t '1.25@D'"),
        (
            table.WOODPECKER,
            "variables: [&i nginx:1.25]\nsteps: {a: {image: *i}, b: {image: *i}}\n",
            "variables: [&i nginx:1.25@D]",
        ),
        (table.GITLAB, ".v: &i nginx:1.25\na: {image: *i}\nb: {image: {name: *i}}\n", ".v: &i nginx:1.25@D"),
        (
            table.CIRCLECI,
            "aliases: [&i nginx:1.25]\njobs: {a: {docker: [{image: *i}]}}\n",
            "aliases: [&i nginx:1.25@D]",
        ),
        (
            table.COMPOSE,
            "x-image: &i nginx:1.25\nservices: {a: {image: *i}, b: {image: *i}}\n",
            "x-image: &i nginx:1.25@D",
        ),
        (table.HELM_VALUES, "defaults: {used: &i 'nginx:1.25'}\nimage: *i\n", "defaults: {used: &i 'nginx:1.25@D'}"),
        (
            table.HELM_VALUES,
            f"{_DIGEST_FIELD}other: {{image: nginx, tag: '1.25', digest: *d}}\n",
            _DIGEST_FIELD[:-1].replace("''", "'D'"),
        ),
        (
            table.KUBERNETES,
            "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: &i nginx:1.25}, {image: *i}]}\n",
            "spec: {containers: [{image: &i nginx:1.25@D}, {image: *i}]}",
        ),
    ],
)
def test_what_only_images_use_is_pinned(kind: Format, document: str, pinned: str) -> None:
    assert _pins(document, kind, "nginx:1.25") == [pinned]


def test_a_tag_that_two_images_and_a_label_use_stays() -> None:
    document = f"{_KUSTOMIZED}- {{name: redis, newTag: *t}}\ncommonLabels: {{version: *t}}\n"
    assert _pins(document, table.KUSTOMIZATION, "nginx:1.25", "redis:1.25") == _REFUSED * 2


def test_values_inside_of_a_text_have_anchors_of_their_own() -> None:
    head = "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  valuesContent: |\n"
    values = "    image: &i nginx:1.25\n    podLabels: {v: *i}\n"
    assert _pins(head + values, table.KUBERNETES, "nginx:1.25") == _REFUSED
    assert _pins(head + values.replace("podLabels: {v", "b: {image"), table.KUBERNETES, "nginx:1.25") == [
        "image: &i nginx:1.25@D"
    ]


def test_a_label_named_image_is_none() -> None:
    labels = "metadata: {labels: {image: nginx}}\nspec: {selector: {matchLabels: {image: nginx}}}\n"
    resource = f"apiVersion: v1\nkind: Pod\n{labels}"
    assert find_references(resource.encode(), table.KUBERNETES).references == ()


def test_the_hint_is_a_way_out() -> None:
    scan = find_references(f"{_KUSTOMIZED}nameSuffix: *t\n".encode(), table.KUSTOMIZATION)
    (reference,) = scan.references
    assert isinstance(reference.target, Image)
    assert getattr(reference.target.editing, "hint", None) == "write the value at each place, without the alias"
    mended = "images:\n- {name: nginx, newTag: '1.25'}\nnameSuffix: '1.25'\n"
    assert _pins(mended, table.KUSTOMIZATION, "nginx:1.25") == ["- {name: nginx, newTag: '1.25@D'}"]

"""What `outdated` prints of the decision that `update` carries out."""

from __future__ import annotations

import json

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.project import IMAGES, Outcome, Project

_BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture
def moved(locked: Project) -> Project:
    """The tag of node has moved, and lacks a platform; that of go has moved as a whole."""
    locked.push("node:20", multi_platform_image("linux/amd64", note="new"))
    locked.push("golang:1.22", multi_platform_image(*_BOTH, note="new go"))
    return locked


def test_what_update_would_do_is_told(moved: Project) -> None:
    assert moved.run("outdated", "--exit-code").exit_code == 1
    images = json.loads(moved.run("outdated", "--format", "json").stdout)["images"]
    assert [(image["name"], image["update"], image["update_error"]) for image in images] == [
        ("go", "moves", None),
        ("node", "fails", "oci:vendor:node:20 has no linux/arm64 (it has: linux/amd64)"),
    ]
    table = moved.run("outdated", "--format", "markdown").stdout
    assert "platform lost: linux/arm64; tag moved; update fails" in table


def test_an_answer_without_registries_says_so(locked: Project) -> None:
    note = "note: offline: only OCI layouts were asked, and no registry's tags\n"
    assert locked.run("outdated", "--offline") == Outcome(0, "", f"2 images, none outdated\n{note}")
    assert locked.run("update", "--offline") == Outcome(0, "", f"2 images already up to date\n{note}")


def test_only_the_named_images_are_asked_for(moved: Project) -> None:
    outcome = moved.run("outdated", "go")
    assert (outcome.exit_code, outcome.stderr) == (0, "1 of 1 image outdated\n")
    assert "node" not in outcome.stdout
    assert moved.run("outdated", "nod") == Outcome(
        2, "", "error: images.toml has no image `nod`; did you mean `node`?\n"
    )


def test_images_declared_by_digest_are_counted_apart(locked: Project) -> None:
    digest = locked.images["node:20"].digest
    locked.write("images.toml", IMAGES.replace("node:20", f"node:20@{digest}"))
    assert locked.run("lock").exit_code == 0
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    told = "2 images, none outdated, 1 declared by digest, not asked (--digests asks for their tags)\n"
    assert locked.run("outdated") == Outcome(0, "", told)
    assert "declared by digest" in locked.run("outdated", "-v").stdout
    assert locked.run("outdated", "--format", "markdown").stdout == (
        "No image is outdated. 1 image declared by digest is not compared with any tag.\n"
    )


def test_no_tag_is_offered_for_an_image_that_has_none(locked: Project) -> None:
    locked.write("images.toml", IMAGES.replace(":node:20", f"@{locked.images['node:20'].digest}"))
    assert locked.run("lock").exit_code == 0
    for options in ((), ("--digests",)):
        assert locked.run("outdated", *options) == Outcome(0, "", "2 images, none outdated, 1 declared by digest\n")


def test_the_tags_of_images_declared_by_digest_are_asked_for_on_request(locked: Project) -> None:
    digests = {name: image.digest for name, image in locked.images.items()}
    by_digest = IMAGES.replace("node:20", f"node:20@{digests['node:20']}")
    locked.write("images.toml", by_digest)
    assert locked.run("lock").exit_code == 0
    asked = "2 images, none outdated, 1 declared by digest\n"
    assert locked.run("outdated", "--digests") == Outcome(0, "", asked)
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    outcome = locked.run("outdated", "--digests", "--exit-code")
    assert (outcome.exit_code, outcome.stderr) == (
        0,
        f"{asked}note: `imagelock update node --to node:20` lets it follow its tag\n",
    )
    assert outcome.stdout.splitlines()[1].split() == [
        "node", "node:20", locked.short("node:20"), "tag", "moved;", "declared", "by", "digest",
    ]  # fmt: skip
    (_, node) = json.loads(locked.run("outdated", "--digests", "--format", "json").stdout)["images"]
    assert (node["states"], node["outdated"], node["update"]) == (["tag-moved", "by-digest"], False, "nothing")
    assert node["same_tag"]["digest"] == locked.images["node:20"].digest
    assert "tag moved; declared by digest" in locked.run("outdated", "--digests", "--format", "markdown").stdout
    locked.images.pop("node:20")
    locked.push("other:1", multi_platform_image(*_BOTH, note="other"))
    (_, node) = json.loads(locked.run("outdated", "--digests", "--format", "json").stdout)["images"]
    assert node["states"] == ["tag-deleted", "by-digest"]


def test_the_note_about_digests_is_a_way_to_follow_the_tag(locked: Project) -> None:
    locked.write("images.toml", IMAGES.replace("node:20", f"node:20@{locked.images['node:20'].digest}"))
    assert locked.run("lock").exit_code == 0
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    assert locked.run("update", "node", "--to", "node:20").exit_code == 0
    assert 'node = "oci:vendor:node:20"\n' in locked.read("images.toml")
    assert locked.run("outdated") == Outcome(0, "", "2 images, none outdated\n")

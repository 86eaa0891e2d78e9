from __future__ import annotations

import json

from tests.support.oci_images import IndexEntry, image_index, multi_platform_image, platform_image
from tests.support.project import IMAGES, Outcome, Project

_BOTH = ("linux/amd64", "linux/arm64")


_NEXT = "\nNext: run `imagelock render`\n"


def _done(stderr: str) -> Outcome:
    return Outcome(0, "", stderr)


def test_without_news_nothing_is_updated(locked: Project) -> None:
    assert locked.run("update") == _done("2 images already up to date\n")
    assert locked.run("update", "go", "node") == _done("go, node already up to date\n")


def test_a_moved_tag_is_followed_and_told(locked: Project) -> None:
    old = locked.short("node:20")
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    new = locked.short("node:20")
    line = f"node  node:20 (rebuilt)  {old} -> {new}\n"
    assert locked.run("update", "--dry-run") == _done(
        f"Would update 1 of 2 images; nothing was written\nUpdate  {line}"
    )
    assert locked.run("update") == _done(f"Updated 1 of 2 images in TIME\nUpdated  {line}{_NEXT}")
    assert locked.run("update") == _done("2 images already up to date\n")


def test_a_single_platform_that_moved_is_named(locked: Project) -> None:
    old = locked.images["node:20"]
    arm64 = IndexEntry(content=old.children[1], platform={"os": "linux", "architecture": "arm64"})
    before = locked.short("node:20")
    locked.push("node:20", image_index(platform_image("linux/amd64"), arm64))
    assert locked.run("update") == _done(
        "Updated 1 of 2 images in TIME\n"
        f"Updated  node  node:20 (rebuilt)  {before} -> {locked.short('node:20')}  (linux/amd64 only)\n{_NEXT}"
    )


def test_an_index_that_moved_for_others_is_noted_and_taken_on_request(locked: Project) -> None:
    old = locked.images["node:20"]
    entries = [
        IndexEntry(content=content, platform={"os": "linux", "architecture": architecture})
        for content, architecture in zip(old.children, ("amd64", "arm64"), strict=True)
    ]
    before = locked.short("node:20")
    locked.push("node:20", image_index(*entries, platform_image("linux/386")))
    assert locked.run("update", "node") == _done(
        "node already up to date\nnote: node: index re-pushed, your platforms are unchanged (use --index to take it)\n"
    )
    assert locked.run("update", "--index") == _done(
        f"Updated 1 of 2 images in TIME\nUpdated  node  node:20  {before} -> {locked.short('node:20')}\n{_NEXT}"
    )


def test_a_frozen_image_is_noted(locked: Project) -> None:
    locked.write(
        "images.toml", IMAGES.replace('"oci:vendor:node:20"', '{ image = "oci:vendor:node:20", freeze = "why" }')
    )
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    assert locked.run("update") == _done("1 image already up to date, 1 frozen\nnote: node: frozen: why\n")
    locked.write("images.toml", IMAGES.replace("node:20", f"node:20@{locked.images['node:20'].digest}"))
    assert locked.run("lock").exit_code == 0
    assert locked.run("update").stderr.startswith("1 image already up to date, 1 declared by digest, not asked\n")
    assert locked.run("update", "node").stderr.startswith("1 declared by digest, not asked\n")


def test_an_update_adds_what_is_not_locked(workshop: Project) -> None:
    outcome = workshop.run("update", "--format", "json", "go")
    document = json.loads(outcome.stdout)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert [(change["change"], change["name"]) for change in document["changes"]] == [
        ("added", "go"),
        ("added", "node"),
    ]


def test_unknown_names_are_refused_with_guesses(locked: Project) -> None:
    before = locked.read("images.lock")
    assert locked.run("update", "nod", "xyz", "go") == Outcome(
        2,
        "",
        "error: images.toml has no image `nod`; did you mean `node`?\n  images.toml has no image `xyz`\n",
    )
    assert locked.read("images.lock") == before


def test_where_one_image_fails_the_hint_updates_the_others(locked: Project) -> None:
    locked.push("node:20", multi_platform_image("linux/amd64", note="new"))
    locked.push("golang:1.22", multi_platform_image(*_BOTH, note="new go"))
    reason = "oci:vendor:node:20 has no linux/arm64 (it has: linux/amd64)"
    assert locked.run("update") == Outcome(
        2,
        "",
        f"error: cannot lock `node`: {reason}\n  images.lock is unchanged\n"
        "\nhint: run `imagelock update go` to update the other\n",
    )
    assert (
        locked.run("update", "node", "go").stderr
        == f"error: cannot lock `node`: {reason}\n  images.lock is unchanged\n"
    )
    assert locked.run("update", "go").exit_code == 0

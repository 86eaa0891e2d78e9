"""``diff --layers``: what lies between two digests, asked of a real registry."""

from __future__ import annotations

import json

from tests.support.oci_images import image_index, platform_image
from tests.support.project import Outcome, Project
from tests.support.remote_repository import RemoteRepository

_PLATFORM = "linux/amd64"


def _lock_both(project: Project, repository: RemoteRepository) -> tuple[str, str, str]:
    """Lock an image, move its tag, and update: the old lock beside the new one, and both digests."""
    old, new = (
        image_index(platform_image(_PLATFORM, files={"etc/note": note}), platform_image("linux/arm64"))
        for note in (b"old", b"new " * 1000)
    )
    project.declare({"app": repository.push(old)})
    project.run("lock")
    (project.folder / "before.lock").write_bytes(project.lock_bytes)
    repository.push(new)
    project.run("update")
    return old.digest[7:19], new.digest[7:19], new.digest


def test_layers_and_sizes_are_told_for_each_platform_that_moved(project: Project, repository: RemoteRepository) -> None:
    old, new, _ = _lock_both(project, repository)
    assert project.run("diff", "before.lock", "--layers") == Outcome(
        0,
        f"Updated  app  1 (rebuilt)  {old} -> {new}  (linux/amd64 only)\n"
        "  linux/amd64: 0 of 1 layer as before; 3.6 kB -> 7.2 kB\n",
        "",
    )


def test_scripts_get_the_digests_of_layers(project: Project, repository: RemoteRepository) -> None:
    _lock_both(project, repository)
    outcome = project.run("diff", "before.lock", "images.lock", "--layers", "--format", "json")
    (change,) = json.loads(outcome.stdout)["changes"]
    (content,) = change["contents"]
    assert (content["platform"], content["settings"]) == (_PLATFORM, [])
    assert (len(content["added_layers"]), len(content["removed_layers"])) == (1, 1)
    assert content["new_size_bytes"] > content["old_size_bytes"] > 0


def test_what_is_no_longer_served_is_said(project: Project, repository: RemoteRepository) -> None:
    _lock_both(project, repository)
    for digest in json.loads(project.run("diff", "before.lock", "--format", "json").stdout)["changes"][0]["old"][
        "platforms"
    ].values():
        repository.delete(digest)
    project.run("cache", "clean")
    lines = project.run("diff", "before.lock", "--layers").stdout.splitlines()
    assert lines[1] == "  linux/amd64: what was locked is no longer served; now 1 layer, 7.2 kB"

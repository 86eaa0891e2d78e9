from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from imagelock.locking.lockfile import LockedImage, Lockfile, dump_lockfile, parse_lockfile
from imagelock.model.digest import Digest
from tests.support.oci_images import Content, multi_platform_image
from tests.support.project import Outcome, Project

_BOTH = ("linux/amd64", "linux/arm64")
_FINE = "2 of 2 images served as locked\n"


def _drop(project: Project, content: Content) -> None:
    (project.folder / "vendor/blobs/sha256" / content.digest.removeprefix("sha256:")).unlink()


def _damage(project: Project, content: Content) -> None:
    path = project.folder / "vendor/blobs/sha256" / content.digest.removeprefix("sha256:")
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def _line(project: Project, text: str) -> int:
    lines = project.read("images.lock").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_what_is_served_is_counted(locked: Project) -> None:
    assert locked.run("verify") == Outcome(0, "", _FINE)
    offline = "note: offline: only OCI layouts were asked, and no registry's tags\n"
    assert locked.run("verify", "--blobs", "--offline") == Outcome(0, "", _FINE + offline)
    assert locked.run("verify", "go") == Outcome(0, "", "1 of 1 image served as locked\n")


def test_details_are_listed_on_request(locked: Project) -> None:
    short = locked.short("golang:1.22")
    lines = locked.run("verify", "-v", "go").stdout.splitlines()
    assert lines[:2] == ["image  part             locked        state", f"go     index            {short}  served"]
    assert len(lines) == 5


def test_a_dead_platform_is_told_with_its_line_and_a_way_out(locked: Project) -> None:
    child = locked.images["golang:1.22"].children[1]
    _drop(locked, child)
    line = _line(locked, child.digest)
    assert locked.run("verify") == Outcome(
        1,
        f"image  part         locked        state\ngo     linux/arm64  {child.digest[7:19]}  gone\n",
        "1 of 2 images served as locked\n"
        "error: cannot pull 1 of 2 images as locked\n"
        f"  images.lock:{line}: go: linux/arm64 {child.digest} is gone: oci:vendor no longer serves it\n"
        "\n"
        "hint: declare another tag for go in images.toml, preferably a full version, "
        "or name a mirror that still has the content in `[registries]`\n",
    )


def test_a_dead_index_under_a_moved_tag_can_be_updated(locked: Project) -> None:
    old = locked.images["golang:1.22"]
    locked.push("golang:1.22", multi_platform_image(*_BOTH, note="new"))
    _drop(locked, old)
    outcome = locked.run("verify", "go")
    assert outcome.exit_code == 1
    assert outcome.stdout == (
        "image  part             locked        state\n"
        f"go     index            {old.digest[7:19]}  gone\n"
        f"go     tag golang:1.22  {old.digest[7:19]}  moved to {locked.short('golang:1.22')}\n"
    )
    assert "hint: run `imagelock update go`, or name a mirror" in outcome.stderr
    assert locked.run("update", "go").exit_code == 0
    assert locked.run("verify").exit_code == 0


def test_a_frozen_image_whose_index_is_gone_is_not_sent_to_an_update_that_leaves_it_alone(locked: Project) -> None:
    frozen = '{ image = "oci:vendor:golang:1.22", freeze = "why" }'
    locked.write("images.toml", _every_platform(frozen, locked.read("images.toml")))
    assert locked.run("lock").exit_code == 0
    old = locked.images["golang:1.22"]
    locked.push("golang:1.22", multi_platform_image(*_BOTH, note="new"))
    _drop(locked, old)
    outcome = locked.run("verify", "go")
    assert outcome.exit_code == 1
    assert outcome.stderr.endswith(
        "hint: remove `freeze` of go from images.toml, which lets an update move it, "
        "or name a mirror that still has the content in `[registries]`\n"
    )


def test_a_moved_tag_is_information(locked: Project) -> None:
    old = locked.short("node:20")
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    outcome = locked.run("verify")
    moved = f"tag node:20 {old} moved to {locked.short('node:20')}"
    assert (outcome.exit_code, " ".join(outcome.stdout.split())) == (0, f"image part locked state node {moved}")
    assert outcome.stderr == "2 of 2 images served as locked, 1 tag moved or deleted\n"


def test_a_changed_byte_is_found(locked: Project) -> None:
    manifest = locked.images["node:20"].children[0]
    _damage(locked, manifest)
    outcome = locked.run("verify")
    assert outcome.exit_code == 1
    assert f"images.lock:{_line(locked, manifest.digest)}: node: linux/amd64 {manifest.digest}: " in outcome.stderr
    assert "is damaged: its content has another digest" in outcome.stderr


def test_a_changed_byte_of_a_layer_is_found_by_blobs(locked: Project) -> None:
    _damage(locked, locked.images["node:20"].children[0].children[1])
    assert locked.run("verify").exit_code == 0
    outcome = locked.run("verify", "--blobs")
    assert outcome.exit_code == 1
    assert "node: layer of linux/amd64 sha256:" in outcome.stderr


def test_a_merge_that_pairs_two_indexes_is_found_and_can_be_repaired(locked: Project) -> None:
    old = locked.images["golang:1.22"].children[1]
    other = locked.push("golang:1.23", multi_platform_image(*_BOTH, note="other")).children[1]
    good = locked.read("images.lock")
    mixed = good.replace(old.digest, other.digest)
    locked.write("images.lock", mixed)
    outcome = locked.run("verify", "go")
    line = _line(locked, other.digest)
    assert outcome.exit_code == 1
    assert "go: the entry is damaged: its checksum is not that of its digests" in outcome.stderr
    assert f"images.lock:{line}: go: linux/arm64 {other.digest} is not what the index" in outcome.stderr
    locked.write("images.lock", re.sub("checksum = .*\n", "", mixed))
    outcome = locked.run("verify", "go")
    assert outcome.exit_code == 1
    assert outcome.stderr.endswith("hint: run `imagelock update go`\n")
    assert locked.run("update", "go").exit_code == 0
    assert locked.run("verify").exit_code == 0
    assert old.digest in locked.read("images.lock")
    assert other.digest not in locked.read("images.lock")


def test_a_damaged_entry_alone_is_repaired_by_lock(locked: Project) -> None:
    line = next(line for line in locked.read("images.lock").splitlines() if line.startswith("checksum"))
    locked.write("images.lock", locked.read("images.lock").replace(line, 'checksum = "0000000000000000"'))
    outcome = locked.run("verify")
    assert outcome.exit_code == 1
    assert outcome.stderr.endswith("hint: run `imagelock lock`, which reads damaged entries anew\n")
    assert locked.run("lock").exit_code == 0
    assert locked.run("verify").exit_code == 0


def _relock(project: Project, change: Callable[[LockedImage], LockedImage]) -> None:
    """Change an entry and give it the right checksum, as no run of this program would."""
    images = parse_lockfile(project.read("images.lock")).images
    project.write(
        "images.lock", dump_lockfile(Lockfile(tuple(change(it) if it.alias == "go" else it for it in images)))
    )


def _every_platform(image: str, text: str) -> str:
    """Declare the image another way, for every platform of its index."""
    return re.sub(r"^go .*$", f"go = {image}", text, flags=re.MULTILINE)


@pytest.mark.parametrize("way", ["tag", "freeze", "digest"])
def test_a_platform_of_the_index_that_all_lacks_is_told_and_can_be_read(locked: Project, way: str) -> None:
    index = locked.images["golang:1.22"]
    image = f'"oci:vendor:golang:1.22{f"@{index.digest}" if way == "digest" else ""}"'
    freeze = ', freeze = "why"' if way == "freeze" else ""
    declared = f'{{ image = {image}, platforms = "all"{freeze} }}'
    locked.write("images.toml", _every_platform(declared, locked.read("images.toml")))
    assert locked.run("lock").exit_code == 0
    good = locked.read("images.lock")
    _relock(locked, lambda image: replace(image, platform_digests=image.platform_digests[::2]))
    assert locked.run("lock", "--check").exit_code == 0
    line = _line(locked, "[images.go.platforms]")
    assert locked.run("verify", "go") == Outcome(
        1,
        f"image  part         locked        state\n"
        f"go     linux/arm64  {index.children[1].digest[7:19]}  in the locked index, and not locked\n",
        "0 of 1 image served as locked\n"
        "error: 1 of 1 image locked without every platform of the index\n"
        f"  images.lock:{line}: go: linux/arm64 {index.children[1].digest} is in the index {index.digest[7:19]}, "
        "every platform is wanted, and it is not locked\n"
        "\n"
        "hint: run `imagelock update --index go`, which reads the locked platforms again\n",
    )
    part = json.loads(locked.run("verify", "go", "--format", "json").stdout)["images"][0]["parts"][3]
    assert (part["platform"], part["state"]) == ("linux/arm64", "not-locked")
    assert locked.run("update", "--index", "go").exit_code == 0
    assert (locked.read("images.lock"), locked.run("verify").exit_code) == (good, 0)


@pytest.mark.parametrize("freeze", ["", ', freeze = "why"'])
def test_a_wrong_platform_under_a_right_checksum_is_read_again_as_the_hint_says(locked: Project, freeze: str) -> None:
    declared = f'{{ image = "oci:vendor:golang:1.22"{freeze} }}'
    locked.write("images.toml", _every_platform(declared, locked.read("images.toml")))
    assert locked.run("lock").exit_code == 0
    good = locked.read("images.lock")
    first = locked.images["golang:1.22"].children[0].digest
    wrong = Digest.parse(first)
    _relock(
        locked,
        lambda image: replace(
            image, platform_digests=tuple(replace(it, digest=wrong) for it in image.platform_digests)
        ),
    )
    outcome = locked.run("verify")
    assert outcome.exit_code == 1
    assert outcome.stderr.endswith("hint: run `imagelock update --index go`, which reads the locked platforms again\n")
    assert locked.run("update", "--index", "go").exit_code == 0
    assert (locked.read("images.lock"), locked.run("verify").exit_code) == (good, 0)


def test_a_platform_that_was_deleted_by_hand_comes_back_with_an_update(locked: Project) -> None:
    locked.write(
        "images.toml",
        _every_platform('{ image = "oci:vendor:golang:1.22", platforms = "all" }', locked.read("images.toml")),
    )
    assert locked.run("lock").exit_code == 0
    good = locked.read("images.lock")
    locked.write(
        "images.lock", re.sub(f'"linux/arm64" = "{locked.images["golang:1.22"].children[1].digest}"\n', "", good)
    )
    outcome = locked.run("verify")
    assert (outcome.exit_code, outcome.stderr.splitlines()[-1]) == (1, "hint: run `imagelock update go`")
    assert locked.run("update", "go").exit_code == 0
    assert locked.read("images.lock") == good


def test_scripts_get_every_part_with_whole_digests(locked: Project) -> None:
    child = locked.images["golang:1.22"].children[1]
    _drop(locked, child)
    outcome = locked.run("verify", "--format", "json", "go")
    document = json.loads(outcome.stdout)
    [image] = document["images"]
    assert (outcome.exit_code, document["ok"], image["ok"], image["name"]) == (1, False, False, "go")
    assert [(part["part"], part["platform"], part["state"]) for part in image["parts"]] == [
        ("index", None, "served"),
        ("platform", "linux/amd64", "served"),
        ("platform", "linux/arm64", "gone"),
        ("tag", None, "served"),
    ]
    assert image["parts"][2]["digest"] == child.digest


def test_markdown_is_a_sentence_and_a_table(locked: Project) -> None:
    assert locked.run("verify", "--format", "markdown").stdout == "2 of 2 images served as locked.\n"
    child = locked.images["golang:1.22"].children[1]
    _drop(locked, child)
    assert locked.run("verify", "--format", "markdown").stdout == (
        "1 of 2 images served as locked.\n\n"
        "| image | part | locked | state |\n|---|---|---|---|\n"
        f"| go | linux/arm64 | {child.digest[7:19]} | gone |\n"
    )


def test_github_shows_it_beside_the_line_of_the_lock(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(locked.folder.parent))
    index = locked.images["golang:1.22"]
    _drop(locked, index)
    line = _line(locked, f'digest = "{index.digest}"')
    sentence = f"go: index {index.digest} is gone: oci:vendor no longer serves it"
    assert f"::error file=project/images.lock,line={line}::{sentence}\n" in locked.run("verify").stderr


def test_names_are_checked(locked: Project) -> None:
    outcome = locked.run("verify", "god")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert "images.toml has no image `god`; did you mean `go`?" in outcome.stderr


def test_a_stale_lock_is_refused(locked: Project) -> None:
    locked.write("images.toml", locked.read("images.toml").replace("node:20", "node:21"))
    outcome = locked.run("verify")
    assert (outcome.exit_code, outcome.stdout) == (2, "")


def test_without_network_nothing_is_said_of_a_registry(workshop: Project) -> None:
    workshop.declare_locked()
    outcome = workshop.run("verify", "--offline")
    assert outcome.exit_code == 2
    lines = outcome.stderr.splitlines()
    assert lines[0] == "0 of 2 images served as locked"
    assert lines[2] == "error: cannot verify 2 of 2 images"

from __future__ import annotations

import json

from imagelock.locking.lockfile import parse_lockfile
from tests.support.oci_images import multi_platform_image
from tests.support.project import IMAGES, Outcome, Project

_BOTH = ("linux/amd64", "linux/arm64")


def _fails(stderr: str, exit_code: int = 2) -> Outcome:
    return Outcome(exit_code, "", stderr)


def _done(stderr: str) -> Outcome:
    return Outcome(0, "", stderr)


def test_a_first_lock_adds_every_image(workshop: Project) -> None:
    assert workshop.run("lock") == _done(
        "Locked 2 images in TIME\n"
        f"Added  go    golang:1.22  {workshop.short('golang:1.22')}  linux/amd64 linux/arm64\n"
        f"Added  node  node:20      {workshop.short('node:20')}  linux/amd64 linux/arm64\n"
    )
    assert [image.alias for image in parse_lockfile(workshop.read("images.lock")).images] == ["go", "node"]


def test_locking_again_changes_nothing(locked: Project) -> None:
    before = (locked.folder / "images.lock").stat()
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    assert locked.run("lock") == _done("2 images already locked\n")
    assert (locked.folder / "images.lock").stat() == before


def test_a_checkout_with_crlf_is_the_same_lock(locked: Project) -> None:
    text = locked.read("images.lock").replace("\n", "\r\n")
    locked.write("images.lock", text)
    assert locked.run("lock") == _done("2 images already locked\n")
    assert locked.read("images.lock") == text


def test_a_dry_run_tells_the_same_and_writes_nothing(workshop: Project) -> None:
    assert workshop.run("lock", "--dry-run") == _done(
        "Would lock 2 images; nothing was written\n"
        f"Add  go    golang:1.22  {workshop.short('golang:1.22')}  linux/amd64 linux/arm64\n"
        f"Add  node  node:20      {workshop.short('node:20')}  linux/amd64 linux/arm64\n"
    )
    assert not (workshop.folder / "images.lock").exists()


def test_changes_are_told_by_their_kind(locked: Project) -> None:
    locked.push("golang:1.23", multi_platform_image("linux/arm64", note="go 1.23"))
    locked.write(
        "images.toml",
        'platforms = ["linux/arm64"]\n[images]\ngo = "oci:vendor:golang:1.23"\nzero = "oci:vendor:alpine:3"\n',
    )
    locked.push("alpine:3", multi_platform_image("linux/arm64", note="alpine"))
    old, new, node = locked.short("golang:1.22"), locked.short("golang:1.23"), locked.short("node:20")
    assert locked.run("lock") == _done(
        "Locked 2 images in TIME\n"
        f"Updated  go    golang:1.22 -> golang:1.23  {old} -> {new}  (-linux/amd64)\n"
        f"Removed  node  node:20                     {node}                  linux/amd64 linux/arm64\n"
        f"Added    zero  alpine:3                    {locked.short('alpine:3')}                  linux/arm64\n"
    )


def test_a_renamed_image_keeps_its_digest_though_its_tag_has_moved(locked: Project) -> None:
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    old = locked.locked["node"]["digest"]
    locked.write("images.toml", IMAGES.replace("node =", "Base ="))
    assert locked.run("lock", "--check") == _fails(
        "error: images.lock does not match images.toml\n  Base: locked under the name `node`\n"
        "\nhint: run `imagelock lock`\n",
        exit_code=1,
    )
    short = str(old).removeprefix("sha256:")[:12]
    assert locked.run("lock") == _done(f"Locked 2 images in TIME\nRenamed  node -> Base  node:20  {short}\n")
    assert locked.locked["Base"]["digest"] == old


def test_digests_follow_images_whose_names_change_places(locked: Project) -> None:
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    before = locked.locked
    swapped = IMAGES.replace("go =", "x =").replace("node =", "go =").replace("x =", "node =")
    locked.write("images.toml", swapped)
    assert locked.run("lock").stderr.count("Renamed") == 2
    assert (locked.locked["go"], locked.locked["node"]) == (before["node"], before["go"])


def test_the_same_content_in_other_words_is_told_as_that(locked: Project) -> None:
    digest = locked.images["node:20"].digest
    locked.write("images.toml", IMAGES.replace("node:20", f"node:20@{digest}"))
    assert locked.run("lock") == _done(
        "Locked 2 images in TIME\n"
        f"Updated  node  node:20  {locked.short('node:20')}  (same content, declared in other words)\n"
    )


def test_another_repository_is_named(locked: Project) -> None:
    locked.write("images.toml", IMAGES.replace("oci:vendor:node", "oci:./vendor:node"))
    assert locked.run("lock") == _done(
        f"Locked 2 images in TIME\nUpdated  node  node:20  {locked.short('node:20')}  now from oci:./vendor\n"
    )


def test_scripts_get_whole_digests(locked: Project) -> None:
    locked.write(
        "images.toml", IMAGES.replace('go = "oci:vendor:golang:1.22"', "") + '[images.js]\nimage = "oci:vendor:x"'
    )
    outcome = locked.run("lock", "--format", "json")
    assert outcome.exit_code == 2
    locked.write("images.toml", IMAGES.replace('go = "oci:vendor:golang:1.22"\n', ""))
    outcome = locked.run("lock", "--format", "json")
    go = locked.images["golang:1.22"]
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout) == {
        "schema": 1,
        "images": 1,
        "dry_run": False,
        "rewrites_form": False,
        "changes": [
            {
                "change": "removed",
                "name": "go",
                "old": {
                    "name": "go",
                    "repository": "oci:vendor",
                    "tag": "golang:1.22",
                    "digest": go.digest,
                    "labels": {},
                    "platforms": {
                        "linux/amd64": go.children[0].digest,
                        "linux/arm64": go.children[1].digest,
                    },
                },
                "new": None,
            }
        ],
        "notes": [],
        "warnings": [],
    }


def test_all_failures_are_told_and_nothing_is_written(locked: Project) -> None:
    before = locked.read("images.lock")
    locked.write(
        "images.toml",
        IMAGES.replace("node:20", "node:2").replace(
            "[render]", 'a = "oci:nowhere:a"\nb = "oci:vendor:node:20"\n[render]'
        ),
    )
    assert locked.run("lock") == _fails(
        "error: cannot lock 2 of 4 images; images.lock is unchanged\n"
        "  a: oci:nowhere is not an OCI layout\n"
        "    nowhere/index.json: No such file or directory\n"
        "  node: oci:vendor has no image named `node:2`; did you mean `node:20`?\n"
        "    it has: golang:1.22, node:20\n"
    )
    assert locked.read("images.lock") == before


def test_a_registry_is_not_asked_without_network(workshop: Project) -> None:
    workshop.write("images.toml", '[images]\ngo = "golang"\n')
    assert workshop.run("--offline", "lock") == _fails(
        "error: cannot lock 1 of 1 image; images.lock is unchanged\n"
        "  go: docker.io/library/golang must be asked, and the network is off\n"
        "\nhint: leave out `--offline`\n"
    )


def test_a_refused_connection_may_be_accepted_later(workshop: Project) -> None:
    workshop.write("images.toml", '[images]\ngo = "127.0.0.1:1/golang"\n')
    assert workshop.run("lock").exit_code == 3


# --check


def test_a_fresh_lock_is_confirmed(locked: Project) -> None:
    assert locked.run("lock", "--check") == _done("images.lock matches images.toml\n")
    outcome = locked.run("lock", "--check", "--format", "json")
    assert (outcome.exit_code, json.loads(outcome.stdout), outcome.stderr) == (
        0,
        {"schema": 1, "ok": True, "problems": []},
        "",
    )


def test_a_stale_lock_is_told_with_every_reason(locked: Project) -> None:
    locked.write("images.toml", IMAGES.replace("node:20", "node:22").replace(', "linux/arm64"', ""))
    expected = (
        "error: images.lock does not match images.toml\n"
        "  go: platform linux/arm64 locked, but no longer declared\n"
        "  node: images.toml now has tag `node:22`; tag `node:20` is locked\n"
        "  node: platform linux/arm64 locked, but no longer declared\n"
        "\nhint: run `imagelock lock`\n"
    )
    assert locked.run("lock", "--check") == _fails(expected, exit_code=1)
    outcome = locked.run("lock", "--check", "--format", "json")
    assert (outcome.exit_code, outcome.stderr) == (1, expected)
    assert json.loads(outcome.stdout)["problems"][0] == {
        "name": "go",
        "reason": "platform linux/arm64 locked, but no longer declared",
    }


def test_without_a_lockfile_nothing_is_locked(workshop: Project) -> None:
    assert workshop.run("lock", "--check") == _fails(
        "error: images.lock does not match images.toml\n"
        "  go: declared, but not locked\n"
        "  node: declared, but not locked\n"
        "\nhint: run `imagelock lock`\n",
        exit_code=1,
    )


# damaged and foreign lockfiles


def _with_conflict(locked: Project) -> None:
    """Both sides have moved node, and one of them has added go."""
    lines = locked.read("images.lock").splitlines(keepends=True)
    start = lines.index("[images.node]\n")
    node = "".join(lines[start:])
    other = node.replace(locked.images["node:20"].digest, f"sha256:{'0' * 64}")
    text = "".join(lines[:start]) + f"<<<<<<< HEAD\n{node}||||||| base\n=======\n{other}>>>>>>> branch\n"
    locked.write("images.lock", text)


def test_conflict_markers_are_merged(locked: Project) -> None:
    before = locked.read("images.lock")
    _with_conflict(locked)
    conflicted = locked.read("images.lock")
    again = "conflict markers in images.lock (1 image chosen again, since the sides lock different content: node)\n"
    assert locked.run("lock", "--dry-run") == _done(f"Would merge {again}Would lock 2 images; nothing was written\n")
    assert locked.read("images.lock") == conflicted
    assert locked.run("lock") == _done(f"Merged {again}Locked 2 images in TIME\n")
    assert locked.read("images.lock") == before


def test_what_had_to_be_chosen_again_and_moved_is_told_as_an_update(locked: Project) -> None:
    old = locked.short("node:20")
    _with_conflict(locked)
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    line = f"Updated  node  node:20 (rebuilt)  {old} -> {locked.short('node:20')}\n"
    assert locked.run("lock").stderr.endswith(f"Locked 2 images in TIME\n{line}")


def test_a_conflict_is_not_said_to_be_merged_when_it_was_not(locked: Project) -> None:
    _with_conflict(locked)
    conflicted = locked.read("images.lock")
    locked.write("images.toml", IMAGES.replace("node:20", "nope"))
    assert locked.run("lock") == _fails(
        "error: cannot lock 1 of 2 images; images.lock is unchanged\n"
        "  node: oci:vendor has no image named `nope`\n"
        "    it has: golang:1.22, node:20\n"
    )
    assert locked.read("images.lock") == conflicted


def test_other_commands_leave_a_conflict_alone(locked: Project) -> None:
    _with_conflict(locked)
    expected = _fails("error: images.lock has conflict markers\n\nhint: run `imagelock lock` to merge both sides\n")
    commands = (["lock", "--check"], ["check"], ["render"], ["list"])
    assert [locked.run(*command) for command in commands] == [expected] * 4


def test_the_file_of_another_tool_is_never_overwritten(workshop: Project) -> None:
    text = "apiVersion: v0\nkind: ImagesLock\n"
    workshop.write("images.lock", text)
    assert workshop.run("lock") == _fails(
        "error: images.lock was not written by imagelock, so it is left alone\n"
        "  images.lock:1: Expected '=' after a key in a key/value pair\n"
        "\nhint: name another file with `--lockfile`, or move this one away\n"
    )
    assert workshop.read("images.lock") == text
    assert workshop.run("lock", "--lockfile", "own.lock").exit_code == 0


# upgrades


def test_lock_can_upgrade_all_or_one(locked: Project) -> None:
    locked.push("node:20", multi_platform_image(*_BOTH, note="new"))
    locked.push("golang:1.22", multi_platform_image(*_BOTH, note="new go"))
    go, node = "Update  go    golang:1.22 (rebuilt)", "node:20 (rebuilt)"
    both = locked.run("lock", "-U", "--dry-run")
    assert both.stderr.startswith(f"Would update 2 of 2 images; nothing was written\n{go}")
    one = locked.run("lock", "-P", "node", "--dry-run")
    assert one.stderr.startswith(f"Would update 1 of 2 images; nothing was written\nUpdate  node  {node}")
    assert locked.run("lock", "-U", "-P", "node") == _fails(
        "error: --upgrade moves all images: leave out --upgrade-image\n\nhint: run `imagelock lock --help`\n"
    )

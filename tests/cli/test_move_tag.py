"""A new tag is one command, whichever file had it first."""

from __future__ import annotations

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.project import Outcome, Project

_IMAGES = """\
# ours
platforms = ["linux/amd64", "linux/arm64"]

[images]
go = "oci:vendor:golang:1.22"  # the compiler
node = "oci:vendor:node:20"

[render]
"Dockerfile" = "Dockerfile.in"

[pin]
files = ["ci/Dockerfile"]
"""


@pytest.fixture
def project(workshop: Project) -> Project:
    """Locked and rendered, with a second content for a newer tag."""
    workshop.write("images.toml", _IMAGES)
    workshop.write("ci/Dockerfile", "FROM golang:1.22 AS a\r\nFROM node:20\r\nFROM golang:1.22\r\n")
    workshop.push("golang:1.23", multi_platform_image("linux/amd64", "linux/arm64", note="newer go"))
    assert workshop.run("lock").exit_code == workshop.run("render").exit_code == workshop.run("check").exit_code == 0
    return workshop


def test_images_toml_the_lock_and_every_file_move_together(project: Project) -> None:
    old, new = project.images["golang:1.22"].digest, project.images["golang:1.23"].digest
    before = project.files()
    outcome = project.run("update", "go", "--to", "golang:1.23")
    assert outcome == Outcome(
        0,
        "",
        "Moved go to oci:vendor:golang:1.23 in TIME\n"
        f"Updated  go  golang:1.22 -> golang:1.23  {project.short('golang:1.22')} -> {project.short('golang:1.23')}\n"
        "Wrote images.toml\nWrote images.lock\nWrote Dockerfile\nWrote ci/Dockerfile\n",
    )
    assert project.read("images.toml") == _IMAGES.replace("golang:1.22", "golang:1.23")
    for name in ("Dockerfile", "ci/Dockerfile"):
        was = before[name].decode()
        assert project.read(name) == was.replace("golang:1.22", "golang:1.23").replace(old, new)
    assert project.run("check").exit_code == 0


@pytest.mark.parametrize("wanted", ["golang:1.23", "1.23"])
def test_what_has_moved_already_stays_where_it_is(project: Project, wanted: str) -> None:
    assert project.run("update", "go", "--to", wanted).exit_code == 0
    before = project.files()
    assert project.run("update", "go", "--to", wanted) == Outcome(0, "", "go already up to date\n")
    digest = project.images["golang:1.23"].digest
    assert project.run("update", "go", "--to", f"{wanted}@{digest}") == Outcome(0, "", "go already up to date\n")
    assert project.files() == before


def test_a_dry_run_writes_nothing(project: Project) -> None:
    before = project.files()
    outcome = project.run("update", "go", "--to", "golang:1.23", "--dry-run")
    assert outcome.stderr.splitlines()[0] == "Would move go to oci:vendor:golang:1.23; nothing was written"
    assert project.files() == before


@pytest.mark.parametrize("wanted", ["golang:9", "no tag!"])
def test_a_tag_that_is_not_there_changes_nothing(project: Project, wanted: str) -> None:
    before = project.files()
    assert project.run("update", "go", "--to", wanted).exit_code == 2
    assert project.files() == before


def test_a_file_that_cannot_be_made_keeps_all_as_it_was(project: Project) -> None:
    project.write("Dockerfile.in", "FROM {{images.gone}}\n")
    before = project.files()
    assert project.run("update", "go", "--to", "golang:1.23").exit_code == 2
    assert project.files() == before


def test_a_digest_lets_go_for_a_tag(project: Project) -> None:
    digest = project.images["golang:1.22"].digest
    project.write("images.toml", _IMAGES.replace("golang:1.22", f"golang:1.22@{digest}"))
    assert project.run("lock").exit_code == 0
    assert project.run("update", "go", "--to", "golang:1.22").exit_code == 0
    assert project.read("images.toml") == _IMAGES
    assert project.run("check").exit_code == 0


def test_after_a_new_tag_in_images_toml_two_commands_follow(project: Project) -> None:
    project.write("images.toml", _IMAGES.replace("golang:1.22", "golang:1.23"))
    assert project.run("check").stderr.splitlines()[-1] == "hint: run `imagelock lock`, then `imagelock render --retag`"
    assert project.run("lock").exit_code == 0
    outcome = project.run("check")
    assert (outcome.exit_code, outcome.stderr.splitlines()[-1]) == (1, "hint: run `imagelock render --retag`")
    left_alone = project.run("render").stderr
    assert left_alone.endswith(
        "note: 2 references have another tag or digest than images.toml\nhint: run `imagelock render --retag`\n"
    )
    assert project.run("render", "--retag").exit_code == 0
    assert project.run("check").exit_code == 0
    assert project.read("ci/Dockerfile").count(f"golang:1.23@{project.images['golang:1.23'].digest}") == 2


def test_a_newer_tag_of_a_file_is_taken_before_all_others_are_moved(project: Project) -> None:
    project.push("node:22", multi_platform_image("linux/amd64", "linux/arm64", note="newer node"))
    project.write("images.toml", _IMAGES.replace("node:20", "node:22"))
    assert project.run("lock").exit_code == 0
    project.write("ci/Dockerfile", "FROM $B\nFROM golang:1.23\nFROM node:20\n")
    assert project.run("check").stderr.partition("\n\n")[2].splitlines() == [
        "hint: give the ARG a default before the first FROM (ci/Dockerfile:1:6)",
        "hint: run `imagelock update go --to 1.23` (ci/Dockerfile:2:6)",
        "hint: then run `imagelock render --retag`",
        "hint: add a reference to `names` under [external] to accept it as it is",
    ]
    assert project.run("render").stderr.splitlines()[-2:] == [
        "hint: run `imagelock update go --to 1.23` (ci/Dockerfile:2:6)",
        "hint: run `imagelock render --retag` (ci/Dockerfile:3:6)",
    ]
    project.write("ci/Dockerfile", project.read("ci/Dockerfile").replace("FROM $B\n", ""))
    assert project.run("update", "go", "--to", "1.23").exit_code == 0
    assert project.run("render", "--retag").exit_code == project.run("check").exit_code == 0
    assert f"golang:1.23@{project.images['golang:1.23'].digest}" in project.read("ci/Dockerfile")


@pytest.mark.parametrize("digest", ["golang:1.23", "golang:1.22", None])
def test_after_a_new_tag_in_a_pinned_file_one_command_follows(project: Project, digest: str | None) -> None:
    suffix = f"@{project.images[digest].digest}" if digest else ""
    was = f"golang:1.22@{project.images['golang:1.22'].digest}"
    project.write("ci/Dockerfile", project.read("ci/Dockerfile").replace(was, f"golang:1.23{suffix}"))
    outcome = project.run("check")
    assert (outcome.exit_code, outcome.stderr.splitlines()[-1]) == (1, "hint: run `imagelock update go --to 1.23`")


def test_an_image_is_not_moved_to_what_another_name_has(project: Project) -> None:
    project.write(
        "images.toml", project.read("images.toml").replace("[render]", 'next = "oci:vendor:golang:1.23"\n[render]')
    )
    assert project.run("lock").exit_code == 0
    before = project.files()
    assert project.run("update", "go", "--to", "1.23") == Outcome(
        2,
        "",
        "error: cannot move `go` to oci:vendor:golang:1.23: images.toml has that image as `next`\n"
        "  no file was changed\n"
        "\nhint: run `imagelock remove go`, then give its references the tag of `next`\n",
    )
    assert project.files() == before

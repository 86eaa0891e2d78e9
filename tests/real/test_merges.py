"""What git makes of images.lock when two branches change it: the seven merges of its format's design.

Images come from a layout beside the repository, so that a tag can move between two commits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.oci_images import Content, image_index, platform_image
from tests.support.oci_layout import write_layout
from tests.support.project import Outcome, Project

_NAMES = ("alpha", "bravo", "charlie", "delta", "echo")
_PLATFORMS = ("linux/amd64", "linux/arm64")
_MORE_PLATFORMS = ("linux/amd64", "linux/arm/v7", "linux/arm64")


@dataclass(slots=True)
class _Upstream:
    """The images as they are upstream: each has three platforms and moves when it is told to."""

    layout: Path
    images: dict[str, Content] = field(default_factory=dict)

    def move(self, *names: str, note: str) -> None:
        self.images |= {f"{name}:1": _labelled_image(f"{name} {note}") for name in names}
        write_layout(self.layout, self.images)


def _labelled_image(note: str) -> Content:
    """An image with the labels that Docker's official ones have: they stand in the lockfile, and must merge with it."""
    files = {"etc/note": note.encode()}
    label = "org.opencontainers.image."
    annotations = {f"{label}version": note, f"{label}created": note, f"{label}source": "https://example.com"}
    return image_index(*(platform_image(it, files=files) for it in _MORE_PLATFORMS), annotations=annotations)


@dataclass(frozen=True, slots=True)
class _Team:
    """A repository in which one works on ``main`` and another one on ``branch``."""

    upstream: _Upstream
    project: Project
    repository: Repository

    def declare(self, *names: str, platforms: tuple[str, ...] = _PLATFORMS) -> None:
        self.project.declare({name: f"oci:../layout:{name}:1" for name in names}, platforms=platforms)

    def lock(self) -> Outcome:
        return self.project.run("lock")

    def update(self, name: str, *, note: str) -> None:
        self.upstream.move(name, note=note)
        assert self.project.run("update", name).exit_code == 0

    def locked_digests(self) -> dict[str, object]:
        return {alias: image["digest"] for alias, image in self.project.locked.items()}

    def upstream_digests(self, *names: str) -> dict[str, object]:
        return {name: self.upstream.images[f"{name}:1"].digest for name in names}

    def merge(self) -> tuple[str, ...]:
        """Commit on the branch, then merge it into ``main``."""
        self.repository.commit()
        self.repository.switch("main")
        return self.repository.merge("branch")

    def on_branch(self) -> None:
        """Commit on ``main`` and go on where it was before."""
        self.repository.commit()
        self.repository.branch_off("branch", start="main~1")


@pytest.fixture
def team(tmp_path: Path) -> _Team:
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project")
    team = _Team(_Upstream(tmp_path / "layout"), project, Repository(project.folder))
    team.upstream.move(*_NAMES, note="first")
    team.declare(*_NAMES)
    team.lock()
    team.repository.start()
    return team


@pytest.mark.parametrize("updated", [("bravo", "charlie"), ("alpha", "echo")], ids=["neighbours", "distant"])
def test_updates_of_two_images_merge(team: _Team, updated: tuple[str, str]) -> None:
    on_main, on_branch = updated
    team.update(on_main, note="second")
    team.on_branch()
    team.update(on_branch, note="second")
    assert team.merge() == ()
    assert team.locked_digests() == team.upstream_digests(*_NAMES)
    assert team.project.run("lock", "--check").exit_code == 0


def test_the_same_update_on_both_sides_merges(team: _Team) -> None:
    team.update("charlie", note="second")
    team.on_branch()
    team.update("charlie", note="second")
    (team.project.folder / "another file").touch()
    assert team.merge() == ()
    assert team.locked_digests() == team.upstream_digests(*_NAMES)


def test_removing_an_image_merges_with_an_update_of_its_neighbour(team: _Team) -> None:
    team.declare("alpha", "bravo", "delta", "echo")
    team.lock()
    team.on_branch()
    team.update("delta", note="second")
    assert team.merge() == ()
    assert team.locked_digests() == team.upstream_digests("alpha", "bravo", "delta", "echo")
    assert team.project.run("lock", "--check").exit_code == 0


def test_images_added_in_different_places_merge(team: _Team) -> None:
    team.upstream.move("aardvark", "zulu", note="first")
    team.declare("aardvark", *_NAMES)
    team.lock()
    team.on_branch()
    team.declare(*_NAMES, "zulu")
    team.lock()
    assert team.merge() == ()
    assert team.locked_digests() == team.upstream_digests("aardvark", *_NAMES, "zulu")
    assert team.project.run("lock", "--check").exit_code == 0


def test_images_added_in_one_place_conflict_and_lock_keeps_both(team: _Team) -> None:
    team.upstream.move("bus", "cab", note="first")
    team.declare("alpha", "bravo", "bus", "charlie", "delta", "echo")
    team.lock()
    team.on_branch()
    team.declare("alpha", "bravo", "cab", "charlie", "delta", "echo")
    team.lock()
    assert team.merge() == ("images.lock", "images.toml")
    names = ("alpha", "bravo", "bus", "cab", "charlie", "delta", "echo")
    team.declare(*names)
    team.upstream.move("bus", "cab", note="second: nobody asked for it")
    assert team.lock() == Outcome(0, "", "Merged conflict markers in images.lock\n7 images already locked\n")
    team.upstream.move("bus", "cab", note="first")
    assert team.locked_digests() == team.upstream_digests(*names)
    assert team.project.run("lock", "--check").exit_code == 0


def test_a_platform_for_all_and_an_update_of_one_conflict_and_lock_mixes_no_digests(team: _Team) -> None:
    team.declare(*_NAMES, platforms=_MORE_PLATFORMS)
    team.lock()
    team.on_branch()
    team.update("charlie", note="second")
    assert team.merge() == ("images.lock",)
    again = "(1 image chosen again, since the sides lock different content: charlie)"
    assert team.lock().stderr.splitlines()[:2] == [
        f"Merged conflict markers in images.lock {again}",
        "Locked 1 of 5 images in TIME",
    ]
    merged = team.project.lock_bytes
    assert team.locked_digests() == team.upstream_digests(*_NAMES)
    team.project.lock_path.unlink()
    team.lock()
    assert team.project.lock_bytes == merged


def test_other_commands_leave_a_conflict_alone_and_say_what_to_do(team: _Team) -> None:
    team.declare(*_NAMES, platforms=_MORE_PLATFORMS)
    team.lock()
    team.on_branch()
    team.update("charlie", note="second")
    team.merge()
    conflicted = team.project.lock_bytes
    for command in ("check", "render", "list"):
        assert team.project.run(command) == Outcome(
            2, "", "error: images.lock has conflict markers\n\nhint: run `imagelock lock` to merge both sides\n"
        )
    assert team.project.lock_bytes == conflicted

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

    def locked_platforms(self, name: str) -> list[str]:
        platforms = self.project.locked[name]["platforms"]
        assert isinstance(platforms, dict)
        return list(platforms)

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


def _push_labelled(team: _Team, *, version: str, created: str, source: str, platforms: tuple[str, ...]) -> None:
    """Push `bravo` with content that its labels name."""
    label = "org.opencontainers.image."
    labels = {"version": version, "created": created, "source": source}
    files = {"etc/note": f"{version} {created} {source}".encode()}
    annotations = {f"{label}{name}": text for name, text in labels.items() if text}
    image = image_index(*(platform_image(it, files=files) for it in platforms), annotations=annotations)
    team.upstream.images["bravo:1"] = image
    write_layout(team.upstream.layout, team.upstream.images)


def _update_bravo(team: _Team, *, version: str, created: str, source: str = "") -> dict[str, object]:
    _push_labelled(team, version=version, created=created, source=source, platforms=_MORE_PLATFORMS)
    assert team.project.run("update", "bravo").exit_code == 0
    return team.project.locked["bravo"]


@pytest.mark.parametrize("option", ["-Xours", "-Xtheirs"])
@pytest.mark.parametrize("is_committed", [True, False])
def test_labels_of_the_side_that_was_not_taken_are_not_kept(team: _Team, option: str, *, is_committed: bool) -> None:
    """One side has changed the first of three labels, the other one the last: git merges them line by line."""
    _push_labelled(team, version="1", created="1", source="s", platforms=_MORE_PLATFORMS)
    team.project.run("update", "bravo")
    team.repository.commit("base")
    ours = _update_bravo(team, version="2", created="1", source="s")
    team.on_branch()
    theirs = _update_bravo(team, version="1", created="2", source="s")
    team.repository.commit()
    team.repository.switch("main")
    team.repository.start_merge("branch", option)
    if is_committed:
        team.repository.finish_merge()
    right = ours if option == "-Xours" else theirs
    mixed = team.project.locked["bravo"]
    assert mixed["digest"] == right["digest"]
    assert mixed["labels"] == {"version": "2", "created": "2", "source": "s"}
    assert team.project.run("lock", "--check").exit_code == 0, "labels are informational"
    line = "Would merge images.lock again, where git had mixed both sides"
    assert team.project.run("lock", "--dry-run").stderr.splitlines()[0] == line
    assert team.lock().stderr.splitlines()[0] == line.replace("Would merge", "Merged")
    assert team.project.locked["bravo"] == right
    assert team.lock() == Outcome(0, "", "5 images already locked\n")


def _declare_bravo(team: _Team, rest: str, *, platforms: str) -> None:
    others = "".join(f'{name} = "oci:../layout:{name}:1"\n' for name in _NAMES if name != "bravo")
    bravo = f'bravo = {{ image = "oci:../layout:bravo:1"{rest} }}\n'
    team.project.write("images.toml", f"platforms = {platforms}\n\n\n\n\n\n[images]\n{others}{bravo}")


@pytest.mark.parametrize("is_updated", [True, False])
def test_every_platform_declared_on_one_side_and_fewer_on_the_other(team: _Team, *, is_updated: bool) -> None:
    """Both files merge without a conflict, and no checksum covers what was declared."""
    both, one = '["linux/amd64", "linux/arm64"]', '["linux/amd64"]'
    _push_labelled(team, version="", created="", source="", platforms=_PLATFORMS)
    _declare_bravo(team, "", platforms=both)
    team.project.run("update")
    team.repository.commit("base")
    _declare_bravo(team, "", platforms=one)
    if is_updated:
        _push_labelled(team, version="2", created="", source="", platforms=_MORE_PLATFORMS)
        team.project.run("update")
    assert team.lock().exit_code == 0
    team.on_branch()
    _declare_bravo(team, ', platforms = "all"', platforms=both)
    assert team.lock().exit_code == 0
    assert team.merge() == ()
    mixed = team.project.locked["bravo"]
    assert mixed["declared"] == {"tag": "bravo:1", "platforms": "all"}
    assert team.locked_platforms("bravo") == ["linux/amd64"]
    checked = team.project.run("lock", "--check")
    assert (checked.exit_code, team.project.run("check").exit_code) == ((0, 0) if is_updated else (1, 1))
    told = "git merged what one side declared" if is_updated else "bravo: platform linux/arm64 declared, but not locked"
    assert told in checked.stderr
    assert told in team.project.run("check").stderr
    note = "note: bravo: its platforms were not those of its index: they were read anew from it"
    merged = "Merged images.lock again, where git had mixed both sides"
    assert (note if is_updated else merged) in team.lock().stderr.splitlines()
    assert team.locked_platforms("bravo") == list(_MORE_PLATFORMS if is_updated else _PLATFORMS)
    assert team.lock() == Outcome(0, "", "5 images already locked\n")
    assert team.project.run("lock", "--check") == Outcome(0, "", "images.lock matches images.toml\n")


def test_a_merge_of_three_branches_is_read_from_all_of_them(team: _Team) -> None:
    """The third branch has the labels; an octopus that git calls clean took another side's."""
    team.upstream.move("bravo", note="second")
    team.repository.branch_off("one", start="main")
    team.project.run("update", "bravo")
    team.repository.commit()
    third = team.project.locked["bravo"]
    for branch, name in (("two", "delta"), ("three", "echo")):
        team.repository.branch_off(branch, start="main")
        team.update(name, note="second")
        team.repository.commit()
    team.repository.switch("two")
    team.repository.merge("three", "one")
    assert team.locked_digests() == team.upstream_digests(*_NAMES)
    text = team.project.read("images.lock")
    wrong = text.replace('version = "bravo second"', 'version = "echo first"')
    assert wrong != text
    team.project.write("images.lock", wrong)
    team.repository.amend()
    assert team.lock().exit_code == 0
    assert team.project.locked["bravo"] == third
    assert team.project.read("images.lock") == text


def test_an_image_that_is_added_after_a_merge_is_locked_as_it_is_now(team: _Team) -> None:
    """One side of the merge still had it, with the content of then."""
    assert team.project.run("remove", "bravo").exit_code == 0
    team.on_branch()
    team.update("delta", note="second")
    assert team.merge() == ()
    assert "bravo" not in team.project.locked
    team.upstream.move("bravo", note="second")
    assert team.project.run("add", "bravo", "oci:../layout:bravo:1").exit_code == 0
    assert team.locked_digests() == team.upstream_digests(*_NAMES)


@pytest.mark.parametrize("is_committed", [True, False])
def test_what_a_person_declares_after_a_merge_is_locked_as_it_is_now(team: _Team, *, is_committed: bool) -> None:
    """Until the merge is committed, images.toml is being resolved: then the entry of a side belongs to it."""
    assert team.project.run("remove", "bravo").exit_code == 0
    team.on_branch()
    team.update("delta", note="second")
    team.repository.commit()
    team.repository.switch("main")
    team.repository.start_merge("branch")
    if is_committed:
        team.repository.finish_merge()
    first = team.upstream_digests("bravo")
    team.upstream.move("bravo", note="second")
    team.declare(*_NAMES)
    assert team.lock().exit_code == 0
    assert team.locked_digests()["bravo"] == (team.upstream_digests("bravo") if is_committed else first)["bravo"]

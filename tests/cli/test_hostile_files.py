"""A checkout in which files are not what they seem: nothing hangs, nothing is written outside, no traceback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.effort import bounded_effort
from tests.support.git import Repository
from tests.support.oci_images import multi_platform_image
from tests.support.project import Project

_COMMANDS = (
    ("check",),
    ("check", "--all"),
    ("check", "--format", "json"),
    ("lock",),
    ("lock", "--check"),
    ("update",),
    ("render",),
    ("render", "--check"),
    ("render", "--diff"),
    ("list",),
    ("outdated",),
    ("diff",),
    ("remove", "go"),
    ("unpin", "compose.yaml"),
    ("render", "--pin", "compose.yaml"),
    ("export", "env"),
    ("export", "env", "-o", "env"),
)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the project; its content must never change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("precious")
    return folder


def _assert_untouched(outside: Path) -> None:
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"file": "precious"}


def _run_all(project: Project, outside: Path) -> None:
    """Every command ends at once, with a code of the contract and without a traceback."""
    for command in _COMMANDS:
        outcome = project.run(*command)
        assert outcome.exit_code in (0, 1, 2, 3), command
        assert "Traceback" not in outcome.stderr, command
        _assert_untouched(outside)


def _make_irregular(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path.name)
        case "dangling":
            path.symlink_to("../outside/new")
        case _:
            path.symlink_to("../outside/file")


@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "loop", "dangling", "link"])
@pytest.mark.parametrize(
    "name",
    ["images.lock", "Dockerfile", "Dockerfile.in", "compose.yaml", "vendor/index.json", ".images.imagelock-journal"],
)
def test_whatever_a_file_is_every_command_ends(locked: Project, outside: Path, name: str, kind: str) -> None:
    locked.write("compose.yaml", "services:\n  a:\n    image: golang:1.22\n")
    locked.write("images.toml", locked.read("images.toml") + '[pin]\nfiles = ["compose.yaml"]\n')
    Repository(locked.folder).start()
    _make_irregular(locked.folder / name, kind)
    _run_all(locked, outside)


@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "loop", "dangling"])
def test_an_images_file_that_is_none_is_an_error_at_once(locked: Project, outside: Path, kind: str) -> None:
    _make_irregular(locked.folder / "images.toml", kind)
    for command in (*_COMMANDS, ("init",), ("add", "x", "oci:vendor:node:20")):
        outcome = locked.run("--file", "images.toml", *command)
        assert outcome.exit_code in (0, 2), command
        assert "Traceback" not in outcome.stderr, command
    _assert_untouched(outside)


def test_a_lock_that_is_a_link_out_of_the_project_is_not_written(workshop: Project, outside: Path) -> None:
    (workshop.folder / "images.lock").symlink_to("../outside/new")
    outcome = workshop.run("lock")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "error: cannot write images.lock; no file was changed\n"
        f"  images.lock leads outside the git work tree {workshop.folder}, to {outside}/new\n"
    )
    _assert_untouched(outside)


def test_an_images_file_that_is_a_link_out_of_the_project_is_not_edited(workshop: Project, outside: Path) -> None:
    (outside / "images.toml").write_bytes((workshop.folder / "images.toml").read_bytes())
    (workshop.folder / "images.toml").unlink()
    (workshop.folder / "images.toml").symlink_to("../outside/images.toml")
    workshop.push("extra:1", multi_platform_image("linux/amd64", "linux/arm64", note="extra"))
    outcome = workshop.run("add", "extra", "oci:vendor:extra:1")
    assert (outcome.exit_code, outcome.stderr.splitlines()[0]) == (
        2,
        "error: cannot write images.toml; no file was changed",
    )


@pytest.mark.parametrize("command", [("render", "--pin"), ("unpin",)])
def test_a_file_that_is_named_is_not_followed_out_of_the_project(
    pinned: Project, outside: Path, command: tuple[str, ...]
) -> None:
    pinned.declare_locked()
    (pinned.folder / ".git").mkdir()
    (outside / "file").write_text("FROM golang:1.22@sha256:" + "1" * 64)
    (pinned.folder / "Dockerfile").symlink_to("../outside/file")
    outcome = pinned.run(*command, "Dockerfile")
    assert outcome.exit_code == 2
    assert "leads outside the git work tree" in outcome.stderr
    assert (outside / "file").read_text() == "FROM golang:1.22@sha256:" + "1" * 64


@pytest.mark.parametrize("name", ["copy", "copy/blobs", "copy/blobs/sha256", "copy/index.json", "copy/oci-layout"])
def test_a_mirror_goes_through_no_link_out_of_the_project(locked: Project, outside: Path, name: str) -> None:
    path = locked.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside if path.suffix != ".json" and path.name != "oci-layout" else outside / "file")
    outcome = locked.run("mirror", "oci:copy", "--prune")
    assert (outcome.exit_code, outcome.stderr.splitlines()[0]) == (2, "error: cannot write copy; nothing was copied")
    _assert_untouched(outside)


@pytest.mark.parametrize("pattern", ["link/*.yaml", "link/**", "../outside/*.yaml", "../**", "/etc/*.yaml", ".git/**"])
def test_a_pattern_lists_nothing_outside(pinned: Project, outside: Path, pattern: str) -> None:
    (pinned.folder / ".git").mkdir()
    (pinned.folder / "link").symlink_to("/")
    pinned.declare_locked(f'[pin]\nfiles = ["{pattern}"]\n')
    with bounded_effort():  # the whole disk would be walked
        for command in ("render", "check", "render --check", "check --all"):
            assert pinned.run(*command.split()).exit_code == 2, command
    _assert_untouched(outside)


def test_init_writes_no_file_through_a_link(tmp_path: Path, pinned: Project, outside: Path) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    (pinned.folder / "images.toml").symlink_to("../outside/new")
    outcome = pinned.run("init")
    assert (outcome.exit_code, outcome.stderr.splitlines()[0]) == (
        2,
        "error: cannot write images.toml; no file was changed",
    )
    assert not (tmp_path / "outside" / "new").exists()
    _assert_untouched(outside)


def test_what_is_larger_than_any_real_file_is_not_read(locked: Project) -> None:
    with (locked.folder / "Dockerfile.in").open("wb") as file:
        file.truncate(1 << 40)
    outcome = locked.run("render")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "error: cannot use images.toml\n"
        "  images.toml:8: render.Dockerfile: its template `Dockerfile.in` has more than 16,777,216 bytes\n"
    )


def test_folders_in_one_another_without_end_are_walked(pinned: Project) -> None:
    deep = pinned.folder
    for _ in range(1200):
        deep = deep / "d"
        os.mkdir(deep)  # noqa: PTH102  thousands of short names
    pinned.declare_locked()
    assert pinned.run("check", "--all").exit_code == 0
    subprocess.run(["rm", "-rf", pinned.folder / "d"], check=True)  # Python's own removal is recursive

"""Where the two files are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagelock.cli.main import run
from tests.support.project import IMAGES, Outcome, Project


@pytest.mark.parametrize("command", ["lock", "update", "render", "check", "list"])
def test_without_images_file_every_command_says_how_to_begin(
    workshop: Project, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = workshop.folder / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / "deep").mkdir()
    monkeypatch.chdir(inner / "deep")
    assert workshop.run(command) == Outcome(
        2,
        "",
        "error: there is no images.toml in this directory or above it\n"
        "\nhint: run `imagelock init`, which writes one from the files that are here\n",
    )


def test_the_nearest_images_file_is_found_from_below(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = locked.folder / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert locked.run("lock", "--check") == Outcome(0, "", "../../images.lock matches ../../images.toml\n")
    locked.write("a/images.toml", "")
    assert locked.run("lock", "--check").stderr == "no image is declared: `imagelock add IMAGE` adds one\n"
    assert locked.run("lock").exit_code == 0
    assert locked.run("lock", "--check") == Outcome(0, "", "../images.lock matches ../images.toml\n")


def test_above_the_root_of_the_file_system_nothing_is_looked_for(
    workshop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert workshop.run("check").exit_code == 2


def test_a_command_can_work_in_another_folder(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    folder = str(locked.folder)
    expected = Outcome(0, "", "2 images locked, 1 file rendered: all up to date\n")
    assert locked.run("-C", folder, "check") == expected
    monkeypatch.chdir("/")
    assert locked.run("check", "--directory", folder) == expected
    monkeypatch.chdir("/")
    monkeypatch.setenv("IMAGELOCK_DIRECTORY", folder)
    assert locked.run("check") == expected


def test_both_files_can_be_named(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    locked.write("other/mine.toml", IMAGES.replace("oci:vendor", "oci:../vendor"))
    assert locked.run("lock", "--check", "--file", "other/mine.toml", "--lockfile", "images.lock").stderr.startswith(
        "error: images.lock does not match other/mine.toml\n"
        "  go: the image is now oci:../vendor; oci:vendor is locked\n"
    )
    monkeypatch.setenv("IMAGELOCK_FILE", "other/mine.toml")
    assert locked.run("lock").exit_code == 0
    assert (locked.folder / "other" / "images.lock").exists()
    monkeypatch.setenv("IMAGELOCK_LOCKFILE", "third.lock")
    assert locked.run("lock").exit_code == 0
    assert (locked.folder / "third.lock").read_bytes() == (locked.folder / "other" / "images.lock").read_bytes()


def test_commands_in_hints_are_about_the_same_project(workshop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.write("a b/images.toml", '[images]\nx = "oci:./layout:x"\n[render]\n"out" = "out.in"\n')
    folder = str(workshop.folder / "a b")
    options = ["-C", folder, "--lockfile", "my.lock"]
    hint = f"imagelock -C '{folder}' --lockfile my.lock"
    outcome = workshop.run(*options, "check")
    assert outcome.stderr.endswith(f"\nhint: run `{hint} lock`, then `{hint} render`\n")
    told = json.loads(workshop.run("render", *options, "--format", "json").stdout)
    assert told["error"]["hint"] == f"run `{hint} lock`"
    workshop.write("a b/images.toml", "[images]\n")
    assert workshop.run(*options, "lock").stderr == f"no image is declared: `{hint} add IMAGE` adds one\n"
    assert workshop.run(*options, "scan", "--nope").stderr.endswith("\nhint: run `imagelock scan --help`\n")
    monkeypatch.setenv("IMAGELOCK_DIRECTORY", folder)
    workshop.write("a b/images.toml", '[images]\nx = "oci:./layout:x"\n')
    assert workshop.run("lock", "--check").stderr.endswith("\nhint: run `imagelock lock`\n")


def test_a_named_file_must_be_there(workshop: Project) -> None:
    expected = Outcome(2, "", "error: cannot read nope.toml\n  No such file or directory\n")
    assert workshop.run("check", "--file", "nope.toml") == expected


def test_problems_of_the_images_file_are_told_with_its_path(workshop: Project) -> None:
    workshop.write("sub/images.toml", '[images]\nnode = "Node"\n[images.go]\nimgae = "go"\n')
    assert workshop.run("-C", "sub", "lock") == Outcome(
        2,
        "",
        "error: cannot use images.toml\n"
        "  images.toml:2: images.node: `Node`: the repository must be lower-case\n"
        "    hint: write `node`\n"
        '  images.toml:3: images.go: has no `image`, such as `image = "golang:1.22"`\n'
        "  images.toml:4: images.go.imgae: is not a known key; did you mean `image`?\n",
    )


@pytest.mark.parametrize("command", ["check", "update", "outdated", "verify", "lock"])
def test_where_no_image_is_declared_the_first_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.toml").write_text("[images]\n")
    assert run([command]) == 0
    told = capfd.readouterr().err
    assert "no image is declared: `imagelock add IMAGE` adds one" in told
    assert "0 images already" not in told

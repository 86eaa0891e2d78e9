"""What `diff` compares where git is odd, against real git."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.oci_images import multi_platform_image
from tests.support.project import Outcome, Project

_NO_CHANGE = Outcome(0, "", "no image changed\n")


@pytest.fixture
def repository(locked: Project) -> Repository:
    """The lock of two images, committed on main."""
    (locked.folder / ".git").rmdir()
    repository = Repository(locked.folder)
    repository.start()
    return repository


def _move_node(locked: Project) -> str:
    old = locked.short("node:20")
    locked.push("node:20", multi_platform_image("linux/amd64", "linux/arm64", note="new"))
    assert locked.run("update", "node").exit_code == 0
    return f"Updated  node  node:20 (rebuilt)  {old} -> {locked.short('node:20')}\n"


@pytest.mark.usefixtures("repository")
def test_what_changed_since_the_last_commit_is_told(locked: Project) -> None:
    assert locked.run("diff") == _NO_CHANGE
    line = _move_node(locked)
    assert locked.run("diff") == locked.run("diff", "HEAD") == Outcome(0, line, "")


def test_a_range_of_revisions_is_two_revisions(locked: Project, repository: Repository) -> None:
    repository.branch_off("topic", start="main")
    line = _move_node(locked)
    repository.commit()
    for arguments in (["main", "topic"], ["main..topic"], ["main.."], ["main...topic"]):
        assert locked.run("diff", *arguments) == Outcome(0, line, "")
    assert locked.run("diff", "main..main") == _NO_CHANGE
    # Three dots: from where the branches parted, whatever main has since.
    repository.switch("main")
    assert locked.run("remove", "go").exit_code == 0
    repository.commit()
    assert locked.run("diff", "main...topic") == Outcome(0, line, "")
    assert "go" in locked.run("diff", "main..topic").stdout


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("content", [b"\x7fELF\xff\xfe", b"text", b""])
def test_a_file_called_like_a_branch_does_not_hide_it(locked: Project, content: bytes) -> None:
    locked.write("main", content)
    assert locked.run("diff", "main") == _NO_CHANGE


@pytest.mark.usefixtures("repository")
def test_a_lockfile_called_like_a_branch_is_read_and_told(locked: Project) -> None:
    shutil.copy(locked.lock_path, locked.folder / "main")
    assert locked.run("diff", "main") == Outcome(
        0, "", "note: `main` is a git revision, too: the file is read\nno image changed\n"
    )


@pytest.mark.usefixtures("repository")
def test_a_lockfile_that_was_moved_is_followed(locked: Project) -> None:
    for name in ("images.toml", "images.lock"):
        locked.write(f"deploy/{name}", locked.read(name))
        (locked.folder / name).unlink()
    # Moved by hand: git does not know of it yet.
    note = "note: images.lock was images.lock in HEAD\n"
    assert locked.run("-C", "deploy", "diff") == Outcome(0, "", f"{note}no image changed\n")


def test_a_lockfile_that_was_renamed_is_followed(locked: Project, repository: Repository) -> None:
    for command in (["mv", "images.lock", "base.lock"], ["mv", "images.toml", "base.toml"]):
        subprocess.run(["git", *command], cwd=locked.folder, check=True)
    files = ["--file", "base.toml", "--lockfile", "base.lock"]
    expected = Outcome(0, "", "note: base.lock was images.lock in HEAD\nno image changed\n")
    assert locked.run(*files, "diff") == expected
    repository.commit()
    expected = Outcome(0, "", "note: base.lock was images.lock in HEAD~1\nno image changed\n")
    assert locked.run(*files, "diff", "HEAD~1") == locked.run(*files, "diff", "HEAD~1", "HEAD") == expected


def test_a_revision_without_the_lockfile_is_told(locked: Project, repository: Repository) -> None:
    locked.lock_path.unlink()
    repository.commit()
    note = "note: HEAD:images.lock does not exist: every image is shown as added\n"
    assert locked.run("lock").exit_code == 0
    outcome = locked.run("diff")
    assert (outcome.exit_code, outcome.stderr, outcome.stdout.count("Added")) == (0, note, 2)
    outcome = locked.run("diff", "HEAD~1..HEAD")
    assert outcome.stderr == "note: HEAD:images.lock does not exist: every image is shown as removed\n"
    assert outcome.stdout.count("Removed") == 2


@pytest.mark.usefixtures("repository")
def test_a_lockfile_that_is_nowhere_is_an_error(locked: Project) -> None:
    assert locked.run("--lockfile", "imges.lock", "diff") == Outcome(
        2,
        "",
        "error: there is no lockfile to compare: HEAD:imges.lock does not exist, nor does imges.lock\n"
        "\nhint: name the lockfile with `--lockfile`, or two files, as in `imagelock diff OLD.lock NEW.lock`\n",
    )
    assert "git is not installed" not in locked.run("--lockfile", "gone/images.lock", "diff", "HEAD").stderr


def test_two_files_need_no_images_toml(locked: Project, tmp_path: Path) -> None:
    old = tmp_path / "elsewhere/old.lock"
    old.parent.mkdir()
    shutil.copy(locked.lock_path, old)
    line = _move_node(locked)
    shutil.copy(locked.lock_path, old.with_name("new.lock"))
    assert locked.run("-C", str(old.parent), "diff", "old.lock", "new.lock") == Outcome(0, line, "")


def test_the_error_says_whether_there_is_a_repository_at_all(locked: Project) -> None:
    (locked.folder / ".git").rmdir()
    outcome = locked.run("diff")
    assert outcome == Outcome(
        2,
        "",
        f"error: `HEAD` is not a file, and {os.path.realpath(locked.folder)} is in no git repository\n"
        "\nhint: name two lockfiles, as in `imagelock diff OLD.lock NEW.lock`\n",
    )
    Repository(locked.folder).start()
    assert "`origin/main` is neither a file nor a git revision here" in locked.run("diff", "origin/main").stderr


@pytest.mark.usefixtures("repository")
def test_git_may_be_missing(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(locked.folder))
    assert locked.run("diff") == Outcome(2, "", "error: git is not installed\n")


def test_a_linked_work_tree_in_a_hook_is_compared_with_its_own_revision(
    locked: Project, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "linked"
    subprocess.run(["git", "worktree", "add", "-q", str(other)], cwd=repository.folder, check=True)
    assert locked.run("-C", str(other), "diff") == _NO_CHANGE
    folder = subprocess.run(
        ["git", "rev-parse", "--absolute-git-dir"], cwd=other, check=True, capture_output=True, text=True
    ).stdout.strip()
    monkeypatch.setenv("GIT_DIR", folder)
    monkeypatch.setenv("GIT_INDEX_FILE", f"{folder}/index")
    assert locked.run("-C", str(other), "diff") == _NO_CHANGE


def test_a_link_in_a_revision_leads_to_its_target(locked: Project, repository: Repository) -> None:
    locked.write("locks/base.lock", locked.read("images.lock"))
    locked.lock_path.unlink()
    locked.lock_path.symlink_to("locks/base.lock")
    repository.commit()
    assert locked.run("diff") == _NO_CHANGE


def test_a_damaged_entry_is_told_and_not_called_the_same_content(locked: Project) -> None:
    good = locked.read("images.lock")
    locked.write("good.lock", good)
    go, _ = re.findall(r'^checksum = "(.*)"$', good, re.MULTILINE)
    short = locked.short("golang:1.22")
    damage = "(damaged: its checksum does not match its digests)"
    locked.write("bad.lock", good.replace(go, "0" * 16))
    told = locked.run("diff", "good.lock", "bad.lock")
    assert told == Outcome(0, f"Updated  go  golang:1.22  {short}  {damage}\n", "")
    child = locked.images["golang:1.22"].children[1].digest
    locked.write("mixed.lock", good.replace(child, locked.images["node:20"].children[1].digest))
    told = locked.run("diff", "good.lock", "mixed.lock")
    assert told == Outcome(0, f"Updated  go  golang:1.22 (rebuilt)  {short}  (linux/arm64 only) {damage}\n", "")
    locked.write("empty.lock", good[: good.index("\n[")])
    added = locked.run("diff", "empty.lock", "bad.lock").stdout.splitlines()
    assert [line.endswith(damage) for line in added] == [True, False]
    assert locked.run("diff", "bad.lock", "good.lock").stdout.startswith("Repaired  go")


def test_other_labels_alone_are_not_called_another_declaration(locked: Project) -> None:
    good = locked.read("images.lock")
    locked.write("good.lock", good)
    labels = '[images.go.labels]\nrevision = "1"\n\n[images.go.platforms]'
    locked.write("labels.lock", good.replace("[images.go.platforms]", labels))
    assert locked.run("diff", "good.lock", "labels.lock").stdout == (
        f"Updated  go  golang:1.22  {locked.short('golang:1.22')}  (same content, other labels)\n"
    )


@pytest.mark.usefixtures("repository")
def test_a_renamed_image_is_one_change(locked: Project) -> None:
    locked.write("images.toml", locked.read("images.toml").replace("node =", "base ="))
    assert locked.run("lock").exit_code == 0
    outcome = locked.run("diff")
    assert outcome.stdout == f"Renamed  node -> base  node:20  {locked.short('node:20')}\n"
    (change,) = json.loads(locked.run("diff", "--format", "json").stdout)["changes"]
    assert (change["change"], change["name"], change["old"]["name"]) == ("renamed", "base", "node")


@pytest.mark.usefixtures("repository")
def test_a_file_called_head_is_read_only_if_it_is_named(locked: Project) -> None:
    old = locked.lock_bytes
    _move_node(locked)
    locked.write("HEAD", old)
    line = locked.run("diff").stdout
    assert line.startswith("Updated")
    shutil.copy(locked.lock_path, locked.folder / "HEAD")
    assert locked.run("diff").stdout == line
    assert locked.run("diff", "HEAD").stdout == ""


def test_both_revisions_may_be_older_than_a_move(locked: Project, repository: Repository) -> None:
    _move_node(locked)
    repository.commit()
    subprocess.run(["git", "mv", "images.lock", "moved.lock"], cwd=locked.folder, check=True)
    repository.commit()
    outcome = locked.run("--lockfile", "moved.lock", "diff", "HEAD~2", "HEAD~1")
    assert outcome.stdout.startswith("Updated  node")
    assert outcome.stderr == "note: moved.lock was images.lock in HEAD~1\n"
    backwards = locked.run("--lockfile", "moved.lock", "diff", "HEAD", "HEAD~2")
    assert backwards.stdout.startswith("Updated  node")


def test_a_repository_without_a_commit_or_without_files_is_told(locked: Project, tmp_path: Path) -> None:
    (locked.folder / ".git").rmdir()
    subprocess.run(["git", "init", "-q"], cwd=locked.folder, check=True)
    assert locked.run("diff").stderr.endswith("hint: commit images.lock first: the repository has no commit yet\n")
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)
    for name in ("images.toml", "images.lock"):
        shutil.copy(locked.folder / name, tmp_path / "bare")
    assert (
        "bare is a bare git repository, which has no files" in locked.run("-C", str(tmp_path / "bare"), "diff").stderr
    )


def test_a_shallow_clone_may_lack_a_commit(locked: Project, repository: Repository, tmp_path: Path) -> None:
    _move_node(locked)
    repository.commit()
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", locked.folder.as_uri(), shallow], check=True)
    assert "hint: run `git fetch --unshallow`" in locked.run("-C", str(shallow), "diff", "HEAD~1").stderr


def test_what_git_refuses_is_said_in_its_own_words(locked: Project, repository: Repository) -> None:
    (repository.folder / ".git" / "HEAD").write_text("nonsense")
    assert locked.run("diff") == Outcome(
        2,
        "",
        f"error: git cannot read the repository in {os.path.realpath(locked.folder)}\n"
        "  fatal: not a git repository (or any of the parent directories): .git\n"
        "\nhint: run `git status` there, which says what to do\n",
    )

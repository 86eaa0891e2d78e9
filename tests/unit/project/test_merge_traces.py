"""Whether git may have merged, told from its files without starting it, with real git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from imagelock.project.merge_traces import may_have_merged
from tests.support.git import Repository

_SETTINGS = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "core.editor=true"]
_Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> _Git:
    """Run git where ``main`` and ``side`` have a file each since they parted."""

    def run(*arguments: str, may_fail: bool = False, folder: Path = tmp_path) -> str:
        done = subprocess.run(["git", *_SETTINGS, *arguments], cwd=folder, capture_output=True, check=False, text=True)
        assert may_fail or done.returncode == 0, done.stderr
        return done.stdout

    Repository(tmp_path).start_empty()
    for branch in ("side", "main"):
        if branch == "side":
            run("branch", "side")
        run("switch", "--quiet", branch)
        (tmp_path / branch).write_text(branch)
        run("add", ".")
        run("commit", "--quiet", f"--message={branch}")
    return run


def test_ordinary_commits_are_no_merge(git: _Git, tmp_path: Path) -> None:
    assert not may_have_merged(tmp_path)
    git("switch", "--quiet", "--detach", "side")
    assert not may_have_merged(tmp_path)


def test_a_merge_is_one_until_the_next_commit(git: _Git, tmp_path: Path) -> None:
    git("merge", "--quiet", "--no-commit", "side")
    assert may_have_merged(tmp_path)
    git("commit", "--quiet", "--no-edit")
    assert may_have_merged(tmp_path)
    assert may_have_merged(tmp_path / "somewhere" / "below")
    git("commit", "--quiet", "--allow-empty", "--message=next")
    assert not may_have_merged(tmp_path)


@pytest.mark.parametrize("command", ["cherry-pick", "merge --squash", "revert", "rebase", "rebase --apply"])
def test_what_is_not_finished_may_have_merged(git: _Git, tmp_path: Path, command: str) -> None:
    git("switch", "--quiet", "side")
    (tmp_path / "main").write_text("another")
    git("add", ".")
    git("commit", "--quiet", "--message=conflict")
    git(*command.split(), "main", may_fail=True)
    assert may_have_merged(tmp_path)


@pytest.mark.parametrize("command", ["rebase", "rebase --apply"])
def test_a_rebase_has_merged_until_the_next_commit(git: _Git, tmp_path: Path, command: str) -> None:
    git("switch", "--quiet", "side")
    git(*command.split(), "main")
    assert may_have_merged(tmp_path)
    git("commit", "--quiet", "--allow-empty", "--message=next")
    assert not may_have_merged(tmp_path)


def test_a_reset_and_a_merge_that_only_moves_the_branch_are_no_merge(git: _Git, tmp_path: Path) -> None:
    git("branch", "ahead")
    git("reset", "--hard", "HEAD~")
    assert not may_have_merged(tmp_path)
    git("merge", "--quiet", "ahead")
    assert not may_have_merged(tmp_path)


def test_a_merge_that_came_from_elsewhere_is_one(git: _Git, tmp_path: Path) -> None:
    git("branch", "behind")
    git("merge", "--quiet", "side")
    git("switch", "--quiet", "--create", "other", "behind")
    git("merge", "--quiet", "main")
    assert may_have_merged(tmp_path)


def test_in_a_pack_only_git_can_tell(git: _Git, tmp_path: Path) -> None:
    git("gc", "--quiet")
    assert may_have_merged(tmp_path)
    git("commit", "--quiet", "--allow-empty", "--message=next")
    assert not may_have_merged(tmp_path)


def test_a_linked_work_tree_has_a_head_of_its_own(git: _Git, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "--quiet", str(linked), "side")
    assert not may_have_merged(linked)
    git("merge", "--quiet", "--no-commit", "main", folder=linked)
    assert (may_have_merged(linked), may_have_merged(tmp_path)) == (True, False)
    git("commit", "--quiet", "--no-edit", folder=linked)
    assert (may_have_merged(linked), may_have_merged(tmp_path)) == (True, False)


def test_without_commits_nothing_was_merged(tmp_path: Path) -> None:
    assert not may_have_merged(tmp_path)
    (tmp_path / ".git").mkdir()
    assert not may_have_merged(tmp_path)
    (tmp_path / ".git").rmdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert not may_have_merged(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no object", b"x\x9c"])
def test_a_broken_object_is_left_to_git(git: _Git, tmp_path: Path, content: bytes) -> None:
    commit = git("rev-parse", "HEAD").strip()
    path = tmp_path / ".git" / "objects" / commit[:2] / commit[2:]
    path.chmod(0o644)
    path.write_bytes(content)
    assert may_have_merged(tmp_path)

"""Both sides of whatever git has brought together, with real git."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagelock.project.merge_sides import find_readable, read_merge_parents, read_merged_sides
from tests.support.git import Repository

_SETTINGS = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "core.editor=true"]
_LINES = [f"line {number}\n" for number in range(20)]


@dataclass(frozen=True, slots=True)
class _Branches:
    """``main`` has changed the first line of a file, ``side`` its last one, and both another file in the same place."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "file"

    def git(self, *arguments: str, may_fail: bool = False) -> str:
        command = ["git", *_SETTINGS, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, text=True)
        assert may_fail or done.returncode == 0, done.stderr
        return done.stdout

    def write(self, *, first: str = "", last: str = "", other: str) -> None:
        self.file.write_text("".join([first, *_LINES, last]))
        (self.folder / "other").write_text(other)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", f"the other file says {other}")


_OURS, _THEIRS = "".join(["ours\n", *_LINES]), "".join([*_LINES, "theirs\n"])


@pytest.fixture
def branches(tmp_path: Path) -> _Branches:
    found = _Branches(tmp_path)
    Repository(tmp_path).start_empty()
    found.write(other="base\n")
    found.git("switch", "--quiet", "--create", "side")
    found.write(last="theirs\n", other="theirs\n")
    found.git("switch", "--quiet", "main")
    found.write(first="ours\n", other="ours\n")
    return found


@pytest.mark.parametrize("command", ["merge", "cherry-pick", "merge --squash", "rebase", "rebase --apply"])
def test_the_sides_of_what_is_not_finished_are_known(branches: _Branches, command: str) -> None:
    if "rebase" in command:
        branches.git("switch", "--quiet", "side")
    branches.git(*command.split(), "main" if "rebase" in command else "side", may_fail=True)
    assert branches.file.read_text() == "".join(["ours\n", *_LINES, "theirs\n"])
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS)
    assert read_merged_sides(branches.file) is None
    assert read_merged_sides(branches.folder / "other") == ("ours\n", "theirs\n")


def _settle(branches: _Branches) -> None:
    (branches.folder / "other").write_text("settled\n")
    branches.git("add", ".")


def test_the_sides_of_the_last_commit_are_known_after_a_merge(branches: _Branches) -> None:
    branches.git("merge", "side", may_fail=True)
    _settle(branches)
    branches.git("commit", "--quiet", "--no-edit")
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS)
    branches.file.write_bytes(branches.file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS)
    branches.file.write_text("edited since")
    assert read_merge_parents(branches.file) is None


def test_the_sides_of_the_last_commit_are_known_after_a_rebase(branches: _Branches) -> None:
    branches.git("switch", "--quiet", "side")
    branches.git("rebase", "main", may_fail=True)
    _settle(branches)
    branches.git("rebase", "--continue")
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS)
    branches.write(first="ours\n", last="later\n", other="later\n")
    assert read_merge_parents(branches.file) is None


def test_a_revert_has_the_version_before_the_reverted_one_as_its_other_side(branches: _Branches) -> None:
    before = branches.file.read_text()
    branches.write(first="ours\n", last="later\n", other="later\n")
    later = branches.file.read_text()
    branches.write(first="newest\nours\n", last="later\n", other="newest\n")
    newest = branches.file.read_text()
    branches.git("revert", "--no-edit", "HEAD~", may_fail=True)
    assert branches.file.read_text() == newest.removesuffix("later\n")
    assert later != before
    assert read_merge_parents(branches.file) == (newest, before)


def _with_third(branches: _Branches) -> str:
    """Add a branch that has changed the middle of the file."""
    branches.git("switch", "--quiet", "--create", "third", "main~")
    changed = "".join([*_LINES[:10], "third\n", *_LINES[10:]])
    branches.file.write_text(changed)
    branches.git("commit", "--quiet", "--all", "--message=third")
    branches.git("switch", "--quiet", "--create", "fourth", "main~")
    branches.git("rm", "--quiet", "file")
    branches.git("commit", "--quiet", "--all", "--message=fourth")
    branches.git("switch", "--quiet", "--create", "first", "main")
    branches.git("checkout", "--quiet", "main~", "other")
    branches.git("commit", "--quiet", "--all", "--message=only the file differs")
    branches.git("switch", "--quiet", "--create", "second", "main~")
    branches.git("checkout", "--quiet", "side", "file")
    branches.git("commit", "--quiet", "--all", "--message=only the file differs, too")
    branches.git("switch", "--quiet", "first")
    return changed


def test_a_merge_may_have_more_than_two_sides(branches: _Branches) -> None:
    third = _with_third(branches)
    branches.git("merge", "--quiet", "--no-commit", "second", "third")
    assert branches.file.read_text() == "".join(["ours\n", *_LINES[:10], "third\n", *_LINES[10:], "theirs\n"])
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS, third)
    branches.git("commit", "--quiet", "--no-edit")
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS, third)


def test_a_side_without_the_file_is_left_out(branches: _Branches) -> None:
    _with_third(branches)
    branches.git("merge", "--quiet", "--strategy=ours", "second", "fourth")
    assert read_merge_parents(branches.file) == (_OURS, _THEIRS)


def test_a_file_that_one_side_moved_is_read_where_each_side_has_it(branches: _Branches) -> None:
    branches.git("switch", "--quiet", "--create", "moved", "main~")
    (branches.folder / "below").mkdir()
    branches.git("mv", "file", "below/file")
    branches.git("commit", "--quiet", "--all", "--message=moved")
    branches.git("merge", "--quiet", "--no-edit", "--strategy-option=ours", "main")
    moved = branches.folder / "below" / "file"
    assert moved.read_text() == _OURS
    assert read_merge_parents(moved) == ("".join(_LINES), _OURS)


@pytest.mark.parametrize("command", ["cherry-pick", "merge --squash"])
def test_afterwards_git_has_forgotten_the_other_side_of_a_copy(branches: _Branches, command: str) -> None:
    branches.git(*command.split(), "side", may_fail=True)
    _settle(branches)
    branches.git("commit", "--quiet", "--message=copied")
    assert read_merge_parents(branches.file) is None


def test_a_commit_of_the_same_words_after_a_merge_is_no_rebase(branches: _Branches) -> None:
    date = "--date=2026-01-01T00:00:00Z"
    branches.git("switch", "--quiet", "--detach", "side")
    branches.git("commit", "--quiet", "--allow-empty", date, "--message=same")
    branches.git("switch", "--quiet", "--create", "ahead")
    branches.git("commit", "--quiet", "--allow-empty", "--message=other")
    branches.git("switch", "--quiet", "--detach", "HEAD~")
    branches.git("merge", "--quiet", "ahead")
    branches.git("commit", "--quiet", "--allow-empty", date, "--message=same")
    assert branches.git("log", "--format=%s", "--max-count=1", "ORIG_HEAD").strip() == "same"
    assert read_merge_parents(branches.file) is None


def test_a_reset_is_no_rebase(branches: _Branches) -> None:
    branches.git("reset", "--hard", "HEAD~")
    assert read_merge_parents(branches.file) is None


def test_the_newest_readable_version_is_found_by_its_commit(branches: _Branches) -> None:
    commit = branches.git("rev-parse", "--short", "HEAD").strip()
    branches.write(first="torn\n", other="torn\n")
    assert find_readable(branches.file, lambda text: text == _OURS) == commit
    assert find_readable(branches.file, lambda _: False) is None
    assert find_readable(branches.folder / "nowhere", lambda _: True) is None


def test_without_git_nothing_is_known(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("alone")
    assert (read_merge_parents(file), read_merged_sides(file)) == (None, None)
    assert find_readable(file, lambda _: True) is None


def test_no_signature_is_checked_by_a_program_of_the_configuration(branches: _Branches, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "gpg"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    branches.git("config", "log.showSignature", "true")
    branches.git("config", "gpg.program", str(program))
    assert read_merge_parents(branches.file) is None
    assert find_readable(branches.file, lambda _: True) is not None
    assert not ran.exists()

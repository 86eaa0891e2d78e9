from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from imagelock.project.work_tree import find_work_tree, identify
from tests.support.git import Repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / "sub").mkdir()
    (tmp_path / "outside").mkdir()
    (root / "out").symlink_to("../outside")
    (root / "in").symlink_to("sub")
    (root / "loop").symlink_to("loop")
    (root / "nowhere").symlink_to("missing")
    (root / "nowhere-out").symlink_to("../outside/missing")
    (root / "hooks").symlink_to(".git/hooks")
    return root


@pytest.mark.parametrize(
    "name", ["x", "sub/x", "in/x", "sub/../x", "nowhere", ".github/x", ".gitignore", "a.git/x", "ü", "."]
)
def test_what_lies_inside_is_fine(root: Path, name: str) -> None:
    assert find_work_tree(root / "sub").objection(root / name) is None


@pytest.mark.parametrize(
    ("name", "objection"),
    [
        ("../x", "lies outside the git work tree {root}"),
        ("sub/../../x", "lies outside the git work tree {root}"),
        ("/etc/passwd", "lies outside the git work tree {root}"),
        ("../tree-too/x", "lies outside the git work tree {root}"),
        ("out/x", "leads outside the git work tree {root}, to {outside}/x"),
        ("out", "leads outside the git work tree {root}, to {outside}"),
        ("nowhere-out", "leads outside the git work tree {root}, to {outside}/missing"),
        ("loop", "is a link that leads to itself"),
        ("loop/x", "is a link that leads to itself"),
        (".git/hooks/pre-commit", "lies in git's own directory"),
        (".GIT/config", "lies in git's own directory"),
        ("sub/.git/config", "lies in git's own directory"),
        ("hooks/pre-commit", "lies in git's own directory"),
        (".git", "lies in git's own directory"),
        ("a\0b", "has a NUL character, which no name of a file has"),
    ],
)
def test_what_lies_elsewhere_is_told(root: Path, name: str, objection: str) -> None:
    expected = objection.format(root=root, outside=root.parent / "outside")
    assert find_work_tree(root).objection(root / name) == expected


def test_without_git_the_folder_itself_is_the_limit(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    tree = find_work_tree(folder)
    assert tree.objection(folder / "x") is None
    assert tree.objection(tmp_path / "x") == f"lies outside the directory {folder}"


def test_a_folder_that_is_reached_by_a_link_has_the_work_tree_it_is_in(root: Path, tmp_path: Path) -> None:
    (tmp_path / "shortcut").symlink_to(root / "sub")
    tree = find_work_tree(tmp_path / "shortcut")
    assert (tree.root, tree.objection(tmp_path / "shortcut" / "x")) == (root, None)


def test_git_s_folder_may_have_any_name(tmp_path: Path) -> None:
    """As `git init --separate-git-dir` makes it."""
    inner = tmp_path / "inner"
    (inner / "meta").mkdir(parents=True)
    (inner / ".git").write_text("gitdir: meta\n")
    assert find_work_tree(inner).objection(inner / "meta" / "hooks" / "x") == "lies in git's own directory"


def test_the_folder_of_the_main_work_tree_is_git_s_as_well(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    Repository(main).start_empty()
    subprocess.run(["git", "worktree", "add", "--quiet", "linked"], cwd=main, check=True)
    linked = find_work_tree(main / "linked")
    assert linked.root == main / "linked"
    assert linked.git_folders[1:] == (main / ".git" / "worktrees" / "linked", main / ".git")


def test_what_a_person_has_named_may_lie_outside_but_not_lead_there(root: Path, tmp_path: Path) -> None:
    tree = find_work_tree(root)
    assert tree.objection_to_named(tmp_path / "outside" / "x") is None
    assert tree.objection_to_named(root / "out" / "x") is not None
    assert tree.objection_to_named(root / ".git" / "config") is not None


def test_a_file_has_one_identity_under_all_its_names(root: Path) -> None:
    file = root / "sub" / "file"
    file.touch()
    (root / "link").symlink_to("sub/file")
    os.link(file, root / "hard")
    names = [file, root / "in" / "file", root / "link", root / "hard", root / "sub" / ".." / "sub" / "file"]
    assert len({identify(name) for name in names}) == 1
    assert identify(root / "sub" / "other") != identify(file)


def test_a_file_that_is_not_there_yet_has_one_too(root: Path) -> None:
    assert identify(root / "sub" / "new") == identify(root / "in" / "new") == identify(root / "in" / "." / "new")
    assert identify(root / "nowhere") == identify(root / "missing")
    assert identify(root / "a" / "b") == identify(root / "sub" / ".." / "a" / "b")
    assert identify(root / "new") != identify(root / "New")
    assert identify(root / "loop") != identify(root / "new")


def test_names_that_differ_in_case_are_one_where_the_file_system_says_so(root: Path) -> None:
    assert identify(root / "sub" / "New") != identify(root / "sub" / "nEW")
    # A link stands for a file system that has both names for one folder.
    (root / "SUB").symlink_to("sub")
    assert identify(root / "sub" / "Né") == identify(root / "sub" / "nE\u0301")
    assert identify(root / "sub" / "a" / "New") == identify(root / "sub" / "A" / "new")

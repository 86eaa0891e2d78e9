from __future__ import annotations

from pathlib import Path

import pytest

from imagelock.project.tree import list_files, list_tree
from tests.support.git import Repository

_GITIGNORE = """\
# a comment, and a blank line

*.log
!keep.log
/only-here
build/
docs/*.html
**/deep/secret
a/**/z
trailing\\\x20
spaces \x20
\\#hash
[ab].tmp
"""
_FILES = (
    "Dockerfile",
    ".github/workflows/ci.yml",
    ".hidden",
    "a.log",
    "keep.log",
    "sub/a.log",
    "only-here",
    "sub/only-here",
    "build/Dockerfile",
    "sub/build/Dockerfile",
    "sub/build.d/Dockerfile",
    "docs/a.html",
    "docs/sub/a.html",
    "x/y/deep/secret",
    "deep/secret/file",
    "a/z",
    "a/b/c/z",
    "trailing ",
    "spaces",
    "#hash",
    "a.tmp",
    "c.tmp",
    "sub/[odd]/kept.txt",
    "sub/[odd]/.gitignore",
    "sub/[odd]/here/b.txt",
    "sub/o/b.txt",
    "sub/[odd]/a.log",
    "name with\nnewline",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name in _FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("/here/b.txt\n!a.log\n" if path.name == ".gitignore" else "")
    (root / ".gitignore").write_text(_GITIGNORE)
    return root


def test_what_git_ignores_is_left_out(folder: Path) -> None:
    (folder / "link").symlink_to("Dockerfile")
    Repository(folder).start()
    (folder / "untracked").touch()
    (folder / "c.tmp").unlink()
    assert list_files(folder) == (
        ".github/workflows/ci.yml",
        ".gitignore",
        ".hidden",
        "Dockerfile",
        "docs/sub/a.html",
        "keep.log",
        "name with\nnewline",
        "sub/[odd]/.gitignore",
        "sub/[odd]/a.log",
        "sub/[odd]/kept.txt",
        "sub/build.d/Dockerfile",
        "sub/o/b.txt",
        "sub/only-here",
        "untracked",
    )


def test_without_a_repository_the_same_files_are_found(folder: Path, tmp_path: Path) -> None:
    without = list_files(folder)
    Repository(folder).start()
    assert without == list_files(folder)
    assert list_files(folder / "sub") == tuple(path.removeprefix("sub/") for path in without if path.startswith("sub/"))
    assert not list_files(tmp_path / "missing")


def test_without_git_the_same_files_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Repository(folder).start()
    with_git = list_files(folder)
    monkeypatch.setenv("PATH", "")
    assert list_files(folder) == with_git


def test_without_git_no_packages_and_links_are_walked(tmp_path: Path) -> None:
    for name in ("node_modules/p/Dockerfile", ".venv/x", "app/Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "round").symlink_to(tmp_path)
    assert list_files(tmp_path) == ("app/Dockerfile",)


def test_work_in_an_ignored_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("scratch/\n")
    Repository(tmp_path).start()
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "Dockerfile").touch()
    assert list_files(tmp_path) == (".gitignore",)
    assert list_files(tmp_path / "scratch") == ("Dockerfile",)


@pytest.mark.parametrize("has_git", [True, False])
def test_a_link_is_listed_where_only_its_name_says_that_it_is_a_document(tmp_path: Path, *, has_git: bool) -> None:
    root = tmp_path / "tree"
    for name in ("docker/production", "docker/Dockerfile", "ignored/Dockerfile", "notes"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / ".gitignore").write_text("ignored/\n")
    (tmp_path / "outside").touch()
    if has_git:
        Repository(root).start()
    for link, target in (
        ("Dockerfile", "docker/production"),
        ("chain.Dockerfile", "Dockerfile"),
        ("of-ignored.Dockerfile", "ignored/Dockerfile"),
        ("same.Dockerfile", "docker/Dockerfile"),
        ("out.Dockerfile", "../outside"),
        ("out.txt", "../outside"),
        ("text", "docker/production"),
        ("nowhere.Dockerfile", "missing"),
        ("loop.Dockerfile", "loop.Dockerfile"),
        ("folder.Dockerfile", "docker"),
        ("config.Dockerfile", ".git/config"),
    ):
        (root / link).symlink_to(target)
    listing = list_tree(root)
    links = ("Dockerfile", "chain.Dockerfile", "of-ignored.Dockerfile")
    assert listing.files == tuple(sorted((".gitignore", "docker/Dockerfile", "docker/production", "notes", *links)))
    assert listing.outside_links == (("config.Dockerfile", "out.Dockerfile") if has_git else ("out.Dockerfile",))


def test_a_link_to_a_document_of_another_folder_is_listed(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "Dockerfile").touch()
    Repository(tmp_path).start()
    (tmp_path / "service" / "Dockerfile").symlink_to("../Dockerfile")
    assert list_files(tmp_path / "service") == ("Dockerfile",)
    assert list_files(tmp_path) == ("Dockerfile",)

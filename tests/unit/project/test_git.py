from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imagelock.errors import FileError
from imagelock.project.git import list_git_files, run_git
from imagelock.project.revisions import read_text_at
from imagelock.project.tree import list_files
from imagelock.project.work_tree import find_work_tree
from tests.support.git import Repository

_HOSTILE = """
[core]
    fsmonitor = "touch {ran}-fsmonitor; false"
    pager = "touch {ran}-pager; cat"
    hooksPath = {hooks}
    sshCommand = touch {ran}-ssh
    untrackedCache = true
    worktree = /etc
[diff]
    external = touch {ran}-external
[diff "x"]
    textconv = "touch {ran}-textconv; cat"
    command = touch {ran}-command
[filter "x"]
    clean = "touch {ran}-clean; cat"
    smudge = "touch {ran}-smudge; cat"
    process = touch {ran}-process
[submodule]
    recurse = true
[alias]
    ls-files = !touch {ran}-alias
    cat-file = !touch {ran}-alias
[credential]
    helper = !touch {ran}-helper
"""


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where each program that a repository names leaves a file, should it run."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "deploy").mkdir(parents=True)
    (folder / "deploy" / "app.yaml").write_text("image: a\n")
    (folder / "images.lock").write_text("version = 1\n")
    (folder / ".gitattributes").write_text("* diff=x filter=x\n")
    Repository(folder).start()
    return folder


def _make_hostile(folder: Path, marks: Path) -> None:
    hooks = folder.parent / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marks}/hook\n")
        (hooks / name).chmod(0o755)
    with (folder / ".git" / "config").open("a") as file:
        file.write(_HOSTILE.format(ran=marks / "ran", hooks=hooks))


def test_nothing_that_a_configuration_names_is_run(folder: Path, marks: Path) -> None:
    _make_hostile(folder, marks)
    assert list_git_files(folder) == [".gitattributes", "deploy/app.yaml", "images.lock"]
    assert list_git_files(folder / "deploy") == ["app.yaml"]
    assert read_text_at("HEAD", folder / "images.lock") == "version = 1\n"
    assert list(marks.iterdir()) == []


def test_a_folder_that_looks_like_a_repository_is_not_entered(folder: Path, marks: Path) -> None:
    deploy = folder / "deploy"
    for name in ("objects/info", "objects/pack", "refs"):
        (deploy / name).mkdir(parents=True)
        (deploy / name / ".keep").touch()
    (deploy / "HEAD").write_text("ref: refs/heads/main\n")
    (deploy / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n"
        f'\tfsmonitor = "touch {marks}/x; false"\n'
    )
    Repository(folder).commit()
    assert "app.yaml" in list_files(deploy)
    assert read_text_at("HEAD", deploy / "app.yaml") == "image: a\n"
    assert list(marks.iterdir()) == []


def test_a_repository_inside_the_tree_is_not_entered(folder: Path) -> None:
    inner = folder / "vendor" / "theirs"
    inner.mkdir(parents=True)
    (inner / "Dockerfile").touch()
    Repository(inner).start()
    assert [path for path in list_files(folder) if path.startswith("vendor")] == []
    assert list_files(folder / "vendor") == ()


def test_what_a_partial_clone_lacks_is_not_fetched(folder: Path, marks: Path) -> None:
    helper = folder.parent / "helper"
    helper.write_text(f"#!/bin/sh\ntouch {marks}/lazy\n")
    helper.chmod(0o755)
    blob = subprocess.run(
        ["git", "rev-parse", "HEAD:images.lock"], cwd=folder, capture_output=True, check=True, text=True
    ).stdout.strip()
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with (folder / ".git" / "config").open("a") as file:
        file.write(
            "[extensions]\n\tpartialClone = origin\n"
            f'[remote "origin"]\n\tpromisor = true\n\turl = ext::{helper}\n'
            '[protocol "ext"]\n\tallow = always\n'
        )
    assert read_text_at("HEAD", folder / "images.lock") is None
    assert list(marks.iterdir()) == []


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_TRACE"])
def test_variables_of_the_caller_redirect_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv(name, str(other / "x"))
    assert list_git_files(folder) == [".gitattributes", "deploy/app.yaml", "images.lock"]
    assert read_text_at("HEAD", folder / "images.lock") == "version = 1\n"
    assert list(other.iterdir()) == []


def test_configuration_of_the_caller_s_environment_is_not_taken(
    folder: Path, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {marks}/x; false")
    assert "images.lock" in (list_git_files(folder) or [])
    assert list(marks.iterdir()) == []


@pytest.mark.parametrize("entry", [".", "", "bin"])
def test_a_git_of_the_checkout_is_not_started(
    folder: Path, marks: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    (folder / "bin").mkdir()
    for name in ("git", "bin/git"):
        (folder / name).write_text(f"#!/bin/sh\ntouch {marks}/x\n")
        (folder / name).chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{entry}{os.pathsep}{os.environ['PATH']}")
    assert "images.lock" in list_files(folder)
    assert list(marks.iterdir()) == []


def test_the_repository_above_a_broken_one_is_not_asked(folder: Path) -> None:
    inner = folder / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / "Dockerfile").touch()
    assert list_git_files(inner) is None
    assert list_files(inner) == ("Dockerfile",)


def test_a_forged_index_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    blob = subprocess.run(
        ["git", "hash-object", "-w", "images.lock"], cwd=folder, capture_output=True, check=True, text=True
    ).stdout.strip()
    # git itself refuses to add such a path: it is written with a name of the same length, which is then replaced.
    subprocess.run(["git", "update-index", "--add", "--cacheinfo", f"100644,{blob},aa/outside"], cwd=folder, check=True)
    index = folder / ".git" / "index"
    index.write_bytes(index.read_bytes().replace(b"aa/outside", b"../outside"))
    assert "../outside" not in list_files(folder)


@pytest.mark.parametrize("name", ["config", "HEAD", "index", "info/exclude"])
def test_git_is_not_started_where_it_would_wait_for_ever(folder: Path, name: str) -> None:
    (folder / ".git" / name).unlink(missing_ok=True)
    (folder / ".git" / "info").mkdir(exist_ok=True)
    os.mkfifo(folder / ".git" / name)
    assert list_git_files(folder) is None
    assert list_files(folder) == (".gitattributes", "deploy/app.yaml", "images.lock")
    with pytest.raises(FileError, match="git would not end"):
        read_text_at("HEAD", folder / "images.lock")


@pytest.mark.parametrize("name", ["deploy/.gitignore", ".gitignore"])
def test_git_is_not_waited_for_where_an_ignore_file_never_ends(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(FileError, match=f"git would not end: .*/{name} is not a file"):
        run_git(find_work_tree(folder), ["ls-files", "--others", "--exclude-standard"])


def test_a_linked_work_tree_is_asked_as_it_is(folder: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    subprocess.run(["git", "worktree", "add", "--quiet", linked], cwd=folder, check=True)
    assert list_git_files(linked) == [".gitattributes", "deploy/app.yaml", "images.lock"]
    assert read_text_at("HEAD", linked / "images.lock") == "version = 1\n"


def test_a_submodule_is_asked_as_it_is(folder: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    Repository(outer).start_empty()
    subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(folder), "sub"],
        cwd=outer,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    assert list_git_files(outer) == [".gitmodules", "sub"]
    assert list_files(outer) == (".gitmodules",)
    assert list_git_files(outer / "sub") == [".gitattributes", "deploy/app.yaml", "images.lock"]


def test_git_writes_nothing(folder: Path) -> None:
    def state() -> list[tuple[str, int]]:
        return [(str(path), path.lstat().st_mtime_ns) for path in sorted((folder / ".git").rglob("*"))]

    (folder / "deploy" / "app.yaml").touch()
    before = state()
    list_git_files(folder)
    read_text_at("HEAD", folder / "images.lock")
    assert state() == before


@pytest.mark.parametrize("revision", ["", "-x", "--output=x", "nowhere", "HEAD:images.lock"])
def test_what_is_no_revision_is_told(folder: Path, revision: str) -> None:
    with pytest.raises(FileError, match="is neither a file nor a git revision"):
        read_text_at(revision, folder / "images.lock")


def test_without_git_a_revision_can_t_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(FileError) as caught:
        read_text_at("HEAD", folder / "images.lock")
    assert caught.value.message == "git is not installed"


def test_a_file_that_git_can_t_start_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_bytes(b"\x00")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(FileError, match=r"^git Exec format error$"):
        read_text_at("HEAD", folder / "images.lock")


def test_an_endless_answer_is_cut(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\nexec {shutil.which('yes')}\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(FileError, match=r"^git printed more than 16,777,216 bytes$"):
        read_text_at("HEAD", folder / "images.lock")

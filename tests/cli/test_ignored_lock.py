"""A lockfile that git ignores: no other checkout would have it, and CI would say that nothing is locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.project import Project

_NOTE = "git ignores images.lock, so that no commit has it: add `!images.lock` at the end of .gitignore\n"


@pytest.fixture
def repository(workshop: Project) -> Repository:
    (workshop.folder / ".git").rmdir()
    repository = Repository(workshop.folder)
    repository.start_empty()
    return repository


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("path", "rules"),
    [
        (".gitignore", "*.lock"),
        (".gitignore", "/images.lock"),
        (".gitignore", "*\n!images.toml"),
        (".gitignore", "images.*"),
        (".git/info/exclude", "images.lock"),
        ("../home/.config/git/ignore", "*.lock"),
    ],
)
def test_lock_and_check_say_so(
    workshop: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, rules: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    workshop.write(path, f"{rules}\n")
    assert workshop.run("lock").stderr.startswith(f"warning: {_NOTE}")
    assert workshop.run("render").exit_code == 0
    check = workshop.run("check")
    assert (check.exit_code, check.stderr.startswith(f"note: {_NOTE}")) == (0, True)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "rules", ["*.lock\n!images.lock\n", "# *.lock\n", "*.log\nbuild/\n", "deploy/images.lock\n", "\n/\n"]
)
def test_what_does_not_ignore_it_says_nothing(workshop: Project, rules: str) -> None:
    workshop.write(".gitignore", rules)
    assert "ignores" not in workshop.run("lock").stderr
    assert "ignores" not in workshop.run("check").stderr


def test_a_folder_above_may_be_ignored(workshop: Project, repository: Repository) -> None:
    workshop.write(
        "sub/images.toml", workshop.read("images.toml").split("[render]")[0].replace("oci:vendor", "oci:../vendor")
    )
    workshop.write(".gitignore", "sub/\n")
    repository.commit()
    assert workshop.run("-C", "sub", "lock").stderr.startswith("warning: git ignores")
    assert workshop.run("check").stderr.startswith(f"note: {_NOTE}")


def test_what_git_tracks_is_not_ignored(workshop: Project, repository: Repository) -> None:
    assert workshop.run("lock").exit_code == 0
    repository.commit()
    workshop.write(".gitignore", "*.lock\n")
    assert "ignores" not in workshop.run("check").stderr

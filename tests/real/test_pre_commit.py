"""Our hooks, run by pre-commit itself from a clone of this repository, in a repository that uses them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.oci_images import multi_platform_image
from tests.support.project import Project
from tests.support.real_software import require_programs

_CHECKOUT = Path(__file__).parents[2]
_SHIPPED = ("src", ".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE")
_IMAGES = '[images]\ngo = "oci:./vendor:golang:1.22"\n\n[render]\n"Dockerfile" = "Dockerfile.in"\n'


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what is in this checkout."""
    require_programs("git", "pre-commit")
    folder = tmp_path_factory.mktemp("hooks")
    for name in _SHIPPED:
        source = _CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    Repository(folder).start()
    return folder


@dataclass(frozen=True, slots=True)
class Sample:
    """A repository with everything locked, rendered and committed, and with our hooks."""

    project: Project
    environment: Mapping[str, str]

    def run(self, *command: str) -> tuple[int, str]:
        """Run a program in it; its exit code, and all that it said."""
        done = subprocess.run(
            command,
            check=False,
            cwd=self.project.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def run_hooks(self, *arguments: str) -> tuple[int, str]:
        return self.run("pre-commit", "run", "--all-files", *arguments)


@pytest.fixture
def sample(hooks: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder=folder)
    project.push("golang:1.22", multi_platform_image("linux/amd64", note="go"))
    project.write("images.toml", _IMAGES)
    project.write("Dockerfile.in", "FROM {{images.go}}\n")
    assert project.run("lock").exit_code == project.run("render").exit_code == 0
    revision = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, check=True, cwd=hooks, text=True)
    ids = "".join(f"      - id: imagelock-{name}\n" for name in ("lock-check", "render", "check"))
    config = f"repos:\n  - repo: {hooks}\n    rev: {revision.stdout.strip()}\n    hooks:\n{ids}"
    project.write(".pre-commit-config.yaml", config)
    Repository(folder).start()
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "IMAGELOCK_"))}
    identity = {
        f"GIT_{role}_{kind}": "tests@localhost" for role in ("AUTHOR", "COMMITTER") for kind in ("NAME", "EMAIL")
    }
    environments = tmp_path_factory.getbasetemp() / "pre-commit"
    return Sample(project, ours | identity | {"PRE_COMMIT_HOME": str(environments), "GIT_CONFIG_GLOBAL": os.devnull})


def test_a_repository_in_order_passes(sample: Sample) -> None:
    exit_code, output = sample.run_hooks()
    assert (exit_code, output.count("Passed")) == (0, 3), output


def test_a_stale_lock_fails_with_our_words(sample: Sample) -> None:
    sample.project.write("images.toml", _IMAGES.replace("1.22", "1.23"))
    exit_code, output = sample.run_hooks("imagelock-lock-check")
    assert exit_code == 1
    assert "images.lock does not match images.toml" in output
    assert "hint: run `imagelock lock`" in output


def test_a_stale_file_is_mended_and_passes_at_the_next_try(sample: Sample) -> None:
    rendered = sample.project.read("Dockerfile")
    sample.project.write("Dockerfile", "FROM golang:1.22\n")
    assert sample.run_hooks("imagelock-render")[0] == 1
    assert sample.project.read("Dockerfile") == rendered
    assert sample.run_hooks()[0] == 0


def test_a_commit_is_stopped_until_the_files_are_right(sample: Sample) -> None:
    assert sample.run("pre-commit", "install")[0] == 0
    sample.project.write("Dockerfile", "FROM golang:1.22\n")
    sample.project.write("notes", "new\n")
    exit_code, output = sample.run("git", "commit", "--all", "--message=wrong")
    assert (exit_code, "files were modified by this hook" in output) == (1, True)
    assert sample.run("git", "add", "--all")[0] == 0
    assert sample.run("git", "commit", "--message=right")[0] == 0


def test_our_own_hooks_file_is_valid() -> None:
    manifest = str(_CHECKOUT / ".pre-commit-hooks.yaml")
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", manifest], check=True)

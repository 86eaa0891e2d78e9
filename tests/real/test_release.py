"""What is released: two equal builds, whose wheel works in an empty environment on the oldest and newest Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_dependency_versions import find_pythons
from tests.support.git import Repository
from tests.support.real_software import require_programs

_CHECKOUT = Path(__file__).parents[2]
_PYTHONS = dict(find_pythons())
_DEMO = ("images.toml", "layout", "Dockerfile.in", "main.go")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_programs("git")
    folder = tmp_path_factory.mktemp("release")
    build = [sys.executable, str(_CHECKOUT / "scripts/build_release.py"), str(folder)]
    done = subprocess.run(build, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.parametrize("version", sorted({min(_PYTHONS), max(_PYTHONS)}))
def test_the_wheel_runs_the_main_example_of_the_readme(wheel: Path, tmp_path: Path, version: str) -> None:
    environment = tmp_path / "environment"
    subprocess.run([_PYTHONS[version], "-m", "venv", environment], check=True)
    pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel)], check=True)
    project = tmp_path / "project"
    for name in _DEMO:
        source, target = _CHECKOUT / "demo" / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    pages = {path.name for path in (environment / "share/man/man1").iterdir()}
    assert pages == {path.name for path in (_CHECKOUT / "man").iterdir()}
    command = environment / "bin/imagelock"
    said = [
        subprocess.run([command, name], capture_output=True, check=True, cwd=project, text=True).stderr
        for name in ("lock", "render", "check")
    ]
    assert said[-1] == "2 images locked, 1 file rendered: all up to date\n"
    for name in ("Dockerfile", "images.lock"):
        assert (project / name).read_bytes() == (_CHECKOUT / "demo" / name).read_bytes()


def test_the_wheel_runs_without_being_installed(wheel: Path, tmp_path: Path) -> None:
    uvx = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--python", sys.executable, "--from", str(wheel)]
    environment = os.environ | {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_SYSTEM_CERTS": "true"}
    done = subprocess.run([*uvx, "imagelock", "--version"], capture_output=True, check=True, env=environment, text=True)
    assert done.stdout.startswith("imagelock ")


def test_a_release_is_begun_by_one_command(tmp_path: Path) -> None:
    for name in ("scripts/release.py", "CHANGELOG.md", "src/imagelock/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_CHECKOUT / name, tmp_path / name)
    Repository(tmp_path).start()
    identity = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    subprocess.run(["git", "config", "user.email", "tests@localhost"], check=True, cwd=tmp_path)
    subprocess.run(["git", *identity, "config", "user.name", "tests"], check=True, cwd=tmp_path)
    release = [sys.executable, "scripts/release.py"]
    assert subprocess.run([*release, "one"], check=False, cwd=tmp_path, capture_output=True).returncode == 2
    subprocess.run([*release, "1.2.3"], check=True, cwd=tmp_path, capture_output=True)
    changelog = (tmp_path / "CHANGELOG.md").read_text()
    assert re.search(r"^## Unreleased\n\n## 1\.2\.3 \(\d{4}-\d\d-\d\d\)\n\n### Added\n", changelog, re.MULTILINE)
    assert '__version__ = "1.2.3"' in (tmp_path / "src/imagelock/__init__.py").read_text()
    log = subprocess.run(["git", "log", "-1", "--format=%s"], capture_output=True, check=True, cwd=tmp_path, text=True)
    assert log.stdout == "Release 1.2.3\n"
    assert subprocess.run([*release, "1.2.4"], check=False, cwd=tmp_path, capture_output=True).returncode == 2

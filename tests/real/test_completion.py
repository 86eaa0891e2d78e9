"""Completion in real shells: each is given the script and asked for words."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.real_software import require_programs

_IMAGES = (
    '[images]\ngo = "golang:1"\ngopher = "golang:2"\nnode = "node:20"\n\n[render]\n"Dockerfile" = "Dockerfile.in"\n'
)
_SECONDS = 20
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x07")
Complete = Callable[[Project, str], set[str]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder=folder)
    project.write("images.toml", _IMAGES)
    return project


def _environment(project: Project) -> Mapping[str, str]:
    commands = str(Path(sys.executable).parent)
    return project.process_environment() | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm"}


def _script(project: Project, shell: str) -> Path:
    outcome = project.run("completion", shell)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    path = project.write(f"completion.{shell}", outcome.stdout)
    subprocess.run([shell, "-n", path], check=True)
    return path


def _run(project: Project, *command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, check=True, cwd=project.folder, env=_environment(project), text=True
    )
    assert done.stderr == ""
    return done.stdout


def _complete_in_bash(project: Project, line: str) -> set[str]:
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    ask = f"source {_script(project, 'bash')}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}"
    show = "_imagelock_completion imagelock; printf '%s\\n' \"${COMPREPLY[@]}\""
    return set(_run(project, "bash", "--norc", "-c", f"{ask}; {show}").split())


def _complete_in_fish(project: Project, line: str) -> set[str]:
    output = _run(project, "fish", "--no-config", "-c", f"source {_script(project, 'fish')}; complete -C '{line}'")
    return {line.partition("\t")[0] for line in output.splitlines()}


def _complete_in_zsh(project: Project, line: str) -> set[str]:
    """Type the line into a terminal with zsh in it, press tab twice, and read the screen."""
    setup = (
        f"autoload -U compinit; compinit -u -D; source {_script(project, 'zsh')}; PROMPT='> '; LISTMAX=0; print ready\n"
    )
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"], dict(_environment(project)))  # noqa: S606  the child of a fork
    try:
        os.write(terminal, setup.encode())
        _read_until(terminal, "\nready")
        os.write(terminal, f"{line}\t\t".encode())
        screen = _read_until(terminal, None)
    finally:
        os.kill(process, 9)
        os.close(terminal)
        os.waitpid(process, 0)
    return set(_ESCAPE.sub(" ", screen).split())


def _read_until(terminal: int, wanted: str | None) -> str:
    """Read until a text has come, or, where none is named, until nothing comes any more."""
    text = ""
    quiet = 3 if wanted is None else _SECONDS
    while select.select([terminal], [], [], quiet)[0]:
        text += os.read(terminal, 4096).decode(errors="replace")
        if wanted is not None and wanted in text.replace("\r", ""):
            break
    return text


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(request: pytest.FixtureRequest) -> Complete:
    require_programs(request.param)
    by_shell: Mapping[str, Complete] = {
        "bash": _complete_in_bash,
        "zsh": _complete_in_zsh,
        "fish": _complete_in_fish,
    }
    return by_shell[request.param]


def test_commands_are_completed(project: Project, complete: Complete) -> None:
    assert {"unpin", "update"} <= complete(project, "imagelock u")


@pytest.mark.parametrize("command", ["help", "schema"])
def test_commands_about_commands_are_completed(project: Project, complete: Complete, command: str) -> None:
    assert {"list", "lock"} <= complete(project, f"imagelock {command} l")


@pytest.mark.parametrize("command", ["remove", "explain", "update", "verify", "outdated", "mirror"])
def test_completing_a_name_loads_no_command(project: Project, command: str) -> None:
    """Their imports take longer than all else."""
    asked = {"_IMAGELOCK_COMPLETE": "bash_complete", "COMP_WORDS": f"imagelock {command} g", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "imagelock"],
        capture_output=True,
        check=True,
        cwd=project.folder,
        env={**_environment(project), **asked},
        text=True,
    )
    assert done.stdout.split() == ["plain,go", "plain,gopher"]
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "imagelock.images_file.parser" in modules
    assert [name for name in modules if name.startswith(("imagelock.cli.commands.", "imagelock.registry"))] == []
    assert modules.isdisjoint({"tomlkit", "yaml", "httpx", "ssl"})


@pytest.mark.parametrize("line", ["imagelock update go", "imagelock remove go", "imagelock lock -P go"])
def test_names_of_images_are_completed(project: Project, complete: Complete, line: str) -> None:
    found = complete(project, line)
    assert {"go", "gopher"} <= found
    assert "node" not in found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("imagelock render D", {"Dockerfile"}),
        ("imagelock export build", {"build-contexts", "buildah-policy", "buildkit-policy"}),
        ("imagelock check --format s", {"sarif"}),
        ("imagelock check --st", {"--strict"}),
    ],
)
def test_outputs_formats_and_options_are_completed(project: Project, line: str, words: set[str]) -> None:
    require_programs("bash", "fish")
    assert _complete_in_bash(project, line) == words
    assert _complete_in_fish(project, line) == words


@pytest.mark.parametrize("text", [None, "[images\n", '[images]\ngo = "UPPER:1"\n'])
def test_without_a_project_that_can_be_read_there_is_silence(project: Project, text: str | None) -> None:
    (project.folder / "images.toml").unlink()
    (project.folder / ".git").mkdir()
    if text is not None:
        project.write("images.toml", text)
    assert _complete_in_bash(project, "imagelock update g") == set()


def test_a_project_elsewhere_is_completed_as_well(project: Project) -> None:
    project.write("deep/images.toml", '[images]\ngoat = "golang:3"\n')
    assert _complete_in_bash(project, "imagelock -C deep update g") == {"goat"}

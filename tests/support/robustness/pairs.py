"""Two commands that write, started at once: what they leave must be what one after the other leaves."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.project import Project
from tests.support.robustness.scenes import WRITING_COMMANDS, Files, files_of, make_scenes

_Result = tuple[tuple[int, int], tuple[tuple[str, bytes], ...]]
"""The two exit codes, and all files."""


class Pairs:
    """Runs pairs of commands at once, each pair in a project of its own."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)  # noqa: S311  reproducible, not secret
        self._scenes = make_scenes(folder / "scenes")
        self._serial = cache(self._run_serially)

    def run(self, rounds: int) -> Iterator[tuple[str, list[str]]]:
        """Give each pair with what was wrong about it, if anything. Every two commands come before any comes again."""
        names = list(WRITING_COMMANDS)
        pairs = [(scene, first, second) for scene in self._scenes for first in names for second in names]
        self._random.shuffle(pairs)
        for number in range(rounds):
            scene, first, second = pairs[number % len(pairs)]
            yield f"`{first}` and `{second}` where the {scene} are stale", list(self._judge(scene, first, second))

    def _judge(self, scene: str, first: str, second: str) -> Iterator[str]:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            project = self._scenes[scene].copy_to(Path(folder))
            processes = [_start(project, name) for name in (first, second)]
            stderr = [process.communicate()[1].decode() for process in processes]
            result = _result((processes[0].returncode, processes[1].returncode), files_of(project))
        (codes, swapped) = self._serial(scene, first, second), self._serial(scene, second, first)
        if result not in (codes, ((swapped[0][1], swapped[0][0]), swapped[1])):
            yield f"exit codes {result[0]}: neither order leaves this\n{stderr[0]}\n{stderr[1]}"
        if any("Traceback" in text for text in stderr):
            yield "\n".join(stderr)

    def _run_serially(self, scene: str, first: str, second: str) -> _Result:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            project = self._scenes[scene].copy_to(Path(folder))
            codes = [project.run(*WRITING_COMMANDS[name]).exit_code for name in (first, second)]
            return _result((codes[0], codes[1]), files_of(project))


def _start(project: Project, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "imagelock", *WRITING_COMMANDS[name]],
        cwd=project.folder,
        env=project.process_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _result(codes: tuple[int, int], files: Files) -> _Result:
    return codes, tuple(sorted(files.items()))

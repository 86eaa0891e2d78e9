"""Runs that a signal hits at one of their system calls, by strace, and what must be true afterwards."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.project import Outcome, Project
from tests.support.robustness.scenes import (
    WRITING_COMMANDS,
    Files,
    Scene,
    files_of,
    left_overs,
    make_scenes,
    scene_of,
)

_CALLS = ",".join(
    f"?{name}"
    for name in (
        "write pwrite64 rename renameat renameat2 unlink unlinkat fsync fchmod fchown ftruncate mkdir mkdirat rmdir"
    ).split()
)
"""System calls that write or rename; `?` lets strace pass over those that a machine does not have."""
_NOTHING = "interrupted: nothing was written"
_SOMETHING = "interrupted; written before that: "
# A shell that starts this in the background makes everything below deaf to interrupts.
_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = "imagelock"
from imagelock.__main__ import main
main()
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One run that a signal ended, or did not."""

    command: str
    number: signal.Signals
    call: int
    """Which of the system calls was hit, counted from 1."""
    outcome: Outcome
    files: Files

    def __str__(self) -> str:
        return f"{self.number.name} at call {self.call} of `{self.command}`: exit code {self.outcome.exit_code}"


class Interruptions:
    """Interrupts random commands at random system calls, each in a project of its own."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)  # noqa: S311  reproducible, not secret
        self._scenes = make_scenes(folder / "scenes")
        self._results = cache(self._find_result)

    def run(self, number: signal.Signals, rounds: int) -> Iterator[tuple[str, list[str]]]:
        """Give each run with what was wrong about it, if anything."""
        for _ in range(rounds):
            name = self._random.choice(list(WRITING_COMMANDS))
            _, _, calls = self._results(name)
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                project = self._scene(name).copy_to(Path(folder))
                hit = self._hit(project, name, number, self._random.randint(1, calls))
                problems = (
                    self._judge_killed(project, hit) if number is signal.SIGKILL else self._judge_interrupted(hit)
                )
                yield str(hit), list(problems)

    def _scene(self, name: str) -> Scene:
        return self._scenes[scene_of(name)]

    def _find_result(self, name: str) -> tuple[Files, Files, int]:
        """The files before and after a run that nothing interrupts, and the number of its calls."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            project = self._scene(name).copy_to(Path(folder))
            before = files_of(project)
            log = Path(folder, "calls")
            _strace(project, ["-o", str(log), "-e", f"trace={_CALLS}"], WRITING_COMMANDS[name])
            after = files_of(project)
            assert before != after, name
            return before, after, log.read_text().count("(")

    def _hit(self, project: Project, name: str, number: signal.Signals, call: int) -> Hit:
        inject = f"inject={_CALLS}:signal={number.name}:when={call}"
        options = ["-o", "/dev/null", "-e", f"trace={_CALLS}", "-e", inject]
        outcome = _strace(project, options, WRITING_COMMANDS[name])
        return Hit(name, number, call, outcome, files_of(project))

    def _judge_interrupted(self, hit: Hit) -> Iterator[str]:
        """All is old or all is new, nothing is left over, and what was said is true."""
        before, after, _ = self._results(hit.command)
        stderr = hit.outcome.stderr
        if hit.files not in (before, after):
            yield f"half of the files changed: {sorted(_changed(before, hit.files))}"
        if "Traceback" in stderr:
            yield stderr
        if hit.outcome.exit_code == 0 and hit.files != after:
            yield "it said yes, and the files are old"
        elif hit.outcome.exit_code not in (0, 128 + hit.number):
            yield f"exit code {hit.outcome.exit_code}"
        if _NOTHING in stderr and hit.files != before:
            yield f"it said that nothing was written: {sorted(_changed(before, hit.files))}"
        if _SOMETHING in stderr:
            told = stderr.rpartition(_SOMETHING)[2].strip().split(", ")
            if sorted(told) != sorted(_changed(before, hit.files)):
                yield f"it said that {told} were written, and {sorted(_changed(before, hit.files))} were"
        if hit.outcome.exit_code and _NOTHING not in stderr and _SOMETHING not in stderr:
            yield "it did not say what was written"

    def _judge_killed(self, project: Project, hit: Hit) -> Iterator[str]:
        """No file is torn, no reader takes a half for the whole, and the next run that writes leaves none."""
        before, after, _ = self._results(hit.command)
        files = {name: content for name, content in hit.files.items() if name not in left_overs(hit.files)}
        torn = [name for name, content in files.items() if content not in (before.get(name), after.get(name))]
        if torn:
            yield f"torn: {torn}"
        reader = project.run("lock", "--check")
        is_half = files not in (before, after)
        if "Traceback" in reader.stderr or reader.exit_code not in (0, 1, 2):
            yield reader.stderr
        if is_half and not (reader.exit_code == 2 and "was killed while it wrote" in reader.stderr):
            yield f"a reader saw half of the files: {reader}"
        writer = project.run("lock")
        if writer.exit_code:
            yield f"the next run failed: {writer.stderr}"
        now = files_of(project)
        expected = (after,) if hit.command == "lock" or is_half else (before, after)
        if {name: now[name] for name in now if name not in left_overs(now)} not in expected:
            yield f"the next run left {sorted(_changed(before, now))}"
        if any(name.endswith("-journal") or name.startswith(".images.") for name in left_overs(now)):
            yield f"left over: {left_overs(now)}"


def find_strace() -> str | None:
    """Return the path of strace."""
    return shutil.which("strace")


def _strace(project: Project, options: list[str], arguments: tuple[str, ...]) -> Outcome:
    done = subprocess.run(
        ["strace", "-f", "-qq", *options, sys.executable, "-c", _PROGRAM, *arguments],
        cwd=project.folder,
        env={**project.process_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def _changed(before: Files, now: Files) -> set[str]:
    return {name for name in {*before, *now} if before.get(name) != now.get(name)}

"""How long do the commands take that people and CI run all day?

    python benchmarks/startup.py [--rounds 15]
        as multiples of ``python -c pass``
    python benchmarks/startup.py --against REVISION_OR_FOLDER [--rounds 15] [--instructions]
        as multiples of another checkout's time: wall time, processor time and, with valgrind, instructions

Whole processes, taken in turn so that a noisy machine disturbs all alike; ratios are those of runs next to each other,
and their median is printed. The project has 100 images on two platforms and 20 templates, all locked and rendered.
A comparison makes an environment without development packages for each checkout, a git worktree for a revision, and
lets each checkout lock and render a project of its own. Instructions are the same on every run and every machine.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import LockedImage, Lockfile, dump_lockfile
from imagelock.model.digest import Digest
from imagelock.model.platforms import Platform, PlatformDigest
from imagelock.model.reference import parse_repository
from imagelock.model.selector import ExactTag

_IMAGES, _TEMPLATES = 100, 20
_PLATFORMS = ("linux/amd64", "linux/arm64")
_COMMANDS = ("--version", "lock --check", "list", "check", "lock")
_COMPLETION = ("_IMAGELOCK_COMPLETE=bash_complete", "COMP_WORDS=imagelock explain image-0", "COMP_CWORD=2")
"""What bash sets when a person asks for the names of images."""
_BASELINE = "python -c pass"
_ROOT = Path(__file__).parents[1]
_COLLECTED = re.compile(r"Collected : (\d+)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--against", metavar="REVISION_OR_FOLDER")
    parser.add_argument("--instructions", action="store_true", help="count them with valgrind, which takes a minute")
    arguments = parser.parse_args()
    if arguments.instructions and (arguments.against is None or shutil.which("valgrind") is None):
        parser.error("--instructions goes with --against, and needs valgrind")
    with tempfile.TemporaryDirectory() as name:
        if arguments.against is None:
            _measure(Path(name), arguments.rounds)
        else:
            with _checkout(arguments.against, Path(name) / "checkout") as other:
                _compare(Path(name), other, arguments.rounds, counts_instructions=arguments.instructions)


def _measure(folder: Path, rounds: int) -> None:
    """Print each command's time as a multiple of the interpreter's own."""
    _write_project(folder)
    program = [str(Path(sys.executable).with_name("imagelock"))]
    for preparation in ("lock", "render"):
        _run([*program, preparation], folder)
    commands = {_BASELINE: [sys.executable, "-c", "pass"]}
    commands |= {f"imagelock {command}": [*program, *command.split()] for command in _COMMANDS}
    commands["completion of a name"] = ["env", *_COMPLETION, *program]
    seconds: dict[str, list[float]] = {label: [] for label in commands}
    for _ in range(rounds + 1):
        for label, command in commands.items():
            seconds[label].append(_run(command, folder)[0])
    print(f"{'command':24}{'median':>9}{'ratio':>8}{'least':>8}{'most':>8}")
    for label, times in seconds.items():
        # The first round warms the disk's cache.
        ratios = [own / base for own, base in zip(times[1:], seconds[_BASELINE][1:], strict=True)]
        milliseconds = statistics.median(times[1:]) * 1000
        print(f"{label:24}{milliseconds:7.0f}ms{statistics.median(ratios):8.1f}{min(ratios):8.1f}{max(ratios):8.1f}")


@dataclass(frozen=True, slots=True)
class _Installed:
    """A checkout in an environment of its own, and its project."""

    program: tuple[str, ...]
    project: Path

    @classmethod
    def of(cls, source: Path, folder: Path) -> _Installed:
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", "--editable", source], check=True)
        installed = cls((str(python), str(python.with_name("imagelock"))), folder / "project")
        installed.project.mkdir()
        _write_project(installed.project)
        for command in ("lock", "render", *_COMMANDS) * 2:  # from the second time on, compiled modules are on disk
            _run([*installed.program, *command.split()], installed.project)
        return installed

    def measure(self, command: str) -> tuple[float, float]:
        return _run([*self.program, *command.split()], self.project)

    def count_instructions(self, command: str) -> int:
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        done = subprocess.run(
            [*valgrind, *self.program, *command.split()],
            cwd=self.project,
            env=_environment() | {"PYTHONHASHSEED": "0"},
            check=True,
            capture_output=True,
            text=True,
        )
        match = _COLLECTED.search(done.stderr)
        assert match is not None, done.stderr
        return int(match[1])


def _compare(folder: Path, other: Path, rounds: int, *, counts_instructions: bool) -> None:
    """Print each command's time as a multiple of the other checkout's, measured in pairs of random order."""
    ours, theirs = (_Installed.of(source, folder / name) for source, name in ((_ROOT, "ours"), (other, "theirs")))
    ratios: dict[str, list[tuple[float, float]]] = {command: [] for command in _COMMANDS}
    for _ in range(rounds):
        for command in random.sample(_COMMANDS, len(_COMMANDS)):
            pair = {side: side.measure(command) for side in random.sample([ours, theirs], 2)}
            ratios[command].append((pair[ours][0] / pair[theirs][0], pair[ours][1] / pair[theirs][1]))
    print(f"{'command':16}{'wall':>8}{'CPU':>8}{'instructions':>14}")
    for command, pairs in ratios.items():
        wall, processor = (statistics.median(column) for column in zip(*pairs, strict=True))
        instructions = "-"
        if counts_instructions:
            instructions = f"{ours.count_instructions(command) / theirs.count_instructions(command):.3f}"
        print(f"{command:16}{wall:8.3f}{processor:8.3f}{instructions:>14}")


@contextmanager
def _checkout(revision_or_folder: str, folder: Path) -> Iterator[Path]:
    """Give the folder, or a worktree of the revision that is there until the end."""
    if Path(revision_or_folder).is_dir():
        yield Path(revision_or_folder).resolve()
        return
    git = ["git", "-C", str(_ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", folder, revision_or_folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", folder], check=True)


def _environment() -> dict[str, str]:
    """Return the environment without what would keep compiled modules from the disk."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _run(command: list[str], folder: Path) -> tuple[float, float]:
    """Return the seconds of wall time and of processor time that a process took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=_environment(), check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _write_project(folder: Path) -> None:
    names = [f"image-{number:03}" for number in range(_IMAGES)]
    declarations = "".join(f'{name} = "registry.example.com/team/{name}:1"\n' for name in names)
    targets = "".join(f'"out/{number}" = "in/{number}"\n' for number in range(_TEMPLATES))
    platforms = ", ".join(f'"{platform}"' for platform in _PLATFORMS)
    text = f"platforms = [{platforms}]\n\n[images]\n{declarations}\n[render]\n{targets}"
    (folder / "images.toml").write_text(text, encoding="utf-8")
    (folder / "images.lock").write_text(_lock_text(names), encoding="utf-8")
    (folder / "in").mkdir()
    for number in range(_TEMPLATES):
        lines = "".join(f"FROM {{{{images.{name}}}}}\nRUN true\n" for name in names[number::_TEMPLATES])
        (folder / "in" / str(number)).write_text(lines, encoding="utf-8")


def _lock_text(names: list[str]) -> str:
    """Write the lock; versions before checksums pass over them."""
    return dump_lockfile(Lockfile(tuple(map(_locked_image, names))))


def _locked_image(name: str) -> LockedImage:
    entries = (PlatformDigest(Platform.parse(p), Digest.of(f"{name} {p}".encode())) for p in _PLATFORMS)
    return LockedImage(
        alias=Alias(name),
        repository=parse_repository(f"registry.example.com/team/{name}"),
        selector=ExactTag("1"),
        tag="1",
        digest=Digest.of(name.encode()),
        platform_digests=tuple(entries),
    )


if __name__ == "__main__":
    main()

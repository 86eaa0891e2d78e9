"""How much longer than another version do ``add`` and ``remove`` take on an images.toml of 2,000 images?

    python benchmarks/edits.py OTHER_IMAGELOCK [--rounds 15]

``OTHER_IMAGELOCK`` is the command of another environment. Whole processes, in pairs that take turns; the median of the
pairs' ratios of CPU time is printed, with the least and the greatest. All images are locked, and the image to add comes
from a layout on disk, so that no registry is asked.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import LockedImage, Lockfile, dump_lockfile
from imagelock.model.digest import Digest
from imagelock.model.platforms import Platform, PlatformDigest
from imagelock.model.reference import parse_repository
from imagelock.model.selector import ExactTag

_IMAGES = 2000
_OWN = str(Path(sys.executable).with_name("imagelock"))
_LAYOUT = Path(__file__).parents[1] / "demo/layout"
_COMMANDS = {
    "add": ["add", "new", "oci:./layout:demo/golang:1.22-bookworm", "--platform", "linux/amd64"],
    "remove": ["remove", "image-1000"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    print(f"{'form':12}{'command':10}{'before':>10}{'now':>10}{'ratio':>8}{'least':>8}{'most':>8}")
    for form, write in {"short lines": _short_lines, "tables": _tables}.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write_project(folder, write)
            for label, command in _COMMANDS.items():
                _compare(form, label, command, folder, arguments.other, arguments.rounds)


def _compare(form: str, label: str, command: list[str], folder: Path, other: str, rounds: int) -> None:
    pairs = [(_time([other, *command], folder), _time([_OWN, *command], folder)) for _ in range(rounds + 1)][1:]
    before, now = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    ratios = sorted(own / base for base, own in pairs)
    print(
        f"{form:12}{label:10}{before:8.0f}ms{now:8.0f}ms"
        f"{statistics.median(ratios):8.2f}{ratios[0]:8.2f}{ratios[-1]:8.2f}"
    )


def _time(command: list[str], folder: Path) -> float:
    """Run a command in a fresh copy of the project and return its seconds of CPU."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "project"
        shutil.copytree(folder, copy)
        before = os.times()
        subprocess.run(command, cwd=copy, check=True, capture_output=True)
        after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _short_lines(names: list[str]) -> str:
    return "[images]\n" + "".join(f'{name} = "registry.example.com/team/{name}:1"\n' for name in names)


def _tables(names: list[str]) -> str:
    return "\n".join(f'# {name}\n[images.{name}]\nimage = "registry.example.com/team/{name}:1"\n' for name in names)


def _write_project(folder: Path, write: Callable[[list[str]], str]) -> None:
    names = [f"image-{number:04}" for number in range(_IMAGES)]
    text = f'platforms = ["linux/amd64"]\n\n{write(names)}\n[pin]\nfiles = []\n'
    (folder / "images.toml").write_text(text, encoding="utf-8")
    locked = tuple(_locked_image(name) for name in names)
    (folder / "images.lock").write_text(dump_lockfile(Lockfile(locked)), encoding="utf-8")
    shutil.copytree(_LAYOUT, folder / "layout")


def _locked_image(name: str) -> LockedImage:
    return LockedImage(
        alias=Alias(name),
        repository=parse_repository(f"registry.example.com/team/{name}"),
        selector=ExactTag("1"),
        tag="1",
        digest=Digest.of(name.encode()),
        platform_digests=(PlatformDigest(Platform.parse("linux/amd64"), Digest.of(f"{name} amd64".encode())),),
    )


if __name__ == "__main__":
    main()

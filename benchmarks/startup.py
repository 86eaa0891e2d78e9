"""How long do the commands take that people and CI run all day, as multiples of ``python -c pass``?

    python benchmarks/startup.py [--rounds 15]

Whole processes, taken in turn so that a noisy machine disturbs all alike; the median of the ratios is printed, with the
least and the greatest. The project has 100 images on two platforms and 20 templates, all locked and rendered.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imagelock.images_file.declaration import Alias
from imagelock.locking.lockfile import LockedImage, Lockfile, dump_lockfile
from imagelock.model.digest import Digest
from imagelock.model.platforms import Platform, PlatformDigest
from imagelock.model.reference import parse_repository
from imagelock.model.selector import ExactTag

_IMAGES, _TEMPLATES = 100, 20
_PLATFORMS = ("linux/amd64", "linux/arm64")
_IMAGELOCK = [str(Path(sys.executable).with_name("imagelock"))]
_COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "imagelock --version": [*_IMAGELOCK, "--version"],
    "imagelock lock --check": [*_IMAGELOCK, "lock", "--check"],
    "imagelock check": [*_IMAGELOCK, "check"],
    "imagelock lock, nothing stale": [*_IMAGELOCK, "lock"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_project(folder)
        subprocess.run([*_IMAGELOCK, "render"], cwd=folder, check=True, capture_output=True)
        seconds: dict[str, list[float]] = {label: [] for label in _COMMANDS}
        for _ in range(rounds + 1):
            for label, command in _COMMANDS.items():
                seconds[label].append(_time(command, folder))
    _print_table({label: times[1:] for label, times in seconds.items()})  # the first round warms the disk's cache


def _print_table(seconds: dict[str, list[float]]) -> None:
    baseline = seconds["python -c pass"]
    print(f"{'command':32}{'median':>9}{'ratio':>8}{'least':>8}{'most':>8}")
    for label, times in seconds.items():
        ratios = [own / base for own, base in zip(times, baseline, strict=True)]
        milliseconds = statistics.median(times) * 1000
        print(f"{label:32}{milliseconds:7.0f}ms{statistics.median(ratios):8.1f}{min(ratios):8.1f}{max(ratios):8.1f}")


def _time(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def _write_project(folder: Path) -> None:
    names = [f"image-{number:03}" for number in range(_IMAGES)]
    declarations = "".join(f'{name} = "registry.example.com/team/{name}:1"\n' for name in names)
    targets = "".join(f'"out/{number}" = "in/{number}"\n' for number in range(_TEMPLATES))
    platforms = ", ".join(f'"{platform}"' for platform in _PLATFORMS)
    text = f"platforms = [{platforms}]\n\n[images]\n{declarations}\n[render]\n{targets}"
    (folder / "images.toml").write_text(text, encoding="utf-8")
    locked = tuple(_locked_image(name) for name in names)
    (folder / "images.lock").write_text(dump_lockfile(Lockfile(locked)), encoding="utf-8")
    (folder / "in").mkdir()
    for number in range(_TEMPLATES):
        lines = "".join(f"FROM {{{{images.{name}}}}}\nRUN true\n" for name in names[number::_TEMPLATES])
        (folder / "in" / str(number)).write_text(lines, encoding="utf-8")


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

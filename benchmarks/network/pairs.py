"""How long does a command take against a distant registry, compared with the same command of another checkout?

    python benchmarks/network/pairs.py OTHER_PYTHON [--command lock] [--images 20 100] [--round-trips 0 50]

OTHER_PYTHON is the interpreter of the other checkout's environment. Whole processes against Debian's docker-registry,
TLS and bearer tokens on, nothing cached, in pairs of random order: a noisy machine disturbs both alike. A ratio is this
checkout's time by the other's; the median of the pairs' ratios is printed, for wall time and for CPU. Requests are
counted in the registry's own log and at the token server. The lockfiles of both must be equal, byte for byte.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.network.lock_many import Run, fill, measure, write_project
from tests.support.registry_server import RegistryServer, bearer_registry

_COMMANDS = {"lock": ["lock"], "outdated": ["outdated"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two checkouts, and what its processes took."""

    python: str
    runs: list[Run] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def measure(self, arguments: list[str], registry: RegistryServer, project: Path) -> None:
        before = len(registry.tokens.requests)
        command = [self.python, "-m", "imagelock", *arguments]
        self.runs.append(measure(command, registry, project, keeps_lockfile=arguments != ["lock"]))
        self.tokens.append(len(registry.tokens.requests) - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other_python")
    parser.add_argument("--command", choices=sorted(_COMMANDS), default="lock")
    parser.add_argument("--images", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--round-trips", type=int, nargs="+", default=[0, 50], help="in milliseconds")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    for milliseconds in arguments.round_trips:
        for images in arguments.images:
            sides = [Side(python=sys.executable), Side(python=arguments.other_python)]
            _compare(sides, _COMMANDS[arguments.command], images, milliseconds, rounds=arguments.rounds)
            print(f"{arguments.command}, {images} images, {milliseconds} ms: {_describe(*sides)}", flush=True)


def _compare(sides: list[Side], command: list[str], images: int, milliseconds: int, *, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with bearer_registry(folder, round_trip_seconds=milliseconds / 1000) as registry:
            project = folder / "project"
            write_project(project, fill(registry, folder, images))
            lockfiles = set()
            for side in sides:
                # The first run compiles modules, which an installation has done.
                side.measure(["lock"], registry, project)
                lockfiles.add((project / "images.lock").read_bytes())
                side.runs.clear()
                side.tokens.clear()
            assert len(lockfiles) == 1, "the lockfiles differ"
            for _ in range(rounds):
                for side in random.sample(sides, len(sides)):
                    side.measure(command, registry, project)


def _describe(here: Side, other: Side) -> str:
    pairs = list(zip(here.runs, other.runs, strict=True))
    wall = statistics.median(run.wall_seconds / base.wall_seconds for run, base in pairs)
    cpu = statistics.median(run.cpu_seconds / base.cpu_seconds for run, base in pairs)
    milliseconds = statistics.median(run.wall_seconds for run in here.runs) * 1000
    counts = " and ".join(f"{max(run.requests for run in side.runs)} ({max(side.tokens)})" for side in (here, other))
    return f"{wall:.2f} wall, {cpu:.2f} CPU, {milliseconds:.0f} ms here; requests (tokens) {counts}"


if __name__ == "__main__":
    main()

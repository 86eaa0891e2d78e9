"""How long does it take to lock many images from a distant registry, compared with reading them by other tools?

    python benchmarks/network/lock_many.py [--images 20 100] [--round-trips 0 20 50] [--rounds 5]

Whole processes, from a shell's point of view: TLS and bearer tokens on, nothing cached, each image in a repository of
its own on Debian's docker-registry, which a small proxy moves away. The tools take turns, so that a noisy machine
disturbs all alike. Requests are counted in the registry's own log and at the token server.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.oci_images import multi_platform_image
from tests.support.registry_server import RegistryServer, bearer_registry
from tests.support.remote_repository import RemoteRepository

_BASELINE = "skopeo, 8 at a time"
_USAGE_OF = [sys.executable, str(Path(__file__).with_name("usage_of.py"))]
_SLOWEST_TOOLS_LIMIT = 20
"""More images than these are not read one by one: the result is known, and takes minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process and its children took."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    requests: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--round-trips", type=int, nargs="+", default=[0, 20, 50], help="in milliseconds")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for milliseconds in arguments.round_trips:
        for images in arguments.images:
            _compare(images, milliseconds, rounds=arguments.rounds)


def _compare(images: int, milliseconds: int, *, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with bearer_registry(folder, round_trip_seconds=milliseconds / 1000) as registry:
            references = fill(registry, folder, images)
            commands = _commands(references)
            write_project(folder / "project", references)
            runs: dict[str, list[Run]] = {tool: [] for tool in commands}
            for _ in range(rounds + 1):
                for tool, command in commands.items():
                    runs[tool].append(measure(command, registry, folder / "project"))
    # The first round compiles our modules, which an installation has done.
    runs = {tool: own[1:] for tool, own in runs.items()}
    print(f"{images} images, {milliseconds} ms away, {rounds} rounds")
    _print_table(runs)


def fill(registry: RegistryServer, folder: Path, images: int) -> list[str]:
    """Push one image, and copy the registry's folder of it for the other repositories."""
    first = RemoteRepository(registry=registry, path="bench/image000")
    first.push(multi_platform_image("linux/amd64", "linux/arm64", "linux/arm/v7"))
    repositories = folder / "storage" / "docker" / "registry" / "v2" / "repositories" / "bench"
    for number in range(1, images):
        shutil.copytree(repositories / "image000", repositories / f"image{number:03}")
    return [f"{registry.address}/bench/image{number:03}:1" for number in range(images)]


def _commands(references: list[str]) -> dict[str, list[str]]:
    each = "\n".join(f"docker://{reference}" for reference in references)
    read = "skopeo inspect --raw"
    commands = {
        "imagelock lock": [sys.executable, "-m", "imagelock", "lock"],
        _BASELINE: ["sh", "-c", f"echo '{each}' | xargs -P 8 -n 1 {read}"],
    }
    if shutil.which("container-source-policy"):
        # From PyPI: it reads a Dockerfile, asks for all images at once, and prints a policy for BuildKit.
        commands["container-source-policy"] = ["container-source-policy", "pin", "--stdout", "Dockerfile"]
    if shutil.which("docker") and len(references) <= _SLOWEST_TOOLS_LIMIT:
        bare = "\n".join(references)
        commands["docker, 8 at a time"] = ["sh", "-c", f"echo '{bare}' | xargs -P 8 -n 1 docker manifest inspect"]
    if len(references) <= _SLOWEST_TOOLS_LIMIT:
        commands["skopeo, one by one"] = ["sh", "-c", f"echo '{each}' | xargs -n 1 {read}"]
    return commands


def write_project(folder: Path, references: list[str]) -> None:
    """Write an images.toml and a Dockerfile with all references."""
    folder.mkdir()
    lines = [f'image{number} = "{reference}"' for number, reference in enumerate(references)]
    (folder / "images.toml").write_text("\n".join(["[images]", *lines, ""]))
    (folder / "Dockerfile").write_text("".join(f"FROM {reference}\n" for reference in references))


def measure(command: list[str], registry: RegistryServer, project: Path, *, keeps_lockfile: bool = False) -> Run:
    """Run a command with an empty cache, and without a lockfile unless one is wanted."""
    if not keeps_lockfile:
        (project / "images.lock").unlink(missing_ok=True)
    cache = project / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    mark, tokens = registry.access_log.mark(), len(registry.tokens.requests)
    own = {"XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    environment: Mapping[str, str] = {**os.environ, **registry.environment, **own}
    done = subprocess.run(
        [*_USAGE_OF, *command], cwd=project, env=environment, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return Run(
        **json.loads(done.stdout),
        requests=len(registry.access_log.since(mark)) + len(registry.tokens.requests) - tokens,
    )


def _print_table(runs: Mapping[str, list[Run]]) -> None:
    print(f"  {'tool':24}{'wall':>9}{'ratio':>8}{'least':>8}{'most':>8}{'CPU':>9}{'memory':>9}{'requests':>10}")
    for tool, own in runs.items():
        ratios = [run.wall_seconds / base.wall_seconds for run, base in zip(own, runs[_BASELINE], strict=True)]
        print(
            f"  {tool:24}{statistics.median(run.wall_seconds for run in own) * 1000:7.0f}ms"
            f"{statistics.median(ratios):8.2f}{min(ratios):8.2f}{max(ratios):8.2f}"
            f"{statistics.median(run.cpu_seconds for run in own) * 1000:7.0f}ms"
            f"{max(run.peak_megabytes for run in own):7.0f}MB"
            f"{max(run.requests for run in own):10}"
        )


if __name__ == "__main__":
    main()

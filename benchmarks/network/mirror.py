"""How long does it take to mirror ten images into a layout, compared with `skopeo copy --all`, one after the other?

    python benchmarks/network/mirror.py [--megabytes 500] [--round-trips 0 40] [--rounds 3]

Whole processes on a registry without TLS (Debian's docker-registry), which a small proxy moves away: ten images of two
platforms with attestations, which share their base layers. The tools take turns in pairs, each into an empty layout.
Bytes are counted in the registry's own log; "unique" is the content that the images have together.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.attestations import attestation, statement
from tests.support.delay_proxy import at_distance
from tests.support.layers import gzip_stored, tar_of
from tests.support.oci_images import OCI, Content, IndexEntry, image_index, sha256
from tests.support.processes import LOOPBACK
from tests.support.registry_server import RegistryServer, anonymous_registry
from tests.support.upload import upload

_IMAGES = 10
_PLATFORMS = ("linux/amd64", "linux/arm64")
_BASELINE = "skopeo copy --all, one by one"
_USAGE_OF = [sys.executable, str(Path(__file__).with_name("usage_of.py"))]
_SENT = re.compile(r'"GET \S+ HTTP/[0-9.]+" 20[0-9] ([0-9]+) ')


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process and its children took, and what the registry sent it."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    requests: int
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--round-trips", type=int, nargs="+", default=[0, 40], help="in milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with anonymous_registry(folder) as registry:
            unique = _fill(registry, arguments.megabytes)
            for milliseconds in arguments.round_trips:
                port = int(registry.address.rpartition(":")[2])
                with at_distance(port, round_trip_seconds=milliseconds / 1000) as distant:
                    print(
                        f"{_IMAGES} images, {unique:.0f} MB unique, {milliseconds} ms away, {arguments.rounds} rounds"
                    )
                    _compare(registry, f"{LOOPBACK}:{distant}", folder / "project", rounds=arguments.rounds)


def _fill(registry: RegistryServer, megabytes: int) -> float:
    """Push the images, a fifth of whose bytes all share; return the size of all content in megabytes."""
    noise = random.Random(1)  # noqa: S311  bytes that don't compress, the same ones in each run
    sizes: dict[str, int] = {}
    shared = megabytes * 1_000_000 // 5 // len(_PLATFORMS)
    own = megabytes * 1_000_000 * 4 // 5 // _IMAGES // len(_PLATFORMS)
    bases = {platform: _layer(noise.randbytes(shared)) for platform in _PLATFORMS}
    for number in range(_IMAGES):
        entries = [_image(platform, bases[platform], _layer(noise.randbytes(own))) for platform in _PLATFORMS]
        image = image_index(*entries, *(attestation(entry, statement([])) for entry in entries))
        upload(image, registry=registry.address, repository=f"bench/image{number}", tag="1")
        sizes |= {content.digest: len(content.body) for content in image.walk()}
    return sum(sizes.values()) / 1_000_000


def _layer(noise: bytes) -> Content:
    return Content(media_type=OCI.layer, body=gzip_stored(tar_of({"noise": noise})))


def _image(platform: str, *layers: Content) -> IndexEntry:
    os_name, architecture = platform.split("/")
    fields = {"os": os_name, "architecture": architecture}
    rootfs = {"type": "layers", "diff_ids": [sha256(layer.digest.encode()) for layer in layers]}
    config = Content(media_type=OCI.config, body=json.dumps({**fields, "config": {}, "rootfs": rootfs}).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "config": config.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    content = Content(media_type=OCI.manifest, body=json.dumps(manifest).encode(), children=(config, *layers))
    return IndexEntry(content=content, platform=fields)


def _compare(registry: RegistryServer, address: str, project: Path, *, rounds: int) -> None:
    environment = {**os.environ, **registry.environment, "XDG_CACHE_HOME": str(project / "cache")}
    references = [f"{address}/bench/image{number}" for number in range(_IMAGES)]
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    lines = [f'image{number} = "{reference}:1"' for number, reference in enumerate(references)]
    (project / "images.toml").write_text("\n".join(["[images]", *lines, ""]))
    imagelock = [sys.executable, "-m", "imagelock"]
    subprocess.run([*imagelock, "lock", "--no-cache"], cwd=project, env=environment, check=True, capture_output=True)
    copy = "skopeo copy --quiet --all --preserve-digests --src-tls-verify=false"
    script = " && ".join(f"{copy} docker://{each}:1 oci:layout:{each}:1" for each in references)
    commands = {
        "imagelock mirror": [*imagelock, "mirror", "--no-cache", "oci:layout"],
        _BASELINE: ["sh", "-c", script],
    }
    runs: dict[str, list[Run]] = {tool: [] for tool in commands}
    for _ in range(rounds):
        for tool, command in commands.items():
            shutil.rmtree(project / "layout", ignore_errors=True)
            runs[tool].append(_measure(command, registry, project, environment))
    _print_table(runs)


def _measure(command: list[str], registry: RegistryServer, project: Path, environment: Mapping[str, str]) -> Run:
    mark = registry.access_log.mark()
    done = subprocess.run(
        [*_USAGE_OF, *command], cwd=project, env=environment, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    requests = registry.access_log.since(mark)
    sent = _SENT.findall(registry.access_log.file.read_bytes()[mark:].decode())
    return Run(**json.loads(done.stdout), requests=len(requests), megabytes=sum(map(int, sent)) / 1_000_000)


def _print_table(runs: Mapping[str, list[Run]]) -> None:
    print(f"  {'tool':30}{'wall':>9}{'ratio':>8}{'most':>8}{'CPU':>9}{'memory':>9}{'requests':>10}{'sent':>9}")
    for tool, own in runs.items():
        ratios = [run.wall_seconds / base.wall_seconds for run, base in zip(own, runs[_BASELINE], strict=True)]
        print(
            f"  {tool:30}{statistics.median(run.wall_seconds for run in own):8.1f}s"
            f"{statistics.median(ratios):8.2f}{max(ratios):8.2f}"
            f"{statistics.median(run.cpu_seconds for run in own):8.1f}s"
            f"{max(run.peak_megabytes for run in own):7.0f}MB"
            f"{max(run.requests for run in own):10}"
            f"{max(run.megabytes for run in own):7.0f}MB"
        )


if __name__ == "__main__":
    main()

"""Runs a Docker engine with BuildKit, as ``scripts/unpack-docker-engine`` unpacked it, in folders of its own.

There is no bridge: a ``RUN`` step has no network. Docker Hub is played by a registry on loopback, which the engine
takes for its mirror.

https://docs.docker.com/reference/cli/dockerd/
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import LOOPBACK, NotStartedError

UNPACKED_ENGINE = Path(sys.prefix) / "docker-engine"
_START_SECONDS = 60.0
_END_SECONDS = 20.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a build left: the files of its last stage by their names, or the last error."""

    exit_code: int
    files: Mapping[str, str]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerEngine:
    """A running engine, as its clients see it."""

    environment: Mapping[str, str]
    uses_containerd_store: bool
    """Only that image store can read OCI layouts and write attestations."""

    def run(
        self, *command: str, cwd: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a client, such as ``docker buildx`` or ``docker compose``."""
        variables = {**os.environ, **self.environment, **(environment or {})}
        return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)

    def build(self, context: Path, *arguments: str, policy: Path | None = None) -> Build:
        """Build the Dockerfile of a folder with buildx, with nothing from the cache."""
        output = context / "out"
        options = ["--no-cache", "--network=none", "--progress=plain", f"--output=type=local,dest={output}"]
        policies = {} if policy is None else {"EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": str(policy)}
        done = self.run("docker", "buildx", "build", *options, *arguments, ".", cwd=context, environment=policies)
        return built(done, output)


def built(done: subprocess.CompletedProcess[str], output: Path) -> Build:
    """Read what a build put into a folder, and take it away."""
    files = {}
    for path in sorted(output.rglob("*")):
        if path.is_file():
            files[path.name] = path.read_text().strip()
            path.unlink()
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    error = errors[-1] if errors else done.stderr
    return Build(exit_code=done.returncode, files=files, error=error if done.returncode else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFolder:
    """Where one engine keeps all that it has. The path is short: a socket's has 108 characters at most."""

    folder: Path
    hub_mirror: str
    uses_containerd_store: bool = True
    unpacked: Path = field(default=UNPACKED_ENGINE)

    @contextmanager
    def running(self) -> Iterator[DockerEngine]:
        """Start containerd, then the engine; end both by their process ids."""
        programs = self._environment()
        with (
            _process(self._containerd(), programs, self.folder / "containerd.log"),
            _process(self._dockerd(), programs, self.folder / "dockerd.log") as daemon,
        ):
            engine = DockerEngine(environment=programs, uses_containerd_store=self.uses_containerd_store)
            self._wait(engine, daemon)
            yield engine

    def _environment(self) -> dict[str, str]:
        configuration = self.folder / "client"
        configuration.mkdir()
        (configuration / "cli-plugins").symlink_to(self.unpacked / "cli-plugins")
        return {
            "PATH": f"{self.unpacked / 'bin'}:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{self.folder / 'd.sock'}",
            "DOCKER_CONFIG": str(configuration),
        }

    def _containerd(self) -> list[str]:
        root, state, address = (str(self.folder / name) for name in ("c-root", "c-state", "c.sock"))
        return ["containerd", "--root", root, "--state", state, "--address", address]

    def _dockerd(self) -> list[str]:
        configuration = self.folder / "daemon.json"
        features = {"containerd-snapshotter": self.uses_containerd_store}
        configuration.write_text(json.dumps({"features": features}))
        paths = {
            "config-file": configuration,
            "containerd": self.folder / "c.sock",
            "data-root": self.folder / "d-root",
            "exec-root": self.folder / "d-exec",
            "pidfile": self.folder / "d.pid",
        }
        networks = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--userland-proxy=false"]
        driver = "native" if self.uses_containerd_store else "vfs"
        registries = [f"--insecure-registry={LOOPBACK}/8", f"--registry-mirror=http://{self.hub_mirror}"]
        host = f"--host=unix://{self.folder / 'd.sock'}"
        files = [f"--{name}={path}" for name, path in paths.items()]
        return ["dockerd", host, *files, *networks, f"--storage-driver={driver}", *registries]

    def _wait(self, engine: DockerEngine, daemon: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and daemon.poll() is None:
            if engine.run("docker", "version", cwd=self.folder).returncode == 0:
                return
            time.sleep(_POLL_SECONDS)
        raise NotStartedError((self.folder / "dockerd.log").read_text(errors="replace")[-3000:])


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=os.environ | dict(environment), stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()  # it ends its own children first, and takes its mounts away
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

"""A folder with an images.toml, and commands run in it: in this process, or as a process of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from imagelock.cli.main import run
from tests.support.locked_images import HEADER, digest, lock_text
from tests.support.oci_images import Content
from tests.support.oci_layout import write_layout
from tests.support.reports import asks_for_json, check_report

DURATION = re.compile(r" in [0-9.]+m?s$", re.MULTILINE)
IMAGES = """\
platforms = ["linux/amd64", "linux/arm64"]

[images]
go = "oci:vendor:golang:1.22"
node = "oci:vendor:node:20"

[render]
"Dockerfile" = "Dockerfile.in"
"""
"""Two images of a layout in the folder, and one template."""
TEMPLATE = "FROM {{images.go}}\r\nRUN go build # {{ .Id }} ${{ matrix.x }}\r\nFROM {{ images.node.pinned }}"

GO = f"golang:1.22@{digest('go')}"
NGINX = f"nginx:1.25@{digest('nginx')}"
REMOTE_IMAGES = '[images]\ngo = "golang:1.22"\nnginx = "nginx:1.25"\n'
"""Two images of Docker Hub; ``declare_locked`` writes the lock, so that no test asks for them."""
_REMOTE_TAGS: Mapping[str, tuple[str, str]] = MappingProxyType({"go": ("golang", "1.22"), "nginx": ("nginx", "1.25")})
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the command left on its two streams, without the time that it took."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """With ``capture``, commands run in this process, whose working directory is the folder; without, as processes.

    A process sees nothing of the user who runs the tests: no login, no cache, no configuration.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    capture: pytest.CaptureFixture[str] | None = None
    images: dict[str, Content] = field(default_factory=dict)
    """What was pushed into the layout ``vendor``, by its name there."""

    @property
    def lock_path(self) -> Path:
        return self.folder / "images.lock"

    @property
    def lock_bytes(self) -> bytes:
        return self.lock_path.read_bytes()

    @property
    def locked(self) -> dict[str, dict[str, object]]:
        """The locked images as any TOML reader sees them."""
        images: dict[str, dict[str, object]] = tomllib.loads(self.lock_path.read_text())["images"]
        return images

    def declare(
        self,
        images: Mapping[str, str],
        *,
        platforms: tuple[str, ...] = (),
        rendered: Mapping[str, str] = _NONE,
    ) -> None:
        """Write images.toml."""
        lines = [f"platforms = {_toml(platforms)}"] if platforms else []
        lines += ["", "[images]", *(f'{alias} = "{image}"' for alias, image in images.items())]
        lines += ["", "[render]", *(f'"{output}" = "{template}"' for output, template in rendered.items())]
        self.write("images.toml", "\n".join(lines) + "\n")

    def declare_locked(self, tables: str = "", *, images: str = REMOTE_IMAGES) -> None:
        """Write images.toml, and an images.lock with ``golang:1.22`` and ``nginx:1.25``."""
        self.write("images.toml", f"{images}{tables}")
        entries = [
            lock_text(
                alias=alias,
                repository=f"docker.io/library/{name}",
                declared=f'tag = "{tag}", platforms = "all"',
                tag=tag,
                index=alias,
            )
            for alias, (name, tag) in _REMOTE_TAGS.items()
        ]
        self.write("images.lock", f"{HEADER}version = 1\n{''.join(entries)}")

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()

    def files(self) -> dict[str, bytes]:
        """Everything that is there, but for git's own."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def push(self, name: str, image: Content) -> Content:
        """Put an image into the layout ``vendor``; what was there under that name stays as content."""
        self.images[name] = image
        write_layout(self.folder / "vendor", self.images)
        return image

    def short(self, name: str) -> str:
        """The digest of a pushed image as a screen shows it."""
        return self.images[name].digest.removeprefix("sha256:")[:12]

    def run(self, *arguments: str) -> Outcome:
        """Run ``imagelock`` and wait for it. JSON that it prints for scripts must be as its schema says."""
        outcome = self._run(arguments)
        if asks_for_json(arguments) and outcome.stdout:
            check_report(arguments, outcome.stdout, outcome.exit_code)
        return outcome

    def _run(self, arguments: tuple[str, ...]) -> Outcome:
        if self.capture is None:
            return self._run_process(arguments)
        self.capture.readouterr()
        exit_code = run(list(arguments))
        out, err = self.capture.readouterr()
        return Outcome(exit_code, out, DURATION.sub(" in TIME", err))

    def _run_process(self, arguments: tuple[str, ...]) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "imagelock", *arguments],
            capture_output=True,
            check=False,
            cwd=self.folder,
            env=self.process_environment(),
            text=True,
        )
        return Outcome(done.returncode, done.stdout, DURATION.sub(" in TIME", done.stderr))

    def process_environment(self) -> dict[str, str]:
        """The environment of the command, for tests that start it in their own way."""
        home = self.folder.parent / "home"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("IMAGELOCK_") and name != "CI"}
        ours |= {"HOME": str(home), "DOCKER_CONFIG": str(home / ".docker")}
        ours |= {f"XDG_{kind}": str(home / kind) for kind in ("CACHE_HOME", "CONFIG_HOME", "RUNTIME_DIR")}
        return ours | {"NO_COLOR": "1"} | dict(self.environment)


def _toml(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"

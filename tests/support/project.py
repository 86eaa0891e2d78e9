"""A folder with an images.toml, and the installed command run in it as a process of its own."""

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

DURATION = re.compile(r" in [0-9.]+m?s$", re.MULTILINE)
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the command left on its two streams, without the time that it took."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Nothing of the user who runs the tests is seen in it: no login, no cache, no configuration."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

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
        (self.folder / "images.toml").write_text("\n".join(lines) + "\n")

    def run(self, *arguments: str) -> Outcome:
        """Run ``imagelock`` and wait for it."""
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
        ours = {name: value for name, value in os.environ.items() if not name.startswith("IMAGELOCK_")}
        ours |= {"HOME": str(home), "DOCKER_CONFIG": str(home / ".docker")}
        ours |= {f"XDG_{kind}": str(home / kind) for kind in ("CACHE_HOME", "CONFIG_HOME", "RUNTIME_DIR")}
        return ours | {"NO_COLOR": "1"} | dict(self.environment)


def _toml(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"

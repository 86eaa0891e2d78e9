"""Does a public repository get from a fresh clone to a green check? Run by hand: the repositories are not ours.

    PYTHONPATH=. python tests/by_hand/adoption.py CLONE...

For each clone, runs init, lock, render, check and check --all in a copy of it, against a registry on this machine that
answers every tag. Where the check fails, takes the `#` off what init proposes in [external]; that counts as one edit.
Then a search of its own, a few regular expressions, looks for references without digest, and whether imagelock said
so. Prints a row of a Markdown table each, and every reference that is bare and was not mentioned.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import Answer
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.sockets import serving
from tests.support.oci_images import multi_platform_image

_MANIFEST = re.compile(r"/v2/(?P<path>.+)/manifests/(?P<tag>[^/:]+)")
_REFERENCE = r"[\"']?(?P<text>[a-z0-9][\w.:/@${}-]*)[\"']?"
_SEARCHES = (
    re.compile(rf"^[ \t]*FROM[ \t]+(?:--platform=\S+[ \t]+)?{_REFERENCE}", re.IGNORECASE),
    re.compile(rf"^[ \t]*(?:-[ \t]+)?[\"']?image[\"']?[ \t]*:[ \t]*{_REFERENCE}[ \t]*(?:,|#.*)?$"),
    re.compile(rf"docker://{_REFERENCE}"),
    re.compile(rf"^[ \t]*COPY[ \t].*--from={_REFERENCE}"),
)
_STAGE = re.compile(rb"^[ \t]*FROM[ \t].*[ \t]AS[ \t]+(\S+)", re.IGNORECASE | re.MULTILINE)
_PROGRAMS = {f".{suffix}" for suffix in "py rb go js jsx ts tsx java kt gradle php sql rs c h cs ex lua pl svg".split()}
_DATA = {".yaml", ".yml", ".json"}
"""Files without FROM, which is a word of prose there."""
_PAGES = {".md", ".mdx", ".rst", ".adoc", ".html", ".txt", ".po"}


class _EveryTag(FakeRegistry):
    """Has an image for amd64 and arm64 under whatever tag it is asked for."""

    def __call__(self, request: Request) -> Answer:
        match = _MANIFEST.fullmatch(request.url.path)
        if match and (match["path"], match["tag"]) not in self.manifests:
            image = multi_platform_image("linux/amd64", "linux/arm64", note=f"{match['path']}:{match['tag']}")
            self.push(match["path"], image, tag=match["tag"])
        return super().__call__(request)


@dataclass(slots=True)
class _Row:
    """What is told of one repository."""

    name: str
    steps: list[str] = field(default_factory=list)
    edits: int = 0
    images: int = 0
    pinned: int = 0
    said: int = 0
    bare: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        cells = (self.name, self.images, self.pinned, self.edits, ", ".join(self.steps), self.said, len(self.bare))
        return f"| {' | '.join(map(str, cells))} |"


class _Clone:
    """A scratch copy of a clone, and the commands that are run in it."""

    def __init__(self, folder: Path, registry: _EveryTag, address: str, row: _Row) -> None:
        self._folder = folder
        self._registry = registry
        self._address = address
        self._row = row
        self._conf = folder.parent / "registries.conf"
        self._conf.write_text("")

    def adopt(self) -> None:
        """Go the way of the first hour."""
        self._run("init", "--follow-tags")
        if self._replace_lone_digests():
            (self._folder / "images.toml").unlink()
            self._row.steps.clear()
            self._run("init", "--follow-tags")
        self._serve_every_registry()
        self._run("lock")
        self._run("render")
        if self._run("check") or self._run("check", "--all"):
            self._row.edits += self._accept_proposals()
            self._run("scan", "--write")
            self._serve_every_registry()
            for command in (["lock"], ["render"], ["check"], ["check", "--all"]):
                self._run(*command)
        self._compare()

    def _run(self, *arguments: str) -> int:
        done = self._process(arguments)
        self._row.steps.append(f"{' '.join(arguments)} {done.returncode}")
        self._row.log.append(f"$ imagelock {' '.join(arguments)}\n{done.stdout[-6000:]}{done.stderr[-12000:]}")
        return done.returncode

    def _process(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CONTAINERS_REGISTRIES_CONF": str(self._conf), "HOME": str(self._folder.parent)}
        return subprocess.run(
            [sys.executable, "-m", "imagelock", "--no-cache", *arguments],
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _replace_lone_digests(self) -> bool:
        """Write digests that this machine's registry has where the clone has digests without a tag."""
        lone = [image for image in self._images() if "@" in image]
        for image in lone:
            path = str(parse_reference(image).repository).replace(":", "-")
            content = multi_platform_image("linux/amd64", "linux/arm64", note=image)
            self._registry.push(path, content, tag=content.digest.replace(":", "-"))
            for name in self._listing():
                file = self._folder / name
                if file.is_file() and not file.is_symlink():
                    old = file.read_bytes()
                    new = old.replace(image.partition("@")[2].encode(), content.digest.encode())
                    if new != old:
                        file.write_bytes(new)
        return bool(lone)

    def _images(self) -> list[str]:
        images = tomllib.loads((self._folder / "images.toml").read_text()).get("images", {})
        return [each if isinstance(each, str) else each["image"] for each in images.values()]

    def _listing(self) -> list[str]:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=self._folder, capture_output=True, check=True).stdout
        return list(filter(None, listing.decode().split("\0")))

    def _serve_every_registry(self) -> None:
        """Put the registry of this machine behind the name of each registry that images.toml has."""
        listed = json.loads(self._process(["list", "--format", "json"]).stdout or "{}").get("images", [])
        names = {image["repository"].partition("/")[0] for image in listed}
        for image in self._images():
            first = image.partition("/")[0]
            names.add(first if "/" in image and re.search(r"[.:]|^localhost$", first) else "docker.io")
        self._conf.write_text(
            "".join(
                f'[[registry]]\nprefix = "{name}"\ninsecure = true\n'
                f'location = "{self._address}/{name.replace(":", "-")}"\n'
                for name in sorted(names)
            )
        )

    def _accept_proposals(self) -> int:
        path = self._folder / "images.toml"
        text = path.read_text()
        accepted = re.sub(r'^    # (".*",)(  # .*)$', r"    \1\2", text, flags=re.MULTILINE)
        path.write_text(accepted)
        return int(accepted != text)

    def _compare(self) -> None:
        """Look for references without digest, and hold them against what imagelock says."""
        document: dict[str, Any] = json.loads(self._process(["check", "--all", "--format", "json"]).stdout)
        listed = {(it["path"], it.get("line")) for key in ("problems", "listed") for it in document.get(key, [])}
        listed |= {(it["path"], it["line"]) for it in document.get("overlooked", [])}
        unread = {it["path"] for it in document.get("unread", [])}
        scan = json.loads(self._process(["scan", "--format", "json"]).stdout)
        told = {(f["path"], r["line"]): r["status"] for f in scan["files"] for r in f["references"]}
        unread |= {it["path"] for it in scan["unreadable"]}
        images_file = tomllib.loads((self._folder / "images.toml").read_text())
        outside = images_file.get("external", {}).get("files", [])
        self._row.images = len(images_file.get("images", {}))
        self._row.pinned = sum(status == "pinned" for status in told.values())
        for file, line, text in self._bare_references():
            is_told = (file, line) in listed or file in unread or told.get((file, line)) in ("external", "unpinnable")
            if is_told or any(fnmatch.fnmatch(file, pattern) for pattern in outside):
                self._row.said += 1
            else:
                self._row.bare.append(f"{file}:{line}: {text}")

    def _bare_references(self) -> Iterator[tuple[str, int, str]]:
        for name in self._listing():
            path = self._folder / name
            if path.suffix in _PAGES | _PROGRAMS or path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            stages = {stage.decode("utf-8", "replace").lower() for stage in _STAGE.findall(content)} | {"scratch"}
            for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), start=1):
                for search in _SEARCHES[path.suffix in _DATA :]:
                    match = search.search(line)
                    if match and "@sha256:" not in line and match["text"].lower() not in stages:
                        yield name, number, line.strip()
                        break


def main(clones: Sequence[str]) -> int:
    """Print the table; 1 if a check is not green, or if anything was left bare without a word."""
    rows: list[_Row] = []
    registry = _EveryTag()
    with serving(registry) as address, tempfile.TemporaryDirectory() as scratch:
        for number, clone in enumerate(clones):
            folder = Path(scratch) / str(number) / "clone"
            shutil.copytree(clone, folder, symlinks=True)
            row = _Row(Path(clone).name)
            _Clone(folder, registry, address, row).adopt()
            rows.append(row)
            print("\n".join(row.log), *row.bare, sep="\n", end="\n\n")
    print("| repository | images | pinned | edits | exit codes | bare, and said | bare, not said |")
    print("|---|--:|--:|--:|---|--:|--:|")
    print(*rows, sep="\n")
    return int(any(row.bare or not row.steps[-1].endswith(" 0") for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Random histories of a project: a registry that changes, edits, commands, branches and merges, and what must hold.

Everything is real but the registry's content: the commands, HTTP on loopback, git. `tests/property/test_histories.py`
runs a few histories; `python -m tests.property.test_histories 2000` runs many.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagelock.cli.main import run
from imagelock.locking.lockfile import parse_lockfile
from tests.support.git import Repository
from tests.support.loopback_registry import LoopbackRegistry
from tests.support.oci_images import image_index, platform_digests, platform_image

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/s390x")
OLD, YOUNG = "2024-01-01T00:00:00Z", "2124-01-01T00:00:00Z"
_Entry = dict[str, Any]


class History:
    """One project and what happens to it; every method checks what must hold afterwards."""

    def __init__(self, folder: Path, registry: LoopbackRegistry) -> None:
        self.folder, self.registry = folder, registry
        self.repository = Repository(folder)
        registry.tags.clear()
        registry.unlisted.clear()
        (folder / ".gitignore").write_text("fresh/\n")
        self.write_images({})
        self.repository.start()
        self.branches = ["main"]
        self.branch = "main"

    # the registry

    def push(self, repository: str, tag: str, content: Mapping[str, int], *, created: str = OLD) -> None:
        """Push an image; each platform has a version of its content, so that some may stay the same."""
        label = "org.opencontainers.image."
        images = [
            replace(
                platform_image(
                    platform,
                    created=created,
                    files={repository: f"{tag} {number}".encode()},
                    labels={f"{label}source": "a configuration"},
                ),
                annotations={f"{label}revision": f"{platform} {number}"} if number > 1 else {},
            )
            for platform, number in content.items()
        ]
        annotations = {f"{label}version": f"{tag}-{len(content)}"} if len(content) > 1 else {}
        self.registry.push(f"t/{repository}:{tag}", image_index(*images, annotations=annotations))

    def digest_of(self, repository: str, tag: str) -> str | None:
        """Return what a tag gives now."""
        found = self.registry.tags.get(f"t/{repository}:{tag}")
        return None if found is None else found.digest

    # images.toml

    def read_images(self) -> dict[str, dict[str, Any]]:
        """Read the declarations, all of them as tables."""
        return _parse_images((self.folder / "images.toml").read_text())

    def write_images(self, images: Mapping[str, Mapping[str, Any]]) -> None:
        lines = [line for name in sorted(images) for line in _table(name, images[name])]
        (self.folder / "images.toml").write_text("\n".join(lines) + "\n")

    # images.lock

    def entries(self, folder: Path | None = None) -> dict[str, _Entry]:
        """Read the lock as any TOML reader does; no entries where it does not exist or has conflict markers."""
        path = (folder or self.folder) / "images.lock"
        if not path.exists() or _is_torn(path.read_text()):
            return {}
        found: dict[str, _Entry] = tomllib.loads(path.read_text()).get("images", {})
        return found

    def check_entries(self) -> None:
        """Every platform of an entry is of its index, and the checksum says so."""
        for image in parse_lockfile((self.folder / "images.lock").read_text()).images:
            assert not image.is_damaged
            assert not image.lacks_checksum
            offered = platform_digests(self.registry.every_content[str(image.digest)].body)
            for entry in image.platform_digests:
                assert offered[str(entry.platform)] == str(entry.digest)

    # commands

    def command(self, *arguments: str, folder: Path | None = None) -> tuple[int, str, str]:
        """Run a command in this process."""
        here = Path.cwd()
        out, err = io.StringIO(), io.StringIO()
        os.chdir(folder or self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(list(arguments))
        finally:
            os.chdir(here)
        assert code in (0, 1, 2, 3)
        return code, out.getvalue(), err.getvalue()

    def is_fresh(self) -> bool:
        return self.command("lock", "--check")[0] == 0

    def change(self, *arguments: str) -> bool:
        """Run a command that writes: all or nothing, a true report, and a lock that is right; False where it failed."""
        before = {path.name: path.read_bytes() for path in self.folder.glob("images.*")}
        old = self.entries()
        was_conflicted = _is_torn(before.get("images.lock", b"").decode())
        dry_run = self.command(*arguments, "--dry-run") if arguments[0] in ("lock", "update") else None
        code, out, err = self.command(*arguments, "--format", "json")
        after = {path.name: path.read_bytes() for path in self.folder.glob("images.*")}
        if dry_run is not None:
            assert dry_run[0] == code, (dry_run, err)
        if code:
            assert code == 2, err
            assert "is damaged" not in err, "every conflict and every damage can be mended by a command"
            assert after == before, err
            assert f"`imagelock {' '.join(arguments)}`" not in err, "a hint must not be what was just typed"
            return False
        self.check_entries()
        if not was_conflicted:
            _check_report(json.loads(out)["changes"], old, self.entries())
        return True

    def lock(self) -> bool:
        """Lock: nothing moves that is still declared, and a second run changes nothing."""
        old = self.entries()
        if not self.change("lock"):
            return False
        assert self.is_fresh()
        self.check_kept(old)
        text = (self.folder / "images.lock").read_bytes()
        assert self.command("lock")[2].endswith("already locked\n")
        assert (self.folder / "images.lock").read_bytes() == text
        return True

    def check_kept(self, old: Mapping[str, _Entry], *, moved: frozenset[str] = frozenset()) -> None:
        """No entry has moved whose image is declared as before, except those of the named images."""
        by_image = {_identity(entry): entry for entry in old.values()}
        for name, entry in self.entries().items():
            before = by_image.get(_identity(entry))
            if before is not None and name not in moved:
                assert (entry["tag"], entry["digest"]) == (before["tag"], before["digest"])

    def update(self, *names: str) -> bool:
        """Update, after asking what it would do: that and nothing else happens, and no range goes below its tag."""
        images = self.read_images()
        if not self.is_fresh() or not images:
            return self.change("update", *names)
        code, out, err = self.command("outdated", "--format", "json", *names)
        assert code == 0, err
        forecast = {image["name"]: image for image in json.loads(out)["images"]}
        old = self.entries()
        is_done = self.change("update", *names)
        fails = [name for name, image in forecast.items() if image["update"] == "fails"]
        assert is_done == (not fails)
        if not is_done:
            return False
        new = self.entries()
        for name, image in forecast.items():
            self._check_update(images[name], old[name], new[name], image)
        self.check_kept(old, moved=frozenset(forecast))
        assert self.is_fresh()
        return True

    def _check_update(self, declared: Mapping[str, Any], old: _Entry, new: _Entry, forecast: Mapping[str, Any]) -> None:
        if forecast["update"] == "nothing":
            assert new == old
        else:
            found = forecast["in_range"] or forecast["same_tag"]
            assert (new["tag"], new["digest"]) == (found["tag"], found["digest"])
        if "freeze" in declared:
            assert new == old
        repository = old["repository"].rpartition("/")[2]
        if "version" in declared and self.digest_of(repository, old["tag"]) is not None:
            assert _version(new["tag"]) >= _version(old["tag"])
        if "minimum-age" in declared and new["digest"] != old["digest"]:
            fresh = set(new["platforms"].values()) - set(old["platforms"].values())
            assert not any(YOUNG.encode() in config for config in self._configurations(fresh))

    def _configurations(self, digests: set[str]) -> Iterator[bytes]:
        for digest in digests:
            yield self.registry.every_content[digest].children[0].body

    def lock_afresh(self, *options: str) -> None:
        """A first lock of the same declarations gives the same entries, but for digests that are kept on purpose."""
        if not self.is_fresh():
            return
        fresh = self.folder / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        shutil.copy(self.folder / "images.toml", fresh)
        if self.command("lock", *options, folder=fresh)[0] == 0:
            mine = self.entries()
            for name, entry in self.entries(fresh).items():
                if entry["digest"] == mine[name]["digest"] and entry["tag"] == mine[name]["tag"]:
                    assert entry == mine[name]

    # git

    def commit(self) -> None:
        if self.repository.is_changed():
            self.repository.commit()

    def branch_off(self) -> None:
        self.commit()
        name = f"b{len(self.branches)}"
        self.repository.branch_off(name, start=self.branch)
        self.branches.append(name)
        self.branch = name

    def switch(self, branch: str) -> None:
        self.commit()
        self.repository.switch(branch)
        self.branch = branch

    def merge(self, branch: str, *, takes_theirs: bool) -> None:
        """Merge a branch as a person would, who resolves images.toml, and then `lock` the rest."""
        self.commit()
        ours, our_images = self.entries(), self.read_images()
        theirs_text = self.repository.show(branch, "images.lock")
        theirs: dict[str, _Entry] = tomllib.loads(theirs_text).get("images", {}) if theirs_text else {}
        their_images = _parse_images(self.repository.show(branch, "images.toml"))
        self.repository.start_merge(branch)
        both = {**our_images, **their_images} if takes_theirs else {**their_images, **our_images}
        self.write_images(_without_second_names(both))
        self._check_clean_merge()
        agreed = {
            _identity(entry): entry["digest"]
            for entry in ours.values()
            if any(_identity(it) == _identity(entry) and it["digest"] == entry["digest"] for it in theirs.values())
        }
        if self.change("lock"):
            for entry in self.entries().values():
                assert entry["digest"] == agreed.get(_identity(entry), entry["digest"])
        elif _is_torn((self.folder / "images.lock").read_text()):
            # What a person does whom the error tells to choose.
            self.repository.take_ours("images.lock")
        self.repository.finish_merge()

    def _check_clean_merge(self) -> None:
        """What git merged without a conflict is right, or `lock --check` says that it is not."""
        path = self.folder / "images.lock"
        if path.exists() and not _is_torn(path.read_text()) and self.is_fresh():
            self.check_entries()


def _is_torn(text: str) -> bool:
    """Whether git left conflict markers, or merged without a conflict into a file that is no TOML."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return True
    return False


def _parse_images(text: str) -> dict[str, dict[str, Any]]:
    declared = tomllib.loads(text).get("images", {})
    return {name: {"image": value} if isinstance(value, str) else value for name, value in declared.items()}


def _table(name: str, declared: Mapping[str, Any]) -> Iterator[str]:
    yield f"[images.{name}]"
    for key, value in declared.items():
        yield f"{key} = {json.dumps(value)}"


def _identity(entry: _Entry) -> tuple[str, str]:
    return entry["repository"], json.dumps({key: it for key, it in entry["declared"].items() if key != "platforms"})


def _check_report(changes: list[dict[str, Any]], old: Mapping[str, _Entry], new: Mapping[str, _Entry]) -> None:
    """Hold a report to the two files, compared without any of the program's code."""
    told = {change["name"] for change in changes if change["change"] != "removed"}
    assert told == {name for name, entry in new.items() if old.get(name) != entry}
    left = {change["old"]["name"] for change in changes if change["old"]}
    assert set(old) - set(new) <= left
    assert all(set(old) >= {change["name"]} for change in changes if change["change"] == "removed")


def _without_second_names(images: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    first: dict[str, str] = {}
    for name in sorted(images):
        first.setdefault(json.dumps([images[name]["image"], images[name].get("version")]), name)
    return {name: images[name] for name in first.values()}


def _version(tag: str) -> tuple[int, ...]:
    return tuple(int(number) for number in tag.split("."))

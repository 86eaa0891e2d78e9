"""One project and what happens to it; every method checks what must hold afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagelock.errors import ImagelockError
from imagelock.images_file.parser import parse_images_file
from tests.support.histories import commands
from tests.support.histories.commands import Answer
from tests.support.histories.project_files import (
    Declared,
    Entries,
    Entry,
    by_identity,
    dump_images,
    identity_of,
    is_locked_as_declared,
    is_proven,
    is_torn,
    parse_images,
    read_entries,
    version_of,
)
from tests.support.histories.reasons import has_reason_to_fail
from tests.support.histories.upstream import YOUNG, Upstream
from tests.support.oci_images import platform_digests


def is_images_file(text: str) -> bool:
    """Whether images.toml may have this text; two names for one image, say, are an error."""
    try:
        parse_images_file(text)
    except ImagelockError:
        return False
    return True


@dataclass(slots=True)
class History:
    """A folder with both files, the registries behind them, and the commands that are run there."""

    folder: Path
    upstream: Upstream
    tail: str = ""
    """What images.toml has below its images."""
    damaged: set[str] = field(default_factory=set)
    """Entries whose index was edited by hand: no side of a merge is to be trusted for them."""

    may_lack_platforms: bool = False
    """Whether git may have combined `platforms = "all"` with fewer platforms, which docs/images-lock.md warns of."""

    # the two files

    def read_images(self) -> dict[str, dict[str, Any]]:
        return parse_images((self.folder / "images.toml").read_text())

    def write_images(self, images: Mapping[str, Declared]) -> bool:
        """Write images.toml, if it is one: two names for one image, say, are an error."""
        text = dump_images(images, tail=self.tail)
        if not is_images_file(text):
            return False
        (self.folder / "images.toml").write_text(text)
        return True

    def declare(self, name: str, changes: Mapping[str, object]) -> None:
        """Change the declaration of an image, where no other name has the same one; None takes a key away."""
        images = self.read_images()
        declared = {key: value for key, value in {**images.get(name, {}), **changes}.items() if value is not None}
        other = [it for other, it in images.items() if other != name]
        key = (declared.get("image"), declared.get("version"))
        if "image" in declared and all(key != (it["image"], it.get("version")) for it in other):
            self.write_images({**images, name: declared})

    @property
    def lock_path(self) -> Path:
        return self.folder / "images.lock"

    def entries(self, folder: Path | None = None) -> dict[str, Entry]:
        return read_entries((folder or self.folder) / "images.lock")

    def is_torn(self) -> bool:
        return self.lock_path.exists() and is_torn(self.lock_path.read_text())

    def check_entries(self) -> None:
        """Every platform of an entry is of its index, and the checksum says so."""
        for entry in self.entries().values():
            assert is_proven(entry)
            assert entry["platforms"].items() <= self._offered(entry).items()
        assert self.may_lack_platforms or not self._lacks_platforms()

    def _lacks_platforms(self) -> bool:
        """Whether an entry that is to have every platform of its index does not."""
        every = [entry for entry in self.entries().values() if "platforms" in entry["declared"]]
        return any(entry["platforms"] != self._offered(entry) for entry in every)

    def _offered(self, entry: Entry) -> dict[str, str]:
        return platform_digests(self.upstream.registry.every_content[entry["digest"]].body)

    def check_labels(self) -> None:
        """The labels of an entry are those of its index."""
        for entry in self.entries().values():
            assert entry.get("labels", {}) == self.upstream.labels_of(entry["digest"]), entry

    def is_fresh(self) -> bool:
        """Ask whether the lock matches images.toml, and hold the answer to what a reader of both files finds."""
        code = commands.ask("lock", "--check", folder=self.folder).code
        if self.lock_path.exists() and not self.is_torn():
            is_right = is_locked_as_declared(self.read_images(), self.entries())
            is_right = is_right and not (code and self.may_lack_platforms and self._lacks_platforms())
            assert code == (0 if is_right else 1), (code, self.read_images(), self.entries())
        return code == 0

    def edit_lock(self, name: str, old: str, new: str) -> None:
        """Put another digest into an entry by hand."""
        head, mark, tail = self.lock_path.read_text().partition(f"\n[images.{name}]\n")
        self.lock_path.write_text(f"{head}{mark}{tail.replace(json.dumps(old), json.dumps(new), 1)}")
        self.damaged.add(name)

    # commands

    def change(self, *arguments: str, moved: frozenset[str] = frozenset()) -> Answer:
        """Run a command that writes; nothing moves but the named images, and nothing goes back."""
        old, was_torn = self.entries(), self.is_torn()
        answer = commands.change(*arguments, folder=self.folder)
        if answer.code:
            assert "is damaged" not in answer.err or self.damaged or was_torn, answer.err
            is_usual = arguments[0] in ("lock", "update") and "--to" not in arguments
            assert not is_usual or was_torn or has_reason_to_fail(self.upstream, self.read_images(), old), answer.err
            return answer
        if arguments[0] != "remove" or not self.damaged:
            self.check_entries()
            self.damaged.clear()
        # What git has mixed is told as what became of our side.
        if not was_torn and all(map(is_proven, old.values())):
            commands.check_report(answer.document, old, self.folder)
        self.check_kept(old, moved=moved)
        if "--to" not in arguments:
            self.check_ranges(old)
        return answer

    def lock(self) -> bool:
        """Lock: a second run changes nothing."""
        if self.change("lock").code:
            return False
        assert self.is_fresh()
        before = commands.read_files(self.folder)
        again = commands.run_command("lock", folder=self.folder)
        assert again.code == 0
        assert again.err.endswith("already locked\n" if self.read_images() else "adds one\n")
        assert commands.read_files(self.folder) == before
        return True

    def check_kept(self, old: Entries, *, moved: frozenset[str] = frozenset()) -> None:
        """No entry has moved whose image is declared as before, except those of the named images."""
        before = by_identity(old.values())
        for name, entry in self.entries().items():
            known = before.get(identity_of(entry))
            if known is not None and name not in moved:
                assert (entry.get("tag"), entry["digest"]) == (known.get("tag"), known["digest"])

    def check_ranges(self, old: Entries) -> None:
        """No range has gone below its locked tag that is still served."""
        before = by_identity(old.values())
        for entry in self.entries().values():
            known = before.get(identity_of(entry))
            if known is None or "version" not in entry["declared"] or not known.get("tag"):
                continue
            if self.upstream.find(known["repository"], known["tag"]) is not None:
                assert version_of(entry["tag"]) >= version_of(known["tag"])

    def update(self, *names: str, options: tuple[str, ...] = ()) -> bool:
        """Update, after asking what it would do: that and nothing else happens."""
        images = self.read_images()
        every = frozenset(names or images)
        if not self.is_fresh() or not images:
            return self.change("update", *names, *options, moved=every).code == 0
        asked = commands.ask("outdated", "--format", "json", *names, folder=self.folder)
        assert asked.code == 0, asked.err
        forecast = {image["name"]: image for image in asked.document["images"]}
        assert set(forecast) == every
        self._check_exit_code(forecast, names)
        old = self.entries()
        answer = self.change("update", *names, *options, moved=every)
        fails = {name for name, image in forecast.items() if image["update"] == "fails"}
        assert (answer.code == 0) == (not fails)
        if answer.code:
            failed = {name for name in images if f"\n  {name}: " in answer.err or f"cannot lock `{name}`" in answer.err}
            assert failed == fails
            return False
        new = self.entries()
        for name, image in forecast.items():
            self._check_update(images[name], old[name], new[name], image, takes_every_index="--index" in options)
        assert self.is_fresh()
        return True

    def _check_exit_code(self, forecast: Mapping[str, Any], names: tuple[str, ...]) -> None:
        code = commands.ask("outdated", "--exit-code", *names, folder=self.folder).code
        is_gone = any("digest-gone" in image["states"] for image in forecast.values())
        assert code == (1 if is_gone or any(it["update"] != "nothing" for it in forecast.values()) else 0)

    def _check_update(
        self, declared: Declared, old: Entry, new: Entry, forecast: Mapping[str, Any], *, takes_every_index: bool
    ) -> None:
        if forecast["update"] != "nothing":
            found = forecast["in_range"] or forecast["same_tag"]
            assert (new["tag"], new["digest"]) == (found["tag"], found["digest"])
        elif not (takes_every_index and "index-moved" in forecast["states"]):
            assert new == old
        if "freeze" in declared:
            assert new == old
        if "minimum-age" in declared and new["digest"] != old["digest"]:
            fresh = set(new["platforms"].values()) - set(old["platforms"].values())
            assert not any(YOUNG.encode() in config for config in self.upstream.configurations(fresh))

    def check_lock_afresh(self, *options: str) -> None:
        """A first lock of the same declarations gives the same entries, but for digests that are kept on purpose."""
        if not self.is_fresh():
            return
        mine = self.entries()
        for name, entry in self._lock_afresh(*options).items():
            if entry["digest"] == mine[name]["digest"] and entry.get("tag") == mine[name].get("tag"):
                assert entry == mine[name]

    def check_same_bytes(self) -> None:
        """Where nothing is kept on purpose, an update and a first lock end in the same bytes."""
        self.upstream.registry.unlisted.clear()
        images = self.read_images()
        if any({"freeze", "minimum-age"} & set(declared) for declared in images.values()):
            return
        if not self.update(options=("--index",)):
            return
        mine = self.entries()
        fresh = self._lock_afresh()
        for name, entry in fresh.items():
            if entry.get("tag") == mine[name].get("tag"):
                assert entry == mine[name]
            else:
                # A floating tag is no candidate of a first lock, and stays where it is locked.
                assert version_of(entry["tag"]) <= version_of(mine[name]["tag"])
        if fresh == mine:
            assert self.lock_path.read_bytes() == (self._fresh_folder / "images.lock").read_bytes()

    @property
    def _fresh_folder(self) -> Path:
        return self.folder.with_name("fresh")

    def _lock_afresh(self, *options: str) -> dict[str, Entry]:
        shutil.rmtree(self._fresh_folder, ignore_errors=True)
        self._fresh_folder.mkdir()
        shutil.copy(self.folder / "images.toml", self._fresh_folder)
        code = commands.run_command("lock", *options, folder=self._fresh_folder).code
        return self.entries(self._fresh_folder) if code == 0 else {}

    def check_verify(self) -> None:
        """`verify` fails exactly where something that is locked is no longer served."""
        if not self.is_fresh():
            return
        dead = any(
            not self.upstream.is_served(entry["repository"], digest)
            for entry in self.entries().values()
            for digest in (entry["digest"], *entry["platforms"].values())
        )
        assert commands.ask("verify", "--no-cache", folder=self.folder).code == (1 if dead else 0)

    def ask(self, *arguments: str) -> None:
        """Run a command that reads: of a torn or damaged lock it makes nothing."""
        answer = commands.ask(*arguments, folder=self.folder)
        if self.is_torn():
            assert answer.code == 2, answer
        assert "Traceback" not in answer.err

    def check_saved_meanwhile(self, arguments: list[str], dropped: str | None) -> None:
        """What a person saves while a command is at work stays as it is, and the lock is right for it."""
        images = {name: declared for name, declared in self.read_images().items() if name != dropped}
        text = dump_images(images, tail=f"# saved meanwhile\n{self.tail}")
        path = self.folder / "images.toml"
        saved: list[int] = []

        def save(_: str) -> None:
            if not saved:
                saved.append(path.write_text(text))

        self.upstream.registry.on_request = save
        answer = commands.run_command(*arguments, folder=self.folder)
        self.upstream.registry.on_request = lambda _: None
        if saved:
            assert "# saved meanwhile" in path.read_text()
            now = self.read_images()
            assert {name: now[name] for name in images} == images
            assert set(now) - set(images) <= ({arguments[1]} if arguments[0] == "add" else set())
        if answer.code == 0:
            self.check_entries()
            assert self.is_fresh()

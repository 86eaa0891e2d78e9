"""Branches of a project, and the ways in which git brings them together again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.git import Repository
from tests.support.histories.history import History, is_images_file
from tests.support.histories.project_files import (
    Declared,
    Entries,
    Entry,
    Identity,
    by_identity,
    dump_images,
    expected_entry,
    identity_of,
    parse_entries,
    parse_images,
    version_of,
    without_second_names,
)

KINDS = ("merge", "committed", "ours", "theirs", "union", "squash", "rebase", "cherry-pick")
_MAX_STOPS = 8


@dataclass(frozen=True, slots=True)
class _Side:
    """What one branch declares and locks."""

    images: dict[str, dict[str, Any]]
    entries: Entries

    @property
    def locked(self) -> dict[Identity, Entry]:
        return by_identity(self.entries.values())


@dataclass(slots=True)
class Branches:
    """The branches of a history; everything is committed before git is asked to change files."""

    history: History
    repository: Repository
    names: list[str] = field(default_factory=lambda: ["main"])
    current: str = "main"
    commits: int = 0

    def commit(self) -> None:
        if self.repository.is_changed():
            # By its message and its time, imagelock knows the commit that a rebase wrote anew.
            self.commits += 1
            self.repository.commit(f"commit {self.commits}")

    def branch_off(self) -> None:
        self.commit()
        name = f"b{len(self.names)}"
        self.repository.branch_off(name, start=self.current)
        self.names.append(name)
        self.current = name

    def switch(self, branch: str) -> None:
        self.commit()
        self.repository.switch(branch)
        self.current = branch

    def bring_in(self, branch: str, *, kind: str, takes_theirs: bool) -> None:
        """Bring a branch in as a person would, who resolves images.toml, and then `lock` the rest."""
        self.commit()
        ours = _Side(self.history.read_images(), self.history.entries())
        theirs = _Side(
            parse_images(self.repository.show(branch, "images.toml")),
            parse_entries(self.repository.show(branch, "images.lock")),
        )

        def settle(*, is_merged: bool) -> None:
            self._settle(ours, theirs, kind, takes_theirs=takes_theirs, is_merged=is_merged)

        match kind:
            case "rebase" | "cherry-pick":
                self._replay(kind, branch, settle)
            case "committed":
                self.repository.merge(branch)
                settle(is_merged=True)
            case _:
                self._merge(kind, branch)
                settle(is_merged=True)
        self.repository.finish_merge()

    def _merge(self, kind: str, branch: str) -> None:
        match kind:
            case "ours" | "theirs":
                self.repository.start_merge(branch, f"-X{kind}")
            case "squash":
                self.repository.start_squash(branch)
            case "union":
                with self.repository.merging_by_union("images.lock"):
                    self.repository.start_merge(branch)
            case _:
                self.repository.start_merge(branch)

    def _replay(self, kind: str, branch: str, settle: Callable[..., None]) -> None:
        """Rebase onto the other branch, or pick its last commit; each stop is settled."""
        is_done = self.repository.rebase(branch) if kind == "rebase" else self.repository.cherry_pick(branch)
        for _ in range(_MAX_STOPS):
            if is_done:
                settle(is_merged=False)
                return
            settle(is_merged=False)
            is_done = self.repository.go_on(kind)
        raise AssertionError("too many stops")

    def _settle(self, ours: _Side, theirs: _Side, kind: str, *, takes_theirs: bool, is_merged: bool) -> None:
        """Resolve images.toml, look at what git made of images.lock, and lock."""
        both = {**ours.images, **theirs.images} if takes_theirs else {**theirs.images, **ours.images}
        text = (self.history.folder / "images.toml").read_text()
        if is_merged or not is_images_file(text):
            (self.history.folder / "images.toml").write_text(
                dump_images(without_second_names(both), tail=self.history.tail)
            )
        images = self.history.read_images()
        self.history.may_lack_platforms |= not self.history.is_torn()
        self._check_clean(ours, theirs)
        left = {} if self.history.is_torn() else self.history.entries()
        answer = self.history.change("lock", moved=frozenset(images))
        if answer.code == 0:
            told = {it["name"] for it in answer.document["changes"] if it["change"] in ("added", "updated")}
            if is_merged:
                self._check_merged(ours, theirs, told, left=left, needs_both=kind in ("ours", "theirs"))
            assert self.history.is_fresh()
            self.history.may_lack_platforms = False
            self.history.check_entries()
            self.history.check_labels()
        elif self.history.is_torn():
            self._follow_hint(answer.err)

    def _follow_hint(self, err: str) -> None:
        """Do what a person does whom an error tells to choose a side, or to take a version that can be read."""
        assert "hint: " in err or "cannot lock " in err, err
        advised = re.search(r"`git checkout (\S+) -- images.lock`", err)
        if advised is None:
            self.repository.take_ours("images.lock")
        else:
            self.repository.take_from(advised[1], "images.lock")
        assert not self.history.is_torn(), err
        self.history.change("lock", moved=frozenset(self.history.read_images()))

    def _check_clean(self, ours: _Side, theirs: _Side) -> None:
        """What git merged without a conflict is right, or `lock --check` says that it is not."""
        history = self.history
        if not history.lock_path.exists() or history.is_torn() or not history.is_fresh():
            return
        history.check_entries()
        known = {(it, entry["digest"]) for side in (ours, theirs) for it, entry in side.locked.items()}
        for entry in history.entries().values():
            sides = [side.locked.get(identity_of(entry)) for side in (ours, theirs)]
            assert (identity_of(entry), entry["digest"]) in known or None in sides

    def _check_merged(
        self, ours: _Side, theirs: _Side, told: set[str], *, left: Mapping[str, Entry], needs_both: bool
    ) -> None:
        """What both sides agree on stays, frozen images stay, ranges do not go back, and every move is told.

        Where git was told to throw the lines of one side away, this holds for images that both sides have, and ranges
        may go back to the side that was chosen.
        """
        images = self.history.read_images()
        ranges = {name for name, declared in images.items() if "version" in declared}
        for name, entry in self.history.entries().items():
            identity = identity_of(entry)
            sides = [side.locked[identity] for side in (ours, theirs) if identity in side.locked]
            if needs_both and len(sides) < 2:
                continue
            digests = {it["digest"] for it in sides}
            # Git may have taken one side without a conflict, and a person may declare it as the other side did.
            is_kept = entry["digest"] in {*digests, left.get(name, {}).get("digest")}
            is_agreed = len(sides) == 2 and len(digests) == 1
            assert is_kept or not is_agreed, (entry, sides)
            assert is_kept or not (sides and "freeze" in images[name]), (entry, sides)
            assert is_kept or not sides or name in told, (entry, sides)
            if name in ranges and len(sides) == 2 and not needs_both:
                self._check_range(entry, sides)
        self._check_others(images, ours, theirs)

    def _check_range(self, entry: Entry, sides: list[Entry]) -> None:
        for it in sides:
            if self.history.upstream.find(it["repository"], it["tag"]) is not None:
                assert version_of(entry["tag"]) >= version_of(it["tag"])

    def _check_others(self, images: Mapping[str, Declared], ours: _Side, theirs: _Side) -> None:
        """Entries that are equal on both sides are not touched if images.toml still declares them."""
        entries = self.history.entries()
        for name, entry in ours.entries.items():
            is_same = theirs.entries.get(name) == entry
            if is_same and name in images and expected_entry(images[name]).items() <= entry.items():
                wanted = images[name].get("platforms")
                if wanted is None or set(wanted) == set(entry["platforms"]):
                    assert entries[name] == entry

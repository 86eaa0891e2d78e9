"""Random histories of pushes, edits, commands, branches and merges; `python -m tests.property.test_histories 2000`."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.histories import OLD, PLATFORMS, YOUNG, History
from tests.support.loopback_registry import loopback_registry

_REPOSITORIES = st.sampled_from(["a", "b"])
_TAGS = st.sampled_from(["1.0.0", "1.1.0", "1.1", "1.2.0", "2.0.0"])
_NAMES = st.sampled_from(["web", "base", "Base", "tool"])
_CONTENT = st.dictionaries(st.sampled_from(PLATFORMS), st.integers(1, 3), min_size=1)
_WANTED = st.none() | st.lists(st.sampled_from(PLATFORMS), min_size=1, max_size=2, unique=True)
_AGES = st.sampled_from([None, "7 days"])
_RANGES = st.sampled_from([">=1,<2", ">=1.1,<3", ">=1,<2,!=1.2.0"])
_SIDE = st.lists(st.sampled_from(["push", "update", "platforms", "tag", "rename", "freeze"]), min_size=1, max_size=3)
_FEW_HISTORIES = 12
_STEPS = 30


class Histories(RuleBasedStateMachine):
    """What can happen; `History` checks what must hold after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        scratch = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = str(scratch / "home")
        folder = scratch / "project"
        folder.mkdir()
        self.registry = self.open.enter_context(loopback_registry())
        self.history = History(folder, self.registry)

    def teardown(self) -> None:
        self.open.close()

    @initialize()
    def begin(self) -> None:
        for repository in "ab":
            for tag in ("1.0.0", "1.1.0"):
                self.history.push(repository, tag, dict.fromkeys(PLATFORMS, 1))
        host = self.registry.host
        self.history.write_images(
            {
                "base": {"image": f"{host}/t/a", "version": ">=1,<2", "platforms": ["linux/amd64"]},
                "tool": {"image": f"{host}/t/b:1.0.0"},
            }
        )
        self.history.lock()
        self.history.commit()

    # the registry

    @rule(repository=_REPOSITORIES, tag=_TAGS, content=_CONTENT, created=st.sampled_from([OLD, OLD, YOUNG]))
    def push(self, repository: str, tag: str, content: dict[str, int], created: str) -> None:
        self.history.push(repository, tag, content, created=created)

    @rule(repository=_REPOSITORIES, tag=_TAGS, number=st.integers(1, 3))
    def push_for_every_platform(self, repository: str, tag: str, number: int) -> None:
        self.history.push(repository, tag, dict.fromkeys(PLATFORMS, number))

    @rule(repository=_REPOSITORIES, tag=_TAGS)
    def delete_tag(self, repository: str, tag: str) -> None:
        self.registry.tags.pop(f"t/{repository}:{tag}", None)

    @rule(repository=_REPOSITORIES, tags=st.sets(_TAGS))
    def shorten_list(self, repository: str, tags: set[str]) -> None:
        self.registry.unlisted = {f"t/{repository}:{tag}" for tag in tags}

    @rule()
    def complete_list(self) -> None:
        self.registry.unlisted.clear()

    # images.toml

    def _declare(self, name: str, changes: dict[str, object]) -> None:
        images = self.history.read_images()
        declared = {key: value for key, value in {**images.get(name, {}), **changes}.items() if value is not None}
        other = [it for other, it in images.items() if other != name]
        key = (declared.get("image"), declared.get("version"))
        if "image" in declared and all(key != (it["image"], it.get("version")) for it in other):
            self.history.write_images({**images, name: declared})

    @rule(name=_NAMES, repository=_REPOSITORIES, tag=_TAGS, platforms=_WANTED)
    def declare_tag(self, name: str, repository: str, tag: str, platforms: list[str] | None) -> None:
        image = f"{self.registry.host}/t/{repository}:{tag}"
        self._declare(name, {"image": image, "version": None, "minimum-age": None, "platforms": platforms})

    @rule(
        name=_NAMES, repository=_REPOSITORIES, version=_RANGES, platforms=_WANTED, age=st.sampled_from([None, "7 days"])
    )
    def declare_range(
        self, name: str, repository: str, version: str, platforms: list[str] | None, age: str | None
    ) -> None:
        image = f"{self.registry.host}/t/{repository}"
        self._declare(name, {"image": image, "version": version, "minimum-age": age, "platforms": platforms})

    @rule(name=_NAMES, platforms=_WANTED)
    def change_platforms(self, name: str, platforms: list[str] | None) -> None:
        self._declare(name, {"platforms": platforms})

    @rule(name=_NAMES, reason=st.sampled_from([None, "why"]))
    def freeze(self, name: str, reason: str | None) -> None:
        self._declare(name, {"freeze": reason})

    @rule(old=_NAMES, new=_NAMES)
    def rename(self, old: str, new: str) -> None:
        images = self.history.read_images()
        if old in images:
            renamed = {old: new, new: old}
            self.history.write_images({renamed.get(name, name): it for name, it in images.items()})

    # commands

    @rule()
    def lock(self) -> None:
        self.history.lock()

    @rule()
    def update(self) -> None:
        self.history.update()

    @rule(name=_NAMES)
    def update_one(self, name: str) -> None:
        if name in self.history.read_images():
            self.history.update(name)

    @rule(name=_NAMES, tag=_TAGS)
    def update_to(self, name: str, tag: str) -> None:
        if "version" in self.history.read_images().get(name, {}):
            self.history.change("update", name, "--to", tag)

    @rule(name=_NAMES, repository=_REPOSITORIES, tag=_TAGS)
    def add(self, name: str, repository: str, tag: str) -> None:
        self.history.change("add", name, f"{self.registry.host}/t/{repository}:{tag}")

    @rule(name=_NAMES)
    def remove(self, name: str) -> None:
        if name in self.history.read_images():
            self.history.change("remove", name)

    @rule(options=st.sampled_from([[], ["--no-cache"]]))
    def lock_afresh(self, options: list[str]) -> None:
        self.history.lock_afresh(*options)

    # git

    @rule()
    def branch_off(self) -> None:
        self.history.branch_off()

    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        self.history.switch(data.draw(st.sampled_from(self.history.branches)))

    def part_and_merge(self, data: st.DataObject, sides: tuple[list[str], list[str]], *, takes_theirs: bool) -> None:
        """Two branches that lock, update and edit the same few images, while the registry moves."""
        start = self.history.branch
        self.history.branch_off()
        for branch, side in zip((self.history.branch, start), sides, strict=True):
            self.history.switch(branch)
            for step in side:
                self._take(step, data)
            self.history.lock()
        self.history.merge(self.history.branches[-1], takes_theirs=takes_theirs)

    # Hypothesis takes each rule as often as any other, and merges are where most can go wrong.
    _parting = rule(data=st.data(), sides=st.tuples(_SIDE, _SIDE), takes_theirs=st.booleans())
    part_once, part_again, part_often = _parting(part_and_merge), _parting(part_and_merge), _parting(part_and_merge)

    def _take(self, step: str, data: st.DataObject) -> None:
        images = self.history.read_images()
        name = data.draw(st.sampled_from(sorted(images))) if images else "base"
        match step:
            case "push":
                self.history.push(data.draw(_REPOSITORIES), data.draw(_TAGS), data.draw(_CONTENT))
            case "update":
                self.history.update()
            case "platforms":
                self._declare(name, {"platforms": data.draw(_WANTED)})
            case "tag":
                image = f"{self.registry.host}/t/{data.draw(_REPOSITORIES)}:{data.draw(_TAGS)}"
                self._declare(name, {"image": image, "version": None, "minimum-age": None})
            case "rename":
                self.rename(name, data.draw(_NAMES))
            case "freeze":
                self._declare(name, {"freeze": data.draw(st.sampled_from([None, "why"]))})
            case _:
                raise AssertionError(step)


def run_histories(count: int, *, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """Run random histories until one breaks a rule."""
    checks = tuple(HealthCheck)
    profile = settings(
        max_examples=count, stateful_step_count=_STEPS, deadline=None, suppress_health_check=checks, phases=phases
    )
    run_state_machine_as_test(Histories, settings=profile)


def test_what_must_hold_holds_after_every_step_of_a_few_histories() -> None:
    run_histories(_FEW_HISTORIES)


if __name__ == "__main__":
    run_histories(int(sys.argv[1]))

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

from tests.support.git import Repository
from tests.support.histories.branches import KINDS, Branches
from tests.support.histories.history import History
from tests.support.histories.project_files import letter_in, split_image
from tests.support.histories.upstream import LAYOUT, OLD, PLATFORMS, YOUNG, Upstream
from tests.support.loopback_registry import loopback_registry
from tests.support.oci_images import platform_digests

_REPOSITORIES = st.sampled_from(["a", "b", "c"])
_TAGS = st.sampled_from(["1.0.0", "1.1.0", "1.1", "1.2.0", "2.0.0"])
_NAMES = st.sampled_from(["web", "base", "Base", "tool"])
_CONTENT = st.dictionaries(st.sampled_from(PLATFORMS), st.integers(1, 3), min_size=1)
_CONTENT |= st.integers(1, 3).map(lambda number: dict.fromkeys(PLATFORMS, number))
_WANTED = st.none() | st.lists(st.sampled_from(PLATFORMS), min_size=1, max_size=2, unique=True)
_AGES = st.sampled_from([None, "7 days"])
_RANGES = st.sampled_from([">=1,<2", ">=1.1,<3", ">=1,<2,!=1.2.0"])
_EDITS = ["push", "update", "platforms", "tag", "range", "digest", "rename", "freeze"]
_SIDE = st.lists(st.sampled_from(_EDITS), min_size=1, max_size=3)
_Sides = tuple[list[str], list[str]]
_QUESTIONS = [["check"], ["list"], ["outdated"], ["diff"], ["render", "--check"], ["export", "env"], ["verify"]]
_STEPS = 30


class Histories(RuleBasedStateMachine):
    """What can happen; `History` and `Branches` check what must hold after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        scratch = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        os.environ["HOME"] = os.environ["XDG_CACHE_HOME"] = str(scratch / "home")
        folder = scratch / "project"
        folder.mkdir()
        registry, mirror = (self.open.enter_context(loopback_registry()) for _ in range(2))
        self.upstream = Upstream(registry, mirror, scratch / "layout")
        self.history = History(folder, self.upstream)
        self.branches = Branches(self.history, Repository(folder))

    def teardown(self) -> None:
        self.open.close()

    @initialize(has_mirror=st.booleans())
    def begin(self, *, has_mirror: bool) -> None:
        for repository in "abc":
            for tag in ("1.0.0", "1.1.0"):
                self.upstream.push(repository, tag, dict.fromkeys(PLATFORMS, 1))
        host = self.upstream.registry.host
        if has_mirror:
            self.history.tail = f'[registries."{host}"]\nmirrors = ["{self.upstream.mirror.host}"]\n'
        self.history.write_images(
            {
                "base": {"image": f"{host}/t/a", "version": ">=1,<2", "platforms": ["linux/amd64"]},
                "tool": {"image": f"{host}/t/b:1.0.0"},
                "web": {"image": f"{LAYOUT}:1.0.0", "platforms": ["linux/amd64", "linux/arm64"]},
            }
        )
        self.branches.repository.start()
        assert self.history.lock()
        self.branches.commit()

    # upstream

    @rule(repository=_REPOSITORIES, tag=_TAGS, content=_CONTENT, created=st.sampled_from([OLD, OLD, YOUNG]))
    def push(self, repository: str, tag: str, content: dict[str, int], created: str) -> None:
        self.upstream.push(repository, tag, content, created=created)

    def _draw_entry(self, data: st.DataObject) -> tuple[str, str]:
        """Draw the repository and the tag of an entry: a change of these is what an update finds."""
        entries = self.history.entries().values()
        known = sorted((letter_in({"image": entry["repository"]}), entry["tag"]) for entry in entries)
        return data.draw(st.sampled_from(known or [("a", "1.0.0")]))

    @rule(data=st.data(), content=_CONTENT, created=st.sampled_from([OLD, YOUNG]))
    def push_again(self, data: st.DataObject, content: dict[str, int], created: str) -> None:
        self.upstream.push(*self._draw_entry(data), content, created=created)

    @rule(data=st.data())
    def update_from_a_short_list(self, data: st.DataObject) -> None:
        repository, tag = self._draw_entry(data)
        self.upstream.registry.unlisted.add(f"t/{repository}:{tag}")
        self.history.update()

    @rule(repository=_REPOSITORIES, tag=_TAGS)
    def delete_tag(self, repository: str, tag: str) -> None:
        self.upstream.delete(repository, tag)

    @rule(repository=_REPOSITORIES, tags=st.sets(_TAGS))
    def shorten_list(self, repository: str, tags: set[str]) -> None:
        """Leave some tags out of the list, which is whole again where these are none."""
        self.upstream.registry.unlisted = {f"t/{repository}:{tag}" for tag in tags}

    @rule()
    def collect_garbage(self) -> None:
        self.upstream.collect_garbage()

    @rule()
    def copy_to_mirror(self) -> None:
        self.upstream.copy_to_mirror()

    # the files

    @rule(name=_NAMES, repository=_REPOSITORIES, tag=_TAGS, platforms=_WANTED)
    def declare_tag(self, name: str, repository: str, tag: str, platforms: list[str] | None) -> None:
        image = f"{self.upstream.name(repository)}:{tag}"
        self.history.declare(name, {"image": image, "version": None, "minimum-age": None, "platforms": platforms})

    @rule(name=_NAMES, repository=_REPOSITORIES, version=_RANGES, platforms=_WANTED, age=_AGES)
    def declare_range(
        self, name: str, repository: str, version: str, platforms: list[str] | None, age: str | None
    ) -> None:
        image = self.upstream.name(repository)
        self.history.declare(name, {"image": image, "version": version, "minimum-age": age, "platforms": platforms})

    @rule(name=_NAMES, repository=_REPOSITORIES, tag=_TAGS, platforms=_WANTED)
    def declare_digest(self, name: str, repository: str, tag: str, platforms: list[str] | None) -> None:
        found = self.upstream.find(repository, tag)
        if found is not None:
            image = f"{self.upstream.name(repository)}:{tag}@{found.digest}"
            self.history.declare(name, {"image": image, "version": None, "minimum-age": None, "platforms": platforms})

    @rule(name=_NAMES, platforms=_WANTED)
    def change_platforms(self, name: str, platforms: list[str] | None) -> None:
        self.history.declare(name, {"platforms": platforms})

    @rule(name=_NAMES, reason=st.sampled_from([None, "why"]))
    def freeze(self, name: str, reason: str | None) -> None:
        self.history.declare(name, {"freeze": reason})

    @rule(old=_NAMES, new=_NAMES)
    def rename(self, old: str, new: str) -> None:
        images = self.history.read_images()
        if old in images:
            renamed = {old: new, new: old}
            self.history.write_images({renamed.get(name, name): it for name, it in images.items()})

    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        """Edit images.lock by hand: another digest that the repository once had, for the index or for a platform."""
        entries = self.history.entries()
        if not entries or not self.history.is_fresh():
            return
        name = data.draw(st.sampled_from(sorted(entries)))
        entry = entries[name]
        other = data.draw(st.sampled_from(self.upstream.indexes[letter_in({"image": entry["repository"]})]))
        key = data.draw(st.sampled_from(["digest", *sorted(entry["platforms"])]))
        if key == "digest":
            self.history.edit_lock(name, entry["digest"], other)
        else:
            offered = platform_digests(self.upstream.registry.every_content[other].body)
            self.history.edit_lock(name, entry["platforms"][key], offered.get(key, other))

    @rule()
    def lose_lock(self) -> None:
        self.history.lock_path.unlink(missing_ok=True)

    # commands

    @rule()
    def lock(self) -> None:
        self.history.lock()

    @rule(options=st.sampled_from([(), (), ("--index",)]))
    def update(self, options: tuple[str, ...]) -> None:
        self.history.update(options=options)

    @rule(name=_NAMES)
    def update_one(self, name: str) -> None:
        if name in self.history.read_images():
            self.history.update(name)

    @rule(name=_NAMES, tag=_TAGS, with_digest=st.booleans(), data=st.data())
    def update_to(self, name: str, tag: str, *, with_digest: bool, data: st.DataObject) -> None:
        declared = self.history.read_images().get(name)
        if declared is None:
            return
        digest = data.draw(st.sampled_from(self.upstream.indexes[letter_in(declared)])) if with_digest else None
        wanted = f"{tag}@{digest}" if digest else tag
        answer = self.history.change("update", name, "--to", wanted, moved=frozenset([name]))
        if answer.code == 0:
            entry = self.history.entries()[name]
            assert entry["tag"] == tag
            assert digest in (None, entry["digest"])
            assert self.history.is_fresh()
            again = self.history.change("update", name, "--to", tag, moved=frozenset([name]))
            assert again.code == 0 or digest, "what was done once can be asked for again"

    @rule(name=_NAMES, repository=_REPOSITORIES, tag=_TAGS)
    def add(self, name: str, repository: str, tag: str) -> None:
        self.history.change("add", name, f"{self.upstream.name(repository)}:{tag}", moved=frozenset([name]))

    @rule(name=_NAMES)
    def remove(self, name: str) -> None:
        if name in self.history.read_images():
            self.history.change("remove", name)

    @rule(command=st.sampled_from(["lock", "update", "add"]), dropped=st.none() | _NAMES)
    def save_meanwhile(self, command: str, dropped: str | None) -> None:
        """Save images.toml in an editor while a command waits for the registry."""
        arguments = [command, "tool", f"{self.upstream.name('a')}:1.0.0"] if command == "add" else [command]
        self.history.check_saved_meanwhile(arguments, dropped)

    @rule(options=st.sampled_from([[], ["--no-cache"]]))
    def lock_afresh(self, options: list[str]) -> None:
        self.history.check_lock_afresh(*options)

    @rule()
    def end_in_the_same_bytes(self) -> None:
        self.history.check_same_bytes()

    @rule(question=st.sampled_from(_QUESTIONS))
    def ask(self, question: list[str]) -> None:
        self.history.ask(*question)
        self.history.check_verify()

    @rule(name=_NAMES, command=st.sampled_from(["explain", "outdated", "verify"]))
    def ask_about(self, name: str, command: str) -> None:
        self.history.ask(command, name)

    # git

    @rule()
    def branch_off(self) -> None:
        self.branches.branch_off()

    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        self.branches.switch(data.draw(st.sampled_from(self.branches.names)))

    def part_and_meet(self, data: st.DataObject, sides: _Sides, kind: str, *, takes_theirs: bool) -> None:
        """Two branches that lock, update and edit the same few images, while the registry moves."""
        start = self.branches.current
        self.branches.branch_off()
        for branch, side in zip((self.branches.current, start), sides, strict=True):
            self.branches.switch(branch)
            for step in side:
                self._take(step, data)
            self.history.lock()
        self.branches.bring_in(self.branches.names[-1], kind=kind, takes_theirs=takes_theirs)

    # Hypothesis takes each rule as often as any other, and merges are where most can go wrong.
    _parting = rule(
        data=st.data(), sides=st.tuples(_SIDE, _SIDE), kind=st.sampled_from(KINDS), takes_theirs=st.booleans()
    )
    part_once, part_again, part_often = _parting(part_and_meet), _parting(part_and_meet), _parting(part_and_meet)
    part_more, part_yet_again = _parting(part_and_meet), _parting(part_and_meet)

    def _take(self, step: str, data: st.DataObject) -> None:
        images = self.history.read_images()
        name = data.draw(st.sampled_from(sorted(images))) if images else "base"
        match step:
            case "push":
                self.upstream.push(data.draw(_REPOSITORIES), data.draw(_TAGS), data.draw(_CONTENT))
            case "update":
                self.history.update()
            case "platforms":
                self.history.declare(name, {"platforms": data.draw(_WANTED)})
            case "tag":
                image = f"{self.upstream.name(data.draw(_REPOSITORIES))}:{data.draw(_TAGS)}"
                self.history.declare(name, {"image": image, "version": None, "minimum-age": None})
            case "range":
                self.declare_range(name, data.draw(_REPOSITORIES), data.draw(_RANGES), data.draw(_WANTED), None)
            case "digest":
                declared = images.get(name, {"image": LAYOUT})
                tag = split_image(declared["image"])[1] or data.draw(_TAGS)
                self.declare_digest(name, letter_in(declared), tag, declared.get("platforms"))
            case "rename":
                self.rename(name, data.draw(_NAMES))
            case "freeze":
                self.history.declare(name, {"freeze": data.draw(st.sampled_from([None, "why"]))})
            case _:
                raise AssertionError(step)


def run_histories(count: int, profile: settings) -> None:
    """Run histories until one breaks a rule."""
    options = settings(profile, max_examples=count, stateful_step_count=_STEPS, deadline=None)
    run_state_machine_as_test(Histories, settings=settings(options, suppress_health_check=tuple(HealthCheck)))


def test_what_must_hold_holds_after_every_step_of_a_few_histories() -> None:
    run_histories(12, settings())


if __name__ == "__main__":
    # With a second word, a history that breaks a rule is printed as it was found, which takes no further minutes.
    wanted = (Phase.reuse, Phase.generate) if sys.argv[2:] else tuple(Phase)
    # Hypothesis has the same histories in each run of CI, which are not what this is for.
    run_histories(int(sys.argv[1]), settings(phases=wanted, derandomize=False))

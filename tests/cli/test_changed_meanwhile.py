"""images.toml or images.lock that an editor or git changes while a command asks a registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback_registry import LoopbackRegistry, loopback_registry
from tests.support.oci_images import multi_platform_image
from tests.support.project import Project

_TOP = 'platforms = ["linux/amd64"]\n\n[images]\n'


@pytest.fixture
def registry() -> Iterator[LoopbackRegistry]:
    with loopback_registry() as registry:
        for name in "abc":
            registry.push(f"t/{name}:1", multi_platform_image("linux/amd64", note=name))
        yield registry


@pytest.fixture
def locked_a(workshop: Project, registry: LoopbackRegistry) -> Project:
    workshop.write("images.toml", f'{_TOP}a = "{registry.host}/t/a:1"\n')
    assert workshop.run("lock").exit_code == 0
    return workshop


def _save_at_first_request(registry: LoopbackRegistry, path: Path, *texts: str) -> None:
    """Save each of the texts as soon as one more request arrives, as a person would in an editor."""
    waiting = list(texts)

    def save(_: str) -> None:
        if waiting:
            path.write_text(waiting.pop(0))

    registry.on_request = save


def test_what_a_person_saves_while_add_asks_is_kept(locked_a: Project, registry: LoopbackRegistry) -> None:
    edited = f"# OPS-77\n{locked_a.read('images.toml')}"
    _save_at_first_request(registry, locked_a.folder / "images.toml", edited)
    assert locked_a.run("add", "b", f"{registry.host}/t/b:1").exit_code == 0
    assert locked_a.read("images.toml") == f'{edited}b = "{registry.host}/t/b:1"\n'
    assert set(locked_a.locked) == {"a", "b"}


def test_an_image_that_a_person_declares_meanwhile_is_locked_too(locked_a: Project, registry: LoopbackRegistry) -> None:
    edited = f'{locked_a.read("images.toml")}c = "{registry.host}/t/c:1"\n'
    _save_at_first_request(registry, locked_a.folder / "images.toml", edited)
    registry.push("t/a:1", multi_platform_image("linux/amd64", note="moved"))
    assert locked_a.run("update", "a").exit_code == 0
    assert set(locked_a.locked) == {"a", "c"}
    assert locked_a.locked["a"]["digest"] == registry.tags["t/a:1"].digest


def test_a_change_with_which_the_command_can_not_go_on_is_told_as_that(
    locked_a: Project, registry: LoopbackRegistry
) -> None:
    taken = f'{locked_a.read("images.toml")}b = "{registry.host}/t/c:1"\n'
    lock = locked_a.lock_bytes
    _save_at_first_request(registry, locked_a.folder / "images.toml", taken)
    outcome = locked_a.run("add", "b", f"{registry.host}/t/b:1")
    assert outcome.exit_code == 3
    assert outcome.stderr.startswith(
        "error: images.toml changed while this run was at work; nothing was written\n  there is an image `b` already:"
    )
    assert (locked_a.read("images.toml"), locked_a.lock_bytes) == (taken, lock)


def test_a_half_saved_images_toml_is_told_as_a_change(locked_a: Project, registry: LoopbackRegistry) -> None:
    _save_at_first_request(registry, locked_a.folder / "images.toml", "[images\n")
    outcome = locked_a.run("update")
    assert outcome.exit_code == 3
    assert "images.toml changed while this run was at work; nothing was written\n  cannot read images.toml" in (
        outcome.stderr
    )


def test_a_file_that_changes_all_the_time_is_given_up(locked_a: Project, registry: LoopbackRegistry) -> None:
    text = locked_a.read("images.toml")
    _save_at_first_request(registry, locked_a.folder / "images.toml", *(f"{text}# {turn}\n" for turn in range(99)))
    registry.push("t/a:1", multi_platform_image("linux/amd64", note="moved"))
    outcome = locked_a.run("update")
    assert (outcome.exit_code, outcome.stderr) == (
        3,
        "error: images.toml changed while this run was at work; nothing was written\n\nhint: run the command again\n",
    )


def test_a_lockfile_that_git_changes_meanwhile_is_read_again(locked_a: Project, registry: LoopbackRegistry) -> None:
    stale = locked_a.read("images.lock").replace('tag = "1"\ndigest', 'tag = "0"\ndigest')
    _save_at_first_request(registry, locked_a.lock_path, stale)
    registry.push("t/a:1", multi_platform_image("linux/amd64", note="moved"))
    assert locked_a.run("update").exit_code == 0
    assert locked_a.run("lock", "--check").exit_code == 0
    assert locked_a.locked["a"]["digest"] == registry.tags["t/a:1"].digest

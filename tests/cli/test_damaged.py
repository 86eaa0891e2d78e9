"""A lock whose index and platforms are not of one moment: seen offline, refused by render, repaired by lock."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.project import Outcome, Project

_REASON = "damaged: its checksum does not match its digests, as after a hand edit or a merge of two updates"
_ERROR = f"error: images.lock has damaged entries\n  go: {_REASON}\n"
_HINT = "\nhint: run `imagelock lock`\n"


@pytest.fixture
def damaged(locked: Project) -> Project:
    """The digest of one platform was edited by hand."""
    arm64 = locked.images["golang:1.22"].children[1].digest
    locked.write("images.lock", locked.read("images.lock").replace(arm64, f"sha256:{'0' * 64}"))
    return locked


def test_lock_check_tells_it_offline(damaged: Project) -> None:
    assert damaged.run("lock", "--check") == Outcome(1, "", f"{_ERROR}{_HINT}")


def test_check_tells_it_offline(damaged: Project) -> None:
    lines = f"{_ERROR}  images.lock: files can't be compared with a stale lock\n"
    assert damaged.run("check") == Outcome(1, "", f"{lines}\nhint: run `imagelock lock`, then `imagelock render`\n")


@pytest.mark.parametrize("command", ["render", "outdated"])
def test_what_needs_a_good_lock_refuses_it(damaged: Project, command: str) -> None:
    before = damaged.read("Dockerfile")
    assert damaged.run(command) == Outcome(2, "", f"{_ERROR}{_HINT}")
    assert damaged.read("Dockerfile") == before


@pytest.mark.parametrize("command", ["lock", "update"])
def test_it_is_repaired_from_the_locked_index(damaged: Project, command: str) -> None:
    summary = {"lock": "Locked 1 of 2 images", "update": "Updated 1 of 2 images"}[command]
    would = summary.replace("Locked", "Would lock").replace("Updated", "Would update")
    line = f"go  golang:1.22  {damaged.short('golang:1.22')}  (linux/arm64)\n"
    note = "note: go: the entry was damaged: its platforms were read anew from the locked index\n"
    dry_run = damaged.run(command, "--dry-run")
    assert dry_run == Outcome(0, "", f"{would}; nothing was written\nRepair  {line}{note}")
    assert damaged.run(command) == Outcome(
        0, "", f"{summary} in TIME\nRepaired  {line}{note}\nNext: run `imagelock render`\n"
    )
    assert damaged.run("check").exit_code == 0


def test_scripts_are_told(damaged: Project) -> None:
    (change,) = json.loads(damaged.run("lock", "--format", "json").stdout)["changes"]
    assert (change["change"], change["name"]) == ("repaired", "go")


def test_only_the_checksum_may_be_wrong(locked: Project) -> None:
    locked.write("images.lock", locked.read("images.lock").replace('checksum = "', 'checksum = "0', 1))
    short = locked.short("golang:1.22")
    assert f"Repaired  go  golang:1.22  {short}  (checksum)\n" in locked.run("lock").stderr
    assert locked.run("lock", "--check").exit_code == 0


def test_removing_another_image_does_not_hide_the_damage(damaged: Project) -> None:
    assert damaged.run("remove", "node").exit_code == 0
    assert damaged.run("lock", "--check") == Outcome(1, "", f"{_ERROR}{_HINT}")


def _without_checksums(text: str) -> str:
    return re.sub("checksum = .*\n", "", text)


def test_what_was_not_compared_with_its_index_gets_no_checksum(pinned: Project) -> None:
    pinned.declare_locked()
    before = pinned.read("images.lock")
    assert "checksum" not in before
    outcome = pinned.run("lock", "--offline")
    assert outcome.exit_code == 0
    assert [line.partition(": docker.io/")[0] for line in outcome.stderr.splitlines()] == [
        "2 images already locked",
        "warning: go: its platforms were not compared with its index, so that it gets no checksum",
        "warning: nginx: its platforms were not compared with its index, so that it gets no checksum",
    ]
    assert pinned.read("images.lock") == before


def test_an_image_that_is_removed_proves_nothing_about_the_others(locked: Project) -> None:
    good = locked.read("images.lock")
    locked.write("images.lock", _without_checksums(good))
    locked.write("Dockerfile.in", "FROM {{images.go}}")
    assert locked.run("remove", "node").exit_code == 0
    assert "checksum" not in locked.read("images.lock")
    assert locked.run("lock").exit_code == 0
    assert locked.read("images.lock") == good[: good.index("\n[images.node]")]

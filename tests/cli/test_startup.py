"""What the commands that run all day import: each module takes time before anything is done."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.support.project import Project

_LIST_MODULES = """
import sys
from imagelock.__main__ import main
sys.argv[0] = "imagelock"
try:
    main()
except SystemExit as error:
    assert not error.code, error.code
print(*sys.modules)
"""
_ASKING = {
    "imagelock.cli.lock_merge",
    "imagelock.cli.lock_questions",
    "imagelock.locking.clean_merge",
    "imagelock.locking.merge",
    "imagelock.locking.merged_text",
    "imagelock.locking.parallel",
    "imagelock.locking.resolve",
    "imagelock.locking.select",
    "imagelock.locking.steps",
    "imagelock.locking.uncovered",
    "imagelock.locking.update_step",
    "imagelock.model.oci",
    "imagelock.registry",
    "imagelock.rendering",
}
_MERGING = ("clean_merge", "merge", "merged_text", "uncovered")
_RANGES = {"imagelock.model.tags.pattern", "imagelock.model.tags.specifier", "imagelock.model.tags.version_range"}
_CONFIGURATIONS = {"imagelock.model.image_config", "imagelock.model.strict_json", "json"}
_HEAVY = {"asyncio", "concurrent.futures", "hashlib", "packaging", "signal", "subprocess", "tomlkit", "yaml"}


def _modules(project: Project, *arguments: str) -> set[str]:
    script = [sys.executable, "-c", _LIST_MODULES, *arguments]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # it imports, too
    done = subprocess.run(script, cwd=project.folder, env=alone, capture_output=True, check=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", ["check", "lock --check", "list", "lock", "render"])
def test_what_runs_all_day_loads_nothing_that_is_slow(locked: Project, command: str) -> None:
    assert _modules(locked, *command.split()) & _HEAVY == set()


@pytest.mark.parametrize("command", ["check", "lock --check", "list", "lock", "render"])
def test_exact_tags_load_nothing_of_ranges_and_locks_nothing_of_configurations(locked: Project, command: str) -> None:
    assert _modules(locked, *command.split()) & (_RANGES | _CONFIGURATIONS) == set()


@pytest.mark.parametrize("command", ["lock --check", "list", "lock"])
def test_a_lock_that_is_not_stale_loads_nothing_that_asks_or_merges(locked: Project, command: str) -> None:
    assert _modules(locked, *command.split()) & _ASKING == set()


def test_a_stale_lock_loads_what_asks(locked: Project) -> None:
    locked.lock_path.unlink()
    merging = {f"imagelock.{name}" for name in ("cli.lock_merge", *(f"locking.{it}" for it in _MERGING))}
    # What renders is asked whether a file has the new images, for the next step.
    assert _ASKING - _modules(locked, "lock") == merging


def test_the_names_are_those_of_modules() -> None:
    names = sorted(_ASKING | _RANGES | _CONFIGURATIONS)
    assert [name for name in names if importlib.util.find_spec(name) is None] == []


_MOST_MODULES = {"--version": 2, "list": 43, "lock --check": 40, "check": 51, "lock": 53}
"""Of ours, by command: each takes a fifth of a millisecond before anything is done."""


@pytest.mark.parametrize("command", _MOST_MODULES)
def test_a_command_that_needs_more_modules_is_noticed(locked: Project, command: str) -> None:
    ours = [name for name in _modules(locked, *command.split()) if name.partition(".")[0] == "imagelock"]
    assert len(ours) <= _MOST_MODULES[command]

"""The manual pages: man shows each without a warning, and the wheel brings them where man looks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imagelock.cli.help import GROUPS
from tests.support.real_software import require_programs

_PAGES = Path(__file__).parents[2] / "man"
_COMMANDS = {name for commands in GROUPS.values() for name in commands}


def test_every_command_has_a_page() -> None:
    assert {path.name for path in _PAGES.iterdir()} == {"imagelock.1", *(f"imagelock-{name}.1" for name in _COMMANDS)}


@pytest.mark.parametrize("name", ["imagelock", *(f"imagelock-{name}" for name in sorted(_COMMANDS))])
def test_man_shows_it_without_a_warning(name: str) -> None:
    require_programs("man")
    command = ["man", "--warnings", "--encoding=utf-8", "--local-file", str(_PAGES / f"{name}.1")]
    shown = subprocess.run(
        command, capture_output=True, check=True, text=True, env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin"}
    )
    assert shown.stderr == ""
    text = " ".join(shown.stdout.split())
    assert name.replace("imagelock-", "imagelock ") in text
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"):
        assert section in text


def test_lines_are_shown_as_they_are() -> None:
    require_programs("man")
    command = ["man", "--encoding=utf-8", "--local-file", str(_PAGES / "imagelock-lock.1")]
    shown = subprocess.run(
        command, capture_output=True, check=True, text=True, env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin"}
    )
    assert "       -P, --upgrade-image NAME\n" in shown.stdout
    assert "[env: IMAGELOCK_LOCK_UPGRADE_IMAGE]" in " ".join(shown.stdout.split())

"""The shell script of docs/images-lock.md, run as it is printed there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.project import Project

_PAGE = Path(__file__).parents[2] / "docs/images-lock.md"


def _run_script(folder: Path) -> str:
    (script,) = re.findall(r"^```sh\n(.*?)^```", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert script.count("\n") <= 10
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, cwd=folder, text=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_script_prints_the_damaged_entries(locked: Project, line_end: str) -> None:
    good = locked.read("images.lock").replace("\n", line_end)
    locked.write("images.lock", good)
    assert _run_script(locked.folder) == ""
    arm64 = locked.images["node:20"].children[1].digest
    locked.write("images.lock", good.replace(arm64, f"sha256:{'0' * 64}"))
    assert re.fullmatch(r"node: [0-9a-f]{16} should be [0-9a-f]{16}\n", _run_script(locked.folder))

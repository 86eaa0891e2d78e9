from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pinned_project import PinnedProject


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> PinnedProject:
    """An empty folder to work in, where CI looks like a desk."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return PinnedProject(folder, capfd)

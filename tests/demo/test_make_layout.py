from __future__ import annotations

from pathlib import Path

from demo.make_layout import LAYOUT, make_layout


def test_making_the_layout_again_gives_the_committed_bytes(tmp_path: Path) -> None:
    made = tmp_path / "layout"
    make_layout(made)
    assert _files(made) == _files(LAYOUT)


def test_nothing_of_an_older_layout_stays(tmp_path: Path) -> None:
    left_over = tmp_path / "blobs" / "sha256" / "left over"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    make_layout(tmp_path)
    assert not left_over.exists()


def _files(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}

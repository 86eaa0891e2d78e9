"""What is said about references that pinning left as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from imagelock.cli.console import Console
from imagelock.cli.text import count
from imagelock.documents.pinning import Pinned, Refusal
from imagelock.documents.spans import Position


def tell_what_stayed(console: Console, made: Mapping[Path, Pinned]) -> None:
    """Warn about each reference that can't be pinned, and count those that are nobody's image."""
    unknown: list[str] = []
    for path, pinned in made.items():
        for line in refusal_lines(path, pinned):
            console.warn(line)
        unknown += (f"{place(path, each.position)}: {each.text}" for each in pinned.not_locked)
    if unknown:
        console.note(f"{count(len(unknown), 'reference')} left alone: images.toml has no such image")
        for line in unknown:
            console.detail(f"  {line}")


def place(path: Path, position: Position) -> str:
    """Write a place as compilers do, for editors and terminals to jump there."""
    return f"{path}:{position.line}:{position.column}"


def refusal_lines(path: Path, pinned: Pinned) -> Iterator[str]:
    """Say one line for each thing that stayed as it was, with what can be done about it."""
    for problem in pinned.problems:
        yield f"{place(path, problem.position)}: {problem.reason}; the file was left alone"
    yield from (_refusal_line(path, refusal) for refusal in pinned.refused)


def _refusal_line(path: Path, refusal: Refusal) -> str:
    way_out = f"; {refusal.hint}" if refusal.hint else ""
    where = place(path, refusal.reference.position)
    return f"{where}: {refusal.reference.text}: {refusal.reason}{way_out}"

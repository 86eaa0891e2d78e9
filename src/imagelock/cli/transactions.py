"""How a command gets the right to change files: other runs are waited for, and what they left is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imagelock.cli.console import Console
from imagelock.project import transaction
from imagelock.project.project import Project
from imagelock.project.transaction import Transaction


@contextmanager
def begin(console: Console, project: Project) -> Iterator[Transaction]:
    """Begin to change a project: nothing that is read inside the block is changed by another run before its end.

    Blocks may be nested. On a terminal, a run that has to be waited for is named.
    """

    def tell(holder: str) -> None:
        console.progress(f"Waiting for {holder}")

    with transaction.begin(project.images_path, project.lock_path, on_wait=tell) as begun:
        console.end_progress()
        if begun.recovered:
            console.warn(begun.recovered)
        yield begun

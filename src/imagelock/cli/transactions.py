"""How a command gets the right to change files: other runs are waited for, and what they left is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from imagelock.cli.console import Console
from imagelock.errors import ImagelockError, ProjectChangedError
from imagelock.project import transaction
from imagelock.project.project import Project
from imagelock.project.transaction import Transaction

_MAX_ATTEMPTS = 3
"""A file that changes during each of them is being written all the time."""
_Result = TypeVar("_Result")


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


def run_again_if_changed(console: Console, run: Callable[[], _Result]) -> _Result:
    """Run something that begins a transaction; where its files changed meanwhile, again from what they are now.

    The failure of a later attempt is reported as that of the change: nothing was written, unlike by the first alone.
    """
    changed: ProjectChangedError | None = None
    for _ in range(_MAX_ATTEMPTS):
        try:
            return run()
        except ProjectChangedError as error:
            changed = error
            console.detail(f"{error.message}: reading it again")
        except ImagelockError as error:
            if changed is None:
                raise
            raise ProjectChangedError(
                changed.message, details=(error.message, *error.details), hint=error.hint
            ) from error
    raise changed or AssertionError("there is at least one attempt")

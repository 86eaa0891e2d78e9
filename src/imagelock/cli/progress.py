"""The one transient line that shows how far a run has come; on a terminal only."""

from __future__ import annotations

from collections.abc import Callable

from imagelock.cli.console import Console


def count_done(console: Console, activity: str, *, total: int) -> Callable[[str], None]:
    """Make the function that hears of each image that is done: ``Locking 3/12: node``."""
    done = 0

    def on_done(alias: str) -> None:
        nonlocal done
        done += 1
        console.progress(f"{activity} {done}/{total}: {alias}")

    return on_done

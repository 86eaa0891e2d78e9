"""The transient line of a run: how far it is, and after a second a bar, the rate and the host that answers last."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock
from types import MappingProxyType

from imagelock.cli.console import Console
from imagelock.cli.layout import display_width
from imagelock.cli.text import rough_duration, size
from imagelock.locking.parallel import UNWATCHED, Watcher
from imagelock.model.reference import AnyRepository

_LONG_SECONDS = 1.0
"""So long a run has a bar, and so long a wait names its host."""
_REFRESH_SECONDS = 0.1
_WIDEST_BAR, _NARROWEST_BAR = 24, 6
_SHAPES = ("█░", "#-")
"""What is done and what is left; the second where the encoding of the terminal lacks the first."""
_NAMED_BY_QUESTIONS: Mapping[str, AnyRepository] = MappingProxyType({})
Clock = Callable[[], float]


def watch(
    console: Console,
    activity: str,
    repositories: Mapping[str, AnyRepository] = _NAMED_BY_QUESTIONS,
    *,
    clock: Clock = time.monotonic,
) -> Watcher:
    """Return what shows how far a run is, or nothing where no terminal shows it.

    ``repositories`` has those that questions are about, unless a question has the name of its own.
    """
    if not console.shows_progress:
        return UNWATCHED
    return Progress(console, activity, host_of=lambda name: host_in(str(repositories.get(name, name))), clock=clock)


def host_in(name: str) -> str:
    """Return the registry in the name of a repository or an image; nothing for an OCI layout."""
    return "" if name.startswith("oci:") else name.partition("/")[0]


class _Waits:
    """The questions that are on their way, and since when. Threads may add to it."""

    def __init__(self, host_of: Callable[[str], str]) -> None:
        self._host_of = host_of
        self._since: dict[str, float] = {}

    def begin(self, name: str, now: float) -> None:
        self._since[name] = now

    def end(self, name: str) -> None:
        self._since.pop(name, None)

    def slowest(self, now: float) -> str | None:
        """Return the host and age of the oldest open question, if it is a second old."""
        name, since = min(list(self._since.items()), key=lambda item: item[1], default=("", now))
        host = self._host_of(name)
        return f"slowest: {host} {rough_duration(now - since)}" if host and now - since >= _LONG_SECONDS else None


class Progress:
    """Counts the questions of a run that are answered: ``Locking 3/12: node``, after a second with a bar."""

    def __init__(
        self, console: Console, activity: str, *, host_of: Callable[[str], str], clock: Clock = time.monotonic
    ) -> None:
        self._console = console
        self._activity = activity
        self._clock = clock
        self._began = self._shown = clock()
        self._total = self._done = 0
        self._waits = _Waits(host_of)

    def expect(self, names: Collection[str]) -> None:
        """Add to what there is to do."""
        self._total += len(names)

    def started(self, name: str) -> None:
        """Note that a question is on its way. Called from many threads."""
        self._waits.begin(name, self._clock())

    def done(self, name: str) -> None:
        """Count a question that is answered."""
        self._waits.end(name)
        self._done += 1
        now = self._clock()
        if now - self._began < _LONG_SECONDS:
            self._console.progress(f"{self._activity} {self._done}/{self._total}: {name}")
        elif now - self._shown >= _REFRESH_SECONDS or self._done in (1, self._total):
            self._show(now)

    def waiting(self) -> None:
        """Show how far the run is while no answer comes."""
        now = self._clock()
        if now - self._began >= _LONG_SECONDS:
            self._show(now)

    def _show(self, now: float) -> None:
        self._shown = now
        head = f"{self._activity} {self._done}/{self._total}"
        facts = [f"{self._done / (now - self._began):.1f}/s", self._waits.slowest(now)]
        _show_bar(self._console, head, self._done, self._total, facts)


class CopyProgress:
    """Shows the manifests that a mirror has read, then the bytes that it has copied, their rate and the time left."""

    def __init__(self, console: Console, *, clock: Clock = time.monotonic) -> None:
        self.manifests = watch(console, "Reading")
        self.blobs: Watcher = self if console.shows_progress else UNWATCHED
        self._console = console
        self._clock = clock
        self._lock = Lock()
        self._waits = _Waits(host_in)
        self._began = self._shown = clock()
        self._size = self._copied = 0

    def expect_bytes(self, size_bytes: int) -> None:
        """Begin to count, up to this many bytes."""
        self._size, self._began = size_bytes, self._clock()

    def add(self, size_bytes: int) -> None:
        """Count bytes that are done, or take back what has to be copied again. Called from many threads."""
        with self._lock:
            self._copied += size_bytes

    def expect(self, names: Collection[str]) -> None:
        """Do nothing: the bytes of blobs are counted, not their number."""

    def started(self, name: str) -> None:
        """Note that a blob is on its way. Called from many threads."""
        self._waits.begin(name, self._clock())

    def done(self, name: str) -> None:
        """Note that a blob is there."""
        self._waits.end(name)
        if self._clock() - self._shown >= _REFRESH_SECONDS:
            self.waiting()

    def waiting(self) -> None:
        """Show how far the copy is."""
        now = self._shown = self._clock()
        head = f"Copying {size(self._copied)} of {size(self._size)}"
        facts = copy_facts(self._copied, self._size, seconds=now - self._began)
        _show_bar(self._console, head, self._copied, self._size, [*facts, self._waits.slowest(now)])


def copy_facts(done: int, total: int, *, seconds: float) -> list[str]:
    """Return the rate of a copy in bytes, and the remaining time at this rate if there is one."""
    if not 0 < done < total or seconds <= 0:
        return []
    return [f"{size(round(done / seconds))}/s", f"{rough_duration(seconds * (total - done) / done)} left"]


def _show_bar(console: Console, head: str, done: int, total: int, facts: Sequence[str | None]) -> None:
    """Show a bar between what it counts and some facts, in the width of the terminal."""
    shapes = _SHAPES[0] if _can_encode(_SHAPES[0]) else _SHAPES[1]
    share = min(max(done / total, 0.0), 1.0) if total else 0.0
    console.progress(bar_line(head, share, [it for it in facts if it], width=console.progress_width, shapes=shapes))


def bar_line(head: str, share: float, facts: Sequence[str], *, width: int, shapes: str) -> str:
    """Write a line with a bar that fits a width: the bar gives way first, then the facts, the last one first."""
    kept = list(facts)
    while kept and display_width("  ".join([head, *kept])) > width:
        kept.pop()
    room = min(width - display_width("  ".join([head, "", *kept])), _WIDEST_BAR)
    filled = round(share * room)
    bar = [shapes[0] * filled + shapes[1] * (room - filled)] if room >= _NARROWEST_BAR else []
    return "  ".join([head, *bar, *kept])


def _can_encode(text: str) -> bool:
    try:
        text.encode(getattr(sys.stderr, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

"""The line that shows how far a run is: what it says when, and how it fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from imagelock.cli.console import Console
from imagelock.cli.layout import clip, display_width
from imagelock.cli.progress import CopyProgress, Progress, bar_line, copy_facts, host_in, watch
from imagelock.locking.parallel import UNWATCHED
from imagelock.model.reference import LayoutRepository, parse_repository


@dataclass
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Screen:
    """Is taken for a console on a terminal, and keeps what its transient line showed."""

    progress_width: int = 79
    shows_progress: bool = True
    shown: list[str] = field(default_factory=list)

    def progress(self, text: str) -> None:
        self.shown.append(text)


def _progress(screen: Any, clock: _Clock) -> Progress:  # noqa: ANN401  it is taken for a console
    return Progress(screen, "Locking", host_of=host_in, clock=clock)


def test_a_short_run_counts_and_names_what_is_done() -> None:
    screen, clock = _Screen(), _Clock()
    progress = _progress(screen, clock)
    progress.expect(["go", "node"])
    for name in ("go", "node"):
        progress.started(name)
        progress.waiting()
        progress.done(name)
    assert screen.shown == ["Locking 1/2: go", "Locking 2/2: node"]


def test_after_a_second_there_is_a_bar_with_count_rate_and_the_slowest_host() -> None:
    screen, clock = _Screen(), _Clock()
    progress = _progress(screen, clock)
    progress.expect(["quay.io/a", "docker.io/b", "docker.io/c", "oci:layout"])
    for name in ("quay.io/a", "docker.io/b", "docker.io/c"):
        progress.started(name)
    clock.now = 0.5
    progress.done("docker.io/b")
    clock.now = 2.0
    progress.waiting()
    clock.now = 2.01
    progress.done("docker.io/c")  # a tenth of a second has not gone by
    clock.now = 4.0
    progress.done("quay.io/a")
    progress.started("oci:layout")
    clock.now = 8.0
    progress.waiting()
    assert screen.shown == [
        "Locking 1/4: docker.io/b",
        "Locking 1/4  ██████░░░░░░░░░░░░░░░░░░  0.5/s  slowest: quay.io 2s",
        "Locking 3/4  ██████████████████░░░░░░  0.8/s",
        "Locking 3/4  ██████████████████░░░░░░  0.4/s",
    ]


def test_rounds_of_questions_add_up() -> None:
    screen, clock = _Screen(), _Clock()
    progress = _progress(screen, clock)
    for name in ("manifest", "blob"):
        progress.expect([name])
        progress.done(name)
    assert screen.shown == ["Locking 1/1: manifest", "Locking 2/2: blob"]


def test_a_copy_shows_bytes_their_rate_and_the_time_left() -> None:
    clock = _Clock()
    screen: Any = _Screen(progress_width=99)
    progress = CopyProgress(screen, clock=clock)
    assert progress.blobs is progress
    progress.expect_bytes(500_000_000)
    progress.blobs.started("quay.io/a@sha256:0")
    progress.add(120_000_000)
    progress.add(-20_000_000)
    clock.now = 2.0
    progress.blobs.waiting()
    clock.now = 10.0
    progress.add(400_000_000)
    progress.blobs.done("quay.io/a@sha256:0")
    assert screen.shown == [
        "Copying 100.0 MB of 500.0 MB  █████░░░░░░░░░░░░░░░░░░░  50.0 MB/s  8s left  slowest: quay.io 2s",
        "Copying 500.0 MB of 500.0 MB  ████████████████████████",
    ]


@pytest.mark.parametrize(
    ("done", "seconds", "facts"),
    [
        (0, 0.0, []),
        (0, 3.0, []),
        (1_000_000, 0.0, []),
        (1_000_000, 1.0, ["1.0 MB/s", "8m 19s left"]),
        (500_000_000, 10.0, []),
    ],
)
def test_a_rate_needs_time_and_bytes(done: int, seconds: float, facts: list[str]) -> None:
    assert copy_facts(done, 500_000_000, seconds=seconds) == facts


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (60, "Asking about 9/12  ##############-----  8.3/s  slowest: a 2s"),
        (46, "Asking about 9/12  8.3/s  slowest: a 2s"),
        (38, "Asking about 9/12  #########---  8.3/s"),
        (24, "Asking about 9/12  8.3/s"),
        (20, "Asking about 9/12"),
    ],
)
def test_a_narrow_terminal_keeps_what_matters_most(width: int, line: str) -> None:
    made = bar_line("Asking about 9/12", 0.75, ["8.3/s", "slowest: a 2s"], width=width, shapes="#-")
    assert made == line
    assert len(made) <= width


@pytest.mark.parametrize(("name", "host"), [("quay.io/a:1", "quay.io"), ("oci:./a:1", ""), ("x:5000/a", "x:5000")])
def test_the_host_of_a_name(name: str, host: str) -> None:
    assert host_in(name) == host


def test_names_that_tell_no_host_have_repositories() -> None:
    screen, clock = _Screen(), _Clock()
    console: Any = screen
    repositories = {"go": parse_repository("golang"), "app": LayoutRepository("vendor")}
    watcher = watch(console, "Locking", repositories, clock=clock)
    watcher.expect(repositories)
    for name in ("go", "app"):
        watcher.started(name)
        clock.now += 2
        watcher.waiting()
        watcher.done(name)
    assert [line.rpartition("/s")[2] for line in screen.shown] == ["  slowest: docker.io 2s", "", "", ""]


def test_nothing_is_watched_where_nothing_is_shown() -> None:
    screen: Any = _Screen(shows_progress=False)
    assert watch(screen, "Locking") is UNWATCHED
    copy = CopyProgress(screen)
    assert (copy.manifests, copy.blobs) == (UNWATCHED, UNWATCHED)


@pytest.mark.parametrize(
    ("text", "cut"), [("abcdef", "abcd"), ("日本語", "日本"), ("ab日本", "ab日"), ("a日本", "a日")]
)
def test_a_line_is_cut_by_columns(text: str, cut: str) -> None:
    assert clip(text, 4) == cut
    assert display_width(cut) <= 4


def test_a_pipe_shows_no_progress() -> None:
    assert not Console().shows_progress

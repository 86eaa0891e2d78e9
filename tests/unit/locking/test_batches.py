"""What a run of many images says, and when trying again helps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Event

import pytest

from imagelock.errors import (
    AuthenticationError,
    BatchError,
    ExitCode,
    ImagelockError,
    ImageNotFoundError,
    TemporaryError,
)
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.parallel import run_all
from imagelock.locking.plan import plan_lock, run_steps
from tests.support.lock_runs import BOTH, DECLARED, NOW, lock, locked
from tests.support.memory_source import MemorySource
from tests.support.oci_images import multi_platform_image


@dataclass
class _Watcher:
    """Keeps what it hears."""

    heard: list[str] = field(default_factory=list)
    waited: Event = field(default_factory=Event)
    """Set once it has heard that no answer came."""

    def expect(self, names: Collection[str]) -> None:
        self.heard += (f"expect {name}" for name in names)

    def started(self, name: str) -> None:
        self.heard.append(f"started {name}")

    def done(self, name: str) -> None:
        self.heard.append(f"done {name}")

    def waiting(self) -> None:
        self.heard.append("waiting")
        self.waited.set()


def _batch(source: MemorySource, failures: dict[str, ImagelockError]) -> BatchError:
    images = ["[images]", *(f'{name} = "{name}:1"' for name in ("c", "b", "go", "a"))]
    source.failures = {f"docker.io/library/{name}:1": error for name, error in failures.items()}
    for name in "abc":
        source.push(f"docker.io/library/{name}:1", multi_platform_image("linux/amd64", note=name))
    with pytest.raises(BatchError) as caught:
        lock("\n".join(images), source)
    return caught.value


def test_all_failures_of_a_run_are_told_sorted(source: MemorySource) -> None:
    error = _batch(
        source,
        {
            "c": ImageNotFoundError("c is not there", details=["it has: d"]),
            "a": AuthenticationError("a wants a login", hint="run `docker login`"),
            "b": TemporaryError("b gives no answer", hint="wait"),
        },
    )
    assert error.message == "cannot lock 3 of 4 images; images.lock is unchanged"
    assert error.details == (
        "a: a wants a login",
        "b: b gives no answer",
        "c: c is not there",
        "  it has: d",
    )
    assert (error.hint, error.further_hints) == ("run `docker login` (a)", ("wait (b)",))
    assert error.exit_code == ExitCode.CANNOT


def test_a_hint_that_all_failures_share_is_given_once(source: MemorySource) -> None:
    error = _batch(source, {name: TemporaryError(f"{name} gives no answer", hint="wait") for name in "ab"})
    assert (error.details, error.hint) == (("a: a gives no answer", "b: b gives no answer"), "wait")


@pytest.mark.parametrize(
    ("failures", "exit_code"),
    [
        ({"a": TemporaryError("x"), "b": TemporaryError("y")}, ExitCode.TRY_AGAIN),
        ({"a": TemporaryError("x"), "b": ImageNotFoundError("y")}, ExitCode.CANNOT),
        ({"a": ImageNotFoundError("x")}, ExitCode.CANNOT),
    ],
)
def test_trying_again_helps_only_if_every_failure_may_pass(
    source: MemorySource, failures: dict[str, ImagelockError], exit_code: ExitCode
) -> None:
    assert _batch(source, failures).exit_code is exit_code


def test_a_single_failure_is_told_in_the_first_line(source: MemorySource) -> None:
    source.tags.clear()
    with pytest.raises(BatchError) as caught:
        lock('[images]\ngo = "go:1"', source)
    assert caught.value.message == "cannot lock `go`: docker.io/library/go:1 is not there"
    assert caught.value.details == ("images.lock is unchanged",)
    assert caught.value.hint is None


def test_progress_is_told_for_each_image_that_was_asked_for(source: MemorySource) -> None:
    watcher = _Watcher()
    before = locked(source)
    source.push("docker.io/library/a:1", multi_platform_image(*BOTH, note="a"))
    images_file = parse_images_file(f'{DECLARED}\na = "a:1"\nb = "b:1"')
    with pytest.raises(BatchError):
        run_steps(plan_lock(images_file, before, now=NOW), source, watcher=watcher, max_workers=1)
    assert sorted(watcher.heard) == ["done a", "done b", "expect a", "expect b", "started a", "started b"]


def test_a_watcher_hears_that_no_answer_comes() -> None:
    watcher = _Watcher()
    results = run_all({"a": lambda: watcher.waited.wait(timeout=60)}, watcher=watcher)
    assert results.found == {"a": True}
    assert watcher.heard[:3] == ["expect a", "started a", "waiting"]
    assert watcher.heard[-1] == "done a"


def test_many_hints_of_one_form_are_one(source: MemorySource) -> None:
    def not_found(name: str) -> ImageNotFoundError:
        return ImageNotFoundError(f"{name} is not there", hint=f"run `imagelock tags {name}` to list its tags")

    error = _batch(source, {name: not_found(name) for name in "abc"})
    assert (error.hint, error.further_hints) == ("run `imagelock tags REPOSITORY` to list its tags", ())
    error = _batch(source, {name: not_found(name) for name in "ab"})
    assert (error.hint, error.further_hints) == (
        "run `imagelock tags a` to list its tags (a)",
        ("run `imagelock tags b` to list its tags (b)",),
    )

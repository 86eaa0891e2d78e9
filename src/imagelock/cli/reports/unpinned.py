"""What ``render`` and ``unpin`` leave as it is in a file, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from imagelock.cli.console import Console
from imagelock.cli.reports.finding_report import FEWEST_IN_TABLE, hints, line, lines
from imagelock.cli.reports.findings import Wrong
from imagelock.cli.text import count
from imagelock.documents.pin_plan import Finding, FindingKind
from imagelock.documents.pinning import Pinned, Refusal
from imagelock.documents.references import Reference


def tell_what_stayed(console: Console, made: Mapping[Path, Pinned]) -> None:
    """Warn about each reference that cannot be pinned, and count those whose image is not declared."""
    refused = [each for path, pinned in made.items() for each in refusals(path, pinned)]
    if len(refused) < FEWEST_IN_TABLE:
        for each in refused:
            console.warn(line(each))
    else:
        console.warn(f"{count(len(refused), 'place')} cannot be pinned or read, and stayed as they were")
        for told in lines(refused, width=console.details_width):
            console.item(told)
    _tell_hints(console, refused)
    unknown = [_wrong(path, each) for path, pinned in made.items() for each in pinned.not_locked]
    others = [_wrong_refusal(path, each) for path, pinned in made.items() for each in pinned.other_tag]
    if others:
        subject = f"{count(len(others), 'reference')} {'has' if len(others) == 1 else 'have'}"
        console.note(f"{subject} another tag or digest than images.toml")
        _tell_places(console, others)
        _tell_hints(console, others)
    if unknown:
        console.note(f"{count(len(unknown), 'reference')} left alone: images.toml has no such image")
        _tell_places(console, unknown)


def refusals(path: Path, pinned: Pinned) -> Iterator[Wrong]:
    """Return what stayed as it was in a file, with what can be done about it."""
    for problem in pinned.problems:
        reason = f"{problem.reason}; the file was left alone"
        finding = Finding(FindingKind.UNREADABLE, problem.position, "", reason, None)
        yield Wrong(name=str(path), reason=reason, path=path, finding=finding)
    for refusal in pinned.refused:
        yield _wrong_refusal(path, refusal)


def _wrong_refusal(path: Path, refusal: Refusal) -> Wrong:
    return _wrong(path, refusal.reference, reason=refusal.reason, hint=refusal.hint)


def _wrong(path: Path, reference: Reference, *, reason: str = "", hint: str | None = None) -> Wrong:
    finding = Finding(FindingKind.NOT_PINNABLE, reference.position, reference.shown, reason, hint)
    return Wrong(name=str(path), reason=reason, way_out=hint, path=path, finding=finding)


def _tell_hints(console: Console, wrong: list[Wrong]) -> None:
    for hint in hints(wrong, fails=False):
        console.hint(hint)


def _tell_places(console: Console, wrong: Iterable[Wrong]) -> None:
    for each in wrong:
        console.detail(f"  {line(each).removesuffix(': ')}")

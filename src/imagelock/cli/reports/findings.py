"""What ``check`` can find wrong, and how it is told: to people, to scripts, and to GitHub's annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelock.cli.console import Console
from imagelock.cli.reports.rules import PIN_PATTERN, UNUSED_PATH
from imagelock.cli.text import count, listing, markdown_table, shorten_digests
from imagelock.model.frozen import frozen

if TYPE_CHECKING:
    # The readers of documents take 30 ms, which only [pin] needs.
    from imagelock.cli.reports.annotations import Annotation
    from imagelock.cli.reports.search_notes import Unread
    from imagelock.documents.pin_plan import Finding
    from imagelock.documents.pinning import Pinned, Refusal
    from imagelock.documents.spans import Position


ACCEPT = "add a reference to `names` under [external] to accept it as it is"
_SHARED_HINTS = 4
"""So many warnings are told without their hints, which follow once."""
_ACCEPTABLE = ("unresolved", "not-pinnable")
RENDER = "imagelock render"
RETAG = "imagelock render --retag"
SCAN = "imagelock scan --write"
LOCK = "imagelock lock"
_ORDER = (SCAN, LOCK, RENDER, RETAG)


@frozen(kw_only=True)
class Wrong:
    """One thing that is not as locked."""

    name: str
    """An image, or a file."""
    reason: str
    rule: str = ""
    """The identifier of the rule that it breaks, where no finding says so."""
    command: str | None = None
    """What mends it, if a command does."""
    more: tuple[str, ...] = ()
    """The commands that have to follow that one."""
    way_out: str | None = None
    """What a person can do, if no command mends it."""
    path: Path | None = None
    """The file that it is in; None if it is in images.toml."""
    finding: Finding | None = None
    """Where in that file, if something was found there."""

    @property
    def kind(self) -> str:
        """The identifier of the rule that it breaks: a key of ``RULES``."""
        return str(self.finding.kind) if self.finding else self.rule

    @property
    def reference(self) -> str:
        """The reference that it is about, or nothing."""
        return self.finding.text if self.finding else ""


@frozen
class Report:
    """What a check has found so far, and how much it has looked at."""

    wrong: list[Wrong] = field(default_factory=list)
    listed: list[Wrong] = field(default_factory=list)
    """What ``--all`` lists, and only ``--strict`` fails for."""
    notes: list[str] = field(default_factory=list)
    external: list[tuple[str, str]] = field(default_factory=list)
    """The references that ``external.names`` covers, as written and as expanded."""
    unread: list[Unread] = field(default_factory=list)
    """What ``--all`` could not read and may have images."""
    counts: list[str] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)
    """The images, by name, that some file of ``[render]``, ``[pin]`` or ``[export]`` has."""
    uncarried: list[str] = field(default_factory=list)
    """The locked images that none has, where everything else is right."""

    def count(self, things: str, state: str) -> None:
        """Say how many things were looked at, as in ``2 files`` and ``rendered``."""
        self.counts.append(f"{things} {state}")

    def add(self, wrong: Iterable[Wrong]) -> None:
        """Add what was found."""
        self.wrong.extend(wrong)


def lines(wrong: Iterable[Wrong]) -> Iterator[str]:
    """Write one line each for people: places as compilers write them, digests cut short."""
    for each in wrong:
        about = f": {shorten_digests(each.reference)}" if each.reference else ""
        yield f"{_place(each)}{about}: {each.reason}"


def hints(wrong: Sequence[Wrong], *, fails: bool = True) -> list[str]:
    """Write what mends everything: first the commands in their order, then each other way with its places.

    A hint that several things share is written once.
    """
    commands = dict.fromkeys(it for each in wrong if each.command for it in (each.command, *each.more))
    if RETAG in commands:
        commands.pop(RENDER, None)
    ordered = [*(it for it in _ORDER if it in commands), *(it for it in commands if it not in _ORDER)]
    told = [f"run {', then '.join(f'`{command}`' for command in ordered)}"] if commands else []
    places: dict[str, list[str]] = {}
    for each in wrong:
        if each.way_out and not each.command:
            places.setdefault(each.way_out, []).append(_place(each))
    if fails and any(each.finding is not None and each.finding.kind in _ACCEPTABLE for each in wrong):
        places[ACCEPT] = []
    is_alone = not told and len(places) == 1
    told += (way_out if is_alone or not where else f"{way_out} ({listing(where)})" for way_out, where in places.items())
    return told


def document(wrong: Wrong) -> dict[str, Any]:
    """Write one for scripts; every key is there, with null where it says nothing."""
    finding = wrong.finding
    is_in_file = wrong.path is not None or wrong.kind in (PIN_PATTERN, UNUSED_PATH)
    return {
        "kind": wrong.kind,
        "reason": wrong.reason,
        "name": None if is_in_file else wrong.name,
        "path": wrong.name if is_in_file else None,
        "line": finding and finding.position.line,
        "column": finding and finding.position.column,
        "reference": wrong.reference or None,
        "command": wrong.command,
        "hint": finding.hint if finding else wrong.way_out,
    }


def markdown_lines(report: Report) -> list[str]:
    """Write everything as Markdown, for the summary of a job."""
    if not report.wrong and not report.listed:
        return [f"imagelock: {', '.join(report.counts)}: all up to date"]
    rows = [("problem", "where", "what"), *(_row("error", each) for each in report.wrong)]
    rows += [_row("not checked", each) for each in report.listed]
    return [f"imagelock: {count(len(report.wrong), 'problem')}", "", *markdown_table(rows)]


def _row(state: str, wrong: Wrong) -> tuple[str, str, str]:
    about = f"{wrong.reference}: " if wrong.reference else ""
    return state, _place(wrong), f"{about}{wrong.reason}"


def annotation(wrong: Wrong, *, default: Path) -> Annotation:
    """Describe one for the CI systems that show it beside its line."""
    from imagelock.cli.reports.annotations import Annotation  # noqa: PLC0415  only problems in CI need it

    position = wrong.finding.position if wrong.finding else None
    return Annotation(
        path=wrong.path or default,
        text=f"{wrong.reference or wrong.name}: {wrong.reason}",
        rule=wrong.kind,
        line=position.line if position else None,
        column=position.column if position else None,
    )


def _place(wrong: Wrong) -> str:
    if wrong.finding is None:
        return wrong.name
    return f"{wrong.name}:{wrong.finding.position.line}:{wrong.finding.position.column}"


def tell_what_stayed(console: Console, made: Mapping[Path, Pinned]) -> None:
    """Warn about each reference that cannot be pinned, and count those whose image is not declared."""
    unknown: list[str] = []
    other_tags: list[str] = []
    refusals = [refusal for pinned in made.values() for refusal in pinned.refused]
    shares_hints = len(refusals) >= _SHARED_HINTS
    for path, pinned in made.items():
        for line in refusal_lines(path, pinned, with_hints=not shares_hints):
            console.warn(line)
        unknown += (f"{place(path, each.position)}: {each.shown}" for each in pinned.not_locked)
        other_tags += (f"{place(path, each.position)}: {each.shown}" for each in pinned.other_tag)
    for hint, number in Counter(refusal.hint for refusal in refusals if refusal.hint and shares_hints).items():
        console.note(f"{count(number, 'reference')}: {hint}")
    if other_tags:
        subject = f"{count(len(other_tags), 'reference')} {'has' if len(other_tags) == 1 else 'have'}"
        console.note(f"{subject} another tag than images.toml (`{RETAG}` moves them)")
        for line in other_tags:
            console.detail(f"  {line}")
    if unknown:
        console.note(f"{count(len(unknown), 'reference')} left alone: images.toml has no such image")
        for line in unknown:
            console.detail(f"  {line}")


def place(path: Path, position: Position) -> str:
    """Write a place as compilers do, for editors and terminals to jump there."""
    return f"{path}:{position.line}:{position.column}"


def refusal_lines(path: Path, pinned: Pinned, *, with_hints: bool = True) -> Iterator[str]:
    """Say one line for each thing that stayed as it was, with what can be done about it."""
    for problem in pinned.problems:
        yield f"{place(path, problem.position)}: {problem.reason}; the file was left alone"
    yield from (_refusal_line(path, refusal, with_hint=with_hints) for refusal in pinned.refused)


def _refusal_line(path: Path, refusal: Refusal, *, with_hint: bool) -> str:
    way_out = f"; {refusal.hint}" if refusal.hint and with_hint else ""
    where = place(path, refusal.reference.position)
    shown = f"{refusal.reference.shown}: " if refusal.reference.shown else ""
    return f"{where}: {shown}{refusal.reason}{way_out}"

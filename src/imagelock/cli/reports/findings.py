"""What ``check`` can find wrong, and how it is reported: to people, to scripts, and as GitHub's annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelock.cli.layout import columns, display_width
from imagelock.cli.reports.rules import PIN_PATTERN, RULES, UNUSED_PATH
from imagelock.cli.text import count, markdown_table, shorten_digests
from imagelock.model.frozen import frozen

if TYPE_CHECKING:
    # The readers of documents take 30 ms, which only [pin] needs.
    from imagelock.cli.reports.annotations import Annotation
    from imagelock.cli.reports.search_notes import Unread
    from imagelock.documents.pin_plan import Finding


ACCEPT = "add a reference to `names` under [external] to accept it as it is"
FEWEST_IN_TABLE = 4
"""The number of rows from which findings are printed as a table, and warnings as one."""
_LISTED_PLACES = 2
_NOT_LOCKED = "not-locked"
_ACCEPTABLE = ("unresolved", "not-pinnable")
RENDER = "imagelock render"
RETAG = "imagelock render --retag"
SCAN = "imagelock scan --write"
LOCK = "imagelock lock"
_ADD_ALL = f"run `{SCAN}`, then `{LOCK}` to declare these images, or take their references out"
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
    """The command that fixes it, if one does."""
    more: tuple[str, ...] = ()
    """The commands that have to follow that one."""
    way_out: str | None = None
    """What the user can do, if no command fixes it."""
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
        """Add a count of what was checked, such as ``2 files`` and ``rendered``."""
        self.counts.append(f"{things} {state}")

    def add(self, wrong: Iterable[Wrong]) -> None:
        """Add what was found."""
        self.wrong.extend(wrong)


def lines(wrong: Sequence[Wrong], *, width: int | None = None) -> list[str]:
    """Write one line each for people: places as compilers write them, digests cut short.

    In the width of a terminal, many become a table, which is grouped by file where it would be too wide.
    """
    if width is None or len(wrong) < FEWEST_IN_TABLE:
        return [line(each) for each in wrong]
    table = columns((place(each), _shown(each), each.reason) for each in wrong)
    return table if max(map(display_width, table)) <= width else list(_grouped_lines(wrong, width))


def line(wrong: Wrong) -> str:
    """Write one on one line."""
    about = f": {shorten_digests(wrong.reference)}" if wrong.reference else ""
    return f"{place(wrong)}{about}: {wrong.reason}"


def _grouped_lines(wrong: Sequence[Wrong], width: int) -> Iterator[str]:
    """Write the name of each file once, with its findings as a table below."""
    groups: dict[str, list[Wrong]] = {}
    for each in wrong:
        groups.setdefault(each.name if each.finding else line(each), []).append(each)
    for heading, members in groups.items():
        yield heading
        found = [(it.finding.position, _shown(it), it.reason) for it in members if it.finding]
        rows = [(f"{position.line}:{position.column}", shown, reason) for position, shown, reason in found]
        yield from (f"  {line}" for line in (columns(rows, width=width - 2, prose=2) if rows else ()))


def _shown(wrong: Wrong) -> str:
    """Write the reference for a table: the reason has the digest that differs."""
    return wrong.reference.partition("@")[0] if wrong.kind == "digest-differs" else shorten_digests(wrong.reference)


def hints(wrong: Sequence[Wrong], *, fails: bool = True) -> list[str]:
    """Write what fixes everything: first the commands in their order, then each other way with its places.

    A hint that several things share is written once.
    """
    wrong = _with_one_way_to_declare(wrong)
    if fails:
        wrong = [each if each.command or each.way_out else replace(each, way_out=_remedy(each)) for each in wrong]
    commands = dict.fromkeys(it for each in wrong if each.command for it in (each.command, *each.more))
    if RETAG in commands:
        commands.pop(RENDER, None)
    ordered = [*(it for it in _ORDER if it in commands), *(it for it in commands if it not in _ORDER)]
    told = [f"run {', then '.join(f'`{command}`' for command in ordered)}"] if commands else []
    places: dict[str, list[str]] = {}
    added = {each.way_out for each in wrong if each.kind == _NOT_LOCKED and not each.command}
    for each in wrong:
        if each.way_out and not each.command:
            way_out = _ADD_ALL if each.kind == _NOT_LOCKED and len(added) > 1 else each.way_out
            places.setdefault(way_out, []).append(place(each))
    if fails and any(each.finding is not None and each.finding.kind in _ACCEPTABLE for each in wrong):
        places[ACCEPT] = []
    is_alone = not told and len(places) == 1
    told += (way_out if is_alone or not where else f"{way_out} ({_where(where)})" for way_out, where in places.items())
    return told


def _remedy(wrong: Wrong) -> str | None:
    """Return what to do by its rule, for a problem that has no way out of its own."""
    if wrong.kind in _ACCEPTABLE:  # the hint for all of these is added once
        return None
    remedy = RULES[wrong.kind].remedy
    return f"{remedy[:1].lower()}{remedy[1:].removesuffix('.')}"


def _where(places: Sequence[str]) -> str:
    return ", ".join(places) if len(places) <= _LISTED_PLACES else count(len(places), "place")


def _with_one_way_to_declare(wrong: Sequence[Wrong]) -> Sequence[Wrong]:
    """Return the problems with `scan --write` instead of `add` for new images, if another problem needs it anyway."""
    if all(each.command != SCAN for each in wrong):
        return wrong
    more = (LOCK, RENDER)
    return [
        replace(each, command=SCAN, more=more, way_out=None) if each.kind == "not-locked" else each for each in wrong
    ]


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


def state(report: Report) -> str:
    """Return the state of what is not wrong: all of it is up to date only if all could be pinned and read."""
    unpinned = sum(1 for each in report.listed if each.reference)
    unread = len(report.listed) - unpinned + sum(len(each.places) for each in report.unread)
    files = sum(len(each.files) for each in report.unread)
    parts = ((unpinned, "reference", "not pinned"), (unread, "place", "not read"), (files, "file", "not read"))
    exceptions = [f"{count(number, noun)} {what}" for number, noun, what in parts if number]
    return ", ".join(["up to date", *exceptions]) if exceptions else "all up to date"


def markdown_lines(report: Report) -> list[str]:
    """Write everything as Markdown, for the summary of a job."""
    rows = [*(_row("error", each) for each in report.wrong), *(_row("not checked", each) for each in report.listed)]
    is_fine = f"{', '.join(report.counts)}: {state(report)}"
    heading = f"imagelock: {count(len(report.wrong), 'problem') if report.wrong else is_fine}"
    return [heading, "", *markdown_table([("problem", "where", "what"), *rows])] if rows else [heading]


def _row(state: str, wrong: Wrong) -> tuple[str, str, str]:
    about = f"{wrong.reference}: " if wrong.reference else ""
    return state, place(wrong), f"{about}{wrong.reason}"


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


def place(wrong: Wrong) -> str:
    """Write the place of one as compilers do, for editors and terminals to jump there."""
    if wrong.finding is None:
        return wrong.name
    return f"{wrong.name}:{wrong.finding.position.line}:{wrong.finding.position.column}"

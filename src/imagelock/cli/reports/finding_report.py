"""How what ``check`` has found is written: lines and hints for people, objects for scripts, annotations for CI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from imagelock.cli.layout import columns, display_width
from imagelock.cli.reports.annotations import Annotation
from imagelock.cli.reports.findings import LOCK, RENDER, RETAG, SCAN, Report, Wrong, state
from imagelock.cli.reports.rules import RULES
from imagelock.cli.text import count, markdown_table, shorten_digests
from imagelock.images_file.toml import entry_line, find_lines, nearest_line
from imagelock.project.files import read_text

ACCEPT = "add a reference to `names` under [external] to accept it as it is"
FEWEST_IN_TABLE = 4
"""The number of rows from which findings are printed as a table, and warnings as one."""
_LISTED_PLACES = 2
_NOT_LOCKED = "not-locked"
_ACCEPTABLE = ("unresolved", "not-pinnable")
_ADD_ALL = f"run `{SCAN}`, then `{LOCK}` to declare these images, or take their references out"
_RETAG_HINT = f"run `{RETAG}`"
_OTHER_TAGS = frozenset(("other-tag", "stale-tag"))
_ORDER = (SCAN, LOCK, RENDER, RETAG)


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

    A hint that several things share is written once. `render --retag`, which moves every other tag, comes after the
    ways that keep one.
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
    if len(places) > 1 and (where := places.pop(_RETAG_HINT, None)):
        places[_RETAG_HINT] = where
    accepts = fails and any(each.finding is not None and each.finding.kind in _ACCEPTABLE for each in wrong)
    is_alone = not told and len(places) == 1 and not accepts
    ways = [way_out if is_alone else f"{way_out} ({_where(where)})" for way_out, where in places.items()]
    is_last = RETAG in commands and any(each.kind in _OTHER_TAGS and not each.command for each in wrong)
    told = [*ways, f"then {told[0]}"] if is_last else [*told, *ways]
    return [*told, *([ACCEPT] if accepts else [])]


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


def document(wrong: Wrong, complete: Callable[[str], str]) -> dict[str, Any]:
    """Write one for scripts; every key is there, with null where it says nothing.

    ``complete`` adds the options of this run to commands in backticks.
    """
    line, column = wrong.position
    hint = wrong.finding.hint if wrong.finding else wrong.way_out
    return {
        "kind": wrong.kind,
        "reason": wrong.reason,
        "name": wrong.name if wrong.is_about_image else None,
        "path": str(wrong.path),
        "line": line,
        "column": column,
        "reference": wrong.reference or None,
        "command": wrong.command and complete(f"`{wrong.command}`").strip("`"),
        "hint": hint and complete(hint),
    }


def markdown_lines(report: Report) -> list[str]:
    """Write everything as Markdown, for the summary of a job."""
    rows = [*(_row("error", each) for each in report.wrong), *(_row("not checked", each) for each in report.listed)]
    is_fine = f"{', '.join(report.counts)}: {state(report)}"
    heading = f"imagelock: {count(len(report.wrong), 'problem') if report.wrong else is_fine}"
    return [heading, "", *markdown_table([("problem", "where", "what"), *rows])] if rows else [heading]


def _row(state: str, wrong: Wrong) -> tuple[str, str, str]:
    about = wrong.name if wrong.is_about_image else wrong.reference
    where = f"{wrong.path}:{wrong.line}" if wrong.is_about_image else place(wrong)
    return state, where, f"{about}: {wrong.reason}" if about else wrong.reason


def annotation(wrong: Wrong) -> Annotation:
    """Describe one for the CI systems that show it beside its line."""
    line, column = wrong.position
    text = f"{wrong.reference or wrong.name}: {wrong.reason}"
    return Annotation(path=wrong.path, text=text, rule=wrong.kind, line=line, column=column)


def place(wrong: Wrong) -> str:
    """Write the place of one as compilers do, for editors and terminals to jump there; of an image, its name."""
    known = () if wrong.is_about_image else (each for each in wrong.position if each is not None)
    return ":".join([wrong.name, *map(str, known)])


def locate(wrong: Iterable[Wrong]) -> list[Wrong]:
    """Return all of them with the lines of their keys in images.toml and images.lock."""

    @cache
    def read(path: Path) -> tuple[str, dict[tuple[str, ...], int]]:
        text = read_text(path)
        return text, find_lines(text)

    def line(of: Wrong) -> int:
        text, lines = read(of.path)
        first = nearest_line(lines, of.key)
        return entry_line(text, first, of.entry) if of.entry else first

    return [replace(each, line=line(each)) if each.key else each for each in wrong]

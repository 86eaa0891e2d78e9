"""How the standing of images is told: a table of those that are not up to date, or all of it for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from imagelock.cli.console import Console
from imagelock.cli.reports.changes import tag_and_version, with_version
from imagelock.cli.text import count, fit_table, markdown_table, table_width
from imagelock.locking.outdated import Standing, State, TagToday
from imagelock.model.cooldown import PassedOver

_HEADER = ("image", "locked", "same tag", "in range", "beyond", "state")


def print_standings(console: Console, standings: Sequence[Standing]) -> None:
    """Print the images that have something to tell, and count the outdated ones; with ``-v``, print all."""
    shown = [standing for standing in standings if console.verbosity or _is_news(standing)]
    if shown:
        header, *lines = fit_table(_without_empty_columns([_HEADER, *map(_cells, shown)]), width=table_width())
        console.styled_data(click.style(header, bold=True))
        for line in lines:
            console.styled_data(line)
    outdated = sum(standing.is_outdated for standing in standings)
    images = count(len(standings))
    console.say(f"{outdated} of {images} outdated" if outdated else f"{images}, none outdated")


def standing_table(standings: Sequence[Standing], *, unknown: int) -> list[str]:
    """Write the images that have something to tell as a Markdown table, and how many images nobody could tell of."""
    shown = [standing for standing in standings if _is_news(standing)]
    table = markdown_table(_without_empty_columns([_HEADER, *map(_cells, shown)])) if shown else []
    if unknown:
        gap = [""] if table else []
        return [*table, *gap, f"The state of {unknown} of {count(len(standings) + unknown)} is not known."]
    return table or ["Every image is up to date."]


def standing_document(standing: Standing) -> dict[str, Any]:
    """Describe a standing for scripts, with whole digests."""
    locked = standing.locked
    return {
        "name": locked.alias,
        "state": standing.states[0],
        "states": list(standing.states),
        "outdated": standing.is_outdated,
        "locked": {"tag": locked.tag, "version": locked.labels.version, "digest": str(locked.digest)},
        "same_tag": standing.same_tag and _tag_document(standing.same_tag),
        "in_range": standing.in_range and _tag_document(standing.in_range),
        "beyond": standing.beyond,
        "too_young": [{"tag": it.tag, "created": it.created and it.created.isoformat()} for it in standing.too_young],
        "freeze": standing.freeze,
    }


def _tag_document(today: TagToday) -> dict[str, Any]:
    return {
        "tag": today.tag,
        "version": today.version,
        "digest": str(today.digest),
        "moved_platforms": [str(platform) for platform in today.moved],
        "lost_platforms": [str(platform) for platform in today.lost],
        "gained_platforms": [str(platform) for platform in today.gained],
    }


def _is_news(standing: Standing) -> bool:
    return standing.states != (State.UP_TO_DATE,) or standing.beyond is not None


def _without_empty_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    filled = [any(cells) for cells in zip(*rows[1:], strict=True)]
    return [[cell for cell, is_filled in zip(row, filled, strict=True) if is_filled] for row in rows]


def _cells(standing: Standing) -> tuple[str, ...]:
    return (
        standing.locked.alias,
        tag_and_version(standing.locked) or standing.locked.digest.short,
        _same_tag(standing),
        with_version(standing.in_range.tag, standing.in_range.version) if standing.in_range else "",
        standing.beyond or "",
        _remark(standing),
    )


def _same_tag(standing: Standing) -> str:
    """Name what is under the locked tag now: a version if the images tell it, else a digest."""
    today, locked = standing.same_tag, standing.locked
    if today is None or today.digest == locked.digest:
        return ""
    return today.version if today.version and today.version != locked.labels.version else today.digest.short


def _remark(standing: Standing) -> str:
    told = "; ".join(_describe(state, standing) for state in standing.states)
    return f"frozen ({standing.freeze}); {told}" if standing.freeze is not None else told


def _describe(state: State, standing: Standing) -> str:
    match state:
        case State.TAG_MOVED if standing.same_tag is not None:
            return f"{state}{_platforms(standing.same_tag, standing)}"
        case State.PLATFORM_LOST if standing.same_tag is not None:
            return f"{state}: {' '.join(map(str, standing.same_tag.lost))}"
        case State.NEWER_TAG if standing.in_range is not None:
            return f"{state}{_platforms(standing.in_range, standing)}"
        case State.INDEX_MOVED:
            return f"{state}, your platforms did not"
        case State.TOO_YOUNG:
            return f"{state}: {', '.join(map(_age, standing.too_young))}"
        case _:
            return str(state)


def _platforms(today: TagToday, standing: Standing) -> str:
    """Name the platforms that changed, if not all of them did, and those that came or are missing."""
    staying = len(standing.locked.platform_digests) - len(today.lost)
    names = [str(platform) for platform in today.moved] if len(today.moved) < staying else []
    names += [f"+{platform}" for platform in today.gained]
    if standing.in_range is today:
        names += [f"-{platform}" for platform in today.lost]
    if not (today.moved or names):
        return ", same content"
    return f": {' '.join(names)}" if names else ""


def _age(passed_over: PassedOver) -> str:
    created = "no date" if passed_over.created is None else f"{passed_over.created:%Y-%m-%d}"
    return f"{passed_over.tag} ({created})"

"""How the state of images is reported: a table of those that are not up to date, or all of it for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from imagelock.cli.console import Console
from imagelock.cli.layout import columns
from imagelock.cli.reports.changes import tag_and_version, with_version
from imagelock.cli.text import NO_IMAGE, count, markdown_table, table_width
from imagelock.locking.outdated import CurrentTag, ImageStatus, State
from imagelock.model.cooldown import TooYoung

_HEADER = ("image", "locked", "same tag", "in range", "beyond", "state")


def print_standings(console: Console, statuses: Sequence[ImageStatus], *, asks_digests: bool = False) -> None:
    """Print the images that have something to tell, and count the outdated ones; with ``-v``, print all.

    ``asks_digests`` says whether the tags beside declared digests were asked for.
    """
    shown = [status for status in statuses if console.verbosity or _is_news(status)]
    if shown:
        header, *lines = columns(_without_empty_columns([_HEADER, *map(_cells, shown)]), width=table_width())
        console.styled_data(click.style(header, bold=True))
        for line in lines:
            console.styled_data(line)
    outdated = sum(status.is_outdated for status in statuses)
    images = count(len(statuses))
    if not statuses:
        console.say(NO_IMAGE)
        return
    summary = f"{outdated} of {images} outdated" if outdated else f"{images}, none outdated"
    by_digest = [status for status in statuses if State.BY_DIGEST in status.states]
    if by_digest:
        has_tags = any(status.locked.tag for status in by_digest)
        is_asked = "" if asks_digests or not has_tags else ", not asked (--digests asks for their tags)"
        summary = f"{summary}, {len(by_digest)} declared by digest{is_asked}"
    console.say(summary)
    _tell_how_to_follow(console, [status for status in by_digest if status.same_tag and _is_news(status)])


def _tell_how_to_follow(console: Console, moved: Sequence[ImageStatus]) -> None:
    if moved:
        first = moved[0].locked
        one = f"`imagelock update {first.alias} --to {first.tag}` lets it follow its tag"
        console.note(f"{one}, `imagelock scan --write --follow-tags` all" if len(moved) > 1 else one)


def standing_table(statuses: Sequence[ImageStatus], *, unknown: int, asks_digests: bool = False) -> list[str]:
    """Return a Markdown table of the images that are not up to date, and the number of images without an answer."""
    shown = [status for status in statuses if _is_news(status)]
    table = markdown_table(_without_empty_columns([_HEADER, *map(_cells, shown)])) if shown else []
    if unknown:
        gap = [""] if table else []
        return [*table, *gap, f"The state of {unknown} of {count(len(statuses) + unknown)} is not known."]
    by_digest = 0 if asks_digests else sum(State.BY_DIGEST in status.states for status in statuses)
    apart = f" {count(by_digest)} declared by digest {'is' if by_digest == 1 else 'are'} not compared with any tag."
    if table:
        return table
    is_any_by_digest = any(State.BY_DIGEST in status.states for status in statuses)
    return [f"No image is outdated.{apart if by_digest else ''}" if is_any_by_digest else "Every image is up to date."]


def standing_document(status: ImageStatus) -> dict[str, Any]:
    """Describe a standing for scripts, with whole digests."""
    locked = status.locked
    return {
        "name": locked.alias,
        "state": status.states[0].code,
        "states": [state.code for state in status.states],
        "outdated": status.is_outdated,
        "update": status.forecast,
        "update_error": status.failure,
        "locked": {"tag": locked.tag, "version": locked.labels.version, "digest": str(locked.digest)},
        "same_tag": status.same_tag and _tag_document(status.same_tag),
        "in_range": status.in_range and _tag_document(status.in_range),
        "beyond": status.newer_outside_range,
        "too_young": [{"tag": it.tag, "created": it.created and it.created.isoformat()} for it in status.too_young],
        "remarks": list(status.remarks),
        "freeze": status.freeze,
    }


def _tag_document(today: CurrentTag) -> dict[str, Any]:
    return {
        "tag": today.tag,
        "version": today.version,
        "digest": str(today.digest),
        "moved_platforms": [str(platform) for platform in today.moved],
        "lost_platforms": [str(platform) for platform in today.lost],
        "gained_platforms": [str(platform) for platform in today.gained],
    }


def _is_news(status: ImageStatus) -> bool:
    is_calm = status.states in ((State.UP_TO_DATE,), (State.BY_DIGEST,))
    return not is_calm or status.is_outdated or status.newer_outside_range is not None or bool(status.remarks)


def _without_empty_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    filled = [any(cells) for cells in zip(*rows[1:], strict=True)]
    return [[cell for cell, is_filled in zip(row, filled, strict=True) if is_filled] for row in rows]


def _cells(status: ImageStatus) -> tuple[str, ...]:
    return (
        status.locked.alias,
        tag_and_version(status.locked) or status.locked.digest.short,
        _same_tag(status),
        with_version(status.in_range.tag, status.in_range.version) if status.in_range else "",
        status.newer_outside_range or "",
        _remark(status),
    )


def _same_tag(status: ImageStatus) -> str:
    """Return what the locked tag means now: a version if the images have one, else a digest; empty if unchanged."""
    today, locked = status.same_tag, status.locked
    if today is None or today.digest == locked.digest:
        return ""
    return today.version if today.version and today.version != locked.labels.version else today.digest.short


def _remark(status: ImageStatus) -> str:
    states = [*(_describe(state, status) for state in status.states), *status.remarks]
    if status.failure is not None:
        # The state of the locked tag says why, that of another one does not.
        is_told = status.in_range is None and {State.PLATFORM_LOST, State.TAG_DELETED} & set(status.states)
        states.append("update fails" if is_told else f"update fails: {status.failure}")
    told = "; ".join(states)
    return f"frozen ({status.freeze}); {told}" if status.freeze is not None else told


def _describe(state: State, status: ImageStatus) -> str:
    match state:
        case State.TAG_MOVED if status.same_tag is not None:
            return f"{state}{_platforms(status.same_tag, status)}"
        case State.PLATFORM_LOST if status.same_tag is not None:
            return f"{state}: {' '.join(map(str, status.same_tag.lost))}"
        case State.NEWER_TAG if status.in_range is not None:
            return f"{state}{_platforms(status.in_range, status)}"
        case State.INDEX_MOVED:
            return f"{state}, your platforms did not"
        case State.DOWNGRADE if status.in_range is not None:
            return f"{state} to {status.in_range.tag}"
        case State.UNLISTED:
            return f"{state}, but served"
        case State.TOO_YOUNG:
            return f"{state}: {', '.join(map(_age, status.too_young))}"
        case _:
            return str(state)


def _platforms(today: CurrentTag, status: ImageStatus) -> str:
    """Return the platforms that changed, if not all did, those that are new, and those that are missing."""
    staying = len(status.locked.platform_digests) - len(today.lost)
    names = [str(platform) for platform in today.moved] if len(today.moved) < staying else []
    names += [f"+{platform}" for platform in today.gained]
    if status.in_range is today:
        names += [f"-{platform}" for platform in today.lost]
    if not (today.moved or names):
        return ", same content"
    return f": {' '.join(names)}" if names else ""


def _age(too_young: TooYoung) -> str:
    created = "no date" if too_young.created is None else f"{too_young.created:%Y-%m-%d}"
    return f"{too_young.tag} ({created})"

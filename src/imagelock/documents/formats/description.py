"""The table of formats as people read it, made from the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.place_rules import Inside, Parts, Rule, Text
from imagelock.documents.formats.table import FORMATS
from imagelock.documents.references import TagUse
from imagelock.model.frozen import frozen


@frozen
class FormatDescription:
    """One row in words."""

    name: str
    title: str
    files: tuple[str, ...]
    places: tuple[str, ...]
    never: tuple[str, ...]


def describe_formats() -> tuple[FormatDescription, ...]:
    """Describe all formats, sorted by name."""
    return tuple(sorted(map(_describe, FORMATS), key=lambda row: row.name))


def formats_as_markdown() -> str:
    """Write the table for the documentation."""
    lines = ["| kind | files | references | never |", "|---|---|---|---|"]
    for row in describe_formats():
        cells = (f"`{row.name}`: {row.title}", *map(_cell, (row.files, row.places, row.never)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(texts: Iterable[str]) -> str:
    return ", ".join(text.replace("|", "\\|") for text in texts)


def _describe(row: Format) -> FormatDescription:
    files = (*map(_quoted, row.files), *([f"content: {row.content}"] if row.content else []))
    places = (*row.places, *dict.fromkeys(text for rule in row.images for text in _describe_rule(rule)))
    return FormatDescription(row.name, row.title, files, places, tuple(map(_quoted, row.never)))


def _describe_rule(rule: Rule) -> Iterator[str]:
    match rule:
        case Text():
            prefix = f" after `{rule.prefix}`" if rule.prefix else ""
            digest_alone = ", tag dropped" if rule.tag_use is TagUse.DROPPED else ""
            yield f"{_quoted(rule.path)}{prefix}{digest_alone}"
        case Parts():
            parts = (
                part for keys in (rule.registry, rule.name, rule.tag, rule.digest, rule.hex_digest) for part in keys
            )
            yield f"{_quoted(rule.path)} with {', '.join(map(_quoted, parts))}"
        case Inside(path=path):
            yield f"in {_quoted(path)}"


def _quoted(text: str) -> str:
    return f"`{text}`"

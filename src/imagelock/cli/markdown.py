"""Markdown tables, for the text of an issue or a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from imagelock.cli.console import escape_controls


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as a table whose first row is its header; what cells hold stays text."""
    header, *others = ["".join(f"| {_text(cell)} " if cell else "| " for cell in row) + "|" for row in rows]
    return [header, f"{'|---' * len(rows[0])}|", *others]


def _text(cell: str) -> str:
    return escape_controls(cell).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")

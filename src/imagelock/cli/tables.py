"""Tables that fit a terminal: columns as wide as they need to be, and cells in several lines where that is too wide."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from imagelock.cli.console import escape_controls

_GAP = "  "
_NARROWEST = 8
_WIDEST_TABLE = 200
_DEFAULT_WIDTH = 80


def table_width() -> int:
    """How wide a table may be: as the terminal, but no wider than anybody can read; in a pipe, 80 columns."""
    return min(shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns, _WIDEST_TABLE)


def fit_table(rows: Sequence[Sequence[str]], *, width: int) -> list[str]:
    """Align rows, all of one length, in that width; the widest columns give way first."""
    table = [[escape_controls(cell) for cell in row] for row in rows]
    widths = _fit([max(map(len, column)) for column in zip(*table, strict=True)], width)
    return [line for row in table for line in _lines(row, widths)]


def _fit(widths: list[int], width: int) -> list[int]:
    room = width - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, cells))
    padded = [cell + [""] * (height - len(cell)) for cell in cells]
    return [
        _GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    ]

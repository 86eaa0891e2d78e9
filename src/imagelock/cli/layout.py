"""Texts in the columns of a terminal: made printable, aligned as tables, and broken at blanks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from imagelock.model.secrets import mask_secrets, mask_user_info

_LONGEST_LINE = 5000
"""Of what an error quotes or a table shows: a hostile key may have megabytes."""
_GAP = "  "
_NARROWEST = 8
_NARROWEST_PROSE = 20
_STYLE = "(\x1b\\[[0-9;]*m)"  # compiled where it is used: most runs have no styles


def escape_controls(text: str) -> str:
    """Return the text with its control characters escaped: what a registry sends must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )


def one_line(text: str) -> str:
    """Return the text with line breaks and secrets escaped as well: a registry must not add lines of ours."""
    text = mask_user_info(mask_secrets(text))
    line = escape_controls(text[:_LONGEST_LINE]).replace("\n", "\\n").replace("\t", "\\t")
    return line if len(text) <= _LONGEST_LINE else f"{line}…"


def styled_line(text: str) -> str:
    """Return the text on one line with its styles kept; what is between them may come from a file's name."""
    if "\x1b" not in text:
        return one_line(text)
    return "".join(part if index % 2 else one_line(part) for index, part in enumerate(re.split(_STYLE, text)))


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: East Asian characters two, combining ones and styles none."""
    if "\x1b" in text:
        text = re.sub(_STYLE, "", text)
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  rarely needed

    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def clip(text: str, width: int) -> str:
    """Cut a text to a width in columns of a terminal."""
    if display_width(text) <= width:
        return text
    kept = text[:width]
    while display_width(kept) > width:
        kept = kept[:-1]
    return kept


def pad(text: str, width: int) -> str:
    """Fill a text with blanks up to a width in columns of a terminal."""
    return text + " " * (width - display_width(text))


def columns(rows: Iterable[Iterable[str]], *, width: int | None = None, prose: int | None = None) -> list[str]:
    """Align rows in columns, two blanks apart, without blanks at the ends and with control characters visible.

    In a width, rows that are too long take several lines: a column of prose gives way first, then the widest.
    """
    return [line for lines in rows_of_lines(rows, width=width, prose=prose) for line in lines]


def columns_with_digests(rows: Iterable[Sequence[str]], *, width: int | None = None) -> list[str]:
    """Align rows; where whole digests do not fit a width, each goes below its row, so that it can be copied."""
    table = [list(row) for row in rows]
    if width is None or all(display_width(line) <= width for line in columns(table)):
        return columns(table)
    digests = [[cell for cell in row if _is_digest(cell)] for row in table]
    others = [["" if _is_digest(cell) else cell for cell in row] for row in table]
    lines: list[str] = []
    for told, apart in zip(rows_of_lines(others, width=width, prose=1), digests, strict=True):
        lines += [*told, *(f"{_GAP}{digest}" for digest in apart)]
    return lines


def _is_digest(cell: str) -> bool:
    return cell.startswith("sha256:") and " " not in cell


def rows_of_lines(
    rows: Iterable[Iterable[str]], *, width: int | None = None, prose: int | None = None
) -> list[list[str]]:
    """Align rows in columns as ``columns`` does, and return the lines of each row."""
    table = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*table, strict=True)]
    if width is not None:
        words = [] if prose is None else [word for row in table for word in row[prose].split()]
        widths = _fit(widths, width, prose, longest_word=max(map(display_width, words), default=0))
    return [_lines(row, widths) for row in table]


def _fit(widths: list[int], width: int, prose: int | None, *, longest_word: int) -> list[int]:
    room = width - len(_GAP) * (len(widths) - 1)
    if prose is not None:
        left = room - (sum(widths) - widths[prose])
        widths[prose] = min(widths[prose], max(left, min(longest_word, _NARROWEST_PROSE)))
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the lines of a row, without a gap for a column that is empty in all rows."""
    filled = [(cell, width) for cell, width in zip(row, widths, strict=True) if width] or [("", 0)]
    cells = [_wrap(cell, width) for cell, width in filled]
    height = max(map(len, cells))
    padded = [cell + [""] * (height - len(cell)) for cell in cells]
    return [
        _GAP.join(pad(text, width) for text, (_, width) in zip(line, filled, strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    ]


def _wrap(cell: str, width: int) -> list[str]:
    """Break a cell at its blanks, and a word that is too wide where it has to be."""
    if display_width(cell) <= width:
        return [cell]
    lines = [""]
    for word in cell.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if display_width(joined) <= width:
            lines[-1] = joined
            continue
        lines.append("")
        for sign in word:
            if display_width(lines[-1] + sign) > width:
                lines.append("")
            lines[-1] += sign
    return [line for line in lines if line]


def wrap(line: str, width: int | None, *, hang: int) -> list[str]:
    """Break a line at blanks, the lines below indented by ``hang``; a word that is too wide stays whole.

    What is between backticks stays together where it fits, so that commands can be copied.
    """
    if width is None or display_width(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")))
    lines = [indent]
    for word in _words(line, room=width - hang):
        if display_width(lines[-1]) + display_width(word) + 1 > width and lines[-1].strip():
            lines.append(" " * hang + word)
        else:
            lines[-1] += f" {word}" if lines[-1].strip() else word
    return lines


def _words(line: str, *, room: int) -> Iterator[str]:
    """Split a line at blanks, but not between backticks."""
    open_words: list[str] = []
    for word in line.split():
        open_words.append(word)
        text = " ".join(open_words)
        if text.count("`") % 2 and display_width(text) <= room:
            continue
        yield from open_words if text.count("`") % 2 else [text]
        open_words = []
    yield from open_words

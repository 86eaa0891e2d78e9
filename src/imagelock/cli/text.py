"""Texts for people: counts, durations, sizes, Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from imagelock.cli.layout import one_line

NO_IMAGE = "no image is declared: `imagelock add IMAGE` adds one"
_WIDEST_TABLE = 200
_DEFAULT_WIDTH = 80
_LISTED = 4
_DIGEST = r"(sha256:[0-9a-f]{12})[0-9a-f]{52}"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ,.()/>+-")
"""What no dialect of Markdown gives a meaning inside a line, but for the words below."""
_LIVE_WORDS = ("www.", "gh-")
"""A bare address, and how GitHub spells an issue's number without `#`."""


def count(number: int, noun: str = "image") -> str:
    """Write a number and its noun: ``1 image``, ``2 images``, ``2 directories``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun.removesuffix('y')}ies" if noun.endswith("ry") else f"{number} {noun}s"


def listing(texts: Sequence[str]) -> str:
    """Return the first few texts and the number of the others: ``a, b, c, d and 3 more``."""
    if len(texts) <= _LISTED + 1:
        return ", ".join(texts)
    return f"{', '.join(texts[:_LISTED])} and {len(texts) - _LISTED} more"


def absent_notes(paths: Sequence[str]) -> Iterator[str]:
    """Yield a note on the files that patterns of ``[pin]`` match and nothing can read, if there are any."""
    if paths:
        what = f"{count(len(paths), 'file')} of [pin] cannot be read here: {listing([f'`{path}`' for path in paths])}"
        yield f"{what} (left out by a sparse checkout, or a link out of the project)"


def duration(seconds: float) -> str:
    """Write a duration as uv does: ``12ms``, ``1.4s``."""
    return f"{seconds:.1f}s" if seconds >= 1 else f"{seconds * 1000:.0f}ms"


def rough_duration(seconds: float) -> str:
    """Write a duration in whole seconds: ``8s``, ``8m 19s``."""
    whole = round(seconds)
    return f"{whole // 60}m {whole % 60:02}s" if whole >= 60 else f"{whole}s"  # noqa: PLR2004  seconds


def size(size_bytes: int) -> str:
    """Write a size as Docker does, in powers of ten: ``512 B``, ``1.4 kB``, ``28.3 MB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004  a thousand of a unit is one of the next
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def shorten_digests(text: str) -> str:
    """Cut each digest in a text to its first twelve digits: ``golang:1.22@sha256:4c092be0ec8e``."""
    return re.sub(_DIGEST, r"\g<1>", text)


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as a table whose first row is its header; what cells hold stays text."""
    header, *others = ["".join(f"| {markdown_text(cell)} " if cell else "| " for cell in row) + "|" for row in rows]
    return [header, f"{'|---' * len(rows[0])}|", *others]


def markdown_text(text: str) -> str:
    """Write text that GitHub and GitLab show as it is: what could be more than words becomes a code span.

    Backslashes would not do: both look for mentions, issues and addresses in the text that is left after them.
    """
    line = one_line(text)
    if _PLAIN.issuperset(line) and not any(word in line.casefold() for word in _LIVE_WORDS):
        return line
    # In a table a backslash before a bar counts, in a code span as well; two of them would not.
    line = re.sub(r"(\\*)\|", lambda match: "\\x5c" * len(match[1]) + "\\|", line)
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    gap = " " if line[:1] in "` " or line[-1:] in "` " else ""
    return f"{fence}{gap}{line}{gap}{fence}"


def table_width() -> int:
    """Return how wide a table may be: as the terminal, but at most 200 columns; in a pipe, 80."""
    import shutil  # noqa: PLC0415  2 ms that only tables need

    return min(shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns, _WIDEST_TABLE)

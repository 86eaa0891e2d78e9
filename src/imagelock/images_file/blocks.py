"""The tables of a TOML text as blocks of lines. Lines are counted from 0 here; where one ends is not part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from imagelock.images_file.toml import Path
from imagelock.images_file.toml_positions import Statement
from imagelock.model.frozen import frozen


@frozen
class Block:
    """A table with a header of its own, without the comments above it and the blank lines behind it."""

    table: Path
    start: int
    """The line of the header."""
    keys_end: int
    """Behind the last key."""
    end: int
    """Behind the comments that follow the last key."""


def find_blocks(lines: Sequence[str], statements: Iterable[Statement]) -> tuple[Block, ...]:
    """Find the tables in the order of the file."""
    return tuple(_blocks(lines, statements))


def attached_comments(lines: Sequence[str], line: int) -> int:
    """Find the first of the comment lines that stand right above a line, or the line itself."""
    while line > 0 and is_comment(lines[line - 1]):
        line -= 1
    return line


def is_blank(line: str) -> bool:
    """Whether nothing stands in a line."""
    return not line.strip()


def is_comment(line: str) -> bool:
    """Whether a line is a comment and nothing else."""
    return line.lstrip().startswith("#")


def _blocks(lines: Sequence[str], statements: Iterable[Statement]) -> Iterator[Block]:
    header: Statement | None = None
    end = 0
    for statement in statements:
        if statement.is_header:
            if header is not None:
                yield _block(lines, header, end)
            header = statement
        if statement.paths:
            end = statement.last_line
    if header is not None:
        yield _block(lines, header, end)


def _block(lines: Sequence[str], header: Statement, end: int) -> Block:
    """Let comments right behind the last key belong to the table, unless they stand right above what follows."""
    behind = end
    while behind < len(lines) and is_comment(lines[behind]):
        behind += 1
    is_set_off = behind == len(lines) or is_blank(lines[behind])
    return Block(header.paths[-1], header.first_line - 1, end, behind if is_set_off else end)

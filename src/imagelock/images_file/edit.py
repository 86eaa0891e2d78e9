"""Adding images to an images.toml and removing them, without touching any line that is about something else.

Whole lines come and go; every other one stays as it is, its end included. The libraries that edit TOML by a tree of
its values move a comment into the table before it and drop it together with that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from imagelock.errors import ImagesFileError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.toml import Path, Statement, array, find_statements, quote
from imagelock.model.frozen import frozen

_IMAGES = ("images",)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def add_image(text: str, entry: ImageEntry) -> str:
    """Add an image to a valid images.toml: a short one to the lines under ``[images]``, a table behind the others."""
    lines, statements = _LINE.findall(text), tuple(find_statements(text))
    blocks = find_blocks(lines, statements)
    ours = [block for block in blocks if block.table[:1] == _IMAGES]
    dotted = [each for each in statements if each.paths[:1] == (_IMAGES,) and not each.is_header]
    if not entry.is_short:
        place = ours[-1].end if ours else _place_for_first(lines, blocks)
        new = _paragraph(lines, place, entry.table_lines())
    elif dotted:
        place, new = dotted[-1].last_line, [f"images.{entry.short_line()}"]
    elif headed := [block for block in ours if block.table == _IMAGES]:
        place, new = headed[0].keys_end, [entry.short_line()]
    else:
        place = _place_for_first(lines, ours or blocks)
        new = _paragraph(lines, place, ["[images]", entry.short_line()])
    edited = _splice(lines, [(place, place)], new)
    images = {**tomllib.loads(text).get("images", {}), entry.alias: entry.value()}
    return _confirmed(edited, text, images, hint=f"write it yourself: {entry}")


def remove_images(text: str, aliases: Collection[str]) -> str:
    """Remove images from a valid images.toml, each with the comment that is about it alone."""
    lines, statements = _LINE.findall(text), tuple(find_statements(text))
    unwanted = [("images", alias) for alias in aliases]
    ranges = [
        *(_range_of_block(lines, block) for block in find_blocks(lines, statements) if block.table[:2] in unwanted),
        *(_range_of_lines(lines, each) for each in statements if not each.is_header and _is_about(each, unwanted)),
    ]
    images = {alias: value for alias, value in tomllib.loads(text)["images"].items() if alias not in aliases}
    edited = _splice(lines, _merged(ranges), ())
    return _confirmed(edited, text, images, hint="remove it yourself, then run `imagelock lock`")


def _place_for_first(lines: list[str], blocks: Sequence[Block]) -> int:
    """Before the first of some tables, or behind everything where there is none."""
    if blocks:
        return attached_comments(lines, blocks[0].start)
    return max((number for number, line in enumerate(lines, start=1) if not is_blank(line)), default=0)


def _paragraph(lines: list[str], place: int, new: Iterable[str]) -> list[str]:
    before = [""] if place > 0 and not is_blank(lines[place - 1]) else []
    after = [""] if place < len(lines) and not is_blank(lines[place]) else []
    return [*before, *new, *after]


def _is_about(statement: Statement, unwanted: list[tuple[str, str]]) -> bool:
    """Whether a statement sets keys of unwanted images, and of no others."""
    paths = [path for path in statement.paths if path != _IMAGES]
    return bool(paths) and all(path[:2] in unwanted for path in paths)


def _range_of_block(lines: list[str], block: Block) -> tuple[int, int]:
    """Take the comment right above a table as well, unless that begins the file, and the blank lines before it."""
    start = attached_comments(lines, block.start) or block.start
    while start > 0 and is_blank(lines[start - 1]):
        start -= 1
    end = block.end
    while start == 0 and end < len(lines) and is_blank(lines[end]):
        end += 1
    return start, end


def _range_of_lines(lines: list[str], statement: Statement) -> tuple[int, int]:
    """Take the comment right above a line as well, unless that may be the heading of the next lines, too."""
    start, end = statement.first_line - 1, statement.last_line
    heads_others = end < len(lines) and not is_blank(lines[end]) and not is_comment(lines[end])
    return (start if heads_others else attached_comments(lines, start)), end


def _merged(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sort ranges and cut off what an earlier one has already."""
    done = 0
    for start, end in sorted(ranges):
        if end > done:
            yield max(start, done), end
            done = end


def _splice(lines: list[str], ranges: Iterable[tuple[int, int]], new: Iterable[str]) -> str:
    """Put new lines in the place of others, with the file's line end; a last line without one stays without."""
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    is_open = bool(lines) and not lines[-1].endswith("\n")
    closed = [*lines[:-1], lines[-1] + newline] if is_open else lines
    pieces: list[str] = []
    copied = 0
    for start, end in ranges:
        pieces += [*closed[copied:start], *(f"{line}{newline}" for line in new)]
        copied = end
    edited = "".join([*pieces, *closed[copied:]])
    return edited.removesuffix("\n").removesuffix("\r") if is_open else edited


def _confirmed(edited: str, before: str, images: dict[str, Any], *, hint: str) -> str:
    """Refuse an edit that doesn't say what it was meant to, as may be in the rarer ways to write a table."""
    wanted = {**tomllib.loads(before), "images": images}
    try:
        found = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        found = {}
    if {"images": {}, **found} != wanted:
        raise ImagesFileError("the images are written in a way that can't be edited line by line", hint=hint)
    return edited


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


@frozen(kw_only=True)
class ImageEntry:
    """What images.toml is to say of one image, in the words that are to stand there."""

    alias: Alias
    image: str
    version: str | None = None
    variant: str | None = None
    tag: str | None = None
    platforms: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether ``name = "reference"`` says it all."""
        return len(self.fields()) == 1

    def fields(self) -> dict[str, str | list[str]]:
        """Give the keys of the long form that are needed, as a TOML parser reads them."""
        texts = {"image": self.image, "version": self.version, "variant": self.variant, "tag": self.tag}
        fields: dict[str, str | list[str]] = {key: text for key, text in texts.items() if text is not None}
        return fields | ({"platforms": list(self.platforms)} if self.platforms else {})

    def value(self) -> str | dict[str, str | list[str]]:
        """Give what a TOML parser reads."""
        return self.image if self.is_short else self.fields()

    def short_line(self) -> str:
        """Write the short form."""
        return f"{self.alias} = {quote(self.image)}"

    def table_lines(self) -> Iterator[str]:
        """Write the long form."""
        yield f"[images.{self.alias}]"
        for name, value in self.fields().items():
            yield f"{name} = {quote(value) if isinstance(value, str) else array(value)}"

    def __str__(self) -> str:
        """Write it on one line, for messages."""
        if self.is_short:
            return self.short_line()
        header, *fields = self.table_lines()
        return f"{header} {', '.join(fields)}"

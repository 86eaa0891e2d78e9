"""A TOML text as tomlkit's tree of items, in which each comment belongs to the table that it describes.

tomlkit keeps everything above a header in the body of the table before it, and its mapping view (``document["a"]``,
``del``) moves or drops comments with that table. So the tree is rearranged once, after parsing: what is above a header
goes into the header's ``trivia.indent``, which is written verbatim. From then on only ``body`` lists and ``as_string``
may be used: the first change of a ``body`` leaves the container's index of keys stale.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import takewhile

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Comment, Item, Key, Table, Whitespace

from imagelock.images_file.toml import quote

Entry = tuple[Key | None, Item]
Body = list[Entry]

# The anchors keep the newline of the comment before out of the match.
_ATTACHED = re.compile(r"(?:^[ \t]*#[^\n]*\n)*[ \t]*\Z", re.MULTILINE)
_BLANK_LINE = re.compile(r"[ \t]*\r?\n")


class TomlTree:
    """The tree of a TOML text. ``ValueError`` if its text would not be the same bytes without any edit."""

    def __init__(self, text: str) -> None:
        self._newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
        self._is_open = bool(text) and not text.endswith("\n")
        closed = f"{text}{self._newline}" if self._is_open else text
        try:
            self._document = tomlkit.parse(closed)
        except TOMLKitError as error:
            raise ValueError(str(error)) from error
        if self._document.as_string() != closed:
            raise ValueError("tomlkit would write other bytes")
        self.body: Body = self._document.body
        self._end = _rearrange(self.body)

    def parse(self, *lines: str) -> Body:
        """Parse new lines with the file's line ends, so that their entries can be put into a body."""
        return tomlkit.parse("".join(f"{line}{self._newline}" for line in lines)).body

    def replace_string(self, body: Body, place: int, text: str) -> None:
        """Replace a value by a string; blanks and comments around it stay."""
        key, old = body[place]
        [(_, new)] = self.parse(f"x = {quote(text)}")
        new.trivia.indent, new.trivia.trail = old.trivia.indent, old.trivia.trail
        new.trivia.comment_ws, new.trivia.comment = old.trivia.comment_ws, old.trivia.comment
        body[place] = (key, new)

    def insert_before(self, place: int, *lines: str) -> None:
        """Insert a table in front of the root entry at ``place``, below comments that a blank line sets off."""
        following = next(headed_tables(self.body[place:]), None)
        indent = ""
        if following is not None:
            indent, attached = split_indent(following)
            following.trivia.indent = f"{self._newline}{attached}"
        self._insert(place, lines, indent or (self._newline if place else ""))

    def insert_behind(self, place: int, *lines: str) -> None:
        """Insert a table behind the root entry before ``place``; comments further down stay below it."""
        following = next(headed_tables(self.body[place:]), None)
        if following is not None and not _BLANK_LINE.match(following.trivia.indent):
            following.trivia.indent = f"{self._newline}{following.trivia.indent}"
        self._insert(place, lines, self._newline)

    def append_table(self, *lines: str) -> None:
        """Append a table; comments at the end of the file stay in front of it."""
        end, self._end = self._end, ""
        needs_blank_line = self.body and (end.strip() or not end)
        self._insert(len(self.body), lines, end + (self._newline if needs_blank_line else ""))

    def _insert(self, place: int, lines: tuple[str, ...], indent: str) -> None:
        new = self.parse(*lines)
        next(headed_tables(new)).trivia.indent = indent
        self.body[place:place] = new

    def confirmed(self, wanted: Mapping[str, object]) -> str:
        """Return the text; ``ValueError`` if a TOML parser does not read the wanted document from it."""
        text = self.as_string()
        if tomllib.loads(text) != wanted:
            raise ValueError("the edit says something else")
        return text

    def as_string(self) -> str:
        """Return the text; its last line has a newline only if it had one before."""
        text = self._document.as_string() + self._end
        # In a file of mixed line ends, the line that is last now may have the other one.
        return text.removesuffix("\n").removesuffix("\r") if self._is_open else text


def is_line(entry: Entry) -> bool:
    """Whether an entry is ``key = value``; a dotted key is a table for tomlkit, but has no header."""
    key, item = entry
    return key is not None and (key.is_dotted() or not isinstance(item, Table | AoT))


def headed_tables(body: Body) -> Iterator[Table]:
    """Yield all tables with a header of their own, in the order of the text."""
    for entry in body:
        item = entry[1]
        if isinstance(item, AoT):
            raise ValueError("tomlkit reorders arrays of tables")  # noqa: TRY004  the text is wrong, not a type
        if isinstance(item, Table) and not is_line(entry):
            if not item.is_super_table():
                yield item
            yield from headed_tables(item.value.body)


def end_of_lines(body: Body) -> int:
    """Return the place behind the last ``key = value`` of a table, before comments and tables below it."""
    return max((place for place, entry in enumerate(body, start=1) if is_line(entry)), default=0)


def split_indent(table: Table) -> tuple[str, str]:
    """Split what is above a header: blank lines and comments that are set off, and the comments right above it."""
    indent = table.trivia.indent
    match = _ATTACHED.search(indent)
    start = len(indent) if match is None else match.start()
    return indent[:start], indent[start:]


def _rearrange(root: Body) -> str:
    """Move what is above each header into its indent, and return what is below the last table."""
    body, is_root = root, True
    for table in list(headed_tables(root)):
        table.trivia.indent = _cut(body, _above_header(body, is_root=is_root)) + table.trivia.indent
        body, is_root = table.value.body, False
    return _cut(body, _below_everything(body, is_root=is_root))


def _cut(body: Body, cut: slice) -> str:
    text = "".join(item.as_string() for _, item in body[cut])
    del body[cut]
    return text


def _above_header(body: Body, *, is_root: bool) -> slice:
    """Find what is about the next header: not the comments right behind the last key, if a blank line ends them.

    Before the first table, it is what is right above the header, and the blank lines in front of that.
    """
    start, end = _behind_lines(body)
    behind = body[start:end]
    if is_root:
        comments = len(list(takewhile(_is_comment, reversed(behind))))
        blank = len(list(takewhile(_is_blank, reversed(behind[: len(behind) - comments]))))
        return slice(end - comments - blank, end)
    comments = len(list(takewhile(_is_comment, behind)))
    return slice(start if comments == len(behind) else start + comments, end)


def _below_everything(body: Body, *, is_root: bool) -> slice:
    start, end = _behind_lines(body)
    if is_root:
        return slice(end - len(list(takewhile(_is_blank, reversed(body[start:end])))), end)
    return slice(start + len(list(takewhile(_is_comment, body[start:end]))), end)


def _behind_lines(body: Body) -> tuple[int, int]:
    """Return the places between the last ``key = value`` of a table and its first subtable."""
    start = end_of_lines(body)
    return start, start + len(list(takewhile(lambda entry: entry[0] is None, body[start:])))


def _is_comment(entry: Entry) -> bool:
    return isinstance(entry[1], Comment)


def _is_blank(entry: Entry) -> bool:
    return isinstance(entry[1], Whitespace)

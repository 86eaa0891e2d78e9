"""What is said, to whom, and in which colour: data on stdout, everything about the work on stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import RLock  # click has loaded it
from typing import Any, ClassVar, TextIO

import click

from imagelock.cli.streams import defuse_commands, defuse_json, emit, emit_bytes
from imagelock.errors import ImagelockError
from imagelock.model.secrets import mask_secrets, mask_user_info

JSON_SCHEMA = 1
CLEAR_LINE = "\r\x1b[2K"
_LONGEST_LINE = 5000
"""Of what an error quotes or a table shows: a hostile key may have megabytes."""
_USUAL_WIDTH = 80
"""For terminals that don't know theirs, as in containers."""


class Console:
    """Prints for one run. Quietness: 0 says everything, 1 errors only, 2 nothing but the exit code."""

    has_printed_json: ClassVar[bool] = False
    """Whether a script has its document, so that an error must not print a second one."""
    _progress_is_shown: ClassVar[bool] = False
    """Of all consoles: there is one terminal, and errors are printed by a console of their own."""
    _terminal: ClassVar = RLock()
    """Held while lines are written: workers warn and trace while the transient line is shown."""

    def __init__(self, *, color: str = "auto", quietness: int = 0, verbosity: int = 0) -> None:
        self._quietness = quietness
        self.verbosity = verbosity
        self._stdout_color = _wants_color(color, sys.stdout)
        self._stderr_color = _wants_color(color, sys.stderr)
        self.shows_progress = quietness == 0 and _is_terminal(sys.stderr) and not is_ci() and not _is_dumb()
        """Whether there is a terminal, with a reader before it, on which a line can be taken back."""

    def data(self, text: str) -> None:
        """Print what was asked for."""
        self.end_progress()
        emit(defuse_commands(escape_controls(text)), color=self._stdout_color)

    def styled_data(self, text: str) -> None:
        """Print what was asked for and already has its colours; its parts went through ``columns``."""
        self.end_progress()
        emit(defuse_commands(text), color=self._stdout_color)

    def raw_data(self, content: bytes) -> None:
        """Print bytes as they are."""
        self.end_progress()
        emit_bytes(content)

    def json(self, document: Mapping[str, Any]) -> None:
        """Print one JSON object for scripts."""
        self.plain_json({"schema": JSON_SCHEMA, **document})

    def plain_json(self, document: Mapping[str, Any] | Sequence[Any]) -> None:
        """Print one JSON document of a format that is not ours."""
        import json  # noqa: PLC0415  2 ms that only scripts need

        self.end_progress()
        Console.has_printed_json = True
        # Where the encoding lacks a letter, JSON has an escape of its own, which not every escape of Python's is.
        is_plain = not (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
        emit(defuse_json(mask_user_info(json.dumps(document, indent=2, ensure_ascii=is_plain))))

    def say(self, text: str) -> None:
        """Tell about the work, on one line; control characters in it are made visible, but for our own styles."""
        if self._quietness == 0:
            self._write(_styled_line(text))

    def detail(self, text: str) -> None:
        """Tell a reason that only ``-v`` asks for."""
        if self.verbosity and self._quietness == 0:
            self._write(click.style(_styled_line(text), dim=True))

    def next_step(self, *commands: str) -> None:
        """Name the next commands, for people at a desk: a CI system does what it was told."""
        if not is_ci():
            self.say("")
            self.say(f"Next: run {', then '.join(f'`{command}`' for command in commands)}")

    def note(self, text: str) -> None:
        """Tell something that the reader may not expect, and that changes nothing."""
        self.say(f"{click.style('note', fg='cyan', bold=True)}: {one_line(text)}")

    def warn(self, text: str) -> None:
        """Tell something that the reader should change."""
        self.say(f"{click.style('warning', fg='yellow', bold=True)}: {one_line(text)}")

    def item(self, text: str) -> None:
        """Tell one of the things that the note or warning before is about."""
        self.say(f"  {one_line(text)}")

    def annotate(self, command: str) -> None:
        """Tell a CI system, which reads its commands from both streams; stdout may be JSON for a script."""
        if self._quietness <= 1:
            self.end_progress()
            emit(mask_user_info(escape_controls(command)), err=True, color=self._stderr_color)

    def error(self, error: ImagelockError) -> None:
        """Print an error in its three parts: what; where and why; what to type."""
        if self._quietness > 1:
            return
        lines = [f"{click.style('error', fg='red', bold=True)}: {one_line(error.message)}"]
        lines += [wrapped for line in error.details for wrapped in _fit(f"  {one_line(line)}")]
        label = click.style("hint", fg="cyan", bold=True)
        hints = [f"{label}: {one_line(hint)}" for hint in (error.hint, *error.further_hints) if hint]
        lines += ["", *hints] if hints else []
        self._write("\n".join(lines))

    def json_error(self, error: ImagelockError) -> None:
        """Print an error for scripts, unless they have a document that says no already."""
        if not Console.has_printed_json:
            told = {"message": error.message, "details": list(error.details), "hint": error.hint}
            self.json({"ok": False, "error": {**told, "exit_code": int(error.exit_code)}})

    @property
    def progress_width(self) -> int:
        """The columns that the transient line may take: in the last one, some terminals begin a new line."""
        return _terminal_width() - 1

    def progress(self, text: str) -> None:
        """Replace the one transient line on a terminal; nowhere else is anything shown."""
        if self.shows_progress:
            with Console._terminal:
                line = clip(one_line(text), self.progress_width)
                emit(f"{CLEAR_LINE}{line}", nl=False, err=True, color=True)
                Console._progress_is_shown = True

    @classmethod
    def end_progress(cls) -> None:
        """Take the transient line away, before anything else is written."""
        if Console._progress_is_shown:
            emit(CLEAR_LINE, nl=False, err=True, color=True)
            Console._progress_is_shown = False

    @classmethod
    def is_progress_shown(cls) -> bool:
        """Whether the terminal has a transient line now."""
        return Console._progress_is_shown

    def _write(self, text: str) -> None:
        with Console._terminal:
            self.end_progress()
            emit(defuse_commands(mask_user_info(text)), err=True, color=self._stderr_color)


def escape_controls(text: str) -> str:
    """Make control characters visible: what a registry sends must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: East Asian characters two, combining ones none."""
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


def columns(rows: Iterable[Iterable[str]]) -> list[str]:
    """Align rows in columns, two blanks apart, without blanks at the ends and with control characters visible."""
    table = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(pad, row, widths)).rstrip() for row in table]


def one_line(text: str) -> str:
    """Make line breaks visible, too: an annotation or a key of a registry must not write a line or a hint of ours."""
    text = mask_user_info(mask_secrets(text))
    line = escape_controls(text[:_LONGEST_LINE]).replace("\n", "\\n").replace("\t", "\\t")
    return line if len(text) <= _LONGEST_LINE else f"{line}…"


def _styled_line(text: str) -> str:
    """Make one line of a text that has styles: what is between them may have come from a file's name."""
    if "\x1b" not in text:
        return one_line(text)
    parts = re.split("(\x1b\\[[0-9;]*m)", text)  # compiled here: most runs have nothing to split
    return "".join(part if index % 2 else one_line(part) for index, part in enumerate(parts))


def _fit(line: str) -> list[str]:
    """Break a line for a terminal, indented below its beginning; for everything else it stays one line."""
    if not _is_terminal(sys.stderr) or len(line) <= (width := _terminal_width()):
        return [line]
    import textwrap  # noqa: PLC0415  only long lines on a terminal need it

    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _wants_color(choice: str, stream: TextIO | None) -> bool:
    """Decide by the option, then https://no-color.org, then what forces colors, as https://bixense.com/clicolors asks.

    CI systems show colors without a terminal: ``FORCE_COLOR`` is the habit of Node's tools, ``CLICOLOR_FORCE`` CMake's.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return _is_terminal(stream) and not _is_dumb()


def is_ci() -> bool:
    """Return whether a CI system runs this, which reads logs and needs no advice."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _is_dumb() -> bool:
    """Return whether the terminal shows control sequences as text, as those of editors do."""
    return os.environ.get("TERM") == "dumb"


def _is_terminal(stream: TextIO | None) -> bool:
    """Return whether it is one; a stream that is closed is none, and Python has None for it."""
    return stream is not None and stream.isatty()


def _terminal_width() -> int:
    with suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_WIDTH
    return _USUAL_WIDTH

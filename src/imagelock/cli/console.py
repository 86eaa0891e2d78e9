"""What is said, to whom, and in which color: data on stdout, everything about the work on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import RLock  # click has loaded it
from types import MappingProxyType
from typing import Any, ClassVar, TextIO

import click

from imagelock.cli.layout import clip, escape_controls, one_line, styled_line, wrap
from imagelock.cli.streams import defuse_commands, defuse_json, emit, emit_bytes
from imagelock.errors import ImagelockError
from imagelock.model.secrets import mask_user_info

JSON_SCHEMA = 1
CLEAR_LINE = "\r\x1b[2K"
_USUAL_WIDTH = 80
"""For terminals that don't know theirs, as in containers."""


class Console:
    """Prints for one run. Quietness: 0 says everything, 1 data and errors, 2 data only."""

    has_printed_json: ClassVar[bool] = False
    """Whether a script has its document, so that an error must not print a second one."""
    _progress_is_shown: ClassVar[bool] = False
    """Of all consoles: there is one terminal, and errors are printed by a console of their own."""
    _terminal: ClassVar = RLock()
    """Held while lines are written: workers warn and trace while the transient line is shown."""

    def __init__(
        self,
        *,
        color: str = "auto",
        quietness: int = 0,
        verbosity: int = 0,
        project_options: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._project_options = project_options
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
        """Print what was asked for and already has its colors; its parts were made printable."""
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
        """Print one line about the work to stderr; control characters are made visible, except those of our styles."""
        if self._quietness == 0:
            self._write_line(styled_line(self.complete(text)), hang=2)

    def detail(self, text: str) -> None:
        """Print a line that only ``-v`` shows."""
        if self.verbosity and self._quietness == 0:
            self._write_line(click.style(styled_line(text), dim=True), hang=_indent_of(text) + 4)

    @property
    def gives_advice(self) -> bool:
        """Return whether people at a desk read the next step; a CI system has its commands."""
        return self._quietness == 0 and not is_ci()

    def next_step(self, *commands: str) -> None:
        """Print the next commands."""
        self.next_step_is(f"run {', then '.join(f'`{command}`' for command in commands)}")

    def next_step_is(self, text: str) -> None:
        """Print a sentence with the next step."""
        if self.gives_advice:
            self.say("")
            self._write("\n".join(wrap(f"Next: {one_line(self.complete(text))}", self.stderr_width, hang=6)))

    def note(self, text: str) -> None:
        """Print what the reader may not expect, and need not act on."""
        self._say_labelled("note", "cyan", text)

    def warn(self, text: str) -> None:
        """Print what the reader should change."""
        self._say_labelled("warning", "yellow", text)

    def hint(self, text: str) -> None:
        """Print what fixes the notes or warnings before it."""
        self._say_labelled("hint", "cyan", text)

    def item(self, text: str) -> None:
        """Print one of the items of the note or warning before."""
        if self._quietness == 0:
            self._write_line(f"  {one_line(text)}", hang=6)

    def annotate(self, command: str) -> None:
        """Print a command to the CI system, which reads both streams; stdout may hold JSON for a script."""
        if self._quietness <= 1:
            self.end_progress()
            emit(mask_user_info(escape_controls(command)), err=True, color=self._stderr_color)

    def error(self, error: ImagelockError) -> None:
        """Print an error in its three parts: what; where and why; what to type."""
        if self._quietness > 1:
            return
        lines = self._labelled("error", "red", error.message)
        for line in error.details:
            lines += wrap(f"  {one_line(line)}", self.stderr_width, hang=_indent_of(line) + 6)
        hints = [hint for hint in (error.hint, *error.further_hints) if hint]
        lines += [""] if hints else []
        for hint in hints:
            lines += self._labelled("hint", "cyan", self.complete(hint))
        self._write("\n".join(lines))

    def json_error(self, error: ImagelockError) -> None:
        """Print an error for scripts, unless they have a document that says no already."""
        if not Console.has_printed_json:
            told = {
                "message": error.message,
                "details": list(error.details),
                "hint": error.hint and self.complete(error.hint),
                "further_hints": [self.complete(hint) for hint in error.further_hints],
            }
            self.json({"ok": False, "error": {**told, "exit_code": int(error.exit_code)}})

    @property
    def stdout_width(self) -> int | None:
        """The columns of the terminal that shows data; None where no terminal does."""
        return _terminal_width(sys.stdout) if _is_terminal(sys.stdout) else None

    @property
    def stderr_width(self) -> int | None:
        """The columns of the terminal that shows everything else; None where no terminal does."""
        return _terminal_width(sys.stderr) if _is_terminal(sys.stderr) else None

    @property
    def details_width(self) -> int | None:
        """The columns of the terminal that a detail of an error, or an item of a note, may take."""
        return None if self.stderr_width is None else self.stderr_width - 2

    @property
    def progress_width(self) -> int:
        """The columns that the transient line may take: in the last one, some terminals begin a new line."""
        return _terminal_width(sys.stderr) - 1

    def progress(self, text: str) -> None:
        """Replace the one transient line on a terminal; nowhere else is anything shown."""
        if self.shows_progress:
            with Console._terminal:
                line = clip(one_line(text), self.progress_width)
                Console._progress_is_shown = True  # before it is: a signal may end the process in between
                emit(f"{CLEAR_LINE}{line}", nl=False, err=True, color=True)

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

    def _say_labelled(self, label: str, color: str, text: str) -> None:
        if self._quietness == 0:
            self._write("\n".join(self._labelled(label, color, self.complete(text))))

    def complete(self, text: str) -> str:
        """Return the text with the `-C`, `--file` and `--lockfile` of this run in each command of ours."""
        if not self._project_options or "`imagelock " not in text:
            return text
        import re  # noqa: PLC0415  few runs have such options
        from shlex import quote  # noqa: PLC0415

        options = " ".join(f"{name} {quote(value)}" for name, value in self._project_options.items())
        if folder := self._project_options.get("-C"):  # another project, further down
            text = re.sub("`imagelock -C (?!'?/)", lambda found: f"{found[0]}{quote(folder)}/", text)
        return re.sub("`imagelock (?!-|help|diff OLD|[^`]*--help`)", lambda found: f"{found[0]}{options} ", text)

    def _labelled(self, label: str, color: str, text: str) -> list[str]:
        line = f"{click.style(label, fg=color, bold=True)}: {one_line(text)}"
        return wrap(line, self.stderr_width, hang=len(label) + 2)

    def _write_line(self, line: str, *, hang: int) -> None:
        self._write("\n".join(wrap(line, self.stderr_width, hang=hang)))

    def _write(self, text: str) -> None:
        with Console._terminal:
            self.end_progress()
            emit(defuse_commands(mask_user_info(text)), err=True, color=self._stderr_color)


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


def _terminal_width(stream: TextIO | None) -> int:
    with suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH  # type: ignore[union-attr]  # suppressed
    return _USUAL_WIDTH


def _indent_of(text: str) -> int:
    return len(text) - len(text.lstrip(" "))

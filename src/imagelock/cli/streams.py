"""Writing to standard output and standard error, which may be closed, full or gone: the work and its answer stay.

A stream that fails is led to nowhere, so that nothing more is tried on it, and the failure is kept for the end.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from typing import TextIO

import click

from imagelock.model.secrets import mask_secrets

_COMMAND = r"^((?:\s|\x1b\[[0-9;]*m)*):(?=:)|(?<=#)#(?=\[|vso\[|teamcity\[)"
"""Where CI systems look for commands in what a program prints: `::error::` begins a line, `##[` and `##vso[` do not.

Styles before it are taken off where there are no colors.
"""


class _State:
    """What happened to standard output in this process."""

    failure: OSError | None = None


def emit(text: str, *, err: bool = False, nl: bool = True, color: bool | None = None) -> None:
    """Print text without the secrets of this run; a stream that does not take it is given up."""
    stream = sys.stderr if err else sys.stdout
    if stream is None:
        _give_up(stream, OSError(errno.EBADF, "it is closed"), err=err)
        return
    try:
        click.echo(_encodable(mask_secrets(text, is_data=not err), stream), nl=nl, err=err, color=color)
    except OSError as error:
        _give_up(stream, error, err=err)


def emit_bytes(content: bytes) -> None:
    """Print bytes on standard output as they are."""
    stream = sys.stdout
    if stream is None:
        _give_up(stream, OSError(errno.EBADF, "it is closed"), err=False)
        return
    try:
        stream.flush()
        stream.buffer.write(content)
        stream.flush()
    except OSError as error:
        _give_up(stream, error, err=False)


def defuse_commands(text: str) -> str:
    r"""Return the text with commands of CI systems escaped: ``::error::`` becomes ``\::error::``."""
    if "::" not in text and "##" not in text:  # compiling takes longer than printing
        return text
    return re.sub(
        _COMMAND, lambda match: f"{match[1] or ''}\\{match[0][len(match[1] or '') :]}", text, flags=re.MULTILINE
    )


def defuse_json(text: str) -> str:
    """Return JSON with the same escapes and equal values; lone surrogates of file names become escapes."""
    escaped = "".join(f"\\u{ord(sign):04x}" if "\ud800" <= sign <= "\udfff" else sign for sign in text)
    return escaped.replace("##", "\\u0023#")


def failure_of_stdout() -> OSError | None:
    """Return why standard output took not everything; None if it did, or if its reader had read enough."""
    return _State.failure


def give_up_stdout(error: OSError) -> None:
    """Note that standard output did not take what was printed by something else."""
    _give_up(sys.stdout, error, err=False)


def is_of_click(error: OSError) -> bool:
    """Return whether an error comes from click's own printing."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == click.utils.__name__


def flush_streams() -> None:
    """Bring out what is buffered, so that Python finds nothing to complain about while it exits."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError as error:
                _give_up(stream, error, err=stream is sys.stderr)


def reset_streams() -> None:
    """Forget a failure of an earlier run in this process."""
    _State.failure = None


def _give_up(stream: TextIO | None, error: OSError, *, err: bool) -> None:
    if not err and error.errno != errno.EPIPE and _State.failure is None:
        _State.failure = error
    if stream is not None:
        with suppress(OSError, ValueError):  # a stream of tests has no descriptor
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _encodable(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding, getattr(stream, "errors", None) or "strict")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text

"""The entry point of ``imagelock`` and ``python -m imagelock``."""

from __future__ import annotations

import gc
import os
import sys

from imagelock import __version__

TYPE_CHECKING = False  # what checkers know by this name: importing `typing` takes half the time of --version
if TYPE_CHECKING:
    from typing import NoReturn

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Python's default is 700, with which a short command collects garbage 40 times and frees nearly none."""

_ISSUES = "https://github.com/imagelock/imagelock/issues"
_CANNOT = 2
"""``ExitCode.CANNOT``, without the imports that may have failed."""


def main() -> None:
    """Run the command line and exit; ``--version``, which scripts often call, needs none of its imports."""
    _open_closed_descriptors()
    if sys.argv[1:] == ["--version"] and _print_version():
        return
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        exit_code = _run()
    except KeyboardInterrupt as interrupt:
        _end(interrupt)
    except Exception:  # noqa: BLE001  Python would exit with 1, which is the answer "no"
        exit_code = _report_defect()
    gc.freeze()  # the process ends: a last collection took 7 ms of 90
    sys.exit(exit_code)


def _open_closed_descriptors() -> None:
    """Open the null device for closed standard streams: the next opened file would get their number and output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free


def _print_version() -> bool:
    """Print the version; return ``False`` if standard output fails, which the command line then reports."""
    if sys.stdout is None:
        return False
    try:
        sys.stdout.write(f"imagelock {__version__}\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _run() -> int:
    from imagelock.project.interrupts import finish, listen  # noqa: PLC0415  what --version does not need

    listen()
    from imagelock.cli.main import run  # noqa: PLC0415  click takes longer to import than Python to start

    exit_code = run()
    finish(exit_code)
    return exit_code


def _end(interrupt: KeyboardInterrupt) -> NoReturn:
    """Print what was written before a signal, and exit without joining threads that wait for a registry."""
    from contextlib import suppress  # noqa: PLC0415  what --version does not need

    from imagelock.project.interrupts import exit_code_of, last_words  # noqa: PLC0415  rarely needed

    with suppress(OSError, AttributeError):  # closed, full, or None
        sys.stderr.write(f"{_line_begin()}{last_words()}\n")
        sys.stderr.flush()
    os._exit(exit_code_of(interrupt))


def _report_defect() -> int:
    """Print the traceback of an exception that no command handles, and return the exit code of an error."""
    from traceback import format_exc  # noqa: PLC0415  rarely needed

    if sys.stderr is not None:
        defect = f"error: imagelock {__version__} has a defect\n\nhint: report it with the lines above: {_ISSUES}"
        sys.stderr.write(f"{format_exc()}\n{defect}\n")
    return _CANNOT


def _line_begin() -> str:
    """Return the control sequence that clears a shown progress and the terminal's ``^C``; without one a line break."""
    console = sys.modules.get("imagelock.cli.console")
    return console.CLEAR_LINE if console is not None and console.Console.is_progress_shown() else "\n"


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `python -m` imports from the working directory first, and a checkout could contain modules.
        del sys.path[0]
    main()

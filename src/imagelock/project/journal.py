"""The journal of a run that renames several files, by which the next run can finish it after ``kill -9``.

It exists beside images.toml while files are renamed, and lists each file with the digests of its old and new bytes. A
checkout may contain a forged journal: at most, a temporary file replaces one in the same folder that has exactly the
old bytes, inside the work tree and outside ``.git``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from imagelock.errors import FileError
from imagelock.model.digest import sha256_hex
from imagelock.model.frozen import frozen
from imagelock.project.files import MAX_OUTPUT_BYTES, file_error, read_bytes
from imagelock.project.mutex import JOURNAL_NAME
from imagelock.project.staging import StagedFile, is_temporary_of, stage, sync_folders
from imagelock.project.work_tree import find_work_tree

_VERSION = 1


@frozen
class _Entry:
    """One file of an interrupted run."""

    target: Path
    temporary: Path
    before: str | None
    after: str

    def is_written(self) -> bool:
        return _digest_of(self.target) == self.after

    def is_untouched(self) -> bool:
        return _digest_of(self.target) == self.before


@frozen
class InterruptedRun:
    """The files of a run that was killed: those that it has written, and those that it has not."""

    journal: Path
    entries: tuple[_Entry, ...]

    @property
    def written(self) -> tuple[Path, ...]:
        """The files that have their new content."""
        return tuple(entry.target for entry in self.entries if entry.is_written())

    @property
    def missing(self) -> tuple[Path, ...]:
        """The files that have their old content, or were changed since."""
        return tuple(entry.target for entry in self.entries if not entry.is_written())

    def settle(self) -> str:
        """Finish the work if the files are as the run left them, else leave them; return a message about it."""
        rest = [entry for entry in self.entries if not entry.is_written()]
        written = _names(self.written)
        if not self.written:
            outcome = "an earlier run was killed before it wrote anything; its temporary files were removed"
        elif all(entry.is_untouched() and _digest_of(entry.temporary) == entry.after for entry in rest):
            for entry in rest:
                _rename(entry)
            finished = f", and {_names(entry.target for entry in rest)} now" if rest else ""
            outcome = f"an earlier run was killed while it wrote; {written} had been written{finished}"
        else:
            outcome = (
                f"an earlier run was killed while it wrote: {written} had been written, "
                f"{_names(entry.target for entry in rest)} had not and changed since; neither was touched now"
            )
        for entry in self.entries:
            entry.temporary.unlink(missing_ok=True)
        sync_folders(entry.target.parent for entry in self.entries)
        self.journal.unlink(missing_ok=True)
        return outcome


def write_journal(folder: Path, staged: Sequence[StagedFile]) -> Path:
    """Write the journal of the files that are about to be renamed, flushed to disk; return its path."""
    path = folder / JOURNAL_NAME
    entries = [
        {
            "path": os.path.relpath(file.target, folder),
            "temporary": file.temporary.name,
            "before": None if file.before is None else _digest(file.before),
            "after": _digest(file.content),
        }
        for file in staged
    ]
    import json  # noqa: PLC0415  3 ms that only a run which writes several files needs

    try:
        journal = stage(path, json.dumps({"version": _VERSION, "files": entries}, indent=1).encode())
    except FileError as error:
        raise _unwritable(folder, staged, error) from error
    try:
        journal.temporary.replace(path)
        sync_folders([folder])
    except OSError as error:
        journal.discard()
        raise file_error("write", path, error) from error
    return path


def _unwritable(folder: Path, staged: Sequence[StagedFile], error: FileError) -> FileError:
    """Return the error for a folder in which no journal can be written."""
    why = f"{folder} must be writable while several files are replaced: a list of them lies there, by which a run that"
    return FileError(
        f"cannot write {', '.join(str(file.path) for file in staged)}; no file was changed",
        details=[f"{why} is killed can be finished", *error.details],
        hint="make that directory writable, or run `imagelock render OUTPUT` for one file at a time",
    )


def find_interrupted_run(folder: Path, *, named: Path | None = None) -> InterruptedRun | None:
    """Read the journal of a killed run in a project's folder, or return None; ``FileError`` if it is not one of ours.

    ``named`` is a lockfile that the user has named, which may be outside of the work tree.
    """
    folder = Path(os.path.realpath(folder))
    path = folder / JOURNAL_NAME
    if not os.path.lexists(path):
        return None
    import json  # noqa: PLC0415  3 ms that only such a journal needs

    try:
        entries = tuple(_parse_entries(folder, json.loads(read_bytes(path)), named))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileError(
            f"{path} is not the journal of an interrupted run, or a newer imagelock wrote it",
            hint=f"remove it: `rm {JOURNAL_NAME}`",
        ) from error
    return InterruptedRun(path, entries)


def refuse_interrupted_run(folder: Path, *, named: Path | None = None) -> None:
    """Raise ``FileError`` if a run was killed between two renames: readers must not see half of its changes."""
    interrupted = find_interrupted_run(folder, named=named)
    if interrupted is not None:
        raise FileError(
            "an earlier run was killed while it wrote several files",
            details=[
                *(f"{_name(path)} was written" for path in interrupted.written),
                *(f"{_name(path)} was not" for path in interrupted.missing),
            ],
            hint="run `imagelock lock`, which finishes it",
        )


def _parse_entries(folder: Path, document: dict[str, Any], named: Path | None) -> Iterator[_Entry]:
    if document["version"] != _VERSION:
        raise ValueError(document["version"])
    for fields in document["files"]:
        yield _parse_entry(folder, fields, named)


def _parse_entry(folder: Path, fields: dict[str, Any], named: Path | None) -> _Entry:
    name, temporary, before, after = (fields[key] for key in ("path", "temporary", "before", "after"))
    if not all(isinstance(text, str) for text in (name, temporary, after, before or "")):
        raise TypeError(fields)
    target = Path(os.path.normpath(folder / name))
    is_named = named is not None and str(target) == os.path.realpath(named)
    if os.path.realpath(target) != str(target) or not (is_named or find_work_tree(folder).objection(target) is None):
        raise ValueError(name)
    if not is_temporary_of(temporary, target.name) or "/" in temporary or target.with_name(temporary).is_symlink():
        raise ValueError(temporary)
    return _Entry(target, target.with_name(temporary), before, after)


def _rename(entry: _Entry) -> None:
    try:
        entry.temporary.replace(entry.target)
    except OSError as error:
        raise file_error("write", entry.target, error) from error


def _digest_of(path: Path) -> str | None:
    with suppress(FileError):
        return _digest(read_bytes(path, max_bytes=MAX_OUTPUT_BYTES))
    return None


def _digest(content: bytes) -> str:
    return sha256_hex(content)


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(map(_name, paths))


def _name(path: Path) -> str:
    return os.path.relpath(path)

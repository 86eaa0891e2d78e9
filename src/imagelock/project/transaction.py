"""Transactions on the files of a project: one run at a time, all of its changes or none, never half of them visible."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from imagelock.errors import FileError, ProjectChangedError
from imagelock.model.frozen import frozen
from imagelock.project import mutex
from imagelock.project.files import MAX_OUTPUT_BYTES, file_error, has_content, read_bytes
from imagelock.project.interrupts import deferred, give_way, note_written
from imagelock.project.journal import find_interrupted_run, write_journal
from imagelock.project.staging import StagedFile, remove_abandoned, stage, sync_folders
from imagelock.project.work_tree import find_work_tree

Seen = Mapping[Path, bytes | None]
"""The content of files when a run read them; None for a file that did not exist."""


class _UndoError(FileError):
    """A rename failed, and an earlier one could not be undone."""


@frozen
class Transaction:
    """The right of this process to change the files of one project, until the block of ``begin`` ends."""

    images_path: Path
    seen: Seen
    """images.toml and images.lock at its beginning."""
    recovered: str | None
    """A message that says what was done about an earlier run that was killed; None if there was none."""

    def write(
        self,
        contents: Mapping[Path, bytes],
        *,
        like: Mapping[Path, Path] = MappingProxyType({}),
        seen: Seen = MappingProxyType({}),
    ) -> tuple[Path, ...]:
        """Write each file whose bytes differ, all or none, and return those that were written.

        ``like`` names the file whose permissions a new file gets. ``ProjectChangedError`` if images.toml, images.lock
        or a file of ``seen`` is not what it was, because of an editor or of git: then nothing is written, and the
        caller may begin anew.
        """
        self._refuse_misplaced(contents)
        with deferred():
            return write_changed(contents, like=like, commit=lambda staged: self._commit(staged, {**self.seen, **seen}))

    def _refuse_misplaced(self, paths: Iterable[Path]) -> None:
        """Raise ``FileError`` for links that lead out of the work tree: a checkout may bring such a link."""
        tree = find_work_tree(self.images_path.parent)
        objections = {path: text for path in paths if (text := tree.objection_to_named(path))}
        if objections:
            details = [f"{path} {text}" for path, text in objections.items()]
            raise FileError(f"cannot write {', '.join(map(str, objections))}; no file was changed", details=details)

    def _commit(self, staged: list[StagedFile], seen: Seen) -> None:
        images_path = Path(os.path.realpath(self.images_path))
        new_images_file = next((file.temporary for file in staged if file.target == images_path), None)
        with mutex.replacing(images_path, new_images_file):
            refuse_changed(seen)
            give_way()
            if len(staged) == 1:
                replace_all(staged)
                return
            journal = write_journal(images_path.parent, staged)
            try:
                replace_all(staged)
                sync_folders(file.target.parent for file in staged)
            except FileError as error:
                if not isinstance(error, _UndoError):
                    journal.unlink(missing_ok=True)
                raise
            journal.unlink(missing_ok=True)


@contextmanager
def begin(
    images_path: Path, lock_path: Path | None = None, *, on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[Transaction]:
    """Wait for other runs that change this project, finish one that was killed, and hold the lock for the block.

    ``on_wait`` is called with the name of the run that holds the lock.
    """
    folder = Path(os.path.realpath(images_path)).parent
    with mutex.exclusive(folder, on_wait=on_wait):
        recovered = _recover(folder, images_path, lock_path)
        own = (images_path, lock_path) if lock_path else (images_path,)
        for path in own:
            # No other run changes this project now, so temporary files beside its own two files are abandoned.
            remove_abandoned(Path(os.path.realpath(path)), is_sure=True)
        yield Transaction(images_path, {path: _now(path) for path in own}, recovered)


def _recover(folder: Path, images_path: Path, named: Path | None) -> str | None:
    interrupted = find_interrupted_run(folder, named=named)
    if interrupted is None:
        return None
    with deferred(), mutex.replacing(Path(os.path.realpath(images_path)), None):
        return interrupted.settle()


def refuse_changed(seen: Seen) -> None:
    """Raise ``ProjectChangedError`` unless each file still has the content that was read."""
    changed = [str(path) for path, content in seen.items() if _now(path) != content]
    if changed:
        raise ProjectChangedError(
            f"{', '.join(changed)} changed while this run was at work; nothing was written",
            hint="run the command again",
        )


def write_changed(
    contents: Mapping[Path, bytes],
    *,
    like: Mapping[Path, Path] = MappingProxyType({}),
    commit: Callable[[list[StagedFile]], None] | None = None,
) -> tuple[Path, ...]:
    """Stage each file whose bytes differ, and rename them with ``commit``; if anything fails, no file is changed."""
    changed = {path: content for path, content in contents.items() if not has_content(path, content)}
    staged: list[StagedFile] = []
    try:
        for path, content in changed.items():
            staged.append(stage(path, content, like=like.get(path)))
        if staged:
            (commit or replace_all)(staged)
            note_written(changed)
    finally:
        for file in staged:
            file.discard()
    return tuple(changed)


def replace_all(staged: list[StagedFile]) -> None:
    """Rename every file into place; if one rename fails, those before it are undone."""
    done: list[StagedFile] = []
    try:
        for file in staged:
            try:
                file.temporary.replace(file.target)
            except OSError as error:
                raise file_error("write", file.path, error) from error
            done.append(file)
    except FileError:
        for file in reversed(done):
            _undo(file)
        raise


def _undo(file: StagedFile) -> None:
    try:
        if file.before is None:
            file.target.unlink(missing_ok=True)
        else:
            stage(file.target, file.before).temporary.replace(file.target)
    except OSError as error:
        raise _UndoError(f"cannot undo the change of {file.path}", details=[error.strerror or str(error)]) from error


def _now(path: Path) -> bytes | None:
    return read_bytes(path, max_bytes=MAX_OUTPUT_BYTES) if path.exists() else None

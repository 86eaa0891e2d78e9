from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from imagelock.errors import FileError, ProjectChangedError
from imagelock.project import interrupts
from imagelock.project.mutex import JOURNAL_NAME
from imagelock.project.project import Project
from imagelock.project.transaction import Transaction, begin


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "images.toml", tmp_path / "images.lock")
    project.images_path.write_text("[images]\n")
    project.lock_path.write_text("old lock")
    return project


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


class _KilledError(BaseException):
    """Instead of SIGKILL: nothing of ours may handle it."""


def _kill_before_rename(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the given rename, and all clean-up after it, not happen."""
    real, count = Path.replace, 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == number:
            monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
            raise _KilledError
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


def _leave_half(project: Project, monkeypatch: pytest.MonkeyPatch, *, renames: int) -> None:
    """Make the project look as after `kill -9`; the journal itself is the first rename."""
    with monkeypatch.context() as patch:
        _kill_before_rename(patch, renames + 2)
        with pytest.raises(_KilledError), begin(project.images_path, project.lock_path) as transaction:
            transaction.write({project.images_path: b"[images] # new\n", project.lock_path: b"new lock"})


def test_all_files_are_written_and_nothing_else_is_left(project: Project) -> None:
    new = project.folder / "sub" / "Dockerfile"
    with begin(project.images_path, project.lock_path) as transaction:
        written = transaction.write({project.images_path: b"[images]\n", project.lock_path: b"new", new: b"FROM x"})
    assert written == (project.lock_path, new)
    assert _contents(project.folder) == {"images.toml": "[images]\n", "images.lock": "new"}
    assert _contents(new.parent) == {"Dockerfile": "FROM x"}


def test_a_file_that_an_editor_changed_meanwhile_stops_it_all(project: Project) -> None:
    with begin(project.images_path, project.lock_path) as transaction:
        project.images_path.write_text("[images] # edited\n")
        with pytest.raises(ProjectChangedError) as caught:
            transaction.write({project.images_path: b"x", project.lock_path: b"x"})
    assert caught.value.message == f"{project.images_path} changed while this run was at work; nothing was written"
    assert _contents(project.folder) == {"images.toml": "[images] # edited\n", "images.lock": "old lock"}


def test_a_file_that_came_into_being_or_went_stops_it_too(project: Project) -> None:
    dockerfile = project.folder / "Dockerfile"
    with begin(project.images_path, project.lock_path) as transaction:
        project.lock_path.unlink()
        with pytest.raises(ProjectChangedError):
            transaction.write({project.lock_path: b"x"})
    with begin(project.images_path, project.lock_path) as transaction:
        project.lock_path.write_text("theirs")
        dockerfile.write_text("edited")
        with pytest.raises(ProjectChangedError) as caught:
            transaction.write({dockerfile: b"pinned"}, seen={dockerfile: b"FROM x"})
    assert caught.value.message.startswith(f"{project.lock_path}, {dockerfile} changed")


def test_should_one_rename_fail_all_files_are_as_before(project: Project) -> None:
    """A folder takes the place of the second file after it was staged."""
    second = project.folder / "x" / "second"
    second.parent.mkdir()
    second.write_text("old")
    second.chmod(0o640)
    first = project.folder / "first"
    first.write_text("old")
    first.chmod(0o604)

    class _Obstructed(Transaction):
        def _commit(self, staged, seen) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            second.unlink()
            second.mkdir()
            super()._commit(staged, seen)

    with begin(project.images_path, project.lock_path) as transaction, pytest.raises(FileError) as caught:
        _Obstructed(transaction.images_path, transaction.seen, None).write({first: b"new", second: b"new"})
    assert caught.value.message == f"cannot write {second}"
    assert (first.read_text(), stat.S_IMODE(first.stat().st_mode)) == ("old", 0o604)
    assert sorted(path.name for path in project.folder.iterdir()) == ["first", "images.lock", "images.toml", "x"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_owner_and_group_of_a_file_stay_when_root_writes_it(project: Project) -> None:
    os.chown(project.lock_path, 1234, 4321)
    project.lock_path.chmod(0o2640)
    with begin(project.images_path, project.lock_path) as transaction:
        transaction.write({project.lock_path: b"new"})
    status = project.lock_path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o2640)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Linux has extended attributes")
def test_extended_attributes_stay(project: Project) -> None:
    try:
        os.setxattr(project.lock_path, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    with begin(project.images_path, project.lock_path) as transaction:
        transaction.write({project.lock_path: b"new"})
    assert os.getxattr(project.lock_path, "user.note") == b"kept"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_not_replaced(project: Project, make: Callable[[Path], None]) -> None:
    path = project.folder / "output"
    make(path)
    with begin(project.images_path, project.lock_path) as transaction, pytest.raises(FileError) as caught:
        transaction.write({path: b"x", project.lock_path: b"x"})
    assert caught.value.message == f"cannot write {path}"
    assert project.lock_path.read_text() == "old lock"


@pytest.mark.parametrize("target", ["/dev/null", "../outside", "/", ".git/hooks/pre-commit"])
def test_a_link_that_leads_out_of_the_project_is_not_followed(project: Project, target: str) -> None:
    (project.folder / ".git" / "hooks").mkdir(parents=True)
    project.lock_path.unlink()
    project.lock_path.symlink_to(target)
    with begin(project.images_path) as transaction, pytest.raises(FileError) as caught:
        transaction.write({project.lock_path: b"x", project.folder / "new": b"x"})
    assert caught.value.message == f"cannot write {project.lock_path}; no file was changed"
    assert not (project.folder / "new").exists()
    assert not (project.folder / ".." / "outside").exists()


def test_a_file_that_a_person_has_named_may_lie_anywhere(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("elsewhere") / "policy.json"
    with begin(project.images_path, project.lock_path) as transaction:
        assert transaction.write({path: b"{}"}) == (path,)


def test_a_name_as_long_as_the_file_system_allows_is_written(project: Project) -> None:
    path = project.folder / ("x" * 255)
    with begin(project.images_path, project.lock_path) as transaction:
        transaction.write({path: b"1"})
        transaction.write({path: b"2"})
    assert path.read_text() == "2"


def test_a_folder_made_for_a_file_that_could_not_be_written_is_removed(project: Project) -> None:
    (project.folder / "file").touch()
    with begin(project.images_path, project.lock_path) as transaction, pytest.raises(FileError):
        transaction.write({project.folder / "new" / "deep" / "x": b"", project.folder / "file" / "y": b""})
    assert not (project.folder / "new").exists()


class TestSignals:
    """Delivered by hand: the handlers are those of a real run."""

    @pytest.fixture(autouse=True)
    def _listening(self) -> object:
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupts.listen()
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_is_an_exception_with_its_exit_code(self, number: int) -> None:
        with pytest.raises(interrupts.Interrupted) as caught:
            signal.raise_signal(number)
        assert interrupts.exit_code_of(caught.value) == 128 + number

    def test_while_files_change_it_waits(self, project: Project) -> None:
        path = project.folder / "a"

        def change() -> None:
            with interrupts.deferred():
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGINT)
                path.write_text("whole")

        with pytest.raises(interrupts.Interrupted):
            change()
        assert path.read_text() == "whole"

    def test_before_the_first_rename_it_leaves_everything_old(self, project: Project) -> None:
        class _Signalled(Transaction):
            def _commit(self, staged, seen) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
                signal.raise_signal(signal.SIGINT)
                super()._commit(staged, seen)

        with pytest.raises(interrupts.Interrupted), begin(project.images_path, project.lock_path) as transaction:
            _Signalled(transaction.images_path, transaction.seen, None).write({project.lock_path: b"new"})
        assert _contents(project.folder) == {"images.toml": "[images]\n", "images.lock": "old lock"}

    def test_one_that_was_ignored_before_stays_ignored(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        interrupts.listen()
        signal.raise_signal(signal.SIGHUP)


class TestKilled:
    def test_the_next_run_finishes_what_was_begun(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(project.folder)
        _leave_half(project, monkeypatch, renames=1)
        assert project.lock_path.read_text() == "old lock"
        with begin(project.images_path, project.lock_path) as transaction:
            assert transaction.recovered == (
                "an earlier run was killed while it wrote; images.toml had been written, and images.lock now"
            )
        assert _contents(project.folder) == {"images.toml": "[images] # new\n", "images.lock": "new lock"}

    def test_a_run_that_had_not_begun_to_rename_is_forgotten(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _leave_half(project, monkeypatch, renames=0)
        with begin(project.images_path, project.lock_path) as transaction:
            assert transaction.recovered == (
                "an earlier run was killed before it wrote anything; its temporary files were removed"
            )
        assert _contents(project.folder) == {"images.toml": "[images]\n", "images.lock": "old lock"}

    def test_a_run_that_had_renamed_everything_was_done(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _leave_half(project, monkeypatch, renames=1)
        (temporary,) = project.folder.glob(".images.lock.*")
        temporary.replace(project.lock_path)
        with begin(project.images_path, project.lock_path) as transaction:
            assert transaction.recovered is not None
        assert _contents(project.folder) == {"images.toml": "[images] # new\n", "images.lock": "new lock"}

    def test_a_file_that_was_changed_since_is_left_alone(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(project.folder)
        _leave_half(project, monkeypatch, renames=1)
        project.lock_path.write_text("edited")
        with begin(project.images_path, project.lock_path) as transaction:
            assert transaction.recovered == (
                "an earlier run was killed while it wrote: images.toml had been written, "
                "images.lock had not and changed since; neither was touched now"
            )
        assert _contents(project.folder) == {"images.toml": "[images] # new\n", "images.lock": "edited"}

    def test_a_lock_that_was_named_elsewhere_is_finished_too(
        self, tmp_path_factory: pytest.TempPathFactory, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock_path = tmp_path_factory.mktemp("elsewhere") / "images.lock"
        lock_path.write_text("old lock")
        _leave_half(Project(project.images_path, lock_path), monkeypatch, renames=1)
        with pytest.raises(FileError, match="is not the journal"), begin(project.images_path, project.lock_path):
            pytest.fail("it was believed")
        with begin(project.images_path, lock_path):
            assert lock_path.read_text() == "new lock"

    def test_a_reader_refuses_the_half_and_names_the_way_out(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(project.folder)
        _leave_half(project, monkeypatch, renames=1)
        with pytest.raises(FileError) as caught:
            project.read()
        assert caught.value.message == "an earlier run was killed while it wrote several files"
        assert caught.value.details == ("images.toml was written", "images.lock was not")
        assert caught.value.hint == "run `imagelock lock`, which finishes it"


class TestForgedJournal:
    """A checkout may bring one."""

    def _forge(self, project: Project, **fields: object) -> None:
        (project.folder / ".victim.1.imagelock-tmp").write_text("evil")
        entry = {"path": "victim", "temporary": ".victim.1.imagelock-tmp", "before": None, "after": "0"} | fields
        document = {"version": 1, "files": [entry]}
        (project.folder / JOURNAL_NAME).write_text(json.dumps(document))

    @pytest.mark.parametrize(
        "fields",
        [
            {"path": "../victim"},
            {"path": "/etc/victim"},
            {"path": ".git/victim"},
            {"path": "link/victim"},
            {"path": 1},
            {"temporary": "../.victim.1.imagelock-tmp"},
            {"temporary": ".victim./../x.imagelock-tmp"},
            {"temporary": "images.lock"},
            {"temporary": None},
            {"after": None},
            {"before": 1},
        ],
    )
    def test_paths_that_lead_out_are_refused(self, project: Project, fields: dict[str, object]) -> None:
        (project.folder / ".git").mkdir()
        (project.folder / "link").symlink_to(project.folder.parent)
        self._forge(project, **fields)
        with pytest.raises(FileError) as caught, begin(project.images_path):
            pytest.fail("it was believed")
        assert caught.value.hint == f"remove it: `rm {JOURNAL_NAME}`"

    @pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"version": 2, "files": []}', "[" * 100_000, "\xff"])
    def test_what_is_no_journal_is_refused(self, project: Project, text: str) -> None:
        (project.folder / JOURNAL_NAME).write_text(text)
        with pytest.raises(FileError), project.reading():
            pytest.fail("it was believed")

    def test_a_file_with_other_bytes_than_the_journal_knows_is_not_replaced(self, project: Project) -> None:
        (project.folder / "victim").write_text("precious")
        self._forge(project)
        with begin(project.images_path):
            pass
        assert (project.folder / "victim").read_text() == "precious"


def test_several_files_elsewhere_need_the_folder_of_images_toml_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outputs = {tmp_path / "one": b"1", tmp_path / "two": b"2"}
    with begin(tmp_path / "file" / "images.toml") as transaction, pytest.raises(FileError) as raised:
        transaction.write(outputs)
    assert raised.value.message == f"cannot write {tmp_path}/one, {tmp_path}/two; no file was changed"
    assert raised.value.details[0].startswith(f"{tmp_path}/file must be writable while several files are replaced")
    assert raised.value.hint == "make that directory writable, or run `imagelock render OUTPUT` for one file at a time"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]

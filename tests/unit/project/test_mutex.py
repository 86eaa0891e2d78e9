from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import ProjectBusyError
from imagelock.project.mutex import exclusive, reading, replacing

_HOLD = """
import sys
from pathlib import Path
from imagelock.project import mutex
with getattr(mutex, sys.argv[1])(*map(Path, sys.argv[2:3]), *([None] if sys.argv[1] == "replacing" else [])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _another_run(kind: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds a lock until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, kind, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


@pytest.fixture
def images_file(tmp_path: Path) -> Path:
    path = tmp_path / "images.toml"
    path.touch()
    return path


def test_one_run_at_a_time_may_change_a_project(tmp_path: Path) -> None:
    waited: list[str] = []
    with _another_run("exclusive", tmp_path) as other:
        with (
            pytest.raises(ProjectBusyError) as caught,
            exclusive(tmp_path, on_wait=waited.append, patience_seconds=0.1),
        ):
            pytest.fail("two runs at once")
        (holder,) = waited
        assert holder.endswith(f"(process {other.pid})")
        assert caught.value.message == f"another run is at work on {tmp_path}, and did not finish within 0 seconds"
        assert caught.value.details == (f"it is {holder}",)


def test_the_right_ends_with_its_process_and_leaves_no_file(tmp_path: Path) -> None:
    with _another_run("exclusive", tmp_path) as other:
        other.kill()
        other.wait()
        with exclusive(tmp_path, patience_seconds=0.1):
            assert list(tmp_path.iterdir()) == []


def test_a_run_waits_until_the_other_is_done(tmp_path: Path) -> None:
    with _another_run("exclusive", tmp_path) as other, exclusive(tmp_path, on_wait=lambda _: other.kill()):
        assert other.wait() != 0


def test_a_run_does_not_wait_for_itself(tmp_path: Path, images_file: Path) -> None:
    with (
        exclusive(tmp_path),
        exclusive(tmp_path, patience_seconds=0),
        reading(images_file),
        replacing(images_file, None),
    ):
        pass
    with exclusive(tmp_path, patience_seconds=0):
        pass


def test_a_folder_that_is_not_there_is_nobody_s(tmp_path: Path) -> None:
    with exclusive(tmp_path / "missing"):
        pass


def test_readers_share_and_keep_writers_out(images_file: Path) -> None:
    with _another_run("reading", images_file):
        with reading(images_file, patience_seconds=0):
            pass
        with pytest.raises(ProjectBusyError), replacing(images_file, None, patience_seconds=0.1):
            pytest.fail("a reader is at work")


def test_a_writer_keeps_readers_out_but_only_while_it_renames(tmp_path: Path, images_file: Path) -> None:
    with (
        _another_run("replacing", images_file),
        pytest.raises(ProjectBusyError),
        reading(images_file, patience_seconds=0.1),
    ):
        pytest.fail("a writer is at work")
    with _another_run("exclusive", tmp_path), reading(images_file, patience_seconds=0):
        pass


def test_a_reader_that_waited_reads_the_new_file(tmp_path: Path, images_file: Path) -> None:
    new = tmp_path / "new"
    new.write_text("new")
    program = (
        "import sys; from pathlib import Path; from imagelock.project.mutex import reading\n"
        "print('started', flush=True)\n"
        "with reading(Path(sys.argv[1])): print(Path(sys.argv[1]).read_text())"
    )
    with replacing(images_file, new):
        reader = subprocess.Popen([sys.executable, "-c", program, str(images_file)], stdout=subprocess.PIPE)
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"started\n"
        new.replace(images_file)
    assert reader.communicate(timeout=20)[0] == b"new\n"


def test_what_can_t_be_opened_is_left_to_the_reading(tmp_path: Path) -> None:
    with reading(tmp_path / "missing" / "images.toml"), reading(tmp_path):
        pass

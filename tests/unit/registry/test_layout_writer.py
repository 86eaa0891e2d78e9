"""Writing a layout: which folders are taken, what a killed run leaves, and that index.json is whole or as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelock.errors import ExitCode, FileError, ImagelockError, InvalidContentError, TemporaryError
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.registry.layout_writer import Pruned, open_layout_writer

_BODY = b"content"
_ENTRY = {"mediaType": "a/b", "digest": f"sha256:{'a' * 64}", "size": 1, "x": {"y": 1}}


def _descriptor(body: bytes = _BODY) -> Descriptor:
    return Descriptor(media_type="a/b", digest=Digest.of(body), size_bytes=len(body))


def test_a_new_folder_becomes_a_layout(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with open_layout_writer(folder) as writer:
        writer.add_pieces(_descriptor(), [b"con", b"tent"])
        assert writer.has(_descriptor())
        assert writer.read(_descriptor().digest) == _BODY
        assert writer.write_entries([_ENTRY])
        assert not writer.write_entries([_ENTRY])
        assert writer.read_entries() == [_ENTRY]
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert sorted(path.name for path in folder.iterdir()) == ["blobs", "index.json", "oci-layout"]


def test_an_equal_index_is_not_written_again(tmp_path: Path) -> None:
    with open_layout_writer(tmp_path / "a") as writer:
        writer.write_entries([_ENTRY])
    before = (tmp_path / "a/index.json").stat()
    with open_layout_writer(tmp_path / "a") as writer:
        writer.write_entries([_ENTRY])
    after = (tmp_path / "a/index.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_other_keys_of_index_json_stay(tmp_path: Path) -> None:
    with open_layout_writer(tmp_path / "a"):
        pass
    (tmp_path / "a/index.json").write_text('{"schemaVersion": 2, "annotations": {"a": "b"}, "manifests": []}')
    with open_layout_writer(tmp_path / "a") as writer:
        writer.write_entries([_ENTRY])
    document = json.loads((tmp_path / "a/index.json").read_text())
    assert (document["annotations"], document["manifests"]) == ({"a": "b"}, [_ENTRY])


@pytest.mark.parametrize("body", [b"conten", b"content!", b"CONTENT", b""])
def test_content_of_another_length_or_digest_does_not_stay(tmp_path: Path, body: bytes) -> None:
    with open_layout_writer(tmp_path / "a") as writer:
        with pytest.raises(InvalidContentError):
            writer.add(_descriptor(), body)
        assert not writer.has(_descriptor())
        assert writer.read(_descriptor().digest) is None
    assert list((tmp_path / "a").rglob("*")) == [tmp_path / "a/oci-layout"]


def test_pieces_that_break_off_or_go_on_for_ever_leave_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"con"
        raise TemporaryError("the connection broke")

    with open_layout_writer(tmp_path / "a") as writer:
        with pytest.raises(TemporaryError):
            writer.add_pieces(_descriptor(), broken())
        with pytest.raises(InvalidContentError, match="is longer than the 7 bytes announced"):
            writer.add_pieces(_descriptor(), iter(lambda: b"content", b""))
        assert not writer.has(_descriptor())


def test_what_a_killed_run_left_under_way_is_dropped(tmp_path: Path) -> None:
    staging = tmp_path / "a/.imagelock"
    staging.mkdir(parents=True)
    (staging / "half").write_bytes(b"con")
    with open_layout_writer(tmp_path / "a") as writer:
        assert not (staging / "half").exists()
        writer.add(_descriptor(), _BODY)
    assert not staging.exists()


def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileError, match="is neither empty nor an OCI layout"), open_layout_writer(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("version", "reason"),
    [('{"imageLayoutVersion": "2.0.0"}', "is of another version than 1.0.0"), ("{}", "another version"), ("x", "JSON")],
)
def test_a_layout_of_another_version_is_refused(tmp_path: Path, version: str, reason: str) -> None:
    (tmp_path / "oci-layout").write_text(version)
    with pytest.raises(InvalidContentError, match=reason), open_layout_writer(tmp_path):
        pass


@pytest.mark.parametrize("index", ["[]", '{"manifests": {}}', '{"manifests": [1]}', "x"])
def test_an_unreadable_index_is_refused(tmp_path: Path, index: str) -> None:
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (tmp_path / "index.json").write_text(index)
    with open_layout_writer(tmp_path) as writer, pytest.raises(InvalidContentError):
        writer.read_entries()
    assert (tmp_path / "index.json").read_text() == index


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(ImagelockError), open_layout_writer(folder):
            pass


def test_two_runs_do_not_write_to_one_layout(tmp_path: Path) -> None:
    with open_layout_writer(tmp_path / "a"):
        second = open_layout_writer(tmp_path / "a")
        with pytest.raises(TemporaryError, match="another run of imagelock writes to it") as caught, second:
            pass
        assert caught.value.exit_code is ExitCode.TRY_AGAIN
        assert (tmp_path / "a/.imagelock").is_dir()
    with open_layout_writer(tmp_path / "a"):
        pass


def test_pruning_keeps_what_is_wanted(tmp_path: Path) -> None:
    with open_layout_writer(tmp_path / "a") as writer:
        writer.add(_descriptor(), _BODY)
        writer.add(_descriptor(b"other"), b"other")
        assert writer.prune([_descriptor().digest]) == Pruned(1, 5)
        assert writer.has(_descriptor())
        assert not writer.has(_descriptor(b"other"))
        assert writer.prune([_descriptor().digest]) == Pruned(0, 0)


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
@pytest.mark.parametrize("kind", ["FIFO", "directory"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, name: str, kind: str) -> None:
    with open_layout_writer(tmp_path / "a") as writer:
        writer.write_entries([_ENTRY])
    (tmp_path / "a" / name).unlink()
    if kind == "FIFO":
        os.mkfifo(tmp_path / "a" / name)
    else:
        (tmp_path / "a" / name).mkdir()
    with pytest.raises(FileError) as raised, open_layout_writer(tmp_path / "a") as writer:
        writer.write_entries([])
    assert raised.value.message == f"cannot read {tmp_path / 'a' / name}"

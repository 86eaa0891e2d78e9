from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imagelock.errors import FileError
from imagelock.project.files import read_bytes, read_text
from imagelock.project.transaction import write_changed


def _error(path: Path, content: bytes = b"new") -> tuple[str, tuple[str, ...]]:
    with pytest.raises(FileError) as caught:
        write_changed({path: content})
    return caught.value.message, caught.value.details


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bytes_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf\xff\r\n")
    assert read_bytes(tmp_path / "a") == b"\xef\xbb\xbf\xff\r\n"


def test_text_keeps_its_line_ends_and_loses_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufeffä\r\nb\n".encode())
    assert read_text(tmp_path / "a") == "ä\r\nb\n"


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_what_can_not_be_read_is_told(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        read_text(tmp_path / name)
    assert (caught.value.message, caught.value.details) == (f"cannot read {tmp_path / name}", (reason,))


def test_text_must_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a\xff")
    with pytest.raises(FileError) as caught:
        read_text(tmp_path / "a")
    assert caught.value.details == ("it is not UTF-8: byte 1 is invalid",)


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    same, other, new = tmp_path / "same", tmp_path / "other", tmp_path / "sub" / "deeper" / "new"
    same.write_bytes(b"1")
    other.write_bytes(b"1")
    before = same.stat()
    assert write_changed({same: b"1", other: b"2", new: b"3"}) == (other, new)
    assert same.stat() == before
    assert (other.read_bytes(), new.read_bytes()) == (b"2", b"3")
    assert (_names(tmp_path), _names(new.parent)) == (["other", "same", "sub"], ["new"])


def test_nothing_to_write_needs_no_right_to_write() -> None:
    assert write_changed({}) == ()


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    file, like = tmp_path / "file", tmp_path / "like"
    file.write_bytes(b"1")
    file.chmod(0o640)
    like.touch(0o755)
    write_changed({file: b"2"}, like={file: like})
    assert _mode(file) == 0o640


def test_a_new_file_gets_the_permissions_of_the_one_that_it_is_made_from(tmp_path: Path) -> None:
    like = tmp_path / "like"
    like.touch()
    like.chmod(0o751)
    write_changed({tmp_path / "new": b"", tmp_path / "other": b""}, like={tmp_path / "new": like})
    assert _mode(tmp_path / "new") == 0o751


def test_a_new_file_without_model_gets_what_the_umask_leaves(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_changed({tmp_path / "new": b""})
    finally:
        assert os.umask(umask) == 0o027
    assert _mode(tmp_path / "new") == 0o640


def test_a_link_stays_and_what_it_leads_to_changes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link, dangling = tmp_path / "there" / "file", tmp_path / "link", tmp_path / "dangling"
    target.write_bytes(b"1")
    link.symlink_to("there/file")
    dangling.symlink_to("there/new")
    write_changed({link: b"2", dangling: b"3"})
    assert (link.is_symlink(), dangling.is_symlink()) == (True, True)
    assert (target.read_bytes(), (tmp_path / "there" / "new").read_bytes()) == (b"2", b"3")
    assert _names(tmp_path) == ["dangling", "link", "there"]


def test_a_link_to_itself_gives_way(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("link")
    write_changed({link: b"1"})
    assert (link.is_symlink(), link.read_bytes()) == (False, b"1")


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert _error(tmp_path / "folder") == (f"cannot write {tmp_path / 'folder'}", ("Is a directory",))
    assert _names(tmp_path) == ["folder"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "new"
    assert _error(path) == (f"cannot write {path}", ("File exists",))


def test_should_one_file_fail_the_others_are_as_before(tmp_path: Path) -> None:
    old, new, folder = tmp_path / "a old", tmp_path / "b new", tmp_path / "c folder"
    old.write_bytes(b"old")
    old.chmod(0o600)
    folder.mkdir()
    with pytest.raises(FileError) as caught:
        write_changed({old: b"x", new: b"x", folder: b"x"})
    assert caught.value.message == f"cannot write {folder}"
    assert (old.read_bytes(), _mode(old)) == (b"old", 0o600)
    assert _names(tmp_path) == ["a old", "c folder"]


_WRITE_TOO_MUCH = """
import resource, signal, sys
from pathlib import Path
from imagelock.errors import FileError
from imagelock.project.transaction import write_changed

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
try:
    write_changed({Path(sys.argv[1]): bytes(2000)})
except FileError as error:
    print(error.message, *error.details)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""


def test_a_disk_without_room_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", _WRITE_TOO_MUCH, file], capture_output=True, check=True, text=True)
    assert done.stdout == f"cannot write {file} File too large\n"
    assert (_names(tmp_path), file.read_bytes()) == (["file"], b"old")


def test_what_a_killed_run_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    file = tmp_path / "fi[l]e"
    abandoned, young, other = (
        tmp_path / ".fi[l]e.abc.imagelock-tmp",
        tmp_path / ".fi[l]e.def.imagelock-tmp",
        tmp_path / ".file.abc.imagelock-tmp",
    )
    for path in (abandoned, young, other):
        path.touch()
    for path in (abandoned, other):
        os.utime(path, (time.time() - 61,) * 2)
    write_changed({file: b""})
    assert _names(tmp_path) == sorted([file.name, young.name, other.name])

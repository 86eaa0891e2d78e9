"""Whether git may have merged files just now, read from its own files: starting it takes longer than all of `lock`.

https://git-scm.com/docs/gitrepository-layout has their names.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from imagelock.errors import FileError
from imagelock.project.files import read_bytes, read_text
from imagelock.project.work_tree import find_work_tree

_BEGUN = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "SQUASH_MSG", "rebase-merge", "rebase-apply")
_HEADER_BYTES = 64 * 1024
"""Of a commit: more than thousand parents, or a message that is compared so far."""


def may_have_merged(folder: Path) -> bool:
    """Whether a merge, rebase, cherry-pick, revert or squash is not finished, or has made the last commit.

    True also where only git can tell, such as for a commit in a pack: a wrong yes only costs time.
    """
    tree = find_work_tree(folder)
    if not tree.has_git:
        return False
    # A linked work tree has a folder of its own inside that of its repository.
    own, common = tree.git_folders[:2][-1], tree.git_folders[-1]
    if not os.path.lexists(own / "HEAD"):
        return False
    if any(os.path.lexists(own / name) for name in _BEGUN):
        return True
    head = _read_head(own, common)
    commit = None if head is None else _read_commit(common, head)
    if commit is None:
        return not _has_no_commit(common, head)
    return _count_parents(commit) > 1 or _may_end_rebase(own, common, commit)


def _read_head(own: Path, common: Path) -> str | None:
    """Return the digest of the last commit; None where it is not in a file of its own."""
    with suppress(FileError):
        named = read_text(own / "HEAD").strip()
        reference = named.removeprefix("ref:").strip()
        return named if reference == named else read_text(common / reference).strip()
    return None


def _has_no_commit(common: Path, head: str | None) -> bool:
    """Whether the repository is new: its branch is in no file, and there are no others."""
    return head is None and not any(os.path.lexists(common / name) for name in ("packed-refs", "reftable"))


def _read_commit(common: Path, digest: str) -> bytes | None:
    """Return the beginning of a commit; None if it is not in a file of its own."""
    import zlib  # noqa: PLC0415  only projects in git need it

    try:
        packed = read_bytes(common / "objects" / digest[:2] / digest[2:])
        commit = zlib.decompressobj().decompress(packed, _HEADER_BYTES)
    except (FileError, zlib.error):
        return None
    return commit if b"\n\n" in commit else None


def _count_parents(commit: bytes) -> int:
    return commit.partition(b"\n\n")[0].count(b"\nparent ")


def _may_end_rebase(own: Path, common: Path, commit: bytes) -> bool:
    """Whether a rebase may have written the commit: it leaves the one that has the same author and message."""
    try:
        before = _read_commit(common, read_text(own / "ORIG_HEAD").strip())
    except FileError:
        return False
    return before is None or (before != commit and _describe(before) == _describe(commit))


def _describe(commit: bytes) -> tuple[bytes, bytes]:
    head, _, message = commit.partition(b"\n\n")
    return head.partition(b"\nauthor ")[2].partition(b"\n")[0], message

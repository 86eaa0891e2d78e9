"""Running commands in this process, and what holds for each of them: its exit code, its report, its hint."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagelock.cli.main import run
from tests.support.histories.project_files import Entries, read_entries, right_checksum

_COMMAND_IN_HINT = re.compile(r"`imagelock ([^`]+)`")
_CHECKOUT_IN_HINT = re.compile(r"`git (checkout [^`]+)`")
_MAX_HINTS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def run_command(*arguments: str, folder: Path) -> Answer:
    """Run a command in a folder."""
    here = Path.cwd()
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
    finally:
        os.chdir(here)
    assert code in (0, 1, 2, 3)
    out.seek(0)
    return Answer(code, out.read(), err.getvalue())


def read_files(folder: Path) -> dict[str, bytes]:
    """Read both files, and whatever a run may have left beside them."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if "images" in path.name}


def ask(*arguments: str, folder: Path) -> Answer:
    """Run a command that writes nothing."""
    before = read_files(folder)
    answer = run_command(*arguments, folder=folder)
    assert read_files(folder) == before
    if answer.code:
        follow_hints(arguments, answer, folder)
    return answer


def change(*arguments: str, folder: Path) -> Answer:
    """Run a command that writes: it does what its dry run says, and everything or nothing."""
    before = read_files(folder)
    has_dry_run = arguments[0] in ("lock", "update")
    planned = run_command(*arguments, "--dry-run", "--format", "json", folder=folder) if has_dry_run else None
    assert read_files(folder) == before
    answer = run_command(*arguments, "--format", "json", folder=folder)
    if planned is not None:
        assert planned.code == answer.code, (planned, answer)
        assert planned.err == answer.err or not answer.code
        if not answer.code:
            assert {**planned.document, "dry_run": False} == answer.document
    if answer.code:
        assert answer.code == 2, answer.err
        assert read_files(folder) == before, answer.err
        follow_hints(arguments, answer, folder)
    return answer


def follow_hints(arguments: tuple[str, ...], answer: Answer, folder: Path) -> None:
    """Do what hints say, in a copy of the project: none advises what was typed before."""
    typed = [list(arguments)]
    if _advised_command(answer.err) is None:
        return
    copy = folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, symlinks=True)
    for _ in range(_MAX_HINTS):
        advised = _advised_command(answer.err)
        if answer.code == 0 or advised is None:
            return
        checkout = _CHECKOUT_IN_HINT.search(answer.err)
        if checkout:  # the same command is another answer to another lock
            subprocess.run(["git", *shlex.split(checkout[1])], cwd=copy, check=True, capture_output=True)
        else:
            assert advised not in typed, (typed, answer.err)
        typed.append(advised)
        answer = run_command(*advised, folder=copy)
    assert answer.code == 0, (typed, answer.err)


def _advised_command(err: str) -> list[str] | None:
    """Read the command of the last hint; None where it is for people to fill in."""
    _, _, hint = err.rpartition("hint: ")
    found = _COMMAND_IN_HINT.search(hint) if "hint: " in err else None
    if found is None or re.search(r"\b[A-Z]{2,}\b", found[1]):
        return None
    return shlex.split(found[1])


def check_report(document: dict[str, Any], old: Entries, folder: Path) -> None:
    """Hold a report of changes to the two lockfiles, compared without any of the program's code."""
    new = read_entries(folder / "images.lock")
    changes = document["changes"]
    assert document.get("image_count", len(new)) == len(new)
    told = {it["name"]: it for it in changes if it["change"] != "removed"}
    assert set(told) == {name for name, entry in new.items() if _without_checksum(old, name) != entry}
    for name, it in told.items():
        assert (it["new"]["tag"], it["new"]["digest"]) == (new[name].get("tag"), new[name]["digest"])
        assert it["new"]["platforms"] == new[name]["platforms"]
        if it["old"]:
            before = old[it["old"]["name"]]
            assert (it["old"]["tag"], it["old"]["digest"]) == (before.get("tag"), before["digest"])
            assert (it["change"] == "renamed") <= (before["digest"] == new[name]["digest"])
        assert (it["change"] == "added") == (not it["old"])
    left = {it["old"]["name"] for it in changes if it["old"]}
    assert set(old) - set(new) <= left
    assert all(set(old) >= {it["name"]} for it in changes if it["change"] == "removed")


def _without_checksum(old: Entries, name: str) -> dict[str, Any] | None:
    """Return an old entry with the checksum that it gets at the next write, which is no change of the image."""
    entry = old.get(name)
    return None if entry is None else {"checksum": right_checksum(entry), **entry}

"""Find the conflict markers of git, and rebuild both sides of a merge.

https://git-scm.com/docs/git-merge#_how_conflicts_are_presented
"""

from __future__ import annotations

import re

_MARKER = r"(<{7}|\|{7}|={7}|>{7})(?: .*)?\r?\n?"
"""Exactly seven: git writes longer markers for conflicts within a common ancestor."""
_OURS, _ANCESTOR, _THEIRS, _END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"


def has_conflict_markers(text: str) -> bool:
    """Return whether a text has conflict markers."""
    return _OURS in text and find_conflict(text) > 0


def find_conflict(text: str) -> int:
    """Return the line of the first conflict marker, from 1; 0 if there is none."""
    return next((number for number, line in enumerate(_lines(text), start=1) if _marker(line) == _OURS), 0)


def conflict_sides(text: str) -> tuple[str, str]:
    """Return the two files that were merged, ours and theirs; both have the lines that merged cleanly."""
    ours: list[str] = []
    theirs: list[str] = []
    sides = {_OURS: (ours,), _ANCESTOR: (), _THEIRS: (theirs,), _END: (ours, theirs)}
    current: tuple[list[str], ...] = sides[_END]
    for line in _lines(text):
        marker = _marker(line)
        if marker is not None:
            current = sides[marker]
            continue
        for side in current:
            side.append(line)
    return "".join(ours), "".join(theirs)


def _marker(line: str) -> str | None:
    match = re.fullmatch(_MARKER, line)
    return match and match[1]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)

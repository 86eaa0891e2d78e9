"""What git leaves in a file that both sides of a merge have changed.

https://git-scm.com/docs/git-merge#_how_conflicts_are_presented
"""

from __future__ import annotations

import re

_MARKER = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: .*)?\r?\n?")
"""Exactly seven: git writes longer ones into the common ancestor, where merging that one had left conflicts."""
_OURS, _ANCESTOR, _THEIRS, _END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"


def has_conflict_markers(text: str) -> bool:
    """Whether a merge was left unfinished in this text."""
    return _OURS in text and find_conflict(text) > 0


def find_conflict(text: str) -> int:
    """Return the number of the line in which the first conflict begins, from 1; 0 where there is none."""
    return next((number for number, line in enumerate(_lines(text), start=1) if _marker(line) == _OURS), 0)


def conflict_sides(text: str) -> tuple[str, str]:
    """Rebuild the two files that were merged, ours and theirs; what merged cleanly is in both."""
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
    match = _MARKER.fullmatch(line)
    return match and match[1]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)

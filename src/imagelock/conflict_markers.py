"""What git leaves in a file that both sides of a merge have changed.

https://git-scm.com/docs/git-merge#_how_conflicts_are_presented
"""

from __future__ import annotations

_OURS, _ANCESTOR, _THEIRS, _END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"


def has_conflict_markers(text: str) -> bool:
    """Whether a merge was left unfinished in this text."""
    return any(line.startswith(_OURS) for line in text.splitlines())


def conflict_sides(text: str) -> tuple[str, str]:
    """Rebuild the two files that were merged, ours and theirs; what merged cleanly stands in both."""
    ours: list[str] = []
    theirs: list[str] = []
    sides = {_OURS: (ours,), _ANCESTOR: (), _THEIRS: (theirs,), _END: (ours, theirs)}
    current: tuple[list[str], ...] = sides[_END]
    for line in text.splitlines(keepends=True):
        marker = line[: len(_OURS)]
        if marker in sides:
            current = sides[marker]
            continue
        for side in current:
            side.append(line)
    return "".join(ours), "".join(theirs)

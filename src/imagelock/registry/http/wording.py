"""Text from servers, made fit for a terminal: it may hold escape sequences that redraw the screen."""

from __future__ import annotations

_MAX_LENGTH = 300


def printable(text: str, *, max_length: int = _MAX_LENGTH) -> str:
    """One line without control characters, cut to a length that a person reads."""
    line = " ".join(text[: max_length * 4].split())
    safe = "".join(character if character.isprintable() else _escaped(character) for character in line)
    return safe if len(safe) <= max_length else f"{safe[: max_length - 1]}…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

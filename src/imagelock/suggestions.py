"""“Did you mean …?”, in one voice everywhere."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean `x`?`` for the nearest known word, or nothing where none is near."""
    import difflib  # noqa: PLC0415  4 ms that only a mistake needs

    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""

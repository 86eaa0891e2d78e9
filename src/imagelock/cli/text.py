"""Numbers as people read them."""

from __future__ import annotations


def count(number: int, noun: str = "image") -> str:
    """Write a number and its noun: ``1 image``, ``2 images``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def took(seconds: float) -> str:
    """Write a duration as uv does: ``12ms``, ``1.4s``."""
    return f"{seconds:.1f}s" if seconds >= 1 else f"{seconds * 1000:.0f}ms"


def size(size_bytes: int) -> str:
    """Write a size as Docker does, in powers of ten: ``512 B``, ``1.4 kB``, ``28.3 MB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004  a thousand of a unit is one of the next
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"

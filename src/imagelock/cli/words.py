"""Numbers as people read them."""

from __future__ import annotations


def count(number: int, noun: str = "image") -> str:
    """Write a number and its noun: ``1 image``, ``2 images``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def took(seconds: float) -> str:
    """Write a duration as uv does: ``12ms``, ``1.4s``."""
    return f"{seconds:.1f}s" if seconds >= 1 else f"{seconds * 1000:.0f}ms"

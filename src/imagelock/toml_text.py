"""Writing TOML values."""

from __future__ import annotations

from collections.abc import Iterable


def quote(text: str) -> str:
    """Write a basic string; only the names of layouts can hold a character that needs an escape."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def array(texts: Iterable[str]) -> str:
    """Write an array of strings on one line."""
    return f"[{', '.join(map(quote, texts))}]"

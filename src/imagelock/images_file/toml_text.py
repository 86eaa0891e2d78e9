"""Writing TOML values."""

from __future__ import annotations

from collections.abc import Iterable


def quote(text: str) -> str:
    """Write a basic string. No text ends its line, whoever it comes from."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        escaped = "".join(sign if sign.isprintable() else f"\\U{ord(sign):08X}" for sign in escaped)
    return f'"{escaped}"'


def array(texts: Iterable[str]) -> str:
    """Write an array of strings on one line."""
    return f"[{', '.join(map(quote, texts))}]"

"""How a change of content is told: layers and sizes in one line, then each setting that differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagelock.cli.text import count, size
from imagelock.locking.inspection import ContentChange, PlatformContent


def content_lines(change: ContentChange) -> Iterator[str]:
    """Tell people what changed on one platform."""
    if change.old is None:
        yield f"{change.platform}: what was locked is no longer served; now {_summary(change.new)}"
        return
    same = len(change.new.layers) - len(change.added_layers)
    layers = f"{same} of {count(len(change.new.layers), 'layer')} as before"
    if len(change.old.layers) != len(change.new.layers):
        layers += f", {len(change.old.layers)} -> {len(change.new.layers)}"
    yield f"{change.platform}: {layers}; {_arrow(size(change.old.size_bytes), size(change.new.size_bytes))}"
    for it in change.differences:
        yield f"  {it.name}: {_arrow(_setting(it.old), _setting(it.new))}"


def content_document(change: ContentChange) -> dict[str, Any]:
    """Describe for scripts what changed on one platform."""
    return {
        "platform": str(change.platform),
        "old_size_bytes": change.old and change.old.size_bytes,
        "new_size_bytes": change.new.size_bytes,
        "added_layers": [str(layer.digest) for layer in change.added_layers],
        "removed_layers": [str(layer.digest) for layer in change.removed_layers],
        "settings": [{"name": it.name, "old": it.old, "new": it.new} for it in change.differences],
    }


def _summary(content: PlatformContent) -> str:
    return f"{count(len(content.layers), 'layer')}, {size(content.size_bytes)}"


def _setting(text: str | None) -> str:
    return "unset" if text is None else text or "empty"


def _arrow(old: str, new: str) -> str:
    return old if old == new else f"{old} -> {new}"

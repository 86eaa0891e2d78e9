"""How a mirror is told: bytes and time left while it runs, and what it holds when it is done."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock
from typing import Any

from imagelock.cli.console import Console
from imagelock.cli.text import count, size
from imagelock.registry.layout_mirror import MirrorResult
from imagelock.registry.layout_writer import Pruned
from imagelock.registry.oci_layout import find_signed_digest

_REFRESH_SECONDS = 0.1


class ByteProgress:
    """Shows bytes done, bytes in all and the time left, ten times a second at most. Thread-safe."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()
        self._started = self._shown = time.monotonic()
        self._total = self._done = 0

    def expect(self, size_bytes: int) -> None:
        """Begin to count, up to this many bytes."""
        with self._lock:
            self._total, self._started = size_bytes, time.monotonic()

    def add(self, size_bytes: int) -> None:
        """Count bytes that are done."""
        with self._lock:
            self._done += size_bytes
            now = time.monotonic()
            if now - self._shown >= _REFRESH_SECONDS:
                self._shown = now
                self._console.progress(progress_text(self._done, self._total, seconds=now - self._started))


def progress_text(done: int, total: int, *, seconds: float) -> str:
    """Write how far a transfer has come, and how long the rest takes at this speed."""
    text = f"Mirroring {size(done)} of {size(total)}"
    if not 0 < done < total:
        return text
    left = round(seconds * (total - done) / done)
    return f"{text}, {left // 60}m {left % 60:02}s left" if left >= 60 else f"{text}, {left}s left"  # noqa: PLR2004  seconds


def mirror_summary(result: MirrorResult, folder: Path, *, seconds: str) -> str:
    """Say what the layout holds of the lock now."""
    images = sum(find_signed_digest(name) is None for name in result.names)
    signatures = len(result.names) - images
    signed = f" and {count(signatures, 'tag')} with signatures" if signatures else ""
    return (
        f"Mirrored {count(images)}{signed} to {folder} in {seconds} "
        f"({size(result.size_bytes)}, {size(result.fetched_bytes)} fetched)"
    )


def mirror_document(result: MirrorResult, folder: Path, pruned: Pruned | None) -> dict[str, Any]:
    """Describe a mirror for scripts, with whole digests."""
    return {
        "folder": str(folder),
        "images": [
            {"name": name, "digest": str(root.digest), "signature": find_signed_digest(name) is not None}
            for name, root in result.names.items()
        ],
        "size_bytes": result.size_bytes,
        "fetched_bytes": result.fetched_bytes,
        "skipped": [str(blob.digest) for blob in result.skipped],
        "pruned": pruned and {"count": pruned.count, "size_bytes": pruned.size_bytes},
    }

"""How a mirror is told: what it holds, for people and for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagelock.cli.text import count, size
from imagelock.registry.layout_mirror import MirrorResult
from imagelock.registry.layout_writer import Pruned
from imagelock.registry.oci_layout import find_signed_digest


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

"""One file that ``render`` writes, before it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.model.frozen import frozen
from imagelock.project.files import read_bytes
from imagelock.rendering.template import Rendering

if TYPE_CHECKING:
    from imagelock.documents.pinning import Pinned  # its readers take 30 ms, which only [pin] needs


@frozen(kw_only=True)
class Output:
    """A file as it should be. It has a rendering, or was pinned in place, or both."""

    path: Path
    content: bytes
    template: Path | None = None
    rendering: Rendering | None = None
    pinned: Pinned | None = None

    def is_current(self) -> bool:
        """Whether the file on disk is what rendering would write."""
        return self.path.exists() and read_bytes(self.path) == self.content

"""``RUN --mount=…,from=IMAGE``: comma-separated values, as Go reads them.

https://docs.docker.com/reference/dockerfile/#run---mount
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.dockerfile.errors import DockerfileError
from imagelock.documents.source_text import SourceText


def find_mount_source(mount: SourceText) -> SourceText | None:
    """Find what the last ``from=`` of a mount says."""
    source = None
    for field in _split_fields(mount):
        key, equals, _ = field.text.partition("=")
        if equals and key.lower() == "from":
            source = field.cut(len(key) + 1)
    return source or None


def _split_fields(line: SourceText) -> Iterator[SourceText]:
    if not line.text:
        raise DockerfileError(line.span.start, "--mount is empty")
    at = 0
    while True:
        if line.text.startswith('"', at):
            field, at = _quoted_field(line, at + 1)
        else:
            end = line.text.find(",", at)
            field = line.cut(at, len(line) if end < 0 else end)
            at += len(field)
            if '"' in field.text:
                raise DockerfileError(field.span.start, "a quote stands inside a field of --mount")
        yield field
        if at >= len(line):
            return
        at += 1


def _quoted_field(line: SourceText, start: int) -> tuple[SourceText, int]:
    """Read a field in quotes, where ``""`` stands for one of them, and where the comma after it stands."""
    kept: list[int] = []
    at = start
    while (quote := line.text.find('"', at)) >= 0:
        kept.extend(range(at, quote))
        if not line.text.startswith('""', quote):
            break
        kept.append(quote)
        at = quote + 2
    if quote < 0 or (quote + 1 < len(line) and line.text[quote + 1] != ","):
        raise DockerfileError(line.span.start, "a quoted field of --mount does not end")
    text = "".join(line.text[index] for index in kept)
    offsets = (*(line.offsets[index] for index in kept), line.offsets[quote])
    return SourceText(text, offsets), quote + 1

"""Documents as values, for tests about what they make of images.toml."""

from __future__ import annotations

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.images_file.discovery import ScannedDocument

DIGESTS = (f"sha256:{'a' * 64}", f"sha256:{'b' * 64}")


def dockerfile(content: str, *, path: str = "Dockerfile") -> ScannedDocument:
    return _document(path, table.DOCKERFILE, content)


def compose(content: str, *, path: str = "compose.yaml") -> ScannedDocument:
    return _document(path, table.COMPOSE, content)


def values(content: str, *, path: str = "values.yaml") -> ScannedDocument:
    return _document(path, table.HELM_VALUES, content)


def _document(path: str, kind: Format, content: str) -> ScannedDocument:
    return ScannedDocument(path, kind, content.encode(), find_references(content.encode(), kind))

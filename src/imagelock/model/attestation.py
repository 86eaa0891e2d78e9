"""Parse in-toto provenance statements, which name the images that a build started from.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance and
https://slsa.dev/spec/v0.2/provenance. The statement is read, not verified: BuildKit does not sign it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from imagelock.errors import InvalidContentError, InvalidDigestError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.oci import Descriptor, ImageManifest
from imagelock.model.strict_json import parse_json_object, refuse_case_variants

STATEMENT_MEDIA_TYPE = "application/vnd.in-toto+json"
PREDICATE_ANNOTATION = "in-toto.io/predicate-type"
_PROVENANCE = "https://slsa.dev/provenance/"
_STATEMENT_TYPES = ("https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1")
_STATEMENT_KEYS = ("_type", "subject", "predicateType", "predicate")
_PREDICATE_KEYS = ("materials", "buildDefinition")
_MAX_DEPENDENCIES = 10_000


@frozen
class Dependency:
    """One input of a build: an image, a file from the web, or a git repository."""

    uri: str
    digests: tuple[Digest, ...]
    """Those by sha256 and sha512 in the statement."""


@frozen(kw_only=True)
class Provenance:
    """A parsed SLSA provenance statement."""

    subjects: tuple[Digest, ...]
    """The digests of the images that it is about; empty if the builder exported the image without a name."""
    dependencies: tuple[Dependency, ...]


def is_provenance(layer: Descriptor) -> bool:
    """Return whether a layer of an attestation manifest is annotated as SLSA provenance."""
    return any(key == PREDICATE_ANNOTATION and kind.startswith(_PROVENANCE) for key, kind in layer.annotations)


def provenance_layers(attestation: ImageManifest, *, what: str) -> tuple[Descriptor, ...]:
    """Return the layers with SLSA provenance; ``InvalidContentError`` for one of an unknown media type."""
    layers = tuple(layer for layer in attestation.layers if is_provenance(layer))
    for layer in layers:
        if layer.media_type != STATEMENT_MEDIA_TYPE:
            raise InvalidContentError(f"{what} has provenance of the type `{layer.media_type}`, which cannot be read")
    return layers


def parse_provenance(body: bytes, *, what: str) -> Provenance:
    """Parse an in-toto statement with SLSA provenance of version 0.2 or 1; ``InvalidContentError`` for any other."""
    statement = parse_json_object(body, what=what)
    refuse_case_variants(statement, _STATEMENT_KEYS, what=what)
    if statement.get("_type") not in _STATEMENT_TYPES:
        raise InvalidContentError(f"{what} is not an in-toto statement")
    predicate = _table(statement.get("predicate"), what)
    refuse_case_variants(predicate, _PREDICATE_KEYS, what=what)
    subjects = (_digests(subject, what) for subject in _tables(statement.get("subject"), what))
    return Provenance(
        subjects=tuple(digest for digests in subjects for digest in digests),
        dependencies=tuple(_dependencies(_listed_dependencies(statement.get("predicateType"), predicate, what), what)),
    )


def _listed_dependencies(predicate_type: object, predicate: dict[str, Any], what: str) -> object:
    match predicate_type:
        case "https://slsa.dev/provenance/v1":
            return _table(predicate.get("buildDefinition"), what).get("resolvedDependencies")
        case "https://slsa.dev/provenance/v0.2":
            return predicate.get("materials")
        case _:
            raise InvalidContentError(f"{what} is not SLSA provenance of version 0.2 or 1")


def _dependencies(listed: object, what: str) -> Iterable[Dependency]:
    for entry in _tables(listed, what):
        uri = entry.get("uri")
        if not isinstance(uri, str):
            raise InvalidContentError(f"{what} has a dependency without a `uri`")
        yield Dependency(uri, _digests(entry, what))


def _digests(entry: dict[str, Any], what: str) -> tuple[Digest, ...]:
    named = entry.get("digest")
    found = []
    for algorithm in ("sha256", "sha512"):
        digits = (_table(named, what) if named is not None else {}).get(algorithm)
        with suppress(InvalidDigestError):
            found += [] if digits is None else [Digest.parse(f"{algorithm}:{digits}")]
    return tuple(found)


def _tables(value: object, what: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX_DEPENDENCIES:
        raise InvalidContentError(f"{what} has an unreadable list")
    return [_table(entry, what) for entry in value]


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidContentError(f"{what} has an unreadable entry")
    return value

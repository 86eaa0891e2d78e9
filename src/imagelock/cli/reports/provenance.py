"""How provenance is reported: what each platform was built from, for people or for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagelock.cli.layout import columns
from imagelock.locking.provenance import BaseImage, ImageProvenance, Origin, PlatformProvenance, Verdict
from imagelock.model.digest import Digest


def provenance_lines(name: str, image: ImageProvenance, *, width: int | None = None) -> Iterator[str]:
    """Yield the lines of one image: the verdict on each platform, and below it the bases of its build."""
    yield f"{name}  {image.digest.short}  {_words(image.verdict)}"
    for platform in image.platforms:
        problem = f": {platform.problem}" if platform.problem else ""
        yield f"  {platform.platform or 'unknown platform'}  {_words(platform.verdict)}{problem}"
        if platform.bases:
            yield from (f"    {line}" for line in columns(map(_row, platform.bases), width=width and width - 4))


def image_document(name: str, image: ImageProvenance) -> dict[str, Any]:
    """Describe one image for scripts, with whole digests."""
    return {
        "reference": name,
        "digest": str(image.digest),
        "verdict": image.verdict,
        "platforms": [_platform_document(platform) for platform in image.platforms],
    }


def _platform_document(platform: PlatformProvenance) -> dict[str, Any]:
    return {
        "platform": platform.platform and str(platform.platform),
        "digest": str(platform.digest),
        "verdict": platform.verdict,
        "problem": platform.problem,
        "bases": [_base_document(base) for base in platform.bases],
    }


def _base_document(base: BaseImage) -> dict[str, Any]:
    return {
        "repository": str(base.reference.repository),
        "tag": base.reference.tag,
        "digest": str(base.reference.digest),
        "version": base.version,
        "role": "syntax" if base.is_frontend else "base",
        "origin": base.origin,
        "locked": [
            {"name": image.alias, "digest": str(image.digest), "version": image.labels.version} for image in base.locked
        ],
    }


def _row(base: BaseImage) -> tuple[str, ...]:
    tag = f":{base.reference.tag}" if base.reference.tag else ""
    role = " (syntax)" if base.is_frontend else ""
    name = f"{base.reference.repository}{tag}{role}"
    return name, _digest(base.reference.digest, base.version), _relation(base)


def _relation(base: BaseImage) -> str:
    names = ", ".join(image.alias for image in base.locked)
    match base.origin:
        case Origin.LOCKED_INDEX:
            return f"yes: the locked index of {names}"
        case Origin.LOCKED_PLATFORM:
            return f"yes: a locked platform of {names}"
        case Origin.OTHER_DIGEST:
            known = (f"{it.alias} is locked at {_digest(it.digest, it.labels.version)}" for it in base.locked)
            return f"no: {', '.join(known)}"
        case Origin.NOT_LOCKED:
            return "no: not in images.lock"


def _digest(digest: Digest, version: str | None) -> str:
    return f"{digest.short} ({version})" if version else digest.short


def _words(verdict: Verdict) -> str:
    return verdict.replace("-", " ")

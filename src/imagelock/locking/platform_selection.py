"""Which manifests of an image a declaration gets: the declared platforms, or an error that lists what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imagelock.errors import ImageNotFoundError
from imagelock.locking.resolve import ResolvedImage
from imagelock.model.platforms import Platform, PlatformDigest, by_name
from imagelock.model.reference import ImageReference


def select_platforms(
    wanted: Iterable[Platform], resolved: ResolvedImage, reference: ImageReference
) -> tuple[PlatformDigest, ...]:
    """Choose the entries for the wanted platforms, all of them where none is named; sorted by their names."""
    wanted = tuple(wanted)
    if not resolved.platform_digests:
        raise ImageNotFoundError(f"{reference} has no image for any platform")
    missing = [platform for platform in wanted if not any(_matching(platform, resolved))]
    if missing:
        raise ImageNotFoundError(
            f"{reference} has no {', '.join(map(str, missing))} (it has: {_listing(resolved.platform_digests)})"
        )
    chosen = [_only_match(platform, resolved, reference) for platform in wanted] or resolved.platform_digests
    return by_name(set(chosen))


def _matching(platform: Platform, resolved: ResolvedImage) -> Iterator[PlatformDigest]:
    return (entry for entry in resolved.platform_digests if platform.matches(entry.platform))


def _only_match(platform: Platform, resolved: ResolvedImage, reference: ImageReference) -> PlatformDigest:
    matches = list(_matching(platform, resolved))
    exact = [entry for entry in matches if entry.platform == platform]
    if len(exact or matches) > 1:
        raise ImageNotFoundError(
            f"{reference} has several {platform} (it has: {_listing(matches)})",
            hint=f"name one of them in images.toml, such as `{matches[0].platform}`",
        )
    return (exact or matches)[0]


def _listing(entries: Iterable[PlatformDigest]) -> str:
    return ", ".join(sorted(str(entry.platform) for entry in entries))

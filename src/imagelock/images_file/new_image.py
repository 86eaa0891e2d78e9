"""Makes the entry of an image for images.toml from the options of `add`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from imagelock.errors import ImagelockError, InvalidSelectorError
from imagelock.images_file.declaration import Alias, ImageDeclaration, is_alias
from imagelock.images_file.edit import ImageEntry
from imagelock.images_file.names import propose_names, taken_names
from imagelock.images_file.parser import ImagesFile, parse_images_file
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.reference import (
    TAG_RULE,
    AnyRepository,
    LayoutRepository,
    UnnormalizedReference,
    is_tag_in,
    split_image,
)
from imagelock.model.selector import ExactTag
from imagelock.model.tags.pattern import leading_numbers
from imagelock.model.tags.selection import choose_tag
from imagelock.model.tags.specifier import ANY_VERSION, Clause, parse_specifier
from imagelock.model.tags.version_range import VersionRange, bounded_range_for, parse_version_range, with_upper_bound

TagLister = Callable[[AnyRepository], Iterable[str]]


@frozen(kw_only=True)
class ImageRequest:
    """The options of `add`, as typed."""

    reference: str
    name: str | None = None
    version: str | None = None
    """A range, or ``latest`` for the one that begins with the tag or with the newest version."""
    variant: str | None = None
    tag: str | None = None
    platforms: tuple[str, ...] = ()


def make_entry(request: ImageRequest, images_file: ImagesFile, list_tags: TagLister) -> ImageEntry:
    """Return the entry to write. Tags are listed only for a range that needs an upper bound."""
    written = split_image(request.reference)
    alias = _alias(request, written, images_file)
    platforms = tuple(str(Platform.parse(text)) for text in request.platforms)
    wanted = _parse_range(request)
    if wanted is None:
        entry = ImageEntry(alias=alias, image=_tagged(request, written), platforms=platforms)
    else:
        chosen = _write_range(request, written, wanted, list_tags)
        entry = ImageEntry(
            alias=alias,
            image=written.name,
            version=chosen.version,
            variant=chosen.variant,
            tag=chosen.tag,
            platforms=platforms,
        )
    _refuse_second_name(entry, images_file, is_named=request.name is not None)
    return entry


def _alias(request: ImageRequest, written: UnnormalizedReference, images_file: ImagesFile) -> Alias:
    told = written
    if written.tag is None and written.digest is None and not isinstance(written.repository, LayoutRepository):
        told = replace(written, tag=_distinction(request))
    (proposed,) = propose_names([told], taken=taken_names(images_file.images))
    if request.name is None:
        return proposed
    if not is_alias(request.name):
        raise ImagelockError(
            f"`{request.name}` is not a name: letters, digits, `_` and `-`, and no `-` in front",
            hint=f"leave the name out, and it will be `{proposed}`",
        )
    image = next((image for image in images_file.images if image.alias == request.name), None)
    if image is not None:
        raise ImagelockError(
            f"there is an image `{image.alias}` already: {image.name}, {image.selector}",
            hint=f"choose another name, or run `imagelock remove {image.alias}` first",
        )
    return Alias(request.name)


def _distinction(request: ImageRequest) -> str | None:
    """Return what tells an image without a tag from others of its repository: its variant, tag or first version."""
    if request.variant or request.tag:
        return request.variant or re.sub(r"\{\w*\}", "", request.tag or "").strip("-_.") or None
    found = re.search(r"\d[\w.]*", request.version or "")
    return found[0] if found else None


def _parse_range(request: ImageRequest) -> VersionRange | None:
    version = ANY_VERSION if request.version == LATEST else request.version
    try:
        return parse_version_range(version=version, variant=request.variant, tag=request.tag)
    except InvalidSelectorError as error:
        raise ImagelockError(f"--{error.field}: {error.message}", details=error.details, hint=error.hint) from error


def _tagged(request: ImageRequest, written: UnnormalizedReference) -> str:
    if request.tag is None:
        return request.reference
    _refuse_second_choice(written, "--tag")
    if not is_tag_in(written.repository, request.tag):
        raise ImagelockError(f"--tag: `{request.tag}` is not a tag: {TAG_RULE}")
    return f"{written.name}:{request.tag}"


def _write_range(
    request: ImageRequest, written: UnnormalizedReference, wanted: VersionRange, list_tags: TagLister
) -> WrittenRange:
    begins_with_tag = request.version == LATEST and request.variant is None and request.tag is None
    if begins_with_tag and written.tag is not None and written.digest is None:
        return range_from_tag(written.tag)
    _refuse_second_choice(written, "the range")
    list_these = partial(list_tags, written.repository)
    return bound_range(wanted, request.version or LATEST, list_these, repository=written.repository)


def _refuse_second_choice(written: UnnormalizedReference, what: str) -> None:
    if written.tag is not None or written.digest is not None:
        chosen = f"tag `{written.tag}`" if written.tag is not None else f"digest `{written.digest}`"
        raise ImagelockError(f"{what} cannot go with the {chosen}: keep one of the two", hint=f"write `{written.name}`")


def _refuse_second_name(entry: ImageEntry, images_file: ImagesFile, *, is_named: bool) -> None:
    """Raise ``ImagelockError`` if images.toml has the image already, or one other tag of its repository."""
    (added,) = parse_images_file("\n".join(entry.table_lines())).images
    for image in images_file.images:
        if (image.repository, image.selector) == (added.repository, added.selector):
            raise ImagelockError(f"images.toml has this image already, under the name `{image.alias}`")
    if is_named or isinstance(added.repository, LayoutRepository):
        return
    siblings = [image for image in images_file.images if image.repository == added.repository]
    if len(siblings) == 1 and isinstance(added.selector, ExactTag):
        _refuse_second_tag(siblings[0], entry, added.selector.tag)


def _refuse_second_tag(sibling: ImageDeclaration, entry: ImageEntry, tag: str) -> None:
    """Raise an error with two ways on: move the declared image to the tag, or declare both."""
    if isinstance(sibling.selector, ExactTag):
        raise ImagelockError(
            f"images.toml has {sibling.name}:{sibling.selector.tag}, as `{sibling.alias}`",
            hint=f"run `imagelock update {sibling.alias} --to {tag}` to move it",
            further_hints=[f"run `imagelock add {entry.alias} {entry.image}` to have both"],
        )


LATEST = "latest"
_DATE_NUMBERS = 3
"""Year, month and day. With the hour of an image, the range would be hard to read."""


@frozen
class WrittenRange:
    """A range, and its text for images.toml."""

    version: str
    wanted: VersionRange

    @property
    def variant(self) -> str | None:
        """The value of the key ``variant``, if it can express the pattern."""
        return self.wanted.pattern.variant

    @property
    def tag(self) -> str | None:
        """The value of the key ``tag``, if only it can express the pattern."""
        pattern = str(self.wanted.pattern)
        return None if self.variant or pattern == "{version}" else pattern


def range_from_tag(tag: str) -> WrittenRange:
    """Return the range that begins with the version in a tag: ``>=20.11,<21`` for ``20.11-slim``."""
    wanted = bounded_range_for(tag)
    if wanted is None:
        raise ImagelockError(
            f"--version: the tag `{tag}` has no version in it", hint="name the range, such as `--version '>=1.2,<2'`"
        )
    return WrittenRange(_for_people(wanted.clauses), wanted)


def bound_range(
    wanted: VersionRange, version: str, list_tags: Callable[[], Iterable[str]], *, repository: AnyRepository
) -> WrittenRange:
    """Return a range with an upper bound: the next breaking release after the version that it selects today.

    ``version`` is the range as typed, or ``latest`` where today's version is to begin it. A range that has
    a bound is left as it is, and no registry is asked.
    """
    if version != LATEST and not wanted.is_unbounded:
        return WrittenRange(version, wanted)
    chosen = choose_tag(wanted, list_tags(), repository=repository)
    numbers = leading_numbers(chosen.version)
    if "{date}" in str(wanted.pattern):
        numbers = ".".join(numbers.split(".")[:_DATE_NUMBERS])
    if version in (LATEST, ANY_VERSION):
        wanted = VersionRange(clauses=parse_specifier(f">={numbers}"), pattern=wanted.pattern)
        version = _for_people(wanted.clauses)
    bounded = with_upper_bound(wanted, version=numbers)
    added = [clause for clause in bounded.clauses if clause not in wanted.clauses]
    return WrittenRange(",".join([version, *map(str, added)]), bounded)


def _for_people(clauses: Iterable[Clause]) -> str:
    """Return the clauses with the lower bound first, as people write them."""
    return ",".join(sorted(map(str, clauses), reverse=True))

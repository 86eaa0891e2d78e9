"""One more image for images.toml: from what somebody asked for to what is to stand there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from imagelock.errors import ImagelockError, InvalidSelectorError
from imagelock.images_file.declaration import Alias, is_alias
from imagelock.images_file.entries import ImageEntry
from imagelock.images_file.names import propose_name
from imagelock.images_file.parser import ImagesFile, parse_images_file
from imagelock.images_file.ranges import LATEST, WrittenRange, bound_range, range_from_tag
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.reference import TAG_RULE, AnyRepository, WrittenReference, is_tag_in, split_image
from imagelock.model.tags.specifier import ANY_VERSION
from imagelock.model.tags.version_range import VersionRange, parse_version_range

TagLister = Callable[[AnyRepository], Iterable[str]]


@frozen(kw_only=True)
class ImageRequest:
    """What somebody asked for, in the words of the command line."""

    reference: str
    name: str | None = None
    version: str | None = None
    """A range, or ``latest`` for the one that begins with the tag or with the newest version."""
    variant: str | None = None
    tag: str | None = None
    platforms: tuple[str, ...] = ()


def make_entry(request: ImageRequest, images_file: ImagesFile, list_tags: TagLister) -> ImageEntry:
    """Decide what to write; only a range that needs a bound looks at the repository's tags."""
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
    _refuse_second_name(entry, images_file)
    return entry


def _alias(request: ImageRequest, written: WrittenReference, images_file: ImagesFile) -> Alias:
    taken = {image.alias: image for image in images_file.images}
    if request.name is None:
        return propose_name(written, taken)
    if not is_alias(request.name):
        raise ImagelockError(
            f"`{request.name}` is not a name: letters, digits, `_` and `-`, and no `-` in front",
            hint=f"leave the name out, and it will be `{propose_name(written, taken)}`",
        )
    if request.name in taken:
        image = taken[Alias(request.name)]
        raise ImagelockError(
            f"there is an image `{image.alias}` already: {image.name}, {image.selector}",
            hint=f"choose another name, or run `imagelock remove {image.alias}` first",
        )
    return Alias(request.name)


def _parse_range(request: ImageRequest) -> VersionRange | None:
    version = ANY_VERSION if request.version == LATEST else request.version
    try:
        return parse_version_range(version=version, variant=request.variant, tag=request.tag)
    except InvalidSelectorError as error:
        raise ImagelockError(f"--{error.field}: {error.message}", details=error.details, hint=error.hint) from error


def _tagged(request: ImageRequest, written: WrittenReference) -> str:
    if request.tag is None:
        return request.reference
    _refuse_second_choice(written, "--tag")
    if not is_tag_in(written.repository, request.tag):
        raise ImagelockError(f"--tag: `{request.tag}` is not a tag: {TAG_RULE}")
    return f"{written.name}:{request.tag}"


def _write_range(
    request: ImageRequest, written: WrittenReference, wanted: VersionRange, list_tags: TagLister
) -> WrittenRange:
    begins_with_tag = request.version == LATEST and request.variant is None and request.tag is None
    if begins_with_tag and written.tag is not None and written.digest is None:
        return range_from_tag(written.tag)
    _refuse_second_choice(written, "the range")
    list_these = partial(list_tags, written.repository)
    return bound_range(wanted, request.version or LATEST, list_these, repository=written.repository)


def _refuse_second_choice(written: WrittenReference, what: str) -> None:
    if written.tag is not None or written.digest is not None:
        chosen = f"tag `{written.tag}`" if written.tag is not None else f"digest `{written.digest}`"
        raise ImagelockError(f"{what} stands beside the {chosen}: keep one of the two", hint=f"write `{written.name}`")


def _refuse_second_name(entry: ImageEntry, images_file: ImagesFile) -> None:
    """Refuse what images.toml has already, before it is written there a second time."""
    (added,) = parse_images_file("\n".join(entry.table_lines())).images
    for image in images_file.images:
        if (image.repository, image.selector) == (added.repository, added.selector):
            raise ImagelockError(f"images.toml has this image already, under the name `{image.alias}`")

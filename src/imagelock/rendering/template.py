"""Templates to files: the locked digests take the place of the placeholders, and no other byte changes."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator

from imagelock.errors import ImagelockError, InvalidPlatformError, did_you_mean
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.reference import LayoutRepository, registry_as_written

_PLACEHOLDER = re.compile(
    rb"(?<!\$)\{\{[ \t]*images\.([A-Za-z0-9_][A-Za-z0-9_-]*)(?:\.([A-Za-z0-9_][A-Za-z0-9_./()+-]*))?[ \t]*\}\}"
)


@frozen
class Placeholder:
    """One placeholder; ``start`` and ``end`` are offsets in bytes, ``end`` is exclusive."""

    alias: str
    field: str
    """Such as ``digest`` or ``platforms.linux/amd64``; empty for the whole reference."""
    start: int
    end: int


def find_placeholders(content: bytes) -> Iterator[Placeholder]:
    """Find every placeholder, in the order of the file."""
    for match in _PLACEHOLDER.finditer(content):
        alias, field = (group.decode("ascii") for group in match.groups(default=b""))
        yield Placeholder(alias, field, match.start(), match.end())


def position(content: bytes, offset: int) -> tuple[int, int]:
    """Return the line and the column of a byte, both counted from 1, columns in characters as editors show them."""
    line_start = content.rfind(b"\n", 0, offset) + 1
    column = len(content[line_start:offset].removeprefix(BOM_UTF8).decode("utf-8", errors="replace")) + 1
    return content.count(b"\n", 0, offset) + 1, column


_PLATFORMS = "platforms."
_DIGEST_SUFFIX = ".digest"


@frozen
class RenderedImage:
    """A locked image under the name that its owner gave it in images.toml."""

    name: str
    tag: str | None
    locked: LockedImage


@frozen
class Rendering:
    """What a template becomes, or what is wrong with it (lines that begin with ``FILE:LINE:COLUMN:``)."""

    content: bytes
    problems: tuple[str, ...]
    single_platforms: tuple[str, ...]
    """Placeholders that give one platform's digest instead of the index's."""


class _UnknownFieldError(ImagelockError):
    """A placeholder whose field doesn't exist; the message follows its position."""


def images_to_render(images_file: ImagesFile, lockfile: Lockfile) -> dict[str, RenderedImage]:
    """Join each locked image with its spelling; the lock must answer the images file."""
    locked_images = lockfile.by_alias()
    return {image.alias: _spelled(image, locked_images[image.alias]) for image in images_file.images}


def render(template: bytes, images: dict[str, RenderedImage], *, file_name: str) -> Rendering:
    """Replace every placeholder; each unknown name, field or platform is a problem, and all of them are reported."""
    pieces: list[bytes] = []
    problems: list[str] = []
    single_platforms: list[str] = []
    end = 0
    for placeholder in find_placeholders(template):
        try:
            replacement = _replacement(placeholder, images)
        except _UnknownFieldError as error:
            line, column = position(template, placeholder.start)
            problems.append(f"{file_name}:{line}:{column}: {error.message}")
            continue
        if placeholder.field.startswith(_PLATFORMS):
            single_platforms.append(f"{placeholder.alias}.{placeholder.field}")
        pieces += [template[end : placeholder.start], replacement.encode()]
        end = placeholder.end
    pieces.append(template[end:])
    return Rendering(b"".join(pieces), tuple(problems), tuple(single_platforms))


def _spelled(declaration: ImageDeclaration, locked: LockedImage) -> RenderedImage:
    """Find the words for an image; in a layout, a name such as ``golang:1.22`` says what was put there."""
    if isinstance(declaration.repository, LayoutRepository) and locked.tag and ":" in locked.tag:
        name, _, tag = locked.tag.rpartition(":")
        return RenderedImage(name, tag, locked)
    return RenderedImage(declaration.name, locked.tag, locked)


def _replacement(placeholder: Placeholder, images: dict[str, RenderedImage]) -> str:
    image = images.get(placeholder.alias)
    if image is None:
        raise _UnknownFieldError(f"unknown image `{placeholder.alias}`{did_you_mean(placeholder.alias, images)}")
    if placeholder.field.startswith(_PLATFORMS):
        return _platform_field(placeholder.field.removeprefix(_PLATFORMS), image)
    if placeholder.field not in _FIELDS:
        guess = did_you_mean(placeholder.field, [*_FIELDS, f"{_PLATFORMS}linux/amd64"])
        raise _UnknownFieldError(f"unknown field `{placeholder.field}` of the image `{placeholder.alias}`{guess}")
    return _FIELDS[placeholder.field](image)


def _platform_field(field: str, image: RenderedImage) -> str:
    try:
        wanted = Platform.parse(field.removesuffix(_DIGEST_SUFFIX))
    except InvalidPlatformError as error:
        raise _UnknownFieldError(error.message) from error
    digest = _platform_digest(wanted, image.locked)
    return str(digest) if field.endswith(_DIGEST_SUFFIX) else f"{_tagged(image)}@{digest}"


def _platform_digest(wanted: Platform, locked: LockedImage) -> Digest:
    digests = {entry.platform: entry.digest for entry in locked.platform_digests}
    matches = [platform for platform in digests if wanted.matches(platform)]
    if wanted in matches or len(matches) == 1:
        return digests[wanted if wanted in matches else matches[0]]
    problem = f"has several {wanted}" if matches else f"is not locked for {wanted}"
    names = sorted(map(str, digests))
    guess = "" if matches else did_you_mean(str(wanted), names)
    raise _UnknownFieldError(f"`{locked.alias}` {problem} (it is locked for: {', '.join(names)}){guess}")


def _tagged(image: RenderedImage) -> str:
    return f"{image.name}:{image.tag}" if image.tag else image.name


def _tag(image: RenderedImage) -> str:
    if image.tag is None:
        raise _UnknownFieldError(f"`{image.locked.alias}` is declared by its digest and has no tag")
    return image.tag


def _registry(image: RenderedImage) -> str:
    if image.name.startswith(str(LayoutRepository(""))):
        raise _UnknownFieldError(f"`{image.locked.alias}` comes from an OCI layout and has no registry")
    return registry_as_written(image.name)


_FIELDS: dict[str, Callable[[RenderedImage], str]] = {
    "": lambda image: f"{_tagged(image)}@{image.locked.digest}",
    "digest": lambda image: str(image.locked.digest),
    "tag": _tag,
    "repository": lambda image: image.name,
    "registry": _registry,
    "pinned": lambda image: f"{image.name}@{image.locked.digest}",
}

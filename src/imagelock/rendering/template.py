"""Render templates: replace placeholders by locked images; no other byte changes."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY

from imagelock.errors import ImagelockError, InvalidPlatformError, did_you_mean
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.reference import LayoutRepository, registry_as_written

_PLACEHOLDER = re.compile(
    rb"(\\)?(?<!\$)\{\{[ \t]*images\.(\w[\w-]*)(?:\.(\w[\w./()+-]*))?[ \t]*\}\}"  # in bytes, \w is ASCII
)
_MISSPELLED = rb"(?i)(?<![$\\])\{\{-?[ \t]*images?[ \t]*[.\[][^{}\n]{1,80}\}\}"
"""What begins like a placeholder; of a file that has others, only this is sure to be meant as one."""
_NEAR_MISS = rb"(?i)(?<!\$)\{\{[^{}\n]{0,80}image[^{}\n]{0,80}\}\}"


@frozen
class Placeholder:
    """One placeholder; ``start`` and ``end`` are offsets in bytes, ``end`` is exclusive."""

    alias: str
    field: str
    """Such as ``digest`` or ``platforms.linux/amd64``; empty for the whole reference."""
    start: int
    end: int


def find_placeholders(content: bytes) -> Iterator[Placeholder]:
    """Find every placeholder, in the order of the file; those after a backslash are text."""
    for match in _PLACEHOLDER.finditer(content):
        if match[1] is None:
            yield Placeholder(*_alias_and_field(match), match.start(), match.end())


def _alias_and_field(match: re.Match[bytes]) -> tuple[str, str]:
    _, alias, field = match.groups(default=b"")
    return alias.decode("ascii"), field.decode("ascii")


class Cursor:
    """Finds lines and columns of bytes that are asked for in the order of the file, reading it once.

    Both count from 1, columns in characters as editors show them; a byte order mark is none.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = len(BOM_UTF8) if content.startswith(BOM_UTF8) else 0
        self._line = self._column = 1

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of a byte, which is not before that of the last call."""
        passed = self._content[self._at : offset]
        if newlines := passed.count(b"\n"):
            self._line += newlines
            self._column = 1
            passed = passed[passed.rfind(b"\n") + 1 :]
        self._column += len(passed.decode("utf-8", errors="replace"))
        self._at = offset
        return self._line, self._column


_PLATFORMS = "platforms."
_DIGEST_SUFFIX = ".digest"


@frozen
class RenderedImage:
    """A locked image with its name as spelled in images.toml."""

    name: str
    tag: str | None
    locked: LockedImage
    is_frozen: bool = False
    """Whether updates leave it alone."""

    @property
    def is_layout_path(self) -> bool:
        """Whether the name is that of an OCI layout: no registry knows it."""
        return isinstance(self.locked.repository, LayoutRepository) and self.name.startswith("oci:")


@frozen
class Rendering:
    """The rendered content of a template, or its problems: lines that begin with ``FILE:LINE:COLUMN:``."""

    content: bytes
    problems: tuple[str, ...]
    single_platforms: tuple[str, ...]
    """Placeholders that give one platform's digest instead of the index's."""
    _: KW_ONLY
    notes: tuple[str, ...] = ()
    """Notes on the template, to be printed."""
    has_foreign_name: bool = False
    """Whether a name resembles none in images.toml, and may belong to another tool."""
    names: frozenset[str] = frozenset()
    """The names of the images in it."""


class _UnknownFieldError(ImagelockError):
    """A placeholder whose name or field doesn't exist; the message follows its position."""

    may_be_foreign = False
    """Whether the name resembles none in images.toml, and may belong to another tool."""


def images_to_render(images_file: ImagesFile, lockfile: Lockfile) -> dict[str, RenderedImage]:
    """Return each locked image with its spelling, by alias; the lock must match the images file."""
    locked_images = lockfile.by_alias()
    return {image.alias: _spelled(image, locked_images[image.alias]) for image in images_file.images}


def render(template: bytes, images: Mapping[str, RenderedImage], *, file_name: str) -> Rendering:
    """Replace every placeholder; each unknown name, field or platform is one of the problems of the result."""
    return _Renderer(template, images, file_name).render()


class _Renderer:
    """Renders one template. Equal placeholders are resolved once: a generated file may have millions."""

    def __init__(self, template: bytes, images: Mapping[str, RenderedImage], file_name: str) -> None:
        self._template = template
        self._images = images
        self._file_name = file_name
        self._known: dict[bytes, bytes] = {}
        self._cursor = Cursor(template)
        self._problems: list[str] = []
        self._single_platforms: dict[str, None] = {}
        self._has_foreign_name = False
        self._names: set[str] = set()

    def render(self) -> Rendering:
        content = _PLACEHOLDER.sub(self._replace, self._template)
        is_plain = not (self._known or self._problems)
        if is_plain and _is_in_utf_16(self._template):
            self._problems.append(
                f"{self._file_name}:1:1: it is UTF-16, and placeholders are read in UTF-8: save it as UTF-8"
            )
        return Rendering(
            content,
            tuple(self._problems),
            tuple(self._single_platforms),
            notes=(_describe_plain(self._template, self._file_name, self._images),) if is_plain else self._misspelled(),
            has_foreign_name=self._has_foreign_name,
            names=frozenset(self._names),
        )

    def _misspelled(self) -> tuple[str, ...]:
        """Tell what names an image of images.toml and is no placeholder all the same."""
        names = {name.lower().encode() for name in self._images}
        cursor = Cursor(self._template)
        notes: dict[str, str] = {}
        for match in re.finditer(_MISSPELLED, self._template):
            if not _PLACEHOLDER.match(match[0]) and names.intersection(re.findall(rb"[a-z0-9_-]+", match[0].lower())):
                line, column = cursor.position(match.start())
                text = match[0].decode("utf-8", errors="replace")
                notes.setdefault(
                    text, f"{self._file_name}:{line}:{column}: `{text}` is no placeholder and stays as it is"
                )
        return tuple(notes.values())

    def _replace(self, match: re.Match[bytes]) -> bytes:
        text = match[0]
        known = self._known.get(text)
        if known is None:
            known = self._look_up(match)
        return known

    def _look_up(self, match: re.Match[bytes]) -> bytes:
        text = match[0]
        if match[1]:
            self._known[text] = text.removeprefix(match[1])
            return self._known[text]
        alias, field = _alias_and_field(match)
        try:
            self._known[text] = _replacement(alias, field, self._images).encode()
        except _UnknownFieldError as error:
            line, column = self._cursor.position(match.start())
            self._problems.append(f"{self._file_name}:{line}:{column}: {error.message}")
            self._has_foreign_name |= error.may_be_foreign
            return text
        self._names.add(alias)
        if field.startswith(_PLATFORMS):
            self._single_platforms[f"{alias}.{field}"] = None
        return self._known[text]


def _is_in_utf_16(template: bytes) -> bool:
    """Whether a template has placeholders that no reader of bytes can see."""
    if not template.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return False
    return _PLACEHOLDER.search(template.decode("utf-16", errors="replace").encode()) is not None


def _describe_plain(template: bytes, file_name: str, images: Mapping[str, RenderedImage]) -> str:
    """Return a note that a template has no placeholder, with text in it that resembles one."""
    example = next(iter(images), "NAME")
    sentence = f"{file_name} has no placeholder such as `{{{{images.{example}}}}}`"
    near_miss = re.search(_NEAR_MISS, template)
    if near_miss is None:
        return sentence
    line, column = Cursor(template).position(near_miss.start())
    text = near_miss[0].decode("utf-8", errors="replace")
    return f"{sentence}; {file_name}:{line}:{column}: `{text}` is not one"


def _spelled(declaration: ImageDeclaration, locked: LockedImage) -> RenderedImage:
    """Return an image with the name to write; in an OCI layout a name such as ``golang:1.22`` is used instead."""
    if isinstance(declaration.repository, LayoutRepository) and locked.tag and ":" in locked.tag:
        name, _, tag = locked.tag.rpartition(":")
        return RenderedImage(name, tag, locked, declaration.freeze is not None)
    return RenderedImage(declaration.name, locked.tag, locked, declaration.freeze is not None)


def _replacement(alias: str, field: str, images: Mapping[str, RenderedImage]) -> str:
    image = images.get(alias)
    if image is None:
        guess = did_you_mean(alias, images)
        error = _UnknownFieldError(f"unknown image `{alias}`{guess}")
        error.may_be_foreign = not guess
        raise error
    if field.startswith(_PLATFORMS):
        return _platform_field(field.removeprefix(_PLATFORMS), image)
    if field not in _FIELDS:
        guess = did_you_mean(field, [*_FIELDS, f"{_PLATFORMS}linux/amd64"])
        raise _UnknownFieldError(f"unknown field `{field}` of the image `{alias}`{guess}")
    return _FIELDS[field](image)


def find_platform_digest(text: str, locked: LockedImage) -> Digest:
    """Return the digest of one platform; ``ImagelockError`` if it is no platform, or not locked."""
    try:
        wanted = Platform.parse(text)
    except InvalidPlatformError as error:
        raise _UnknownFieldError(error.message) from error
    return _platform_digest(wanted, locked)


def _platform_field(field: str, image: RenderedImage) -> str:
    digest = find_platform_digest(field.removesuffix(_DIGEST_SUFFIX), image.locked)
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
    if image.is_layout_path:
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

"""The text of a first images.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from imagelock.images_file.discovery import FoundImage, Survey, Unlockable
from imagelock.images_file.external import can_be_external
from imagelock.images_file.parser import RenderTarget, parse_images_file
from imagelock.images_file.toml import EXAMPLE, array, list_lines, quote
from imagelock.model.frozen import frozen
from imagelock.model.secrets import mask_user_info

DEFAULT_PLATFORMS = ("linux/amd64", "linux/arm64")
_SHOWN_PATHS = 3
_WILD = re.compile(r"[*?\[]")

_SCHEMA = "https://imagelock.github.io/imagelock/images.schema.json"
"""The JSON Schema for editors: the ``$id`` of images.schema.json."""


@frozen(kw_only=True)
class FirstFile:
    """The content of a first images.toml."""

    survey: Survey
    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    targets: tuple[RenderTarget, ...] = ()
    excluded: tuple[str, ...] = ()
    """Patterns of files that `--exclude` leaves out."""

    @property
    def pinned(self) -> tuple[str, ...]:
        """The paths of documents that are pinned in place: those without a template."""
        rendered = {target.output for target in self.targets}
        return tuple(path for path in self.survey.pinnable if path not in rendered)

    @property
    def left_alone(self) -> tuple[Unlockable, ...]:
        """Images in places where a digest cannot be written, in files without a template."""
        rendered = {target.output for target in self.targets}
        return tuple(obstacle for obstacle in self.survey.not_editable if obstacle.path not in rendered)


def pattern_of(path: str) -> str:
    """Return the pattern that means one path, whatever wildcards are in its name.

    Characters that images.toml cannot have in a pattern (backslashes) or in a string (control characters, bytes that
    are not UTF-8) become ``?``, which matches them.
    """
    escaped = _WILD.sub(r"[\g<0>]", path)
    return "".join("?" if character == "\\" or not character.isprintable() else character for character in escaped)


def dump_first_file(file: FirstFile) -> str:
    """Return the text of the file, which ``parse_images_file`` can read."""
    survey = file.survey
    parts = [_head(file), _images(survey.images), _render(file.targets), _pin(file), _external(file)]
    return "\n".join(f"{part}\n" for part in map("\n".join, parts) if part)


def _head(file: FirstFile) -> Iterator[str]:
    yield f"#:schema {_SCHEMA}"
    yield "# The images of this project: `imagelock lock` locks them, and `imagelock render` writes their digests."
    yield f"platforms = {array(file.platforms)}"


def _images(images: Sequence[FoundImage]) -> Iterator[str]:
    yield "[images]"
    if not images:
        yield EXAMPLE
    moving = [image for image in images if len(image.digests) != 1]
    pinned = [image for image in images if len(image.digests) == 1]
    yield from map(_image, moving)
    if pinned:
        yield from [""] if moving else []
        yield "# A digest here is kept as your files have it. To let `imagelock update` move such an image, run"
        yield "# `imagelock lock`, then take its digest off here: what is locked stays locked until you update it."
        yield from map(_image, pinned)


def _image(image: FoundImage) -> str:
    several = f"; with {len(image.digests)} different digests" if len(image.digests) > 1 else ""
    return f"{image.alias} = {quote(image.text)}  # {_listing(image.paths)}{several}"


def _listing(paths: Sequence[str]) -> str:
    """Return the first few paths and the number of the others, to keep lines short."""
    if len(paths) <= _SHOWN_PATHS + 1:
        return ", ".join(map(_printable, paths))
    return f"{', '.join(map(_printable, paths[:_SHOWN_PATHS]))} and {len(paths) - _SHOWN_PATHS} more"


def _render(targets: Sequence[RenderTarget]) -> Iterator[str]:
    if targets:
        yield "[render]"
        yield from (f"{quote(target.output)} = {quote(target.template)}" for target in targets)


def _pin(file: FirstFile) -> Iterator[str]:
    if file.pinned:
        yield "[pin]"
        yield from list_lines("files", [pattern_of(path) for path in file.pinned])


def _external(file: FirstFile) -> Iterator[str]:
    survey = file.survey
    files = (*survey.external_files, *file.excluded)
    left = sorted((*survey.unresolved, *file.left_alone), key=lambda each: (each.path, each.position))
    names, paths = _proposals(left, survey.images)
    if survey.external or files:
        yield "# Built here, or not ours."
    if survey.external or files or left:
        yield "[external]"
    if left:
        yield "# No digest can be written for the lines with a `#` below. To accept one as it is, take off its `#`."
    yield from _list_with_proposals("names", survey.external, names)
    yield from _list_with_proposals("files", files, paths)


def _proposals(
    left: Sequence[Unlockable], images: Sequence[FoundImage]
) -> tuple[dict[str, Unlockable], dict[str, Unlockable]]:
    """Return what may be accepted as it is, by name, or by file where images.toml cannot have the name."""
    declared = parse_images_file("\n".join(_images(images))).images
    names: dict[str, Unlockable] = {}
    paths: dict[str, Unlockable] = {}
    for obstacle in left:
        if can_be_external(obstacle.name, declared):
            names.setdefault(mask_user_info(obstacle.name), obstacle)
        else:
            paths.setdefault(pattern_of(obstacle.path), obstacle)
    return names, paths


def _list_with_proposals(key: str, texts: Sequence[str], proposals: Mapping[str, Unlockable]) -> Iterator[str]:
    """Yield a list, with a commented line for each proposal; nothing if there is neither text nor proposal."""
    if not proposals:
        yield from list_lines(key, texts) if texts else ()
        return
    yield f"{key} = ["
    yield from (f"    {quote(text)}," for text in texts)
    yield from (
        f"    # {quote(text)},  # {_printable(it.place)}: {_printable(it.reason)}" for text, it in proposals.items()
    )
    yield "]"


def _printable(text: str) -> str:
    """Replace characters that a TOML comment cannot have: names of files can have any."""
    return "".join(character if character.isprintable() else "?" for character in mask_user_info(text))

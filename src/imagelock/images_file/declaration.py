"""One image that a project wants: a key or a table under ``[images]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NewType, Self

from imagelock.errors import InvalidPlatformError, InvalidReferenceError, InvalidSelectorError, did_you_mean
from imagelock.images_file.toml import Path, Problems, TableReader
from imagelock.model.cooldown import Cooldown, UnknownAge
from imagelock.model.frozen import frozen
from imagelock.model.platforms import Platform
from imagelock.model.reference import (
    DEFAULT_TAG,
    TAG_RULE,
    AnyRepository,
    UnnormalizedReference,
    is_tag_in,
    split_image,
)
from imagelock.model.selector import ExactDigest, ExactTag, Selector

if TYPE_CHECKING:
    from imagelock.model.tags.version_range import VersionRange

Alias = NewType("Alias", str)
"""The key under ``[images]``: the name that templates and commands use."""

ALL_PLATFORMS = "all"
NO_COOLDOWN = Cooldown()
_AGE = r"([0-9]{1,4}) ?(hour|day|week)s?"
_COOLDOWN_KEYS = ("minimum-age", "unknown-age")
_ALIAS = re.compile(r"\w[\w-]*", re.ASCII)


@frozen(kw_only=True)
class ImageDeclaration:
    """What is wanted of one image."""

    alias: Alias
    name: str
    """The image as spelled, without tag and digest: what rendering writes."""
    repository: AnyRepository
    selector: Selector
    platforms: tuple[Platform, ...] = ()
    """Sorted; empty for every platform that the index lists."""
    freeze: str | None = None
    """Why updates leave this image alone."""
    freeze_until: date | None = None
    """The last day on which that is a good reason."""
    cooldown: Cooldown = NO_COOLDOWN
    """How old a tag's image must be; off for exact tags, where there is no choice."""

    @property
    def builds(self) -> tuple[Platform, ...]:
        """The platforms that name a build of Windows, or a part of one."""
        return tuple(platform for platform in self.platforms if platform.names_build)

    def is_overdue(self, today: date) -> bool:
        """Whether the day is over until which the image was to be left alone."""
        return self.freeze_until is not None and today > self.freeze_until


def is_alias(text: str) -> bool:
    """Whether a text can name an image: no dots, since templates write ``images.NAME.digest``."""
    return _ALIAS.fullmatch(text) is not None


@frozen
class Defaults:
    """What images.toml says of all images at once."""

    platforms: tuple[Platform, ...] = ()
    cooldown: Cooldown = NO_COOLDOWN

    @classmethod
    def read(cls, document: TableReader) -> Self:
        """Read the keys at the top of images.toml."""
        return cls(_read_platforms(document), read_cooldown(document))


def read_declaration(alias: str, value: object, defaults: Defaults, problems: Problems) -> ImageDeclaration | None:
    """Read one image, in its short form (a reference) or its long one (a table); None where it has problems."""
    path: Path = ("images", alias)
    if not is_alias(alias):
        problems.add(path, "is not a name: letters, digits, `_` and `-`, and no `-` in front")
    if isinstance(value, str):
        written = _read_reference(value, path, problems)
        return _declare(alias, TableReader({}, path, problems), written, defaults)
    if not isinstance(value, dict):
        problems.add(path, "must be a reference or a table")
        return None
    return _read_long_form(alias, value, defaults, problems)


def _read_platforms(table: TableReader, default: tuple[Platform, ...] = ()) -> tuple[Platform, ...]:
    """Read ``platforms``: an array, or ``"all"`` (an empty tuple here)."""
    value = table.raw("platforms")
    if value is None:
        return default
    if value == ALL_PLATFORMS:
        return ()
    texts = table.texts("platforms", what='an array of strings, or "all"')
    if texts == ():
        table.add("platforms", 'must not be empty: leave it out, or write "all", for every platform of the index')
    platforms: list[Platform] = []
    for text in texts or ():
        try:
            platform = Platform.parse(text)
        except InvalidPlatformError as error:
            table.add("platforms", error.message, hint=error.hint)
            continue
        if platform in platforms:
            table.add("platforms", f"`{text}` is there twice: it means {platform}")
        platforms.append(platform)
    return tuple(sorted(platforms, key=str))


def _read_long_form(
    alias: str, value: Mapping[str, Any], defaults: Defaults, problems: Problems
) -> ImageDeclaration | None:
    table = TableReader(value, ("images", alias), problems)
    text = table.text("image")
    if not table.has("image"):
        problems.add(table.path, 'has no `image`, such as `image = "golang:1.22"`')
    written = None if text is None else _read_reference(text, (*table.path, "image"), problems)
    declaration = _declare(alias, table, written, defaults)
    table.refuse_other_keys()
    return declaration


def _declare(
    alias: str, table: TableReader, written: UnnormalizedReference | None, defaults: Defaults
) -> ImageDeclaration | None:
    selector = _read_selector(table, written)
    platforms = _read_platforms(table, defaults.platforms)
    freeze, freeze_until = table.text("freeze"), table.date("freeze-until")
    if freeze_until is not None and not table.has("freeze"):
        table.add("freeze-until", "goes with `freeze`, which says why")
    cooldown = _read_range_cooldown(table, selector, defaults.cooldown)
    if written is None or selector is None:
        return None
    return ImageDeclaration(
        alias=Alias(alias),
        name=written.name,
        repository=written.repository,
        selector=selector,
        platforms=platforms,
        freeze=freeze,
        freeze_until=freeze_until,
        cooldown=cooldown,
    )


def _read_range_cooldown(table: TableReader, selector: Selector | None, default: Cooldown) -> Cooldown:
    own = read_cooldown(table, default)
    if selector is not None and not isinstance(selector, ExactTag | ExactDigest):
        return own
    for key in _COOLDOWN_KEYS if selector is not None else ():
        if table.has(key):
            table.add(key, "goes with a version range: an exact tag or digest leaves no older one to take instead")
    return NO_COOLDOWN


def _read_reference(text: str, path: Path, problems: Problems) -> UnnormalizedReference | None:
    try:
        return split_image(text)
    except InvalidReferenceError as error:
        problems.add(path, error.message, hint=error.hint)
        return None


def _read_selector(table: TableReader, written: UnnormalizedReference | None) -> Selector | None:
    tag = table.text("tag")
    version_range = read_version_range(table, tag)
    if written is None:
        return None
    if (tag is not None or version_range is not None) and (written.tag is not None or written.digest is not None):
        _refuse_second_choice(table, written)
    if version_range is not None:
        return version_range
    if tag is not None and not is_tag_in(written.repository, tag):
        table.add("tag", f"`{tag}` is not a tag: {TAG_RULE}")
    if written.digest is not None:
        return ExactDigest(written.digest, written.tag)
    return ExactTag(tag or written.tag or DEFAULT_TAG)


def _refuse_second_choice(table: TableReader, written: UnnormalizedReference) -> None:
    chosen = f"tag `{written.tag}`" if written.tag is not None else f"digest `{written.digest}`"
    for key in ("version", "variant", "tag"):
        if table.has(key):
            table.add(key, f"cannot go with the {chosen} in `image`: keep one of the two")


def read_version_range(table: TableReader, tag: str | None) -> VersionRange | None:
    """Read the keys that with ``tag`` make a range, in images.toml or in ``declared``; None where that is exact."""
    version, variant = table.text("version"), table.text("variant")
    precision, prereleases = table.integer("precision"), table.boolean("prereleases") or False
    if (version, variant, precision, prereleases) == (None, None, None, False) and not _has_brace(tag):
        return None
    from imagelock.model.tags.version_range import parse_version_range  # noqa: PLC0415  three modules for ranges alone

    try:
        return parse_version_range(
            version=version, variant=variant, tag=tag, precision=precision, prereleases=prereleases
        )
    except InvalidSelectorError as error:
        table.add(error.field, error.message, details=error.details, hint=error.hint)
        return None


def _has_brace(tag: str | None) -> bool:
    return tag is not None and ("{" in tag or "}" in tag)


def read_cooldown(table: TableReader, default: Cooldown = NO_COOLDOWN) -> Cooldown:
    """Read ``minimum-age`` and ``unknown-age``, each with its default."""
    age, unknown = table.text("minimum-age"), table.text("unknown-age")
    if age is None and unknown is None:
        return default
    return Cooldown(
        default.minimum_age if age is None else _read_age(age, table),
        default.unknown_age if unknown is None else _read_unknown_age(unknown, table),
    )


def _read_age(text: str, table: TableReader) -> timedelta:
    match = re.fullmatch(_AGE, text, re.ASCII)
    if match is None:
        table.add("minimum-age", f'`{text}` is no time: write "7 days", "36 hours" or "2 weeks"')
        return timedelta(0)
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _read_unknown_age(text: str, table: TableReader) -> UnknownAge:
    if text in list(UnknownAge):
        return UnknownAge(text)
    table.add("unknown-age", f'must be "accept" or "refuse"{did_you_mean(text, list(UnknownAge))}')
    return UnknownAge.REFUSE

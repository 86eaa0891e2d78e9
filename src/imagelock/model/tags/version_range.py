"""Version ranges over tags: the value that images.toml declares and images.lock copies."""

from __future__ import annotations

from dataclasses import field, replace

from imagelock.errors import InvalidSelectorError
from imagelock.model.frozen import frozen
from imagelock.model.tags.pattern import ANY_TAG, TagPattern, is_serial, leading_numbers, next_breaking_release
from imagelock.model.tags.specifier import ANY_VERSION, Clause, dump_specifier, parse_specifier


@frozen
class VersionRange:
    """Selects the newest tag that fits a pattern and has a version in a range."""

    clauses: tuple[Clause, ...]
    """Sorted; empty for any version."""
    pattern: TagPattern = ANY_TAG
    precision: int | None = None
    """The number of components that the version must have, to lock floating tags."""
    prereleases: bool = False
    written: str = field(default="", compare=False)
    """The specifier as typed, for messages; empty for a range that no person wrote."""

    @property
    def shown(self) -> str:
        """The specifier for people: as typed, or as images.lock writes it."""
        return self.written or self.version

    @property
    def version(self) -> str:
        """The specifier as images.lock writes it: ``<21,>=20.11``."""
        return dump_specifier(self.clauses)

    @property
    def is_unbounded(self) -> bool:
        """Whether the range has no upper bound, so that it will select the next major release."""
        return not any(clause.bounds_above for clause in self.clauses)

    @property
    def without_end(self) -> VersionRange:
        """The same range without its upper bounds."""
        return replace(self, clauses=tuple(it for it in self.clauses if not it.bounds_above), written="")

    @property
    def any_version(self) -> VersionRange:
        """A range over all tags that fit the pattern."""
        return VersionRange(clauses=(), pattern=self.pattern, prereleases=True)

    def __str__(self) -> str:
        pattern = f" as `{self.pattern}`" if self.pattern != ANY_TAG else ""
        precision = f", precision {self.precision}" if self.precision else ""
        return f"version `{self.shown}`{pattern}{precision}{', with pre-releases' if self.prereleases else ''}"


def parse_version_range(
    *,
    version: str | None = None,
    variant: str | None = None,
    tag: str | None = None,
    precision: int | None = None,
    prereleases: bool = False,
) -> VersionRange | None:
    """Parse the keys of images.toml, or of ``declared`` in images.lock; ``None`` if they name one exact tag.

    ``version``, ``variant`` or a brace in ``tag`` makes a range. ``InvalidSelectorError`` names the wrong key.
    """
    if version is None and variant is None and not _is_pattern(tag):
        if precision is not None or prereleases:
            raise _needs_range("prereleases" if precision is None else "precision")
        return None
    return VersionRange(
        clauses=parse_specifier(ANY_VERSION if version is None else version),
        pattern=_parse_pattern(tag, variant),
        precision=_parse_precision(precision),
        prereleases=prereleases,
        written=" ".join((version or "").split()),
    )


def range_fields(wanted: VersionRange) -> dict[str, str | int | bool]:
    """Return the keys of a range for ``declared`` in images.lock, normalized; ``parse_version_range`` parses them."""
    fields: dict[str, str | int | bool] = {"version": wanted.version, "tag": str(wanted.pattern)}
    if wanted.precision is not None:
        fields["precision"] = wanted.precision
    if wanted.prereleases:
        fields["prereleases"] = True
    return fields


def _is_pattern(tag: str | None) -> bool:
    return tag is not None and ("{" in tag or "}" in tag)


def _needs_range(field: str) -> InvalidSelectorError:
    return InvalidSelectorError(
        "goes with a version range, and this is an exact tag",
        field=field,
        hint="give a `version`, such as `>=3.12,<4`",
    )


def _parse_pattern(tag: str | None, variant: str | None) -> TagPattern:
    if variant is not None and tag is not None:
        raise InvalidSelectorError(
            f'is short for `tag = "{{version}}-{variant}"`, and `tag` is there too: keep one of the two',
            field="variant",
        )
    if variant is not None:
        return TagPattern.of_variant(variant)
    if tag is None:
        return ANY_TAG
    if not _is_pattern(tag):
        raise InvalidSelectorError(
            f"cannot go with the exact tag `{tag}`, which leaves nothing to choose",
            field="version",
            hint='remove `version`, or give a pattern such as `tag = "{version}-slim"`',
        )
    return TagPattern.parse(tag)


def _parse_precision(precision: int | None) -> int | None:
    if precision is not None and precision < 1:
        raise InvalidSelectorError(f"is {precision}, and a version has at least 1 number", field="precision")
    return precision


def bounded_range_for(tag: str) -> VersionRange | None:
    """Return the range from a tag to its next breaking release, in the same variant; ``None`` without a version.

    ``3.12.4-slim`` gives ``>=3.12.4,<4``, ``0.4.2`` gives ``>=0.4.2,<0.5``, ``bookworm-20240612`` gives
    ``>=2024.6.12,<2025``. A build is left open: ``17.0.2_8-jre`` gives ``>=17.0.2,<18`` as ``{version}_{build}-jre``.
    """
    from imagelock.model.tags.guess import guess_pattern  # noqa: PLC0415  only a new range needs it

    guess = guess_pattern(tag)
    if guess is None:
        return None
    # The time of day is left out: it would make the range hard to read.
    version = ".".join(guess.version.split(".")[:3]) if guess.is_date else guess.version
    at_least = VersionRange(clauses=parse_specifier(f">={version}"), pattern=guess.pattern)
    return with_upper_bound(at_least, version=version)


def with_upper_bound(wanted: VersionRange, *, version: str) -> VersionRange:
    """Return the range with an upper bound at the next breaking release after a version.

    Serial numbers have no breaking releases: a range over them is returned unchanged.
    """
    numbers = leading_numbers(version)
    if is_serial(numbers):
        return wanted
    bound = parse_specifier(f"<{next_breaking_release(numbers)}")
    return replace(wanted, clauses=tuple(sorted({*wanted.clauses, *bound}, key=str)), written="")

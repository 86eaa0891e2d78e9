"""Finds the locked digest for a reference in a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, AnyRepository, ImageReference, PinnedReference

AcceptsTag = Callable[[str], bool]
_NO_NAMES: Mapping[PinnedReference, str] = MappingProxyType({})


@frozen(kw_only=True)
class Retag:
    """References whose tag is not locked, and that get the locked tag of an image of their repository.

    Without a name, those whose repository is declared once, by an exact tag or by a range that they once followed; and
    of several images of a repository, those that only one range takes.
    """

    name: str | None = None
    """The image that was moved, by its name in images.toml."""
    old_tag: str | None = None
    old_digest: Digest | None = None


@frozen
class Locked:
    """The digest that is locked for a reference."""

    digest: Digest
    tag: str | None = None
    """The locked tag, if the document has another one."""


@frozen
class Sibling:
    """The image that a reference may be meant to follow: the only one of its repository, or the range for its tag."""

    name: str
    tag: str | None
    """The locked tag; None for an image that is declared by its digest alone."""
    is_allowed: bool = True
    """Whether images.toml admits that the image moves to the tag of the reference."""
    is_frozen: bool = False
    is_same_variant: bool = True
    """Whether the tag of the reference fits the pattern of a range; it may be another image if it does not."""


@frozen
class NotLocked:
    """Nothing is locked for a reference; other tags of its repository may be."""

    other_tags: tuple[str, ...]
    sibling: Sibling | None = None
    """The image that the reference may be meant to follow, or to move."""


@frozen
class LockedTwice:
    """Several locked digests fit a reference."""

    tags: tuple[str, ...]


@frozen
class RangeTags:
    """Which tags a range takes."""

    accepts: AcceptsTag
    fits_pattern: AcceptsTag
    """Whether a tag has the form of its tags, in any version."""


LockAnswer = Locked | NotLocked | LockedTwice


@frozen(kw_only=True)
class NamedImage:
    """A locked image, by its name in images.toml."""

    reference: PinnedReference | None
    """The reference that files have for it, with its locked tag; ``None`` if it is only a path in a layout."""
    accepts_tag: AcceptsTag
    """Whether a tag is in its range, or is the tag from which it is being moved."""
    retags: bool = False
    """Whether a reference gets the locked tag, whatever tag it has."""
    find_platform: Callable[[str], Digest]
    """Returns the digest of one platform; ``ImagelockError`` if it is not locked for it."""


_NO_RANGES: Mapping[PinnedReference, RangeTags] = MappingProxyType({})
_NO_IMAGES: Mapping[str, NamedImage] = MappingProxyType({})


class LockedReferences:
    """All locked images, by repository and tag as documents have them."""

    def __init__(
        self,
        references: Iterable[PinnedReference],
        *,
        ranges: Mapping[PinnedReference, RangeTags] = _NO_RANGES,
        names: Mapping[PinnedReference, str] = _NO_NAMES,
        named: Mapping[str, NamedImage] = _NO_IMAGES,
        frozen_names: Collection[str] = (),
        retag: Retag | None = None,
    ) -> None:
        """Take the images, and for those with a range the tags that it takes.

        ``names`` are those in images.toml, ``named`` all images by these names, for marker comments.
        """
        self._ranges = ranges
        self._frozen = frozen_names
        self._names = names
        self.named = named
        self._retag = retag
        self._by_repository: dict[AnyRepository, list[PinnedReference]] = defaultdict(list)
        for reference in references:
            self._by_repository[reference.repository].append(reference)

    def find(self, reference: ImageReference, *, any_tag: bool = False) -> LockAnswer:
        """Find the digest for a reference, by its tag, whatever digest it has.

        A reference that has a digest, and a tag that a range takes, was pinned when that was its newest: it follows.
        A digest without a tag means the locked image that has it, or else ``latest``; with ``any_tag``, where tags are
        left out on purpose, the only locked image of the repository.
        """
        locked = self._by_repository.get(reference.repository, [])
        if reference.tag is not None:
            matching = [each for each in locked if each.tag == reference.tag]
            answer = _answer(locked, matching)
            if not matching and isinstance(reference, PinnedReference):
                answer = self._follow(locked, reference.tag)
            return self._with_sibling(locked, reference) if isinstance(answer, NotLocked) else answer
        wanted = [each for each in locked if each.digest == reference.digest]
        latest = [each for each in locked if each.tag == DEFAULT_TAG]
        moved = self._moved(locked, reference)
        answer = _answer(locked, wanted or moved or latest or (locked if any_tag else []))
        return self._with_sibling(locked, reference) if isinstance(answer, NotLocked) else answer

    def names_of(self, reference: ImageReference) -> frozenset[str]:
        """Return the names of the images that a reference means."""
        answer = self.find(reference, any_tag=True)
        if not isinstance(answer, Locked):
            return frozenset()
        locked = self._by_repository.get(reference.repository, [])
        return frozenset(self._names[each] for each in locked if each.digest == answer.digest and each in self._names)

    def find_tag(self, reference: PinnedReference) -> str | None:
        """Return the tag for which a digest is locked."""
        locked = self._by_repository.get(reference.repository, [])
        return next((each.tag for each in locked if each.digest == reference.digest), None)

    def _with_sibling(self, locked: list[PinnedReference], reference: ImageReference) -> LockAnswer:
        """Return the answer for what is not locked, with the image that the reference may follow, if any."""
        if moved := self._moved(locked, reference):
            return Locked(moved[0].digest, moved[0].tag)
        candidates = locked if len(locked) == 1 else self._ranges_with(locked, reference.tag)
        sibling = self._sibling(candidates[0], reference) if len(candidates) == 1 else None
        if sibling is None:
            return NotLocked(_tags(locked))
        # A digest is given as it was written; a tag must not stay beside the digest of another one.
        may_follow = reference.tag is None or sibling.tag is not None
        if self._retag is not None and self._retag.name is None and may_follow:
            return Locked(candidates[0].digest, sibling.tag if reference.tag is not None else None)
        return NotLocked(_tags(locked), sibling)

    def _sibling(self, image: PinnedReference, reference: ImageReference) -> Sibling | None:
        """Return the image for a reference, unless a tag without digest does not fit its range's pattern."""
        name, tags = self._names.get(image), self._ranges.get(image)
        if name is None:
            return None
        is_frozen = name in self._frozen
        if tags is None or reference.tag is None:
            return Sibling(name, image.tag, is_frozen=is_frozen)
        fits = tags.fits_pattern(reference.tag)
        if not fits and not isinstance(reference, PinnedReference):
            return None
        is_allowed = tags.accepts(reference.tag)
        return Sibling(name, image.tag, is_allowed=is_allowed, is_frozen=is_frozen, is_same_variant=fits)

    def _moved(self, locked: list[PinnedReference], reference: ImageReference) -> list[PinnedReference]:
        """Find the image that was moved from what a reference has."""
        if self._retag is None or self._retag.name is None:
            return []
        old = self._retag.old_tag if reference.tag is not None else self._retag.old_digest
        written = reference.tag if reference.tag is not None else getattr(reference, "digest", None)
        return [each for each in locked if self._names.get(each) == self._retag.name and written == old]

    def _ranges_with(self, locked: list[PinnedReference], tag: str | None) -> list[PinnedReference]:
        return [each for each in locked if tag and each in self._ranges and self._ranges[each].accepts(tag)]

    def _follow(self, locked: list[PinnedReference], tag: str) -> LockAnswer:
        matching = self._ranges_with(locked, tag)
        answer = _answer(locked, matching)
        return replace(answer, tag=matching[0].tag) if isinstance(answer, Locked) else answer


def _answer(locked: list[PinnedReference], matching: list[PinnedReference]) -> LockAnswer:
    digests = {each.digest for each in matching}
    if not digests:
        return NotLocked(_tags(locked))
    return Locked(digests.pop()) if len(digests) == 1 else LockedTwice(_tags(matching))


def _tags(references: list[PinnedReference]) -> tuple[str, ...]:
    return tuple(sorted({reference.tag for reference in references if reference.tag}))

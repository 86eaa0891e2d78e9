"""What the lockfile says about a reference in a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, AnyRepository, ImageReference, PinnedReference

AcceptsTag = Callable[[str], bool]
_NONE: Mapping[PinnedReference, AcceptsTag] = MappingProxyType({})


@frozen
class Locked:
    """The one digest that the lockfile has for a reference."""

    digest: Digest
    tag: str | None = None
    """The tag that belongs to it, where another one stands in the document."""


@frozen
class NotLocked:
    """The lockfile has nothing for a reference, but maybe other tags of its repository."""

    other_tags: tuple[str, ...]


@frozen
class LockedTwice:
    """The lockfile has several digests that a reference may mean."""

    tags: tuple[str, ...]


LockAnswer = Locked | NotLocked | LockedTwice


class LockedReferences:
    """All locked images, found by the repository and tag that people write, whatever names images.toml gives them."""

    def __init__(
        self, references: Iterable[PinnedReference], *, ranges: Mapping[PinnedReference, AcceptsTag] = _NONE
    ) -> None:
        """Take the images, and for those that a range chose, which tags it would take, too."""
        self._ranges = ranges
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
            if not matching and isinstance(reference, PinnedReference):
                return self._follow(locked, reference.tag)
            return _answer(locked, matching)
        wanted = [each for each in locked if each.digest == reference.digest]
        latest = [each for each in locked if each.tag == DEFAULT_TAG]
        return _answer(locked, wanted or latest or (locked if any_tag else []))

    def find_tag(self, reference: PinnedReference) -> str | None:
        """Find the tag under which a digest was locked."""
        locked = self._by_repository.get(reference.repository, [])
        return next((each.tag for each in locked if each.digest == reference.digest), None)

    def _follow(self, locked: list[PinnedReference], tag: str) -> LockAnswer:
        matching = [each for each in locked if each in self._ranges and self._ranges[each](tag)]
        answer = _answer(locked, matching)
        return replace(answer, tag=matching[0].tag) if isinstance(answer, Locked) else answer


def _answer(locked: list[PinnedReference], matching: list[PinnedReference]) -> LockAnswer:
    digests = {each.digest for each in matching}
    if not digests:
        return NotLocked(_tags(locked))
    return Locked(digests.pop()) if len(digests) == 1 else LockedTwice(_tags(matching))


def _tags(references: list[PinnedReference]) -> tuple[str, ...]:
    return tuple(sorted({reference.tag for reference in references if reference.tag}))

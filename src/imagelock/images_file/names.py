"""Names for images, as a person would choose them: ``golang``, ``postgres-15`` beside ``postgres-16``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import count

from imagelock.images_file.declaration import Alias
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, DOCKER_HUB, LayoutRepository, UnnormalizedReference

_OFFICIAL = "library"
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+", re.ASCII)
_FIRST_NUMBERS = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?![0-9A-Za-z])", re.ASCII)


@frozen
class _Subject:
    """What of an image can make its name."""

    path: tuple[str, ...]
    """The registry, unless it is Docker Hub, and the components of the repository's path."""
    tag: str
    """Empty where it says nothing."""


def propose_names(images: Sequence[UnnormalizedReference], *, taken: Collection[str] = ()) -> tuple[Alias, ...]:
    """Name images of one project, each by the least that tells it from the others and from the taken names."""
    subjects = [_subject(image) for image in images]
    bases = _distinct_paths({subject.path for subject in subjects})
    tags_of: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        tags_of[bases[subject.path]].append(subject.tag)
    tag_words = {base: _distinct_tags(tags) for base, tags in tags_of.items()}
    reserved = frozenset(taken)
    used = set(taken)
    names: list[Alias] = []
    for subject in subjects:
        base = bases[subject.path]
        wanted = [_joined(base, tag_words[base][subject.tag])]
        if wanted[0] in reserved:
            wanted = _wanted_names(subject)
        names.append(_free_name(wanted, used))
        used.add(names[-1])
    return tuple(names)


def propose_name(image: UnnormalizedReference, taken: Collection[str]) -> Alias:
    """Name one more image of a project whose other names are taken."""
    return _free_name(_wanted_names(_subject(image)), taken)


def _wanted_names(subject: _Subject) -> list[str]:
    base = _word(subject.path[-1])
    paths = (_word("-".join(subject.path[-length:])) for length in range(2, len(subject.path) + 1))
    return [base, *(_joined(base, words) for words in _tag_forms(subject.tag)), *paths]


def _subject(image: UnnormalizedReference) -> _Subject:
    tag = image.tag or ""
    if isinstance(image.repository, LayoutRepository):
        # The name in a layout, such as `golang:1.22`, says more than the layout's folder.
        name, _, tag = tag.partition(":") if tag else (image.repository.directory, "", "")
        return _Subject(tuple(filter(_word, name.split("/"))) or (DEFAULT_TAG,), tag)
    path = tuple(image.repository.path.split("/"))
    if image.repository.registry != DOCKER_HUB:
        path = (image.repository.registry, *path)
    elif path[0] == _OFFICIAL:
        path = path[1:]
    if image.digest is not None and not tag:
        return _Subject(path, image.digest.short)
    return _Subject(path, "" if tag == DEFAULT_TAG else tag)


def _distinct_paths(paths: Collection[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Take as many components from the end as it needs; Docker's official images keep their short names."""
    names: dict[tuple[str, ...], str] = {path: _word(path[0]) for path in paths if len(path) == 1}
    for length in range(1, max(map(len, paths), default=0) + 1):
        by_name: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for path in sorted(paths - names.keys()):
            by_name[_word("-".join(path[-length:]))].append(path)
        for name, candidates in by_name.items():
            if len(candidates) == 1 and name not in names.values():
                names[candidates[0]] = name
    # What is left differs in signs only that no name has; it is numbered in the end.
    return {path: names.get(path) or _word("-".join(path)) for path in paths}


def _distinct_tags(tags: Sequence[str]) -> dict[str, str]:
    """Take the first number of each tag, the first two, or all of it: the least that tells them apart."""
    if len(set(tags)) < 2:  # noqa: PLR2004  one tag needs no other name than its repository's
        return dict.fromkeys(tags, "")
    forms = [tuple(_tag_forms(tag)) for tag in tags]
    for form in zip(*forms, strict=True):
        words = dict(zip(tags, form, strict=True))
        if len(set(words.values())) == len(words):
            return words
    return {tag: _word(tag) for tag in tags}


def _tag_forms(tag: str) -> Iterator[str]:
    numbers = _FIRST_NUMBERS.match(tag)
    whole = _word(tag)
    yield numbers[1] if numbers else whole
    yield "-".join(filter(None, numbers.groups())) if numbers else whole
    yield whole


def _free_name(wanted: Sequence[str], taken: Collection[str]) -> Alias:
    numbered = (f"{wanted[0]}-{number}" for number in count(2))
    return Alias(next(name for names in (wanted, numbered) for name in names if name not in taken))


def _joined(base: str, words: str) -> str:
    return f"{base}-{words}" if words else base


def _word(text: str) -> str:
    return _NO_NAME.sub("-", text).strip("-")

"""Names for images, as a person would choose them: ``golang``, ``postgres-15`` beside ``postgres-16``.

docs/images-toml.md has the rule. A name depends on the tag only where a repository has several, and on the registry
only where two registries have the same path.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count

from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.model.frozen import frozen
from imagelock.model.reference import DEFAULT_TAG, DOCKER_HUB, AnyRepository, LayoutRepository, UnnormalizedReference
from imagelock.model.selector import ExactDigest, ExactTag

_OFFICIAL = "library"
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+", re.ASCII)
_FIRST_NUMBERS = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?![0-9A-Za-z])", re.ASCII)
_LONG_HEX = re.compile(r"(?<![0-9A-Za-z])([0-9a-f]{7})[0-9a-f]{6,}(?![0-9A-Za-z])")
_GENERIC = frozenset(
    "all base controller core image images in main minimal notebook one operator release runtime sdk".split()
)
"""Words that do not tell one product from another."""
_LEVELS = 3
"""How many forms of a tag ``_tag_forms`` returns."""


@frozen
class _Repository:
    """The parts of a repository that its name is made of."""

    registry: str
    """Empty for an OCI layout on disk."""
    path: tuple[str, ...]
    """The components of the path, without ``library``; never empty."""

    @classmethod
    def of(cls, repository: AnyRepository, tag: str) -> _Repository:
        """Take the parts of a repository; the tag of a layout may begin with a repository: ``demo/golang:1.22``."""
        if isinstance(repository, LayoutRepository):
            name = tag.partition(":")[0] or repository.directory
            return cls("", tuple(filter(_word, name.split("/"))) or (DEFAULT_TAG,))
        components = repository.path.split("/")
        return cls(repository.registry, tuple(it for it in components if it != _OFFICIAL) or (_OFFICIAL,))


@frozen
class _Named:
    """What a name was made of."""

    repository: _Repository
    tag: str
    """Empty for ``latest``; the first digits of the digest where there is no tag."""


def taken_names(images: Iterable[ImageDeclaration]) -> dict[str, _Named]:
    """Return the names in images.toml, each with the image that it means."""
    named: dict[str, _Named] = {}
    for image in images:
        tag = image.selector.tag if isinstance(image.selector, ExactTag | ExactDigest) else None
        written = UnnormalizedReference(image.name, tag, None, image.repository)
        named[image.alias] = _named(written)
    return named


def propose_names(images: Sequence[UnnormalizedReference], *, taken: Mapping[str, _Named]) -> tuple[Alias, ...]:
    """Return a name for each image: a valid key of ``[images]``, as short as tells it from all others.

    ``taken`` are the names of other images, as ``taken_names`` returns them; they are left alone.
    """
    named = [_named(image) for image in images]
    owners = {name: it.repository for name, it in taken.items()}
    bases = _name_repositories(dict.fromkeys(it.repository for it in named), owners)
    tags, declared_tags = _tags_by_repository(named), _tags_by_repository(taken.values())
    words = {repository: _tag_words(found, declared_tags[repository]) for repository, found in tags.items()}
    used = set(taken)
    names: list[Alias] = []
    for it in named:
        wanted = ["-".join(filter(None, (bases[it.repository], word))) for word in words[it.repository][it.tag]]
        names.append(_free_name(wanted, used))
        used.add(names[-1])
    return tuple(names)


def _named(image: UnnormalizedReference) -> _Named:
    return _Named(_Repository.of(image.repository, image.tag or ""), _tag_of(image))


def _tag_of(image: UnnormalizedReference) -> str:
    """Return the part that tells images of one repository apart; empty for ``latest``."""
    tag = image.tag or ""
    if isinstance(image.repository, LayoutRepository):
        tag = tag.partition(":")[2]
    if image.digest is not None and not tag:
        return image.digest.short
    return "" if tag == DEFAULT_TAG else tag


def _name_repositories(repositories: Iterable[_Repository], taken: Mapping[str, _Repository]) -> dict[_Repository, str]:
    """Return a name for each repository, by its path; the registry is added where that is not enough."""
    by_path: dict[tuple[str, ...], set[_Repository]] = defaultdict(set)
    for repository in repositories:
        by_path[repository.path].add(repository)
    names: dict[_Repository, str] = {}
    for path, name in _name_paths(by_path, taken).items():
        same_path = by_path[path].union(it for it in taken.values() if it.path == path)
        owner = taken.get(name, _Repository(DOCKER_HUB, path))
        has_rivals = len(same_path) > 1 or owner.path != path
        for repository in by_path[path]:
            prefix = _registry_word(repository, same_path) if has_rivals and repository != owner else ""
            names[repository] = "-".join(filter(None, (prefix, name)))
    return names


def _name_paths(paths: Collection[tuple[str, ...]], taken: Mapping[str, _Repository]) -> dict[tuple[str, ...], str]:
    """Return a name for each path. In each round, the candidates of a path have one component more.

    A name that several paths want in one round is given to none of them, except that official images (with a single
    component) come before the others, and images that are called after their parent behind them.
    """
    names: dict[tuple[str, ...], str] = {}
    spent = {name: repository.path for name, repository in taken.items()}
    rounds = max(map(len, paths), default=0)
    for length, rank in ((length, rank) for length in range(rounds) for rank in range(3)):
        wanted: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for path in sorted(path for path in paths if path not in names and _rank(path) == rank):
            wanted[_path_names(path)[min(length, len(_path_names(path)) - 1)]].append(path)
        for name, candidates in wanted.items():
            if len(candidates) == 1 and spent.get(name, candidates[0]) == candidates[0]:
                names[candidates[0]] = name
            spent.setdefault(name, candidates[0] if len(candidates) == 1 else ())
    # The others differ only in characters that a name cannot have; numbers tell them apart in the end.
    return {path: names.get(path) or _path_names(path)[-1] for path in paths}


def _path_names(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names for a path, the shortest first: its last component, or the one above a generic one."""
    joined = tuple(_word("-".join(path[-length:])) for length in range(2, len(path) + 1))
    if len(path) == 1 or not _is_generic(path[-1]):
        return (_word(path[-1]), *joined)
    return joined if _is_generic(path[-2]) else (_word(path[-2]), *joined)


def _rank(path: tuple[str, ...]) -> int:
    return 0 if len(path) == 1 else 2 if _is_generic(path[-1]) else 1


def _is_generic(component: str) -> bool:
    return all(word in _GENERIC for word in re.split(r"[._-]+", component))


def _registry_word(repository: _Repository, others: Iterable[_Repository]) -> str:
    """Return the part of a registry's host before its top-level domain, or the whole host if another one has it too."""
    word = _host_word(repository.registry)
    is_alone = not any(_host_word(it.registry) == word for it in others if it != repository)
    return word if is_alone else _word(repository.registry)


def _host_word(registry: str) -> str:
    labels = registry.partition(":")[0].split(".")
    return _word(labels[-2] if len(labels) > 1 and labels[-1].isalpha() else registry)


def _tags_by_repository(images: Iterable[_Named]) -> dict[_Repository, set[str]]:
    tags: dict[_Repository, set[str]] = defaultdict(set)
    for image in images:
        tags[image.repository].add(image.tag)
    return tags


def _tag_words(tags: Collection[str], declared: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return what may follow the repository's name for each new tag of one repository, the best first.

    Nothing, if it is the only tag. Several get their first number, the first two, or the whole tag: the least that
    tells all of them apart.
    """
    forms = [_tag_forms(tag) for tag in {*tags, *declared} if tag]
    least = next((it for it in range(_LEVELS) if len({each[it] for each in forms}) == len(forms)), _LEVELS - 1)
    words = {tag: _tag_forms(tag)[least:] if tag else (DEFAULT_TAG,) for tag in tags}
    if not declared and (len(tags) == 1 or "" in tags):
        words["" if "" in tags else next(iter(tags))] = ("",)
    return words


def _tag_forms(tag: str) -> tuple[str, str, str]:
    """Return the first number of a tag, the first two, and all of it; commits are shortened as git shortens them."""
    numbers = _FIRST_NUMBERS.match(tag)
    short = _LONG_HEX.sub(r"\1", _word(tag))
    return (numbers[1], "-".join(filter(None, numbers.groups())), _word(tag)) if numbers else (short, short, _word(tag))


def _free_name(wanted: Sequence[str], taken: Collection[str]) -> Alias:
    numbered = (f"{wanted[0]}-{number}" for number in count(2))
    return Alias(next(name for names in (wanted, numbered) for name in names if name not in taken))


def _word(text: str) -> str:
    return _NO_NAME.sub("-", text).strip("-")

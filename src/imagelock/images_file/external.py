"""``[external]`` of images.toml: references and files that imagelock leaves alone.

A name is one of three things. A reference (``acme/app``, ``acme/app:1``) is compared canonically; without a tag it
means every tag of its repository. A pattern has ``*`` (within one component of the path) or ``**`` (any number of
them), and may end in a pattern for the tag. Text that only a pipeline expands (``${{ matrix.image }}``,
``$CI_REGISTRY_IMAGE/*``, ``@IMAGE@``) is compared with what the file says, character for character but for its ``*``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from imagelock.errors import InvalidReferenceError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.images_file.pins import read_patterns
from imagelock.images_file.toml import Problems, TableReader
from imagelock.model.frozen import frozen
from imagelock.model.reference import (
    DEFAULT_TAG,
    DOCKER_HUB,
    LayoutRepository,
    UnnormalizedReference,
    split_reference,
)
from imagelock.model.selector import ExactDigest, ExactTag

# Compiled when they are needed: most files have no [external].
_TEMPLATED = r"[$%{}<>()\[\]]|@\w+@|__\w+__"
_SENTINEL = r"[A-Z][A-Z0-9_.:/*-]*"
_PATTERN = r"[A-Za-z0-9._:/*-]+"
_STARS = r"(\*+)"


@frozen(kw_only=True)
class ExternalDeclaration:
    """References and files that imagelock leaves alone."""

    names: tuple[str, ...] = ()
    """References, patterns, and text that only a pipeline expands."""
    files: tuple[str, ...] = ()
    """Patterns of files that are neither read nor counted, whatever ``[pin]`` says."""

    def covers(self, written: str, expanded: str) -> bool:
        """Whether a reference is external, as a file writes it or with its variables expanded."""
        return any(_covers(name, written, expanded) for name in self.names)

    def unused_names(self, references: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """Return the names that cover none of the references, each of which is written and expanded."""
        references = tuple(references)
        return tuple(name for name in self.names if not any(_covers(name, *each) for each in references))


NOTHING_EXTERNAL = ExternalDeclaration()


def read_external(
    table: Mapping[str, Any], images: Iterable[ImageDeclaration], problems: Problems
) -> ExternalDeclaration:
    """Read ``[external]``; a name that also means one of the declared images is a problem."""
    reader = TableReader(table, ("external",), problems)
    names, files = reader.texts("names") or (), read_patterns(reader, "files")
    images = tuple(images)
    for name in names:
        if problem := _find_problem(name):
            reader.add("names", problem.message, hint=problem.hint)
        elif image := next((image for image in images if _means(name, image)), None):
            reader.add(
                "names",
                f"`{name}` means the image `{image.alias}`, too: an image is locked or external",
                hint=f"write the external tags, as in `{name.partition(':')[0]}:dev`, or list files under `files`",
            )
    reader.refuse_other_keys()
    return ExternalDeclaration(names=names, files=files)


def can_be_external(name: str, images: Iterable[ImageDeclaration]) -> bool:
    """Whether ``names`` can have a text: it is valid there, and does not mean one of the declared images."""
    return _find_problem(name) is None and not any(_means(name, image) for image in images)


def _find_problem(name: str) -> InvalidReferenceError | None:
    if _is_templated(name):
        return (
            None
            if name.isprintable() and name.strip() == name
            else InvalidReferenceError(f"`{name}` has blanks at its ends, or control characters")
        )
    if "*" in name:
        return (
            None
            if re.fullmatch(_PATTERN, name)
            else InvalidReferenceError(
                f"`{name}` is not a pattern for references",
                hint="a pattern has a repository and maybe a tag: `acme/*:dev`",
            )
        )
    try:
        split_reference(name)
    except InvalidReferenceError as error:
        return error
    return None


def _is_templated(name: str) -> bool:
    """Whether a name is text that some tool replaces before anything is pulled."""
    return bool(re.search(_TEMPLATED, name) or re.fullmatch(_SENTINEL, name))


def _means(name: str, image: ImageDeclaration) -> bool:
    """Whether a name covers a declared image. For a range, only a name without a tag certainly does."""
    if _is_templated(name) or isinstance(image.repository, LayoutRepository):
        return False
    match image.selector:
        case ExactTag(tag):
            return _covers(name, "", f"{image.name}:{tag}")
        case ExactDigest(digest, tag):
            return _covers(name, "", f"{image.name}{f':{tag}' if tag else ''}@{digest}")
        case _:
            return ":" not in name.rpartition("/")[2] and _covers(name, "", image.name)


def _covers(name: str, written: str, expanded: str) -> bool:
    return any(_matcher(name)(text) for text in (written, expanded) if text)


@cache
def _matcher(name: str) -> Callable[[str], bool]:
    """Return a predicate for texts of references that a name covers."""
    if _is_templated(name):
        expression = re.compile(_expression(name, any_text="[^/]*"))
        return lambda text: expression.fullmatch(text) is not None
    if "*" in name:
        return _pattern_matcher(name)
    wanted = split_reference(name)
    return lambda text: text == name or _is_meant(wanted, text)


def _is_meant(wanted: UnnormalizedReference, text: str) -> bool:
    try:
        reference = split_reference(text)
    except InvalidReferenceError:
        return False
    if reference.repository != wanted.repository:
        return False
    if wanted.digest:
        return (reference.digest, reference.tag) == (wanted.digest, wanted.tag)
    return wanted.tag in (None, _tag_of(reference.tag, has_digest=reference.digest is not None))


def _pattern_matcher(pattern: str) -> Callable[[str], bool]:
    """Return a predicate that compares a pattern with references as written and in their canonical form."""
    name, tag = _split_tag(pattern)
    names = [re.compile(_expression(each, any_text="[^/]*")) for each in dict.fromkeys((name, *_canonical(name)))]
    tags = re.compile(_expression(tag or "**", any_text=".*"))

    def matches(text: str) -> bool:
        before_digest, at_sign, _ = text.partition("@")
        written_name, written_tag = _split_tag(before_digest)
        if not tags.fullmatch(_tag_of(written_tag, has_digest=bool(at_sign)) or ""):
            return False
        forms = (written_name, *_canonical(written_name))
        return any(expression.fullmatch(form) for expression in names for form in forms)

    return matches


def _tag_of(tag: str | None, *, has_digest: bool) -> str | None:
    """Return the tag that a reference means: ``latest`` where it has neither tag nor digest."""
    return tag or (None if has_digest else DEFAULT_TAG)


def _split_tag(text: str) -> tuple[str, str | None]:
    folders, slash, last = text.rpartition("/")
    name, colon, tag = last.partition(":")
    return f"{folders}{slash}{name}", tag if colon else None


def _canonical(name: str) -> Iterator[str]:
    """Return the name with Docker Hub's registry, where it has no registry; a pattern stays a pattern."""
    first, slash, _ = name.partition("/")
    if not slash:
        yield f"{DOCKER_HUB}/library/{name}"
    elif "." not in first and ":" not in first and "*" not in first and first != "localhost":
        yield f"{DOCKER_HUB}/{name}"


def _expression(pattern: str, *, any_text: str) -> str:
    pieces = (
        re.escape(piece) if not piece.startswith("*") else ".*" if len(piece) > 1 else any_text
        for piece in re.split(_STARS, pattern)
    )
    return "".join(pieces)

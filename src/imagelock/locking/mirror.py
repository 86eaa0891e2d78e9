"""The content of a mirror of the locked images, and the names in it.

Names are canonical, since one layout holds images of many repositories: ``docker.io/library/golang:1.22``, or
``REPOSITORY@DIGEST`` where an image has no tag or another one has the name.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from enum import StrEnum

from imagelock.errors import ImagelockError
from imagelock.locking.lockfile import LockedImage
from imagelock.model.frozen import frozen
from imagelock.model.reference import AnyRepository, LayoutRepository, PinnedReference, RegistryName, Repository
from imagelock.model.selector import ExactDigest


@frozen
class MirroredImage:
    """One locked image and its name in the layout."""

    name: str
    reference: PinnedReference


def name_images(images: Iterable[LockedImage], *, only: Container[str] | None = None) -> tuple[MirroredImage, ...]:
    """Return the locked contents, sorted, with one name each; of two with the same tag, the one that follows it has it.

    ``only`` are the aliases to return. Names do not depend on it, so that they are the same in every run.
    """
    by_claim = sorted(images, key=lambda image: (isinstance(image.selector, ExactDigest), image.alias))
    names: dict[str, PinnedReference] = {}
    wanted: set[str] = set()
    for image in by_claim:
        reference = PinnedReference(image.repository, image.digest, image.tag)
        name = _tag_name(image.repository, image.tag)
        if name is None or names.get(name, reference).digest != image.digest:
            name = f"{image.repository}@{image.digest}"
        names.setdefault(name, reference)
        if only is None or image.alias in only:
            wanted.add(name)
    return tuple(MirroredImage(name, names[name]) for name in sorted(wanted))


class CopyTool(StrEnum):
    """A program that copies images between registries."""

    SKOPEO = "skopeo"
    CRANE = "crane"


def copy_commands(
    tool: CopyTool, target: str, images: Iterable[MirroredImage], *, is_plain: Callable[[RegistryName], bool]
) -> tuple[str, ...]:
    """Return one command for each image, which copies it by digest below ``target``, HOST[:PORT][/PATH].

    ``is_plain`` returns whether a registry may be used without TLS. ``ImagelockError`` for images that no command can
    copy: those from a layout, and two contents that would have one name.
    """
    pairs = tuple(_destinations(target, images))
    _refuse_common_destinations(pairs)
    return tuple(" ".join(_command(tool, source, destination, target, is_plain)) for source, destination in pairs)


def _destinations(target: str, images: Iterable[MirroredImage]) -> Iterator[tuple[PinnedReference, str]]:
    for image in images:
        repository = image.reference.repository
        if not isinstance(repository, Repository):
            raise ImagelockError(
                f"cannot print a command for `{image.name}`: it comes from the OCI layout {repository}",
                hint="name the other images, as in `imagelock mirror --print skopeo TARGET NAME`",
            )
        suffix = image.name.removeprefix(str(repository))
        yield PinnedReference(repository, image.reference.digest), f"{target}/{repository.path}{suffix}"


def _refuse_common_destinations(pairs: Sequence[tuple[PinnedReference, str]]) -> None:
    sources: dict[str, PinnedReference] = {}
    for source, destination in pairs:
        other = sources.setdefault(destination, source)
        if other.digest != source.digest:
            raise ImagelockError(
                f"two images would become {destination}",
                details=[str(other), str(source)],
                hint="print the commands of each registry for a TARGET of its own, by the names of its images",
            )


def _command(
    tool: CopyTool, source: PinnedReference, destination: str, target: str, is_plain: Callable[[RegistryName], bool]
) -> Iterator[str]:
    from_plain = isinstance(source.repository, Repository) and is_plain(source.repository.registry)
    to_plain = is_plain(RegistryName(target.partition("/")[0].lower()))
    match tool:
        case CopyTool.SKOPEO:
            yield from ("skopeo", "copy", "--all", "--preserve-digests")
            yield from ["--src-tls-verify=false"] * from_plain
            yield from ["--dest-tls-verify=false"] * to_plain
            yield from (f"docker://{source}", f"docker://{destination}")
        case CopyTool.CRANE:
            yield from ("crane", "copy")
            yield from ["--insecure"] * (from_plain or to_plain)
            yield from (str(source), destination)


def _tag_name(repository: AnyRepository, tag: str | None) -> str | None:
    """Return the name under which a tag is looked up; a layout's own names stay as they are."""
    if tag is None or isinstance(repository, LayoutRepository):
        return tag
    return f"{repository}:{tag}"

"""The additions of `scan --write` to an existing images.toml: images, files to pin, and external names and files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from imagelock.images_file.declared import DeclaredImages
from imagelock.images_file.discovery import Survey
from imagelock.images_file.edit import ImageEntry, add_images, set_references
from imagelock.images_file.edit_lists import add_strings, add_to_lists, remove_from_list
from imagelock.images_file.first_file import pattern_of
from imagelock.images_file.parser import ImagesFile, RenderTarget
from imagelock.images_file.toml import quote
from imagelock.model.frozen import frozen
from imagelock.model.selector import ExactDigest


@frozen(kw_only=True)
class Additions:
    """Changes of an images.toml. Empty if it already has everything that was found."""

    images: tuple[ImageEntry, ...] = ()
    files: tuple[str, ...] = ()
    """Patterns for ``files`` of ``[pin]``."""
    external_names: tuple[str, ...] = ()
    external_files: tuple[str, ...] = ()
    freed: tuple[tuple[str, str], ...] = ()
    """Images declared by digest that follow their tags from now on: names, and references without the digest."""
    targets: tuple[RenderTarget, ...] = ()
    gone: tuple[str, ...] = ()
    """Names in ``[pin]`` whose files no longer exist."""

    def __bool__(self) -> bool:
        return any(
            (self.images, self.files, self.external_names, self.external_files, self.freed, self.targets, self.gone)
        )

    def lines(self) -> Iterator[str]:
        """Yield a line for messages for each addition, in the syntax of images.toml where it has one."""
        yield from map(str, self.images)
        yield from (f"{alias} = {quote(reference)}" for alias, reference in self.freed)
        yield from (f"render: {quote(it.output)} = {quote(it.template)}" for it in self.targets)
        yield from (f"pin.files: without {quote(path)}, which is not there" for path in self.gone)
        lists = {"pin.files": self.files, "external.names": self.external_names, "external.files": self.external_files}
        yield from (f"{key}: {', '.join(map(quote, texts))}" for key, texts in lists.items() if texts)

    def apply(self, text: str) -> str:
        """Return the text of an images.toml with the additions; every other byte is unchanged."""
        if self.freed:
            text = set_references(text, dict(self.freed))
        if self.images:
            text = add_images(text, self.images)
        if self.targets:
            text = add_strings(text, "render", {target.output: target.template for target in self.targets})
        if self.gone:
            text = remove_from_list(text, ("pin", "files"), self.gone)
        external = {("external", "names"): self.external_names, ("external", "files"): self.external_files}
        return add_to_lists(text, {("pin", "files"): self.files, **external})


def find_additions(
    survey: Survey,
    images_file: ImagesFile,
    *,
    carried: Collection[str],
    excluded: Sequence[str] = (),
    follows_tags: bool = False,
    gone: Sequence[str] = (),
) -> Additions:
    """Return what images.toml lacks. ``carried`` are the paths of files that are already rendered or pinned.

    If a carried file has a tag that is not declared, and another tag of its repository is, the image is not added: one
    of the two tags has to follow the other, and `check` says which.
    """
    declared = DeclaredImages(images_file.images)
    new = [it for it in survey.images if not (set(it.paths) <= set(carried) and declared.has_repository(it.key[0]))]
    external = images_file.external
    images = (ImageEntry(alias=it.alias, image=it.tagged if follows_tags else it.text) for it in new)
    files = (pattern_of(path) for path in survey.pinnable if path not in carried)
    return Additions(
        images=tuple(images),
        files=tuple(files),
        external_names=tuple(name for name in survey.external if name not in external.names),
        external_files=tuple(it for it in (*survey.external_files, *excluded) if it not in external.files),
        gone=tuple(gone),
        freed=tuple(_freed(images_file)) if follows_tags else (),
    )


def _freed(images_file: ImagesFile) -> list[tuple[str, str]]:
    return [
        (image.alias, f"{image.name}:{image.selector.tag}")
        for image in images_file.images
        if isinstance(image.selector, ExactDigest) and image.selector.tag
    ]

"""Edits of the images in images.toml. All other bytes stay, and a comment is removed with the line it describes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tomlkit.items import Comment, InlineTable, String, Table, Whitespace

from imagelock.errors import ImagesFileError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.toml import EXAMPLE, array, quote
from imagelock.images_file.toml_tree import Body, Entry, TomlTree, end_of_lines, headed_tables, is_line, split_indent
from imagelock.model.frozen import frozen

_IMAGES = "images"
_FIRST_COMMENT = re.compile(r"(?:[ \t]*#[^\n]*(?:\n|\Z))*")
_DIRECTIVES = re.compile(r"(?:#:[^\n]*\n)*")
"""Editors read ``#:schema`` in the first line only: nothing may come before it."""
_BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n)*")
_LAST_BLANK_LINES = re.compile(r"(?:^[ \t]*\r?\n)*\Z", re.MULTILINE)


@frozen(kw_only=True)
class ImageEntry:
    """One image for images.toml, with the values as they are to be written."""

    alias: Alias
    image: str
    version: str | None = None
    variant: str | None = None
    tag: str | None = None
    platforms: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether the short form, ``name = "reference"``, is enough."""
        return len(self.fields()) == 1

    def fields(self) -> dict[str, str | list[str]]:
        """Return the keys of the long form that have values, as a TOML parser reads them."""
        texts = {"image": self.image, "version": self.version, "variant": self.variant, "tag": self.tag}
        fields: dict[str, str | list[str]] = {key: text for key, text in texts.items() if text is not None}
        return fields | ({"platforms": list(self.platforms)} if self.platforms else {})

    def value(self) -> str | dict[str, str | list[str]]:
        """Return the value of the image's key, as a TOML parser reads it."""
        return self.image if self.is_short else self.fields()

    def short_line(self) -> str:
        """Return the line of the short form."""
        return f"{self.alias} = {quote(self.image)}"

    def table_lines(self) -> Iterator[str]:
        """Yield the lines of the long form, the header first."""
        yield f"[images.{self.alias}]"
        for name, value in self.fields().items():
            yield f"{name} = {quote(value) if isinstance(value, str) else array(value)}"

    def __str__(self) -> str:
        """Return one line for messages."""
        if self.is_short:
            return self.short_line()
        header, *fields = self.table_lines()
        return f"{header} {', '.join(fields)}"


def add_image(text: str, entry: ImageEntry) -> str:
    """Add an image to a valid images.toml: a short one to the lines under ``[images]``, a table behind the others."""
    return add_images(text, [entry])


def add_images(text: str, entries: Sequence[ImageEntry]) -> str:
    """Add images in their order, as ``add_image`` does; the example of a file that had none goes."""
    text = re.sub(rf"^(\[images\]\r?\n){re.escape(EXAMPLE)}\r?\n", r"\1", text, count=1, flags=re.MULTILINE)
    hint = f"write it yourself: {'; '.join(map(str, entries))}"
    start = _end(_DIRECTIVES, text)
    tree = _parse(text[start:], hint=hint)
    for entry in entries:
        if entry.is_short:
            _add_line(tree, entry)
        else:
            _add_table(tree, entry)
    document = tomllib.loads(text)
    images = {**document.get(_IMAGES, {}), **{entry.alias: entry.value() for entry in entries}}
    return _confirmed(text[:start] + tree.as_string(), {**document, _IMAGES: images}, hint=hint)


def set_references(text: str, references: Mapping[str, str]) -> str:
    """Replace the references of images, by name: in their short form, or in the ``image`` of their long form.

    A ``tag`` of its own in the long form is taken out of the reference and written there.
    """
    hint = f"write it yourself: {'; '.join(f'{alias} = {quote(wanted)}' for alias, wanted in references.items())}"
    tree = _parse(text, hint=hint)
    document = tomllib.loads(text)
    images = dict(document[_IMAGES])
    for body, place, name in list(_image_places(tree.body)):
        if name in references:
            # The entry of a dotted root key is a table ``images`` that has the image as its only key.
            part, at = (body, place) if body is not tree.body else (body[place][1].value.body, 0)
            _set_strings(tree, part, at, _new_values(images[name], references[name]))
    for alias, reference in references.items():
        values = _new_values(images[alias], reference)
        images[alias] = {**images[alias], **values} if isinstance(images[alias], dict) else reference
    return _confirmed(tree.as_string(), {**document, _IMAGES: images}, hint=hint)


def _new_values(declared: object, reference: str) -> dict[str, str]:
    """Return the keys of an image that change, with their values; the key ``image`` is its short form as well."""
    if not isinstance(declared, dict) or "tag" not in declared:
        return {"image": reference}
    name, _, tag = reference.rpartition(":")
    return {"image": name, "tag": tag}


def _set_strings(tree: TomlTree, body: Body, place: int, values: Mapping[str, str]) -> None:
    item = body[place][1]
    if isinstance(item, String):
        tree.replace_string(body, place, values["image"])
    elif isinstance(item, Table | InlineTable):
        inner = item.value.body
        for number, (key, value) in enumerate(inner):
            if key is not None and (key.key in values or not isinstance(value, String)):
                _set_strings(tree, inner, number, {"image": values[key.key]} if key.key in values else values)


def remove_images(text: str, aliases: Collection[str]) -> str:
    """Remove images from a valid images.toml, each with the comment that is about it alone."""
    hint = "remove it yourself, then run `imagelock lock`"
    # A comment at the beginning of the file describes the whole file, even right above an image.
    start = _end(_FIRST_COMMENT, text)
    tree = _parse(text[start:], hint=hint)
    for body, place, name in reversed(list(_image_places(tree.body))):
        if name in aliases:
            _remove(body, place)
    edited = tree.as_string()
    if not start and not _end(_BLANK_LINES, text):
        edited = edited[_end(_BLANK_LINES, edited) :]
    document = tomllib.loads(text)
    images = {alias: value for alias, value in document[_IMAGES].items() if alias not in aliases}
    return _confirmed(text[:start] + edited, {**document, _IMAGES: images}, hint=hint)


def _parse(text: str, *, hint: str) -> TomlTree:
    try:
        tree = TomlTree(text)
    except ValueError as error:
        raise _cannot_edit(hint) from error
    if any(key is not None and key.key == _IMAGES and not isinstance(item, Table) for key, item in tree.body):
        raise _cannot_edit(hint)
    return tree


def _add_line(tree: TomlTree, entry: ImageEntry) -> None:
    lines, tables = _image_parts(tree.body)
    headed = next((body for place in tables if (body := _body_of_header(tree.body[place])) is not None), None)
    if lines:
        place = lines[-1] + 1
        tree.body[place:place] = tree.parse(f"{_IMAGES}.{entry.short_line()}")
    elif headed is not None:
        place = end_of_lines(headed)
        headed[place:place] = tree.parse(entry.short_line())
    else:
        place = tables[0] if tables else _first_table(tree.body)
        tree.insert_before(place, f"[{_IMAGES}]", entry.short_line())


def _add_table(tree: TomlTree, entry: ImageEntry) -> None:
    _, tables = _image_parts(tree.body)
    if tables:
        tree.insert_behind(tables[-1] + 1, *entry.table_lines())
    else:
        tree.insert_before(_first_table(tree.body), *entry.table_lines())


def _image_parts(root: Body) -> tuple[list[int], list[int]]:
    """Return the places of the root entries of images: those with dotted keys, and those with tables."""
    places = [place for place, (key, _) in enumerate(root) if key is not None and key.key == _IMAGES]
    return [it for it in places if is_line(root[it])], [it for it in places if not is_line(root[it])]


def _body_of_header(entry: Entry) -> Body | None:
    """Return the body of a table that has a header; ``[images.a]`` alone makes a parent without one."""
    item = entry[1]
    return item.value.body if isinstance(item, Table) and not item.is_super_table() else None


def _first_table(root: Body) -> int:
    places = (place for place, (key, _) in enumerate(root) if key is not None and not is_line(root[place]))
    return next(places, len(root))


def _image_places(root: Body) -> Iterator[tuple[Body, int, str]]:
    """Yield each entry of one image: the body with the entry, its place there, and the image's name."""
    for place, (key, item) in enumerate(root):
        if key is None or key.key != _IMAGES or not isinstance(item, Table):
            continue
        body = item.value.body
        if key.is_dotted():
            yield root, place, next(inner.key for inner, _ in body if inner is not None)
        else:
            yield from ((body, number, inner.key) for number, (inner, _) in enumerate(body) if inner is not None)


def _remove(body: Body, place: int) -> None:
    """Remove a line and the comments right above it, unless these may also be a heading of the next line."""
    if not is_line(body[place]):
        _remove_table(body, place)
        return
    start = place
    heads_next = place + 1 < len(body) and is_line(body[place + 1])
    while not heads_next and start > 0 and isinstance(body[start - 1][1], Comment):
        start -= 1
    del body[start : place + 1]


def _remove_table(body: Body, place: int) -> None:
    """Remove a table and the comments right above it, but not those above a blank line."""
    set_off, _ = split_indent(next(headed_tables(body[place : place + 1])))
    end = len(set_off.rstrip())
    end += len(set_off[end:].partition("\n")[0]) + 1 if end else 0
    # A ``Comment`` in a parent without a header would make tomlkit write a header for it.
    body[place] = (None, Whitespace(set_off[:end]))


def _confirmed(edited: str, wanted: dict[str, Any], *, hint: str) -> str:
    """Return the edited text if a TOML parser reads the wanted document from it, else raise ``ImagesFileError``."""
    try:
        found = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        found = {}
    if {_IMAGES: {}, **found} != wanted:
        raise _cannot_edit(hint)
    return edited


def _cannot_edit(hint: str) -> ImagesFileError:
    return ImagesFileError("the images are written in a way that can't be edited line by line", hint=hint)


def _end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return 0 if match is None else match.end()

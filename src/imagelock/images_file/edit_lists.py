"""Edits of the lists in images.toml: ``[pin] files``, ``[external] names`` and ``files``.

Edits of images are in ``edit.py``: only `scan --write` and `init` need both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence

from tomlkit.items import Array, Item, Table

from imagelock.errors import ImagesFileError
from imagelock.images_file.toml import LONGEST_LINE, list_lines, quote
from imagelock.images_file.toml_tree import Body, TomlTree, end_of_lines, is_line

ListKey = tuple[str, str]
"""A table and its key, such as ``("pin", "files")``."""


def add_to_lists(text: str, added: Mapping[ListKey, Sequence[str]]) -> str:
    """Append texts to lists. Missing tables and keys are added.

    Every other byte stays; ``ImagesFileError`` with the lines to write where that can't be done.
    """
    document = tomllib.loads(text)
    try:
        tree = TomlTree(text)
        for (table, key), texts in added.items():
            if texts:
                _add(tree, table, key, texts)
                document.setdefault(table, {})[key] = [*document.get(table, {}).get(key, []), *texts]
        return tree.confirmed(document)
    except ValueError as error:
        lines = (f"{table}.{key}: {', '.join(map(quote, texts))}" for (table, key), texts in added.items() if texts)
        raise _cannot_edit(lines) from error


def remove_from_list(text: str, key: ListKey, texts: Sequence[str]) -> str:
    """Remove texts from a list, with the comments on their lines."""
    document = tomllib.loads(text)
    table, name = key
    try:
        tree = TomlTree(text)
        for body in _bodies(tree, table):
            for found, item in body:
                if found is not None and found.key == name and isinstance(item, Array):
                    for value in texts:
                        del item[item.unwrap().index(value)]
        document[table][name] = [value for value in document[table][name] if value not in texts]
        return tree.confirmed(document)
    except ValueError as error:
        raise _cannot_edit(f"{table}.{name}: remove {quote(value)}" for value in texts) from error


def add_strings(text: str, table: str, added: Mapping[str, str]) -> str:
    """Append lines ``"KEY" = "TEXT"`` to a table, which is added if it is missing."""
    document = tomllib.loads(text)
    lines = [f"{quote(key)} = {quote(value)}" for key, value in added.items()]
    try:
        tree = TomlTree(text)
        _add_lines(tree, table, lines)
        return tree.confirmed({**document, table: {**document.get(table, {}), **added}})
    except ValueError as error:
        raise _cannot_edit(f"{table}: {line}" for line in lines) from error


def _add(tree: TomlTree, table: str, key: str, texts: Sequence[str]) -> None:
    for body in _bodies(tree, table):
        for place, (found, item) in enumerate(body):
            if found is not None and found.key == key:
                body[place] = (found, _longer(tree, item, texts))
                return
    _add_lines(tree, table, list_lines(key, texts))


def _add_lines(tree: TomlTree, table: str, lines: Sequence[str]) -> None:
    bodies = _bodies(tree, table)
    if bodies:
        end = end_of_lines(bodies[0])
        bodies[0][end:end] = tree.parse(*lines)
    else:
        tree.append_table(f"[{table}]", *lines)


def _bodies(tree: TomlTree, table: str) -> list[Body]:
    """Return the bodies with the keys of a table: that of its header, and of dotted keys at the root."""
    parts = [(entry, entry[1]) for entry in tree.body if entry[0] is not None and entry[0].key == table]
    if any(is_line(entry) for entry, _ in parts):
        raise ValueError("the table is written in another way")
    return [item.value.body for _, item in parts if isinstance(item, Table)]


def _longer(tree: TomlTree, item: Item, texts: Sequence[str]) -> Item:
    if not isinstance(item, Array):
        raise ValueError("the list is not an array")  # noqa: TRY004  the text is wrong, not a type
    for text in texts:
        [(_, value)] = tree.parse(f"x = {quote(text)}")
        value.trivia.trail = ""
        item.append(value)
    written = item.as_string()
    if "\n" in written or len(written) <= LONGEST_LINE:
        return item
    [(_, column)] = tree.parse("x = [", *(f"    {quote(text)}," for text in item.unwrap()), "]")
    column.trivia.indent, column.trivia.trail = item.trivia.indent, item.trivia.trail
    column.trivia.comment_ws, column.trivia.comment = item.trivia.comment_ws, item.trivia.comment
    return column


def _cannot_edit(lines: Iterable[str]) -> ImagesFileError:
    return ImagesFileError(
        "a table of images.toml is written in a way that can't be edited",
        details=lines,
        hint="write these lines yourself",
    )

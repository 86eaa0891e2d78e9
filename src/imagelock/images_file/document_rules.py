"""``[kinds]`` and ``[paths]``: what images.toml says about files that imagelock's own table does not know.

Both are tables keyed by patterns for paths, relative to the folder of images.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import normpath
from typing import Any

from imagelock.documents.context import NO_KIND, DocumentRules, KindRule, PlacesRule
from imagelock.documents.formats.paths import KeyPattern, PathError, parse_place
from imagelock.documents.formats.place_rules import Alone, Parts, Rule, Text
from imagelock.documents.formats.table import BY_NAME
from imagelock.errors import did_you_mean
from imagelock.images_file.pins import find_pattern_problem
from imagelock.images_file.toml import Problems, TableReader

_AFTER_PREFIX = re.compile(r"(?P<path>.+?)\s+=\s+(?P<prefix>\S+)")
_SEGMENT = re.compile(r'(?:"[^"]*"|\{[^{}]*\}|[^."{}])+')
_PLAIN_KEY = re.compile(r"[^.\[\]*{}()\"/\s]+")
_PARTS = ("repository", "tag", "digest", "sha", "registry")


def read_document_rules(kinds: Mapping[str, Any], paths: Mapping[str, Any], problems: Problems) -> DocumentRules:
    """Read both tables; what is wrong with a line is noted, and the line left out."""
    return DocumentRules(
        tuple(_read_kinds(TableReader(kinds, ("kinds",), problems))),
        tuple(_read_places(TableReader(paths, ("paths",), problems))),
    )


def _read_kinds(table: TableReader) -> Iterator[KindRule]:
    known = [*sorted(BY_NAME), NO_KIND]
    for pattern, kind in table.items():
        if problem := find_pattern_problem(pattern):
            table.add(pattern, problem)
        elif not isinstance(kind, str):
            table.add(pattern, 'must name a kind, as in `"deploy/*.yml" = "compose"`')
        elif kind not in known:
            details = () if did_you_mean(kind, known) else (f"the kinds are: {', '.join(known)}",)
            table.add(pattern, f"`{kind}` is not a kind{did_you_mean(kind, known)}", details=details)
        else:
            yield KindRule(normpath(pattern), kind)


def _read_places(table: TableReader) -> Iterator[PlacesRule]:
    for pattern, places in table.items():
        if problem := find_pattern_problem(pattern):
            table.add(pattern, problem)
            continue
        if not isinstance(places, list) or not places:
            table.add(pattern, 'must be an array of paths, as in `["spec.image", "-legacy.**"]`')
            continue
        images: list[Rule] = []
        never: list[str] = []
        for place in places:
            try:
                if isinstance(place, str) and place.startswith("-"):
                    never.append(_checked(place.removeprefix("-")))
                else:
                    images.append(_read_place(place))
            except PathError as error:
                table.add(pattern, str(error))
        yield PlacesRule(normpath(pattern), tuple(images), tuple(never))


def _read_place(place: object) -> Rule:
    if isinstance(place, str):
        found = _AFTER_PREFIX.fullmatch(place)
        return Text(_checked(found["path"]), prefix=found["prefix"]) if found else Text(_checked(place))
    if isinstance(place, dict):
        return _read_parts(place)
    raise PathError('must have paths only, and tables of paths such as `{ repository = "app.image", tag = "app.tag" }`')


def _checked(path: str) -> str:
    """Return a path that can be read, and that any reader of images.toml can follow: expressions are for our rows."""
    try:
        place = parse_place(path)
    except PathError as error:
        raise PathError(f"`{path}` is not a path: {error}") from error
    if any(isinstance(step, KeyPattern) for step in place.steps):
        raise PathError(f"`{path}` is not a path: a key has no `/`; write it in quotes if it does")
    return path


def _read_parts(table: Mapping[str, object]) -> Parts:
    for key, value in table.items():
        if key not in _PARTS:
            raise PathError(f"`{key}` is not a part of an image{did_you_mean(key, _PARTS)}")
        if not isinstance(value, str):
            raise PathError(f"`{key}` must be a path")
    paths = {key: _SEGMENT.findall(_checked(str(value))) for key, value in table.items()}
    if "repository" not in paths or len(paths) == 1:
        raise PathError("a table of parts needs `repository`, and `tag` or `digest`; a whole reference is a path alone")
    shared = _shared(list(paths.values()))
    parts = {key: (_below(segments[shared:], table[key]),) for key, segments in paths.items()}
    return Parts(
        ".".join(paths["repository"][:shared]),
        name=parts["repository"],
        tag=parts.get("tag", ()),
        digest=parts.get("digest", ()),
        hex_digest=parts.get("sha", ()),
        registry=parts.get("registry", ()),
        alone=Alone.WITH_VERSION,
    )


def _shared(paths: list[list[str]]) -> int:
    """Count the segments that all paths have in common, before the last one of each."""
    count = 0
    while all(len(path) > count + 1 and path[count] == paths[0][count] for path in paths):
        count += 1
    return count


def _below(segments: list[str], path: object) -> str:
    if not all(_PLAIN_KEY.fullmatch(segment) for segment in segments):
        raise PathError(f"`{path}`: where the paths of the parts differ, only plain keys can be told apart")
    return ".".join(segments)

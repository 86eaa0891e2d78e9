"""Both files of a project, read and written without any of the program's code, and what it means that they match."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from tests.support.histories.upstream import letter_of

Entry = dict[str, Any]
Entries = Mapping[str, Entry]
Declared = Mapping[str, Any]
Identity = tuple[str, str]


def is_torn(text: str) -> bool:
    """Whether git left conflict markers, or merged without a conflict into no TOML, or into entries that lack parts."""
    try:
        entries = tomllib.loads(text).get("images", {})
    except tomllib.TOMLDecodeError:
        return True
    return any(not entry.keys() >= {"repository", "declared", "digest", "platforms"} for entry in entries.values())


def read_entries(path: Path) -> dict[str, Entry]:
    """Read the lock as any TOML reader does; no entries where it does not exist or is torn."""
    return parse_entries(path.read_text()) if path.exists() else {}


def parse_entries(text: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {} if is_torn(text) else tomllib.loads(text).get("images", {})
    return found


def parse_images(text: str) -> dict[str, dict[str, Any]]:
    """Read the declarations, all of them as tables."""
    declared = tomllib.loads(text).get("images", {})
    return {name: {"image": value} if isinstance(value, str) else value for name, value in declared.items()}


def dump_images(images: Mapping[str, Declared], *, tail: str = "") -> str:
    lines = [line for name in sorted(images) for line in _table(name, images[name])]
    return "\n".join(lines) + "\n" + tail


def _table(name: str, declared: Declared) -> Iterator[str]:
    yield f"[images.{name}]"
    for key, value in declared.items():
        yield f"{key} = {json.dumps(value)}"


def without_second_names(images: Mapping[str, Declared]) -> dict[str, Declared]:
    """Keep the first of all names for one image, as a person does who merges two images.toml."""
    first: dict[str, str] = {}
    for name in sorted(images):
        first.setdefault(json.dumps([images[name]["image"], images[name].get("version")]), name)
    return {name: images[name] for name in first.values()}


def identity_of(entry: Entry) -> Identity:
    """Return what an entry belongs to: its repository and what selects it."""
    return entry["repository"], json.dumps({key: it for key, it in entry["declared"].items() if key != "platforms"})


def by_identity(entries: Iterable[Entry]) -> dict[Identity, Entry]:
    return {identity_of(entry): entry for entry in entries}


def is_proven(entry: Entry) -> bool:
    """Whether the checksum is there and right."""
    return bool(entry.get("checksum") == right_checksum(entry))


def right_checksum(entry: Entry) -> str:
    lines = sorted(f"{platform} {digest}\n" for platform, digest in entry["platforms"].items())
    text = f"{entry['repository']}\n{entry['digest']}\n{''.join(lines)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def version_of(tag: str) -> tuple[int, ...]:
    return tuple(int(number) for number in tag.split("."))


def selects_range(declared: Declared) -> bool:
    return "version" in declared


def is_locked_as_declared(images: Mapping[str, Declared], entries: Entries) -> bool:
    """Whether the lock matches images.toml: the rules of docs/images-lock.md in a few lines."""
    return set(images) == set(entries) and all(_matches(images[name], entries[name]) for name in images)


def _matches(declared: Declared, entry: Entry) -> bool:
    wanted = expected_entry(declared)
    platforms = declared.get("platforms")
    has_platforms = platforms is None or set(entry["platforms"]) == set(platforms)
    known = {key: entry[key] for key in ("repository", "declared")}
    is_right = "checksum" not in entry or is_proven(entry)
    return known == wanted and has_platforms and is_right and _satisfies(declared, entry)


def _satisfies(declared: Declared, entry: Entry) -> bool:
    if selects_range(declared):
        return SpecifierSet(declared["version"]).contains(entry["tag"])
    tag, digest = split_image(declared["image"])[1:]
    return bool(entry["tag"] == tag and digest in (None, entry["digest"]))


def expected_entry(declared: Declared) -> Entry:
    """Return the repository and the copy of the declaration that an entry has to have."""
    repository, tag, digest = split_image(declared["image"])
    if selects_range(declared):
        selected: dict[str, str | None] = {"version": str(SpecifierSet(declared["version"])), "tag": "{version}"}
    else:
        selected = {"tag": tag} | ({"digest": digest} if digest else {})
    every = {} if declared.get("platforms") else {"platforms": "all"}
    return {"repository": repository, "declared": {**selected, **every}}


def split_image(image: str) -> tuple[str, str | None, str | None]:
    """Split an image of these histories: it always has a folder or a port in front of its tag."""
    name, _, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    has_tag = colon and "/" not in tag and (head.count("/") > 0)
    return (head, tag, digest or None) if has_tag else (name, None, digest or None)


def letter_in(declared: Declared) -> str:
    """Return the letter of the repository that a declaration names."""
    return letter_of(split_image(declared["image"])[0])

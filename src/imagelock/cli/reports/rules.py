"""The rules that `check` holds files to: their identifiers are the same in JSON, in SARIF and in the documentation.

An identifier never changes its meaning, since code scanning keeps the history of an alert by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from imagelock.cli.reports.findings import (
    FREEZE_EXPIRED,
    NESTED_PROJECT,
    NOT_COMPARED,
    NOT_RENDERED,
    PIN_PATTERN,
    UNREAD_FILE,
    UNREAD_PLACE,
    UNUSED_PATH,
)
from imagelock.locking.freshness import (
    AllPlatformsChanged,
    BuildsChanged,
    Damaged,
    Mismatch,
    NotDeclared,
    NotLocked,
    PlatformNotDeclared,
    PlatformNotLocked,
    Renamed,
    RepositoryChanged,
    SelectorChanged,
    SeveralPlatforms,
)
from imagelock.model.frozen import frozen

_OF_MISMATCHES: Mapping[type[Mismatch], str] = MappingProxyType(
    {
        NotLocked: "image-not-locked",
        NotDeclared: "image-not-declared",
        Damaged: "entry-damaged",
        Renamed: "image-renamed",
        RepositoryChanged: "repository-changed",
        SelectorChanged: "selector-changed",
        PlatformNotLocked: "platform-not-locked",
        PlatformNotDeclared: "platform-not-declared",
        AllPlatformsChanged: "platforms-changed",
        BuildsChanged: "platforms-changed",
        SeveralPlatforms: "platform-ambiguous",
    }
)


@frozen
class Rule:
    """What a rule demands, and what to do where it is broken."""

    summary: str
    remedy: str


_LOCK = "Run `imagelock lock`."
_RENDER = "Run `imagelock render`."
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "image-not-locked": Rule("An image in images.toml is missing in images.lock.", _LOCK),
        "image-not-declared": Rule("An image in images.lock is missing in images.toml.", _LOCK),
        "entry-damaged": Rule("An entry of images.lock contradicts its checksum.", _LOCK),
        "image-renamed": Rule("An image is locked under another name.", _LOCK),
        "repository-changed": Rule("An image comes from another repository than the locked one.", _LOCK),
        "selector-changed": Rule("The tag, digest or range of an image differs from the locked one.", _LOCK),
        "platform-not-locked": Rule("A declared platform is missing in images.lock.", _LOCK),
        "platform-not-declared": Rule("A locked platform is no longer declared.", _LOCK),
        "platforms-changed": Rule("The declared platforms differ from the locked ones.", _LOCK),
        "platform-ambiguous": Rule(
            "A declared platform names several locked ones.",
            "Name one of them in images.toml, then run `imagelock lock`.",
        ),
        NOT_COMPARED: Rule("Files cannot be compared with a stale images.lock.", "Run `imagelock lock` first."),
        NOT_RENDERED: Rule("A file is not what `imagelock render` would write.", _RENDER),
        FREEZE_EXPIRED: Rule(
            "The day of `freeze-until` is over.", "Remove `freeze` and `freeze-until`, or name another day."
        ),
        PIN_PATTERN: Rule(
            "A name or pattern under `[pin]` leads to no image reference.", "Correct it, or remove it from images.toml."
        ),
        UNUSED_PATH: Rule(
            "A line under `[kinds]` or `[paths]` applies to nothing.", "Correct it, or remove it from images.toml."
        ),
        "unreadable": Rule(
            "A file could not be read as what it is.", "Correct the file, or list it under `[external] files`."
        ),
        "no-reference": Rule(
            "A file under `[pin]` has no image reference.", "Remove it from `[pin]`, or list it by a pattern."
        ),
        "unresolved": Rule(
            "A variable without a value decides which image is used.",
            "Give it a default, use a template, or list the reference under `[external] names`.",
        ),
        UNREAD_FILE: Rule(
            "A file that may have images is of a kind that is not read, or cannot be read (`--strict`).",
            "Add marker comments or a template, name its kind under `[kinds]`, or list it under `[external] files`.",
        ),
        UNREAD_PLACE: Rule(
            "A value or command that may be an image is at a place that is not read (`--strict`).",
            "Add its path to `[paths]`, its text to `[external] names`, or to the line of a command a marker comment.",
        ),
        NESTED_PROJECT: Rule("An images.toml further down is not in order.", "Run `imagelock check` in its directory."),
        "other-tag": Rule(
            "A reference has another tag or digest than images.toml declares for its repository.",
            "Run `imagelock update NAME --to TAG`, or `imagelock render --retag`.",
        ),
        "not-locked": Rule(
            "A reference names an image that is not in images.lock.",
            "Declare it with `imagelock add` or `imagelock scan --write`, or list it under `[external] names`.",
        ),
        "locked-twice": Rule(
            "A reference matches two images with different digests.", "Use a template, which says which image it means."
        ),
        "stale-tag": Rule(
            "A reference has another tag than the image that images.toml declares.",
            "Run `imagelock render --retag`, or `imagelock update NAME --to TAG`.",
        ),
        "no-digest": Rule("A reference has no digest.", _RENDER),
        "digest-differs": Rule("A reference has another digest than images.lock.", _RENDER),
        "range-moved": Rule("A reference has another tag than the one that its range is locked to.", _RENDER),
        "tag-beside-digest": Rule("A reference of a `digest-only` file has a tag.", _RENDER),
        "not-pinnable": Rule(
            "A reference cannot carry a digest where it is.",
            "Use a template, `imagelock export`, or list it under `[external] names`.",
        ),
        "bad-marker": Rule(
            "A marker comment names no locked image, or its line has no place for one.",
            "Correct the marker or its line; `imagelock: ignore` takes a line out.",
        ),
    }
)


def rule_of(mismatch: Mismatch) -> str:
    """Return the identifier of the rule that a mismatch of images.toml and images.lock breaks."""
    return _OF_MISMATCHES[type(mismatch)]

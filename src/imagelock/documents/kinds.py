"""Detects the kind of a document by its path, or else by its content."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath
from typing import Never

from imagelock.documents.dockerfile.recognition import is_dockerfile
from imagelock.documents.formats import format_finder
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.table import (
    ANSIBLE,
    AZURE,
    BUILDKITE,
    BY_NAME,
    CIRCLECI,
    CLOUD_BUILD,
    COMPOSE,
    DOCKERFILE,
    DOTENV,
    DRONE,
    FORMATS,
    GITHUB,
    GITLAB,
    KUBERNETES,
    QUADLET,
    SKAFFOLD,
)
from imagelock.documents.markers import has_markers, with_markers
from imagelock.documents.references import Problem, Scan
from imagelock.documents.spans import Position
from imagelock.documents.syntax.reader import Syntax
from imagelock.errors import DocumentError
from imagelock.model.conflict_markers import find_conflict
from imagelock.model.globs import compile_glob

__all__ = ["detect_kind", "find_references", "marked_kind", "may_be_document", "refuse_unknown_kind"]

_SERVICES = re.compile(
    rb"^[\"']?services[\"']?[ \t]*:[ \t]*(?:&\S+[ \t]*)?(?:"
    rb"(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*[ \t]+[\w\"'.-]+:"
    rb"|\{[^{}]*\{[^{}]*\b(?:image|build|extends)\b)",
    re.MULTILINE,
)
_API_VERSION = re.compile(rb"^[\"']?apiVersion[\"']?:", re.MULTILINE)
_KIND = re.compile(rb"^[\"']?kind[\"']?:", re.MULTILINE)
_JSON_API_VERSION = re.compile(rb'\A\s*\{.*?"apiVersion"\s*:', re.DOTALL)
_BEGIN = rb"\A(?:\s|#[^\n]*\n|---[ \t]*\r?\n)*"
_FLOW_RESOURCE = _BEGIN + rb"\{[^\n]*?[\"']?apiVersion[\"']?[ \t]*:"
_GITLAB_COMPONENT = rb"(?ms)" + _BEGIN + rb"spec:.*?\binputs\b.*?^---"
_PLAYBOOK = _BEGIN + rb"-[ \t]+(?:name:[^\n]*\n[ \t]+)?hosts:"
_SIGNS = (  # all of a row must be there
    (GITHUB, (rb"^[\"']?on[\"']?[ \t]*:", rb"^jobs[ \t]*:", rb"^[ \t]+(?:runs-on|uses|steps)[ \t]*:")),
    (GITHUB, (rb"^runs[ \t]*:", rb"^[ \t]+using[ \t]*:")),
    (
        CIRCLECI,
        (
            rb"^version[ \t]*:[ \t]*[\"']?2(?:\.[01])?[\"']?[ \t]*\r?$",
            rb"^(?:jobs|orbs|executors)[ \t]*:",
            rb"\bdocker[ \t]*:",
        ),
    ),
    (DRONE, (rb"^kind[ \t]*:[ \t]*pipeline[ \t]*\r?$", rb"^type[ \t]*:[ \t]*(?:docker|kubernetes)")),
    (CLOUD_BUILD, (rb"^steps[ \t]*:", rb"\bname[ \t]*:[ \t]*[\"']?[\w./-]*(?:\bgcr\.io|pkg\.dev)/")),
)
_SKAFFOLD = re.compile(rb"^[\"']?apiVersion[\"']?:[ \t]*[\"']?skaffold/", re.MULTILINE)
_SECTION = re.compile(rb"^[ \t]*\[(?:Container|Volume|Image)\][ \t]*\r?$", re.MULTILINE)
_YAML_SUFFIXES = (".yml", ".yaml")
_JSON_BEGIN = 65536
_NO_VARIABLES_SUFFIXES = (".example", ".sample", ".template", ".dist")
_FOLDER_KINDS = (GITLAB, CIRCLECI, AZURE, BUILDKITE, ANSIBLE)
_PAGES = frozenset({".md", ".markdown", ".rst", ".adoc"})
_COMMENTS_ON_THEIR_OWN = frozenset(
    ".service .timer .socket .mount .target .path .kube .pod .network .build .ini .cfg .conf .properties .env".split()
)
"""The suffixes of files in which a comment cannot follow other text."""
_DOCKERFILE_NAME = re.compile(r"dockerfile|containerfile", re.IGNORECASE)
_BRACES = re.compile(r"\{([^{}]*)\}")


def detect_kind(path: PurePath, content: bytes) -> Format | None:
    """Return the row of the table for a file; ``None`` if it is not a document."""
    kind = _kind_of_name(path.as_posix())
    if kind is None:
        return _kind_of_content(path, content)
    if any(kind is each for each in _FOLDER_KINDS) and _API_VERSION.search(content) and _KIND.search(content):
        return KUBERNETES  # a manifest beside the files of CI
    ask = _CONTENT_CHECKS.get(kind.name)
    if ask is not None and not ask(path, content):
        return _kind_of_content(path, content) if kind is DOCKERFILE else None
    return in_syntax_of(path, kind)


def marked_kind(path: PurePath, content: bytes) -> Format | None:
    """Return the row for a file of no other kind that has marker comments; pages of text only write about them."""
    suffix = path.suffix.lower()
    if suffix in _PAGES:
        return None
    is_strict = suffix in _COMMENTS_ON_THEIR_OWN or _DOCKERFILE_NAME.search(path.name)
    kind = BY_NAME["ini" if is_strict else "text"]
    return kind if has_markers(content, kind.syntax) else None


def find_references(content: bytes, kind: Format) -> Scan:
    """Return the image references of a document, those of marked lines included. No content raises an error."""
    if b"<<<<<<<" in content and b"\n>>>>>>>" in content and (line := find_conflict(content.decode(errors="replace"))):
        # Formats without much syntax would be read, with the references of both sides.
        return Scan(problems=(Problem(Position(line, 1), "it has conflict markers: resolve the merge first"),))
    return with_markers(format_finder.find_references(content, kind), content, kind)


def may_be_document(path: str) -> bool:
    """Whether a file may be a document, by its path: it has a known name, or a suffix whose content decides."""
    return path.lower().endswith((*_YAML_SUFFIXES, ".json")) or _kind_of_name(path) is not None


def has_known_name(path: str) -> bool:
    """Whether the name of a file tells its kind."""
    return _kind_of_name(path) is not None


def refuse_unknown_kind(path: Path) -> Never:
    """Raise ``DocumentError`` for a file that is named in ``[pin]`` or on the command line, and is no document."""
    raise DocumentError(
        f"cannot tell what kind of file {path} is",
        details=["references are found in Dockerfiles, compose, Kubernetes and CI files, and Helm values"],
        hint='add it to `[kinds]`, as in `"deploy/*.yml" = "helm-values"`, or use a template with {{images.NAME}}',
    )


def _kind_of_name(path: str) -> Format | None:
    in_folder, anywhere = _any_name()
    if anywhere.fullmatch(path.rpartition("/")[2]) is None and in_folder.fullmatch(path) is None:
        return None
    return next((row for row, pattern in _names() if pattern.fullmatch(path)), None)


@cache
def _any_name() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return two expressions of all patterns, with and without a folder. Most files match neither, so this is fast."""
    patterns = [pattern for row in FORMATS for pattern in row.files]
    in_folder, anywhere = ([each for each in patterns if ("/" in each) is has_folder] for has_folder in (True, False))
    return re.compile(patterns_expression(in_folder), re.IGNORECASE), re.compile(
        patterns_expression(anywhere), re.IGNORECASE
    )


@cache
def _names() -> tuple[tuple[Format, re.Pattern[str]], ...]:
    """Return an expression for the patterns of each row, in the order of the table."""
    return tuple((row, re.compile(patterns_expression(row.files), re.IGNORECASE)) for row in FORMATS if row.files)


def patterns_expression(patterns: Iterable[str]) -> str:
    """Return an expression for the paths that match one of the patterns, in any folder; patterns may have braces."""
    names = "|".join(compile_glob(name).pattern for pattern in patterns for name in expand_braces(pattern))
    return f"(?s:.*/)?(?s:{names})"  # a folder's name may have a newline


def expand_braces(pattern: str) -> Iterator[str]:
    """Yield each pattern without braces: ``*.yaml`` and ``*.yml`` for ``*.y{a,}ml``."""
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    for choice in found[1].split(","):
        yield from expand_braces(f"{pattern[: found.start()]}{choice}{pattern[found.end() :]}")


def in_syntax_of(path: PurePath, kind: Format) -> Format:
    """Return the row with the JSON reader for JSON files: YAML readers refuse their comments and tabs."""
    return replace(kind, syntax=Syntax.JSON) if path.suffix.lower() in (".json", ".jsonc") else kind


def _kind_of_content(path: PurePath, content: bytes) -> Format | None:
    suffix = path.suffix.lower()
    content = _as_utf_8(content)
    if suffix == ".json":
        return in_syntax_of(path, KUBERNETES) if _JSON_API_VERSION.search(content[:_JSON_BEGIN]) else None
    if suffix not in _YAML_SUFFIXES:
        return None
    if _API_VERSION.search(content) or re.match(_FLOW_RESOURCE, content):
        return SKAFFOLD if _SKAFFOLD.search(content) else KUBERNETES
    return _kind_of_pipeline(content) or (COMPOSE if _SERVICES.search(content) else None)


def _kind_of_pipeline(content: bytes) -> Format | None:
    """Return the format of a pipeline or playbook by its keys, where its place does not tell, as for templates."""
    if re.match(_GITLAB_COMPONENT, content):
        return GITLAB
    if re.match(_PLAYBOOK, content):
        return ANSIBLE
    for kind, signs in _SIGNS:
        if all(re.search(sign, content, re.MULTILINE) for sign in signs):
            return kind
    return None


def _as_utf_8(content: bytes) -> bytes:
    """Return the text without its byte order mark; one in UTF-16 is converted, so that its reader can report it."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", "replace").encode()
    return content.removeprefix(BOM_UTF8)


def _is_unit(_: PurePath, content: bytes) -> bool:
    return _SECTION.search(_as_utf_8(content)) is not None


def _is_no_example(path: PurePath, _: bytes) -> bool:
    return path.suffix.lower() not in _NO_VARIABLES_SUFFIXES


_CONTENT_CHECKS: dict[str, Callable[[PurePath, bytes], bool]] = {
    DOCKERFILE.name: is_dockerfile,
    QUADLET.name: _is_unit,
    DOTENV.name: _is_no_example,
}

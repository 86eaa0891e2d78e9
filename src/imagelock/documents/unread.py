"""Files that look as if they held images, of kinds that are not read: counted, so that no silence is taken for clean.

Their languages are programs or templates, or nothing is known about their keys. Placeholders fit all of them.
"""

from __future__ import annotations

import re
from functools import cache

from imagelock.documents.kinds import patterns_expression
from imagelock.model.frozen import frozen

_RUN = rb"\b(?:docker|podman|nerdctl)[ \t]+(?:run|pull|create)\b"
_KEY = rb"[\w.-]*image(?:name|url|ref|tag|repository)?"
_REFERENCE = rb"[a-z0-9][\w./-]*[:@/][\w./:@-]+"
_TEMPLATE_SUFFIXES = "{j2,jinja,jinja2,tmpl,tpl,gotmpl,template,erb,in,m4}"
_SOURCE_SUFFIXES = "{java,kt,kts,scala,go,py,rb,ts,js,cs,rs}"


@frozen
class UnreadKind:
    """Files of some names, if their content has a sign of images."""

    title: str
    files: tuple[str, ...]
    sign: bytes


UNREAD_KINDS = (
    UnreadKind(
        "Jenkinsfile",
        ("Jenkinsfile*", "*.jenkinsfile", "*.groovy"),
        rb"\bdocker\s*\{|\bdocker\.image\(|^[ \t]*image[ \t]+['\"]",
    ),
    UnreadKind("Earthfile", ("Earthfile", "*.earth"), rb"^[ \t]*FROM[ \t]+[^+\s]"),
    UnreadKind(
        "Makefile", ("Makefile", "GNUmakefile", "*.mk"), _RUN + rb"|image\w{0,40}[ \t]{0,40}[:?+]?=[ \t]*" + _REFERENCE
    ),
    UnreadKind("shell script", ("*.sh", "*.bash"), _RUN),
    UnreadKind("systemd unit", ("*.service",), _RUN),
    UnreadKind("Travis file", (".travis.y{a,}ml",), _RUN),
    UnreadKind(
        "Bazel file", ("MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel", "*.bzl"), rb"\boci[._]pull\b|container_pull"
    ),
    UnreadKind(
        "Tilt, Starlark or Jsonnet file",
        ("Tiltfile", "*.star", "*.{jsonnet,libsonnet}", "*.cue"),
        rb"\bimage\w*['\"]?[ \t]*[:=]",
    ),
    UnreadKind(
        "template",
        (f"*.{_TEMPLATE_SUFFIXES}",),
        rb"^[ \t]*(?:-[ \t]+)?[\"']?" + _KEY + rb"[\"']?[ \t]*[:=]|^[ \t]*FROM[ \t]+\S",
    ),
    UnreadKind(
        "YAML file", ("*.y{a,}ml",), rb"^[ \t]*(?:-[ \t]+)?[\"']?" + _KEY + rb"[\"']?[ \t]*:[ \t]*[\"']?" + _REFERENCE
    ),
    UnreadKind("JSON file", ("*.json", "*.jsonc"), rb'"' + _KEY + rb'"\s*:\s*"' + _REFERENCE),
    UnreadKind(
        "TOML or properties file",
        ("*.toml", "*.properties"),
        rb"^[ \t]*" + _KEY + rb"[ \t]*=[ \t]*[\"']?" + _REFERENCE,
    ),
    UnreadKind(
        "container test",
        (f"{{test,tests,src/test}}/**/*.{_SOURCE_SUFFIXES}", f"*[tT]est*.{_SOURCE_SUFFIXES}"),
        rb"Container(?:<[^>\n]*>)?\(\s*(?:DockerImageName\.parse\(\s*)?[\"'][a-z0-9][\w./-]*:[\w.-]+[\"']",
    ),
)


def find_unread_kind(path: str, content: bytes) -> UnreadKind | None:
    """Find the kind of a file that is no document, if it looks as if it held images."""
    for (names, sign), kind in zip(_expressions(), UNREAD_KINDS, strict=True):
        if names.fullmatch(path):
            return kind if sign.search(content) else None
    return None


@cache
def _expressions() -> tuple[tuple[re.Pattern[str], re.Pattern[bytes]], ...]:
    return tuple(
        (re.compile(patterns_expression(kind.files)), re.compile(kind.sign, re.MULTILINE | re.IGNORECASE))
        for kind in UNREAD_KINDS
    )

"""Whether a file is a Dockerfile, where its name alone does not say so.

``Dockerfile.go`` may be a Dockerfile for Go or a source file of Go, so the first instruction decides. BuildKit accepts
only ``ARG`` before the first ``FROM``.
"""

from __future__ import annotations

import codecs
import re
from enum import Enum, auto
from pathlib import PurePath

_TEMPLATE_SUFFIXES = ".in .tmpl .tpl .template .j2 .jinja .jinja2 .erb .m4 .gotmpl"
_OTHER_SUFFIXES = ".dockerignore .md .lock .orig .rej .bak .swp .yml .yaml .json .toml .html"
_NO_SUFFIXES = frozenset(f"{_TEMPLATE_SUFFIXES} {_OTHER_SUFFIXES}".split())
_EXACT = re.compile(r"dockerfile|containerfile", re.IGNORECASE)
_SEPARATED = re.compile(r"(?:dockerfile|containerfile)[._-].+|.+[._-](?:dockerfile|containerfile)", re.IGNORECASE)
_JOINED = re.compile(r"(?:[Dd]ocker|[Cc]ontainer)file[A-Z0-9].*|DOCKERFILE[A-Z0-9].*")
_PASSED_OVER = re.compile(rb"(?:[ \t\v\f\r]*(?:#[^\n]*)?\n)*[ \t\v\f\r]*(?:#[^\n]*)?")
_WORD = re.compile(rb"[^\s\\`]+")
_PYTHON_IMPORT = re.compile(rb"from[ \t]+[\w.]+[ \t]+import\b")
_FIRST_INSTRUCTIONS = frozenset({b"FROM", b"ARG"})
_SAMPLE_BYTES = 64
_SHORTEST_SAMPLE = 8
_NUL_SHARE = 4


class _Beginning(Enum):
    INSTRUCTION = auto()
    """``FROM`` or ``ARG``."""
    OTHER = auto()
    NOTHING = auto()
    """Comments at most, or bytes that are not UTF-8."""


def is_dockerfile(path: PurePath, content: bytes) -> bool:
    """Return whether a file is a Dockerfile: by its name and, unless it is exactly that, by its first instruction."""
    name = path.name
    if path.suffix.lower() in _NO_SUFFIXES:
        return False
    if _EXACT.fullmatch(name):
        return True
    if _SEPARATED.fullmatch(name):
        return _beginning(content) is not _Beginning.OTHER
    return _JOINED.fullmatch(name) is not None and _beginning(content) is _Beginning.INSTRUCTION


def other_encoding(content: bytes) -> str | None:
    """Return the encoding of a text with two or four bytes for each character; ``None`` for other text."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    sample = content[:_SAMPLE_BYTES]
    has_zeros = len(sample) >= _SHORTEST_SAMPLE and len(sample) < sample.count(0) * _NUL_SHARE
    return "UTF-16" if has_zeros or content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _beginning(content: bytes) -> _Beginning:
    if other_encoding(content):
        return _Beginning.NOTHING
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    passed_over = _PASSED_OVER.match(content, start)
    at = passed_over.end() if passed_over else start
    if at == len(content):
        return _Beginning.NOTHING
    word = _WORD.match(content, at)
    if word is None or word[0].upper() not in _FIRST_INSTRUCTIONS or _PYTHON_IMPORT.match(content, at):
        return _Beginning.OTHER
    return _Beginning.INSTRUCTION

"""From bytes to nodes, in any syntax."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from enum import Enum

from imagelock.documents.spans import SourceText
from imagelock.documents.syntax.hcl import read_hcl
from imagelock.documents.syntax.ini import read_dotenv, read_ini
from imagelock.documents.syntax.json import read_json
from imagelock.documents.syntax.nodes import DocumentSyntaxError, Node
from imagelock.documents.syntax.yaml import read_yaml


class Syntax(Enum):
    """The syntaxes; the value is how messages call them."""

    DOCKERFILE = "Dockerfile"
    YAML = "YAML"
    JSON = "JSON"
    HCL = "HCL"
    INI = "INI"
    DOTENV = ".env"
    TEXT = "text"
    """No structure is read: only markers say what a line is about."""


_READERS: dict[Syntax, Callable[[SourceText], tuple[Node, ...]]] = {
    Syntax.YAML: read_yaml,
    Syntax.JSON: read_json,
    Syntax.HCL: read_hcl,
    Syntax.INI: read_ini,
    Syntax.DOTENV: read_dotenv,
    Syntax.TEXT: lambda _: (),
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_documents(content: bytes, syntax: Syntax) -> tuple[Node, ...]:
    """Read all documents of a file; ``DocumentSyntaxError`` says where reading ended."""
    return _READERS[syntax](decode(content))


def decode(content: bytes) -> SourceText:
    """Return the text of a file; ``DocumentSyntaxError`` if it is not UTF-8.

    The byte order mark goes first: libyaml counts one character too few after it.
    """
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    if content.startswith(_UTF_16):
        raise DocumentSyntaxError(0, "it is UTF-16; only UTF-8 is read")
    try:
        text = content[start:].decode()
    except UnicodeDecodeError as error:
        raise DocumentSyntaxError(start + error.start, "it is not UTF-8") from error
    return SourceText.at(text, start)

"""Comments and docstrings are plain technical English: they name the party that acts, and what it does."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_WORDS = re.compile(r"\b(nobody|somebody|anybody|everybody|whoever|stands|stood)\b", re.IGNORECASE)
_QUOTED = re.compile(r"``[^`]*``|“[^”]*”|\"[^\"\n]*\"")
_FILES = sorted(
    path for folder in ("src", "benchmarks", "scripts", "demo") for path in (_CHECKOUT / folder).rglob("*.py")
)


def _prose(text: str) -> list[tuple[int, str]]:
    """The comments and docstrings of a module, with their lines: a docstring is a string that is a statement."""
    found: list[tuple[int, str]] = []
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_docstring = token.type == tokenize.STRING and before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if token.type == tokenize.COMMENT or is_docstring:
            body = token.string.strip('"') if is_docstring else token.string
            found += [(token.start[0] + number, line) for number, line in enumerate(body.splitlines())]
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.type
    return found


def _mannered(text: str) -> list[str]:
    return [f"{line}: {match[0]}" for line, prose in _prose(text) if (match := _WORDS.search(_QUOTED.sub("", prose)))]


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.relative_to(_CHECKOUT).as_posix())
def test_no_comment_or_docstring_is_about_nobody(file: Path) -> None:
    assert _mannered(file.read_text()) == []


def test_comments_and_docstrings_are_read_and_quotations_are_not() -> None:
    text = (
        '"""What “nobody” wants."""\nx = "nobody"\n\n\ndef f():\n    """Tell somebody."""\n    return x  # it stands\n'
    )
    assert _mannered(text) == ["6: somebody", "7: stands"]

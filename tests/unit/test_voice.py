"""Comments and docstrings are plain technical English: they name the party that acts, and what it does."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_WORDS = re.compile(r"\b(nobody|somebody|anybody|everybody|whoever|stands|stood)\b", re.IGNORECASE)
# Programs do not listen, wish or judge, and results are reported, not told.
_OF_PERSONS = re.compile(
    r"\b(told|hears?|heard|wish(?:es)?|judge[sd]?|mend(?:s|ed)?|business|strangers?|speaks? against"
    r"|without a word|in the same breath)\b",
    re.IGNORECASE,
)
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


def _mannered(text: str, words: re.Pattern[str] = _WORDS) -> list[str]:
    return [f"{line}: {match[0]}" for line, prose in _prose(text) if (match := words.search(_QUOTED.sub("", prose)))]


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.relative_to(_CHECKOUT).as_posix())
def test_no_comment_or_docstring_is_about_nobody(file: Path) -> None:
    assert _mannered(file.read_text()) == []


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.relative_to(_CHECKOUT).as_posix())
def test_no_comment_or_docstring_makes_a_machine_a_person(file: Path) -> None:
    assert _mannered(file.read_text(), _OF_PERSONS) == []


def test_words_of_persons_are_found_and_their_kin_is_not() -> None:
    assert _mannered("# What a host wishes, a command\n# hears and heads.\n", _OF_PERSONS) == ["1: wishes", "2: hears"]
    assert _mannered("# It goes on without a word.\n# A word of judgement, amended.\n", _OF_PERSONS) == [
        "1: without a word"
    ]


def test_comments_and_docstrings_are_read_and_quotations_are_not() -> None:
    text = (
        '"""What “nobody” wants."""\nx = "nobody"\n\n\ndef f():\n    """Tell somebody."""\n    return x  # it stands\n'
    )
    assert _mannered(text) == ["6: somebody", "7: stands"]

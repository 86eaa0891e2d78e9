"""The messages that docs/troubleshooting.md explains are messages of the program, and of tests that provoke them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| (?P<message>`[^|]+) \|[^|]+\|[^|]+\|$", re.MULTILINE)
_FRAGMENTS = [
    fragment
    for row in _ROW.finditer((_CHECKOUT / "docs/troubleshooting.md").read_text())
    for fragment in re.findall(r"`([^`]+)`", row["message"])
]


@cache
def _sentences() -> str:
    """Every string of the program, one after the other; what is put into a string at run time is `…`."""
    sources = (ast.parse(path.read_text()) for path in (_CHECKOUT / "src").rglob("*.py"))
    return "\n".join(text for module in sources for text in _strings(module))


def _strings(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


@cache
def _expected_by_tests() -> str:
    return "\n".join(path.read_text() for path in (_CHECKOUT / "tests").rglob("*.py") if path != Path(__file__))


@pytest.mark.parametrize("fragment", _FRAGMENTS)
def test_the_program_says_it_and_a_test_makes_it_say_so(fragment: str) -> None:
    pattern = ".*".join(re.escape(part) for part in re.split("…|images.lock|linux/arm64", fragment))
    assert re.search(pattern, _sentences()), fragment
    parts = [part.strip(" `:()") for part in re.split("…", fragment)]
    assert max(parts, key=len) in _expected_by_tests(), fragment


def test_there_are_messages() -> None:
    assert len(_FRAGMENTS) >= 12

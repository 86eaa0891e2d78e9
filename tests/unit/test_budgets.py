"""Small files and small functions: budgets are cheap while they hold."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

_SOURCES = Path(__file__).parents[2] / "src"
_MAX_FILE_LINES = 300
_MAX_FUNCTION_LINES = 40
_FILES = sorted(_SOURCES.rglob("*.py"))


def _long_functions(text: str) -> list[str]:
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions}
    return [f"{name} has {count} lines" for name, count in lines.items() if count > _MAX_FUNCTION_LINES]


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.relative_to(_SOURCES).as_posix())
def test_a_file_can_be_read_at_one_go_and_a_function_at_one_glance(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= _MAX_FILE_LINES
    assert _long_functions(text) == []


def test_a_long_function_is_found_by_its_lines() -> None:
    body = "    pass\n"
    assert _long_functions(f"def short():\n{body * 39}async def long():\n{body * 40}") == ["long has 41 lines"]

"""The structure of the source: small functions, files with a reason to be opened, no import circles, plain names."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.import_graph import find_circle, importers_of, imports_of, read_modules

_SOURCES = Path(__file__).parents[2] / "src"
_MAX_FILE_LINES = 300
_MAX_FUNCTION_LINES = 40
_FRAGMENT_LINES = 60
_KEPT_APART = re.compile(r"kept apart: (start-up|import circle)")
"""What the first line of a short file with one importer says, if it is no part of that importer."""
_COMMANDS = "imagelock.cli.commands"
"""Commands are imported by their names, so that a run loads only its own."""
_ENTRY_POINTS = frozenset({"imagelock.__main__"})
_CORE_AND_COMMAND_LINE = {
    "changes.py": "the changes between two lockfiles, and their report",
    "sources.py": "the sources of content, and those of a command's options",
}
"""File names that are no command's, and mean one thing in ``cli`` and in the room below it."""
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


def _fragments(sources: Path) -> list[str]:
    """Short modules with one importer that do not say why they are kept apart, each with its importer."""
    modules = read_modules(sources)
    found = []
    for name, importers in importers_of(modules).items():
        lines = modules[name].read_text().splitlines()
        is_fragment = len(importers) == 1 and len(lines) < _FRAGMENT_LINES and modules[name].name != "__init__.py"
        if is_fragment and not _KEPT_APART.search(lines[0]):
            found.append(f"{name} has {len(lines)} lines, and only {min(importers)} imports it")
    return found


def _unused(sources: Path) -> list[str]:
    modules = read_modules(sources)
    return [
        name
        for name, importers in importers_of(modules).items()
        if not importers
        and modules[name].name != "__init__.py"
        and name.rpartition(".")[0] != _COMMANDS
        and name not in _ENTRY_POINTS
    ]


def test_a_short_file_with_one_importer_is_a_part_of_it_or_says_why_not() -> None:
    assert _fragments(_SOURCES) == []


def test_every_file_is_imported_or_begins_a_run() -> None:
    assert _unused(_SOURCES) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert find_circle(imports_of(read_modules(_SOURCES))) == []


def test_packages_of_one_room_do_not_import_each_other_in_a_circle() -> None:
    packages: defaultdict[str, set[str]] = defaultdict(set)
    for name, imported in imports_of(read_modules(_SOURCES)).items():
        own = _package(name)
        # A package and the one that holds it are one subject: its general files lie beside it, not in it.
        packages[own] |= {other for other in map(_package, imported) if _are_apart(own, other)}
    assert find_circle({name: frozenset(imported) for name, imported in packages.items()}) == []


def _package(module: str) -> str:
    return module.rpartition(".")[0]


def _are_apart(first: str, second: str) -> bool:
    return not f"{first}.".startswith(f"{second}.") and not f"{second}.".startswith(f"{first}.")


def test_files_of_one_name_mean_one_thing() -> None:
    by_name: defaultdict[str, list[Path]] = defaultdict(list)
    for file in _FILES:
        by_name[file.name].append(file.relative_to(_SOURCES / "imagelock"))
    commands = {path.name for path in (_SOURCES / "imagelock/cli/commands").glob("*.py")}
    assert [name for name, paths in by_name.items() if not _mean_one_thing(name, paths, commands)] == []


def _mean_one_thing(name: str, paths: list[Path], commands: Iterable[str]) -> bool:
    """Whether a name is that of one file, or of a command with its report and what computes it, one below ``cli``."""
    if len(paths) == 1 or name == "__init__.py":
        return True
    below = [path for path in paths if path.parts[0] != "cli"]
    return (name in commands or name in _CORE_AND_COMMAND_LINE) and len(below) <= 1


def _write_tree(folder: Path, **modules: str) -> Path:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    for name, text in modules.items():
        (folder / "package" / f"{name}.py").write_text(text)
    return folder


def test_a_fragment_is_found_by_its_lines_and_its_importers(tmp_path: Path) -> None:
    short = '"""One value."""\nVALUE = 1\n'
    sources = _write_tree(
        tmp_path,
        alone=short,
        lazy=short,
        shared=short,
        long=short + "OTHER = 2\n" * 58,
        walled='"""One value; kept apart: start-up loads it without its importer."""\n',
        excused='"""One value; kept apart."""\n',
        first="from package import alone, excused, long, walled\nfrom package.shared import VALUE\n" + "A = 1\n" * 60,
        second="def f():\n    from package.lazy import VALUE\n\n    import package.shared\n" + "A = 1\n" * 60,
    )
    assert _fragments(sources) == [
        "package.alone has 2 lines, and only package.first imports it",
        "package.excused has 1 lines, and only package.first imports it",
        "package.lazy has 2 lines, and only package.second imports it",
    ]
    assert _unused(sources) == ["package.first", "package.second"]


def test_a_circle_is_found_where_one_of_its_imports_is_in_a_function(tmp_path: Path) -> None:
    sources = _write_tree(
        tmp_path, a="import package.b\n", b="def f():\n    from package import c\n", c="from package.a import x\n"
    )
    circle = find_circle(imports_of(read_modules(sources)))
    assert sorted(set(circle)) == ["package.a", "package.b", "package.c"]
    assert _are_apart("room.a", "room.b")
    assert not _are_apart("room", "room.a")


def test_a_name_is_shared_only_by_a_command_and_what_computes_it() -> None:
    core, command, other = Path("locking/mirror.py"), Path("cli/commands/mirror.py"), Path("registry/mirror.py")
    assert _mean_one_thing("mirror.py", [core, command], {"mirror.py"})
    assert not _mean_one_thing("mirror.py", [core, other], {"mirror.py"})
    assert not _mean_one_thing("mirror.py", [core, command], {"lock.py"})

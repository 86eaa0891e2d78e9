"""Which module of a source tree imports which, read from the text: imports inside functions and for types as well."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


def read_modules(sources: Path) -> dict[str, Path]:
    """The modules below a folder by their dotted names; that of a package is its ``__init__.py``."""
    files = {file: file.relative_to(sources).with_suffix("").parts for file in sorted(sources.rglob("*.py"))}
    return {".".join(parts).removesuffix(".__init__"): file for file, parts in files.items()}


def imports_of(modules: Mapping[str, Path]) -> dict[str, frozenset[str]]:
    """The modules that each module imports, itself left out."""
    return {name: frozenset(_imported(file.read_text(), modules)) - {name} for name, file in modules.items()}


def importers_of(modules: Mapping[str, Path]) -> dict[str, frozenset[str]]:
    """The modules that import each module."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, imported in imports_of(modules).items():
        for each in imported:
            found[each].add(name)
    return {name: frozenset(found[name]) for name in modules}


def find_circle(imports: Mapping[str, frozenset[str]]) -> list[str]:
    """The modules of one import circle, or nothing if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _imported(text: str, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.module in modules:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules else node.module

"""What is wrong with ``[kinds]`` and ``[paths]``, held against the files of the project.

A pattern without files, and a path that finds nothing, look like files without images: that is never counted as fine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imagelock.documents.context import DocumentRules, PlacesRule
from imagelock.documents.formats.format_finder import find_references
from imagelock.documents.formats.place_rules import Inside, Parts, Rule, Text
from imagelock.documents.syntax.reader import Syntax
from imagelock.images_file.parser import ImagesFile
from imagelock.images_file.toml import find_lines, nearest_line
from imagelock.model.frozen import frozen
from imagelock.model.globs import compile_glob
from imagelock.project.documents import ProjectDocuments, list_own_files
from imagelock.project.files import read_text
from imagelock.project.project import Project


@frozen
class RuleProblem:
    """One problem, and the line of images.toml that it is about."""

    path: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


def find_rule_problems(project: Project, images_file: ImagesFile) -> tuple[RuleProblem, ...]:
    """Find them all, in the order of the lines."""
    rules = images_file.documents
    if rules is None:
        return ()
    external = [compile_glob(pattern) for pattern in images_file.external.files]
    own = (path for path in list_own_files(project.folder) if not any(each.fullmatch(path) for each in external))
    files = sorted({*own, *images_file.outputs})
    lines = find_lines(read_text(project.images_path))
    found = [*_in_kinds(rules, files), *_in_places(rules, files, project.folder)]
    numbered = sorted((nearest_line(lines, (table, key)), table, key, problem) for table, key, problem in found)
    return tuple(
        RuleProblem(project.images_path, line, f'{table}."{key}": {problem}') for line, table, key, problem in numbered
    )


_Problem = tuple[str, str, str]
"""The table, the key in it, and a sentence."""


def _matching(pattern: str, files: Iterable[str]) -> list[str]:
    matches = compile_glob(pattern).fullmatch
    return [path for path in files if matches(path)]


def _in_kinds(rules: DocumentRules, files: Sequence[str]) -> Iterator[_Problem]:
    kinds: dict[str, tuple[str, str]] = {}
    for rule in rules.kinds:
        matching = _matching(rule.pattern, files)
        if not matching:
            yield "kinds", rule.pattern, "matches no file"
        for path in matching:
            pattern, kind = kinds.setdefault(path, (rule.pattern, rule.kind))
            if kind != rule.kind:
                yield "kinds", rule.pattern, f'makes `{path}` a `{rule.kind}`, and "{pattern}" makes it a `{kind}`'
                break


def _in_places(rules: DocumentRules, files: Sequence[str], folder: Path) -> Iterator[_Problem]:
    documents = ProjectDocuments(folder, rules)
    for rule in rules.places:
        matching = _matching(rule.pattern, files)
        if not matching:
            yield "paths", rule.pattern, "matches no file"
            continue
        for problem in _in_rule(rule, [folder / path for path in matching], documents):
            yield "paths", rule.pattern, problem


def _in_rule(rule: PlacesRule, paths: Sequence[Path], documents: ProjectDocuments) -> Iterator[str]:
    read = [document for path in paths if path.exists() and (document := documents.read(path))]
    trees = [document for document in read if document.kind.syntax is not Syntax.DOCKERFILE]
    if not trees:
        what = "Dockerfiles, which have no paths" if read else "no file of a known syntax: name one under `[kinds]`"
        yield f"leads to {what}"
        return
    for image in rule.images:
        alone = (replace(each.kind, images=(image,), find=None, reads=None, excluded=()) for each in trees)
        found = (find_references(each.content, kind) for each, kind in zip(trees, alone, strict=True))
        if not any(scan.references or scan.problems for scan in found):
            files = "1 file" if len(trees) == 1 else f"{len(trees)} files"
            yield f"`{_text(image)}` finds nothing in {files}"


def _text(rule: Rule) -> str:
    match rule:
        case Text(path, prefix=prefix):
            return f"{path} = {prefix}" if prefix else path
        case Parts(path, name=(name,)):
            return f"{path}.{name}" if path else name
        case Parts(path) | Inside(path):
            return path

"""Whether the files that images.toml names may lie where they do, and are as many files as they have names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imagelock.images_file.parser import ImagesFile, images_file_error
from imagelock.images_file.toml import Problem
from imagelock.project.files import find_kind_problem, read_text
from imagelock.project.project import Project
from imagelock.project.work_tree import Identity, WorkTree, find_work_tree, identify

_ROLES = {"render": "template", "export": "compose file"}
_OWN = "is read or written by imagelock itself"


def refuse_misplaced(project: Project, images_file: ImagesFile) -> None:
    """Raise ``ImagesFileError`` for every output and input that lies where it may not, each with its line."""
    problems = tuple(_find_problems(project, images_file))
    if problems:
        raise images_file_error(read_text(project.images_path), problems, str(project.images_path))


def _find_problems(project: Project, images_file: ImagesFile) -> Iterator[Problem]:
    tree = find_work_tree(project.folder)
    owners = {identify(path): f"{path.name}, which {_OWN}" for path in (project.lock_path, project.images_path)}
    for key, names in _inputs(images_file):
        output = project.folder / key[1]
        sentence = tree.objection(output) or find_kind_problem(output)
        identity = None if sentence else identify(output)
        if identity in owners:
            sentence = f"is {owners[identity]}"
        for name in names:
            sentence = sentence or _find_input_problem(tree, identity, project.folder / name, name, _ROLES[key[0]])
        if sentence:
            yield Problem(key, sentence)
        elif identity is not None:
            owners[identity] = f"the same file as `{key[1]}`"


def _inputs(images_file: ImagesFile) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield each output by its key in images.toml, with the files that it is made from."""
    yield from ((("render", target.output), (target.template,)) for target in images_file.targets)
    yield from ((("export", target.output), target.export.sources) for target in images_file.exports)


def _find_input_problem(tree: WorkTree, output: Identity | None, source: Path, name: str, role: str) -> str | None:
    objection = tree.objection(source) or find_kind_problem(source)
    if objection:
        return f"its {role} `{name}` {objection}"
    return f"is its own {role}, under another name" if output == identify(source) else None

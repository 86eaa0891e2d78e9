"""Check the paths in images.toml: inside the work tree, of regular files, and no file under two names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from imagelock.images_file.parser import ImagesFile, images_file_error
from imagelock.images_file.toml import Problem
from imagelock.project.files import find_kind_problem, read_text
from imagelock.project.project import Project
from imagelock.project.work_tree import Identity, WorkTree, find_work_tree, identify

_ROLES = {"render": "template", "export": "compose file"}
_OWN = "is read or written by imagelock itself"


def refuse_misplaced(project: Project, images_file: ImagesFile) -> None:
    """Raise one ``ImagesFileError`` with every misplaced output and input, each with its line."""
    problems = tuple(_find_problems(project, images_file))
    if problems:
        raise images_file_error(read_text(project.images_path), problems, str(project.images_path))


def _find_problems(project: Project, images_file: ImagesFile) -> Iterator[Problem]:
    tree = find_work_tree(project.folder)
    owners = {identify(path): f"{path.name}, which {_OWN}" for path in (project.lock_path, project.images_path)}
    for key, names in _inputs(images_file):
        output = project.folder / key[1]
        problem = tree.objection(output) or find_kind_problem(output)
        if problem:
            yield Problem(key, problem)
            continue
        identity = identify(output)
        if identity in owners:
            problem = f"is {owners[identity]}"
        else:
            sources = {name: project.folder / name for name in names}
            problem = _find_input_problem(tree, identity, sources, role=_ROLES[key[0]])
        if problem:
            yield Problem(key, problem)
        else:
            owners[identity] = f"the same file as `{key[1]}`"


def _inputs(images_file: ImagesFile) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield the key of each output in images.toml, and the names of its inputs."""
    yield from ((("render", target.output), (target.template,)) for target in images_file.targets)
    yield from ((("export", target.output), target.export.sources) for target in images_file.exports)


def _find_input_problem(tree: WorkTree, output: Identity, sources: Mapping[str, Path], *, role: str) -> str | None:
    """Return what is wrong with the first input that cannot be one, as the end of a sentence about the output."""
    for name, source in sources.items():
        objection = tree.objection(source) or find_kind_problem(source)
        if objection:
            return f"its {role} `{name}` {objection}"
        if identify(source) == output:
            return f"is its own {role}, under another name"
    return None

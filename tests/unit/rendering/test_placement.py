from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagelock.errors import ImagesFileError
from imagelock.images_file.parser import parse_images_file
from imagelock.project.project import Project
from imagelock.rendering.placement import refuse_misplaced


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / "t.in").touch()
    (folder / "images.lock").touch()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (folder / "out").symlink_to("../outside")
    (folder / "loop").symlink_to("loop")
    (folder / "toml").symlink_to("images.toml")
    (folder / "lock").symlink_to("images.lock")
    (folder / "template").symlink_to("t.in")
    os.link(folder / "t.in", folder / "hard")
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    return Project(folder / "images.toml", folder / "images.lock")


def _problems(project: Project, table: str) -> list[str]:
    text = f"[images]\n{table}"
    project.images_path.write_text(text)
    try:
        refuse_misplaced(project, parse_images_file(text))
    except ImagesFileError as error:
        return [line.removeprefix(f"{project.folder}/") for line in error.details]
    return []


@pytest.mark.parametrize(
    ("output", "template", "sentence"),
    [
        ("../x", "t.in", "lies outside the git work tree {root}"),
        ("/etc/x", "t.in", "lies outside the git work tree {root}"),
        ("out/x", "t.in", "leads outside the git work tree {root}, to {outside}/x"),
        (".git/hooks/pre-commit", "t.in", "lies in git's own directory"),
        ("loop", "t.in", "is a link that leads to itself"),
        ("toml", "t.in", "is images.toml, which is read or written by imagelock itself"),
        ("lock", "t.in", "is images.lock, which is read or written by imagelock itself"),
        ("fifo", "t.in", "is a FIFO, not a file"),
        ("folder", "t.in", "is a directory, not a file"),
        ("template", "t.in", "is its own template, under another name"),
        ("hard", "t.in", "is its own template, under another name"),
        ("x", "../outside/secret", "its template `../outside/secret` lies outside the git work tree {root}"),
        ("x", "/dev/zero", "its template `/dev/zero` lies outside the git work tree {root}"),
        ("x", "out/secret", "its template `out/secret` leads outside the git work tree {root}, to {outside}/secret"),
        ("x", ".git/config", "its template `.git/config` lies in git's own directory"),
        ("x", "fifo", "its template `fifo` is a FIFO, not a file"),
        ("x", "folder", "its template `folder` is a directory, not a file"),
    ],
)
def test_what_lies_where_it_may_not_is_told_with_its_line(
    project: Project, output: str, template: str, sentence: str
) -> None:
    expected = sentence.format(root=project.folder, outside=project.folder.parent / "outside")
    (problem,) = _problems(project, f'[render]\n"{output}" = "{template}"\n')
    assert problem.startswith("images.toml:3: render.")
    assert problem.endswith(f": {expected}")


def test_two_outputs_may_not_be_one_file(project: Project) -> None:
    (project.folder / "sub").mkdir()
    (project.folder / "alias").symlink_to("sub")
    assert _problems(
        project,
        '[render]\n"alias/new" = "t.in"\n"sub/new" = "t.in"\n[export]\n"alias/env" = "env"\n"sub/env" = "env"\n',
    ) == [
        'images.toml:4: render."sub/new": is the same file as `alias/new`',
        'images.toml:7: export."sub/env": is the same file as `alias/env`',
    ]


def test_all_problems_are_told_at_once(project: Project) -> None:
    assert len(_problems(project, '[render]\n"../x" = "t.in"\n"out/y" = "t.in"\n[export]\n"../z" = "env"\n')) == 3


@pytest.mark.parametrize("output", ["x", "new/deep/x", "folder/x", "out.txt", ".github/x"])
def test_what_lies_inside_is_fine(project: Project, output: str) -> None:
    assert _problems(project, f'[render]\n"{output}" = "t.in"\n[export]\n"env" = "env"\n') == []


def test_a_template_may_be_a_link_inside_the_work_tree(project: Project) -> None:
    assert _problems(project, '[render]\n"x" = "template"\n') == []


def test_a_template_that_is_missing_is_left_to_rendering(project: Project) -> None:
    assert _problems(project, '[render]\n"x" = "missing.in"\n') == []

"""What happens to a project every day ends in a green check, by nothing but the commands that the messages name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

from tests.support.git import Repository
from tests.support.oci_images import multi_platform_image
from tests.support.project import GO, Project

_IMAGES = """\
platforms = ["linux/amd64", "linux/arm64"]

[images]
go = "oci:vendor:golang:1.22"
node = "oci:vendor:node:20"

[render]
"out/Dockerfile" = "Dockerfile.in"

[pin]
files = [
    "ci/Dockerfile",
]
"""
_BOTH = ("linux/amd64", "linux/arm64")
_COMMANDS = re.compile(r"`imagelock ([^`]*)`")


@pytest.fixture
def project(workshop: Project) -> Project:
    workshop.write("images.toml", _IMAGES)
    workshop.write("Dockerfile.in", "FROM {{images.go}}\n")
    workshop.write("ci/Dockerfile", "FROM golang:1.22\nFROM node:20\n")
    workshop.push("golang:1.23", multi_platform_image(*_BOTH, note="go 1.23"))
    assert workshop.run("lock").exit_code == workshop.run("render").exit_code == 0
    assert workshop.run("check", "--all").exit_code == 0
    return workshop


def _new_dockerfile(project: Project) -> None:
    project.write("new/Dockerfile", "FROM node:20\n")


def _tag_raised_in_images_toml(project: Project) -> None:
    project.write("images.toml", _IMAGES.replace("golang:1.22", "golang:1.23"))


def _bot_raises_a_tag(project: Project) -> None:
    new = f"golang:1.23@{project.images['golang:1.23'].digest}"
    project.write("ci/Dockerfile", re.sub(r"golang:1\.22@\S+", new, project.read("ci/Dockerfile")))


def _bot_raises_a_tag_alone(project: Project) -> None:
    project.write("ci/Dockerfile", project.read("ci/Dockerfile").replace("golang:1.22@", "golang:1.23@"))


def _bot_changes_a_digest(project: Project) -> None:
    project.write(
        "ci/Dockerfile", re.sub(r"(golang:1\.22@sha256:)\w+", rf"\g<1>{'a1' * 32}", project.read("ci/Dockerfile"))
    )


def _image_goes(project: Project) -> None:
    project.write("ci/Dockerfile", "".join(project.read("ci/Dockerfile").splitlines(keepends=True)[:1]))
    assert project.run("remove", "node").exit_code == 0


def _file_moves(project: Project) -> None:
    text = project.read("ci/Dockerfile")
    (project.folder / "ci/Dockerfile").unlink()
    project.write("build/Dockerfile", text)


def _image_is_renamed(project: Project) -> None:
    project.write("images.toml", _IMAGES.replace("node =", "nodejs ="))


@pytest.mark.parametrize(
    "happens",
    [
        _new_dockerfile,
        _tag_raised_in_images_toml,
        _bot_raises_a_tag,
        _bot_raises_a_tag_alone,
        _bot_changes_a_digest,
        _image_goes,
        _file_moves,
        _image_is_renamed,
    ],
)
def test_the_commands_of_the_messages_end_in_a_green_check(
    project: Project, happens: Callable[[Project], None]
) -> None:
    happens(project)
    run: list[str] = []
    while (outcome := project.run("check", "--all")).exit_code:
        hint = outcome.stderr.rpartition("hint: ")[2]
        commands = _COMMANDS.findall(hint)
        assert commands, outcome.stderr
        for command in commands:
            run.append(command)
            assert len(run) <= 4, run
            assert project.run(*shlex.split(command)).exit_code == 0, command
    assert outcome.stderr.splitlines()[-1].endswith("all up to date")


def test_what_a_bot_wanted_is_what_comes_out(project: Project) -> None:
    _bot_raises_a_tag_alone(project)
    assert project.run("update", "go", "--to", "1.23").exit_code == 0
    assert f"golang:1.23@{project.images['golang:1.23'].digest}" in project.read("ci/Dockerfile")
    assert project.run("check", "--all").exit_code == 0


def test_a_template_that_is_begun_later(project: Project) -> None:
    outcome = project.run("init", "--template", "ci/Dockerfile")
    assert _COMMANDS.findall(outcome.stderr) == ["render"]
    assert project.run("render").exit_code == 0
    assert project.run("check", "--all").exit_code == 0
    assert (
        project.read("ci/Dockerfile.in")
        == "FROM golang:1.22@{{images.go.digest}}\nFROM node:20@{{images.node.digest}}\n"
    )


def test_an_image_that_is_still_used_is_told(project: Project) -> None:
    assert project.run("remove", "node").stderr.splitlines()[-1] == (
        "note: `check` fails for these until they are gone, declared again, or listed under [external]"
    )
    assert project.run("check").exit_code == 1


def test_a_merge_that_conflicts_in_both_files(project: Project) -> None:
    """A person resolves images.toml and takes either side of the files; the lock and the files follow."""
    project.push("golang:1.24", multi_platform_image(*_BOTH, note="go 1.24"))
    git = Repository(project.folder)
    git.start()
    for branch, tag in (("ours", "1.23"), ("theirs", "1.24")):
        git.branch_off(branch, start="main")
        assert project.run("update", "go", "--to", tag).exit_code == 0
        git.commit()
    ours = _IMAGES.replace("golang:1.22", "golang:1.23")
    git.switch("ours")
    files = {name: project.read(name) for name in ("ci/Dockerfile", "out/Dockerfile")}
    assert {"images.toml", "images.lock"} <= set(git.merge("theirs"))
    for name, content in {**files, "images.toml": ours}.items():
        project.write(name, content)
    assert "<<<<<<<" in project.read("images.lock")
    outcome = project.run("check")
    assert (outcome.exit_code, outcome.stderr.splitlines()[-1]) == (2, "hint: run `imagelock lock` to merge both sides")
    assert project.run("lock").exit_code == 0
    assert project.run("check").exit_code == 0
    assert project.read("images.toml") == ours


_ELSEWHERE = {
    "compose.yaml": "services:\n  a:\n    image: golang:1.22\n  b:\n    image: node:20\n",
    ".github/workflows/ci.yaml": (
        "on: push\njobs:\n"
        "  a:\n    runs-on: x\n    container: golang:1.22\n"
        "  b:\n    runs-on: x\n    container: node:20\n"
    ),
    "deploy/pod.yaml": (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
        "    - {name: a, image: 'golang:1.22'}\n    - {name: b, image: 'node:20'}\n"
    ),
    "kustomization.yaml": ('images:\n  - name: golang\n    newTag: "1.22"\n  - {name: node, newTag: "20"}\n'),
    "values.yaml": (
        "a:\n  image: {repository: golang, tag: '1.22', digest: ''}\n"
        "b:\n  image: {repository: node, tag: '20', digest: ''}\n"
    ),
}


@pytest.fixture(params=sorted(_ELSEWHERE))
def elsewhere(request: pytest.FixtureRequest, workshop: Project) -> tuple[Project, str]:
    """A project with two images in a pinned file of another kind."""
    name: str = request.param
    workshop.push("golang:1.23", multi_platform_image(*_BOTH, note="go 1.23"))
    workshop.push("node:22", multi_platform_image(*_BOTH, note="node 22"))
    workshop.write("images.toml", f'{_IMAGES.partition("[render]")[0]}[pin]\nfiles = [\n    "{name}",\n]\n')
    workshop.write(name, _ELSEWHERE[name])
    assert workshop.run("lock").exit_code == workshop.run("render").exit_code == 0
    assert workshop.run("check", "--all").exit_code == 0
    return workshop, name


def _follow_hints(project: Project) -> list[str]:
    """Run what the hints of ``check --all`` name until it is green, and return that."""
    run: list[str] = []
    while (outcome := project.run("check", "--all")).exit_code:
        commands = _COMMANDS.findall(" ".join(re.findall("^hint: .*", outcome.stderr, re.MULTILINE)))
        assert commands, outcome.stderr
        for command in commands:
            run.append(command)
            assert len(run) <= 4, (run, outcome.stderr)
            assert project.run(*shlex.split(command)).exit_code == 0, command
    return run


def test_a_new_file(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    folder, slash, last = name.rpartition("/")
    project.write(f"{folder}{slash}{'new-' if folder else 'new/'}{last}", _ELSEWHERE[name])
    assert _follow_hints(project) == ["scan --write", "render"]


def test_a_file_that_moves_or_goes(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    text = project.read(name)
    (project.folder / name).unlink()
    moved = ".github/workflows/moved.yaml" if "/workflows/" in name else f"moved/{name.rpartition('/')[2]}"
    project.write(moved, text)
    assert _follow_hints(project) == ["scan --write"]
    (project.folder / moved).unlink()
    assert _follow_hints(project) == ["scan --write"]


@pytest.mark.parametrize("takes_digests", [True, False])
def test_a_bot_that_raises_two_tags(elsewhere: tuple[Project, str], *, takes_digests: bool) -> None:
    project, name = elsewhere
    text = project.read(name)
    for old, new in (("golang:1.22", "golang:1.23"), ("node:20", "node:22")):
        tag, wanted = old.partition(":")[2], new.partition(":")[2]
        text = re.sub(rf"(?<=[:'\"]){re.escape(tag)}(?=[@'\"])", wanted, text)
        if takes_digests:
            text = text.replace(project.images[old].digest, project.images[new].digest)
    project.write(name, text)
    assert _follow_hints(project) == ["update go --to 1.23", "update node --to 22"]
    assert all(project.images[new].digest in project.read(name) for new in ("golang:1.23", "node:22"))


def test_a_bot_that_changes_digests(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    text = project.read(name)
    project.write(name, re.sub(r"sha256:\w{64}", f"sha256:{'a1' * 32}", text))
    assert _follow_hints(project) == ["render"]
    assert project.read(name) == text


def test_two_tags_raised_in_images_toml(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    images = project.read("images.toml").replace("golang:1.22", "golang:1.23").replace("node:20", "node:22")
    project.write("images.toml", images)
    assert _follow_hints(project) == ["lock", "render --retag"]
    after = project.read(name)
    assert all(project.images[new].digest in after for new in ("golang:1.23", "node:22"))
    assert "1.22" not in after


def test_a_move_takes_the_file_along(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    old, new = project.images["golang:1.22"].digest, project.images["golang:1.23"].digest
    before = project.read(name)
    assert project.run("update", "go", "--to", "1.23").exit_code == 0
    assert project.read(name) == before.replace("1.22", "1.23").replace(old, new)
    assert project.run("check", "--all").exit_code == 0


@pytest.mark.parametrize("elsewhere", ["values.yaml"], indirect=True)
def test_a_move_tells_of_a_tag_that_it_leaves_behind(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    project.write(name, project.read(name).replace("'1.22'", "&tag '1.22'") + "labels: {version: *tag}\n")
    outcome = project.run("update", "go", "--to", "1.23")
    assert outcome.exit_code == 0
    assert "values.yaml:2:" in outcome.stderr
    assert "write `1.23` there" in outcome.stderr
    assert project.run("check").exit_code == 1


def test_an_image_that_is_removed_is_not_brought_back_by_every_hint(elsewhere: tuple[Project, str]) -> None:
    project, name = elsewhere
    assert project.run("remove", "node").exit_code == 0
    assert "or take the reference out" in project.run("check").stderr
    lines = project.read(name).splitlines(keepends=True)
    kept = [line for line in lines if "node" not in line and "  b:" not in line and "20@" not in line]
    project.write(name, "".join(kept))
    assert _follow_hints(project) == []


def test_a_moved_file_and_a_new_image_take_one_row_of_commands(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["old.Dockerfile", "compose.yaml"]\n')
    pinned.write("new.Dockerfile", f"FROM {GO}\n")
    pinned.write("compose.yaml", "services: {a: {image: 'redis:7'}}\n")
    assert pinned.run("check").stderr == (
        "error: files are not as locked\n"
        '  images.toml:5: pin.files: "old.Dockerfile" matches no file\n'
        "  compose.yaml:1:24: redis:7: images.lock does not have it\n\n"
        "hint: run `imagelock scan --write`, then `imagelock lock`, then `imagelock render`\n"
    )
